"""Where findings are, in which order they matter, and by what a service tells them apart."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import FindingReport, Line, ModelReport, Report
from archlint.analyzer.rule import MACS_A_PARAMETER

Found = tuple[ModelReport, FindingReport]

WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def all_found(report: Report) -> Iterator[Found]:
    """The findings with their models."""
    return ((model, finding) for model in report.models for finding in model.findings)


def all_told(report: Report) -> Iterator[Found]:
    """Those that are for who made this change."""
    return ((model, finding) for model in report.models for finding in model.told)


def spot(model: ModelReport, finding: FindingReport) -> Line:
    """The line that a finding is told at: the first of the model where no text stands for it."""
    return finding.anchor or Line(model.path, 1)


def urgency(finding: FindingReport) -> tuple[int, int]:
    """A key by which the most severe come first, and of those what saves most."""
    proposal = finding.proposal
    if proposal is None:
        return -finding.severity, 0
    return (
        -finding.severity,
        -proposal.saved_macs - MACS_A_PARAMETER * proposal.saved_parameters,
    )


def witness(path: str, finding: FindingReport) -> str:
    """A hash that is the same for the same finding in the same file, wherever it stands there."""
    what = finding.identity.fingerprint or finding.identity.name
    key = f"{path}\0{finding.code}\0{what}"
    return hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def distinct(texts: Iterable[str]) -> list[str]:
    """The texts, equal ones told apart by a number from the second on."""
    told: set[str] = set()
    counts: Counter[str] = Counter()
    names: list[str] = []
    for text in texts:
        name = text
        while name in told:
            counts[text] += 1
            name = f"{text} ({counts[text] + 1})"
        told.add(name)
        names.append(name)
    return names


def encodable(path: str) -> str:
    """A path that can be written as UTF-8: bytes that are none are written out."""
    return path.encode("utf-8", "backslashreplace").decode()
