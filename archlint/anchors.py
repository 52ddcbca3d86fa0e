"""Which line of text a finding is told at: a binary file has none that a reviewer could read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from archlint.analyzer.compare.snapshot_parse import Snapshot, parse
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import FindingReport, Line, ModelReport
from archlint.analyzer.stack_trace import LONGEST_TEXT
from archlint.choices import AnchorChoice
from archlint.git import Repository
from archlint.snapshot_files import read_snapshot, snapshot_of

_LARGEST = 4_000_000  # bytes of a file that a person wrote

Find = Callable[[FindingReport], Line | None]


def anchored(
    model: ModelReport, choice: AnchorChoice, known: dict[str, Sources | None] | None = None
) -> ModelReport:
    """The report with the line that each finding is told at: the line of Python that made its
    node, else the one of the snapshot. Files are named from the working directory.

    ``known`` are the repositories of models before, by folders, to which this one's is added.
    Raises ConfigError where lines of Python are chosen and git cannot be asked for them.
    """
    findings = [*model.findings, *(one.finding for one in model.ignored)]
    if choice == AnchorChoice.MODEL or not findings:
        return model
    ways: list[Find] = []
    if choice != AnchorChoice.SNAPSHOT and any(finding.source for finding in findings):
        sources = _sources(model.path, choice, {} if known is None else known)
        ways += [] if sources is None else [sources.line]
    if choice != AnchorChoice.SOURCE:
        snapshot = _snapshot_of(model)
        ways += [] if snapshot is None else [snapshot]
    return replace(
        model,
        findings=tuple(_told_at(finding, ways) for finding in model.findings),
        ignored=tuple(replace(one, finding=_told_at(one.finding, ways)) for one in model.ignored),
    )


def _told_at(finding: FindingReport, ways: Sequence[Find]) -> FindingReport:
    lines = (find(finding) for find in ways)
    line = next((line for line in lines if line is not None), None)
    return finding if line is None else replace(finding, anchor=line)


class Sources:
    """The files of a repository, found by the paths that they had where a model was exported."""

    def __init__(self, repository: Repository) -> None:
        self.root = repository.root
        self._by_name: dict[str, list[tuple[str, ...]]] = {}
        for path in repository.tracked:
            parts = tuple(reversed(path.split("/")))
            self._by_name.setdefault(parts[0], []).append(parts)
        self._known: dict[str, tuple[str, bool] | None] = {}
        self._lines: dict[str, tuple[str, ...]] = {}

    def line(self, finding: FindingReport) -> Line | None:
        """The innermost line that made the first node and is in the repository as it was then."""
        found = map(self._resolved, finding.source)
        return next((line for line in found if line is not None), None)

    def _resolved(self, line: Line) -> Line | None:
        found = self._find(line.file)
        if found is None:
            return None
        path, is_whole = found
        lines = self._read(path)
        if line.number > len(lines):
            return None
        text = lines[line.number - 1].strip()
        if line.text != text[:LONGEST_TEXT] if line.text else not is_whole:
            return None
        try:
            shown = os.path.relpath(os.path.join(self.root, path))
        except ValueError:  # on another drive
            return None
        return Line(shown, line.number, text)

    def _find(self, file: str) -> tuple[str, bool] | None:
        """The one tracked file that shares most of the end of a path, and whether that is all of
        the file's own."""
        if file not in self._known:
            self._known[file] = self._nearest(tuple(reversed(re.split(r"[/\\]", file))))
        return self._known[file]

    def _nearest(self, parts: tuple[str, ...]) -> tuple[str, bool] | None:
        best = 0
        found: list[str] = []
        for other in self._by_name.get(parts[0], ()):
            shared = sum(
                1
                for _ in takewhile(lambda pair: pair[0] == pair[1], zip(parts, other, strict=False))
            )
            # One that ends in all of a file's path is nearer than in a part of it.
            nearness = 2 * shared + (shared == len(other))
            if nearness > best:
                best, found = nearness, []
            if nearness == best:
                found.append("/".join(reversed(other)))
        return (found[0], best % 2 == 1) if len(found) == 1 else None

    def _read(self, path: str) -> tuple[str, ...]:
        """The lines of a file; none of what is no plain file of a size that a person writes."""
        if path not in self._lines:
            self._lines[path] = _lines(os.path.join(self.root, path))
        return self._lines[path]


def _sources(path: str, choice: AnchorChoice, known: dict[str, Sources | None]) -> Sources | None:
    folder = os.path.dirname(os.path.abspath(path))
    if folder in known:
        return known[folder]
    try:
        repository = Repository.around(folder)
        roots = {sources.root: sources for sources in known.values() if sources}
        if repository is None:
            known[folder] = None
        else:
            known[folder] = roots.get(repository.root) or Sources(repository)
    except ConfigError:
        if choice == AnchorChoice.SOURCE:
            raise
        known[folder] = None
    return known[folder]


def _snapshot_of(model: ModelReport) -> Find | None:
    """The lines of the snapshot beside a model, where there is one and it is of this model."""
    path = snapshot_of(model.path)
    try:
        text = read_snapshot(model.path)
        snapshot = None if text is None else parse(text, path)
    except ConfigError:  # told where snapshots are checked
        return None
    if text is None or snapshot is None or not _is_of(snapshot, model):
        return None
    lines = text.split("\n")

    def line(finding: FindingReport) -> Line | None:
        number = _line_of(finding, snapshot)
        return None if number is None else Line(path, number, lines[number - 1].strip())

    return line


def _is_of(snapshot: Snapshot, model: ModelReport) -> bool:
    totals = snapshot.architecture.totals
    said = totals.parameters, totals.unknown, totals.macs or 0
    return said == (model.parameters, model.unknown_nodes, model.cost.macs)


def _line_of(finding: FindingReport, snapshot: Snapshot) -> int | None:
    """The line of the first flagged operation, where all of them are what the snapshot says."""
    operations = snapshot.architecture.operations
    placed = [(node.place, node.operator) for node in finding.nodes if node.place is not None]
    if not placed or not all(
        place < len(operations) and operations[place].operator == operator
        for place, operator in placed
    ):
        return None
    return snapshot.lines[placed[0][0]]


def _lines(path: str) -> tuple[str, ...]:
    """The lines of a file; none of what is no plain file of a size that a person writes."""
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return ()
        with open(path, "rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(text.split("\n"))
