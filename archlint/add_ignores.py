"""Accept what is found now: write entries of ``ignore`` to the configuration files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.report import FindingReport, Report
from archlint.configuration import Configuration
from archlint.discovery import PYPROJECT, shown_path
from archlint.output import replace_file
from archlint.reading import read_bytes
from archlint.remarks import REMARKS
from archlint.toml_entries import Table, with_tables

_OPTION = "--add-ignore"
_NEW = "archlint.toml"  # in the working directory, where no file holds for a model
_REMARKS = frozenset(remark.code for remark in REMARKS)
_UNWRITABLE = re.compile("[\ud800-\udfff]")  # bytes of a path that are no UTF-8


def add_ignores(report: Report, configuration: Configuration, reason: str) -> str:
    """Write an entry for each finding of a rule to the file that holds for its model; what was
    written, one line a file.

    Raises ConfigError where an entry or a file cannot be written; entries are made before the first
    file is touched.
    """
    why = _UNWRITABLE.sub("\ufffd", reason.strip())
    entries: dict[str, list[Table]] = {}
    for model in report.models:
        found = [finding for finding in model.findings if finding.code not in _REMARKS]
        if found:
            file = _file(model.path, configuration)
            if not why and configuration.settings(model.path).require_reason:
                raise ConfigError(_OPTION, f"give a reason: {shown_path(file)} asks for one")
            entries.setdefault(file, []).extend(_tables(found, _path(model.path, file), why))
    drafts = {file: _draft(file, tables) for file, tables in entries.items()}
    for file, draft in drafts.items():
        _write(file, draft)
    if not entries:
        return "Nothing was found that an entry could ignore.\n"
    return "".join(f"{shown_path(f)}: {_count(tables)} added\n" for f, tables in entries.items())


def _count(tables: Sequence[Table]) -> str:
    return "1 entry" if len(tables) == 1 else f"{len(tables):,} entries"


def _file(path: str, configuration: Configuration) -> str:
    """The file that gets the entries for a model; raises ConfigError where there can be none."""
    if path == STANDARD_INPUT:
        raise ConfigError(_OPTION, "standard input has no path that an entry could name")
    file = configuration.file_for(path)
    if file is not None:
        return file
    if configuration.isolated:
        raise ConfigError(_OPTION, "--isolated uses no file; leave one of them out")
    if not os.path.abspath(path).startswith(os.path.join(os.getcwd(), "")):
        why = f"no configuration file holds for {path}, and one in the working directory would not"
        raise ConfigError(_OPTION, f"{why}: make one above it, or give one by --config")
    return os.path.join(os.getcwd(), _NEW)


def _path(model: str, file: str) -> str:
    """The pattern that means the model alone, from the folder of the file."""
    try:
        relative = os.path.relpath(model, os.path.dirname(os.path.abspath(file)))
    except ValueError as error:
        why = f"{model} is on another drive than {shown_path(file)}"
        raise ConfigError(_OPTION, why) from error
    pattern = _UNWRITABLE.sub("?", glob.escape(relative).replace(os.sep, "/"))
    return pattern if "/" in pattern else f"./{pattern}"


def _tables(found: Sequence[FindingReport], path: str, why: str) -> list[Table]:
    """An entry for each rule and node, the first of those that a finding is about."""
    tables: dict[tuple[str, str | None], Table] = {}
    for finding in found:
        node = _node(finding.nodes[0].label) if finding.nodes else None
        said = {"rule": finding.code, "path": path, "node": node, "reason": why or None}
        tables[finding.code, node] = {key: text for key, text in said.items() if text is not None}
    return list(tables.values())


def _node(label: str) -> str:
    """The pattern that means a node of this name; blanks alone would be no pattern."""
    return glob.escape(label) if label.strip() else "?" * len(label)


def _draft(file: str, tables: Sequence[Table]) -> str:
    """The new text of a file; raises ConfigError where it cannot take the entries."""
    content = read_bytes(file) if os.path.exists(file) else b""
    in_project = os.path.basename(file) == PYPROJECT
    path = ("tool", "archlint", "ignore") if in_project else ("ignore",)
    draft = with_tables(content.decode(), path, tables)
    if draft is None:
        why = f"cannot take entries as it is written; write [[{'.'.join(path)}]] once by hand"
        raise ConfigError(shown_path(file), why)
    return draft


def _write(file: str, draft: str) -> None:
    try:
        if os.path.exists(file) and not os.access(file, os.W_OK):
            raise PermissionError(0, "it is read-only")
        replace_file(file, draft)
    except OSError as error:
        raise ConfigError(shown_path(file), f"cannot be written: {error.strerror}") from error
