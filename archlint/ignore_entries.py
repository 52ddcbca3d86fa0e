"""Which entry of a configuration accepts which finding."""

from __future__ import annotations

import time
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.finding import Finding
from archlint.analyzer.graph import Node
from archlint.analyzer.report import FindingReport, NodeReport
from archlint.patterns import literal
from archlint.selection import covers

if TYPE_CHECKING:
    from archlint.rule_kinds import Ignore


class Entries:
    """Those that are about a model. Most name one node: these are found by its name, so that
    neither many entries nor many findings take long."""

    def __init__(self, ignores: Iterable[Ignore]) -> None:
        self._by_name: dict[str, list[Ignore]] = {}
        self._others: list[Ignore] = []
        for ignore in ignores:
            name = None if ignore.node is None else literal(ignore.node)
            known = self._others if name is None else self._by_name.setdefault(name, [])
            known.append(ignore)

    def accepting(self, finding: Finding | FindingReport) -> list[Ignore]:
        """The entries that accept a finding; none does that a rule failed."""
        if finding.code == CRASH_CODE:
            return []
        candidates = list(self._others)
        if self._by_name:
            names = dict.fromkeys(name for node in finding.nodes for name in _names(node))
            candidates += (entry for name in names for entry in self._by_name.get(name, ()))
        return [ignore for ignore in candidates if _accepts(ignore, finding)]


def _accepts(ignore: Ignore, finding: Finding | FindingReport) -> bool:
    if not is_about(ignore.rule, finding) or has_expired(ignore):
        return False
    anywhere = ignore.node is None and ignore.op is None
    return anywhere or any(_is_at(ignore, node) for node in finding.nodes)


def is_about(selector: str, finding: Finding | FindingReport) -> bool:
    """Whether the selector, as codes are written, means the rule of the finding."""
    return selector == "ALL" or covers(selector, finding.code)


def _is_at(ignore: Ignore, node: Node | NodeReport) -> bool:
    """Whether it means the node: by the node's name or module path, and by its operator."""
    named = ignore.node is None or any(fnmatchcase(name, ignore.node) for name in _names(node))
    return named and (ignore.op is None or fnmatchcase(node.operator, ignore.op))


def _names(node: Node | NodeReport) -> tuple[str, str]:
    return node.label, "/".join(node.scope)


def has_expired(ignore: Ignore) -> bool:
    """Whether its last day is past, by the calendar of this machine."""
    return ignore.expires is not None and ignore.expires.isoformat() < time.strftime("%Y-%m-%d")
