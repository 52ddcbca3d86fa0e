"""What renderers cannot know from the report: where the files are, and what the rules say."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.reader.source import STANDARD_INPUT

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, slots=True)
class RuleText:
    """What is said of a rule: ``help`` is a page in Markdown that needs no other page."""

    code: str
    name: str
    summary: str
    why: str
    help: str
    severity: Severity
    confidence: Confidence
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a run.

    Relative paths start at ``folder``; ``root`` is the folder of the repository, where services
    start them. ``site`` is the address of archlint's documentation, empty where it has none.
    """

    folder: str
    root: str
    site: str = ""
    rules: Mapping[str, RuleText] = field(default_factory=dict)

    def path(self, path: str) -> str:
        """A path from the root of the repository on, with slashes; addresses stay as they are."""
        if is_address(path) or path == STANDARD_INPUT:
            return path
        whole = os.path.join(self.folder, path)
        return _below(self.root, whole) or _real(self.root, whole) or _slashes(path)

    def page(self, code: str) -> str:
        """The address of the page of a rule; empty where there is none."""
        return f"{self.site}/rules/{code}.html" if self.site and code in self.rules else ""


def is_address(path: str) -> bool:
    """Whether it begins as ``s3://`` does."""
    return _ADDRESS.match(path) is not None


def _below(root: str, path: str) -> str:
    """The path from the root on; empty where it is outside."""
    try:
        inside = _slashes(os.path.relpath(path, root))
    except ValueError:  # on another drive
        return ""
    return "" if inside == ".." or inside.startswith("../") else inside


def _real(root: str, path: str) -> str:
    """As ``_below``, behind links."""
    try:
        return _below(os.path.realpath(root), os.path.realpath(path))
    except (OSError, ValueError):  # no name that a system takes
        return ""


def _slashes(path: str) -> str:
    return path.replace(os.sep, "/")
