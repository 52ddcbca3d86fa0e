"""A model beside its base: which findings are new, which are worse, and what else has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.difference import Difference, compare
from archlint.analyzer.compare.recognition import recognise
from archlint.analyzer.report import Change, FindingReport, ModelReport, State
from archlint.bases import Counterpart
from archlint.work import Answer


def same(report: ModelReport, base: Counterpart) -> ModelReport:
    """A model whose base is the same file: nothing of it is new."""
    findings = tuple(replace(one, state=State.UNCHANGED) for one in report.findings)
    return replace(report, findings=findings, change=Change(base.name))


def without_base(report: ModelReport, why: str = "") -> ModelReport:
    """A model that the base lacks, or has in a state that cannot be analysed: all of it is new."""
    findings = tuple(replace(one, state=State.NEW) for one in report.findings)
    notes = (*report.notes, f"the base cannot be analysed: {why}") if why else report.notes
    return replace(report, findings=findings, notes=notes, change=Change())


def beside(
    report: ModelReport,
    after: Architecture | None,
    base: Counterpart,
    answer: Answer,
    unread: AbstractSet[str] = frozenset(),
) -> ModelReport:
    """A model beside the answer about its base.

    All is new where the base cannot be analysed. Findings have no state where it could not be
    checked by rules, nor have those of rules for which it was ``unread``. What is accepted is
    neither found nor fixed.
    """
    if answer.report is None:
        return without_base(report, answer.failures[0].why)
    difference = _difference(answer.architecture, after)
    if not (report.was_checked and answer.report.was_checked):
        return replace(report, change=Change(base.name, difference))
    before = answer.report.findings
    accepted = [one.finding for one in report.ignored]
    places = recognise(before, [*report.findings, *accepted])
    findings = [
        finding
        if finding.code in unread
        else _beside(finding, None if place is None else before[place])
        for finding, place in zip(report.findings, places, strict=False)
    ]
    gone = [one for place, one in enumerate(before) if place not in set(places)]
    if gone and difference is not None:
        gone, findings = _heard(gone, findings, dict(difference.pairs))
    change = Change(base.name, difference, tuple(gone))
    return replace(report, findings=tuple(findings), change=change)


def _heard(
    gone: Sequence[FindingReport], findings: Sequence[FindingReport], now: Mapping[int, int]
) -> tuple[list[FindingReport], list[FindingReport]]:
    """What is gone and what is found, without that which another finding silences or silenced.

    Of several rules the one that saves most speaks at a node. What falls silent by that is not
    mended; what is heard when that one is mended was there before. ``now`` leads from places in
    the base to places in the head.
    """
    new = [one for one in findings if one.state is State.NEW]
    silent = {(other.code, at) for one in new for other in one.alternatives for at in _places(one)}
    fixed = [
        one for one in gone if not any((one.code, now.get(at)) in silent for at in _places(one))
    ]
    silenced = {
        (other.code, now.get(at))
        for one in gone
        for other in one.alternatives
        for at in _places(one)
    }
    heard = [
        replace(one, state=State.UNCHANGED)
        if one.state is State.NEW and any((one.code, at) in silenced for at in _places(one))
        else one
        for one in findings
    ]
    return fixed, heard


def _places(finding: FindingReport) -> list[int]:
    return [node.place for node in finding.nodes if node.place is not None]


def _difference(before: Architecture | None, after: Architecture | None) -> Difference | None:
    return None if before is None or after is None else compare(before, after)


def _beside(finding: FindingReport, before: FindingReport | None) -> FindingReport:
    """The finding with its state.

    It is worse where its nodes are others than they were and cost more. Where they are the same and
    cost more, the input has grown, or what is before them: that is no fault of theirs.
    """
    if before is None:
        return replace(finding, state=State.NEW)
    is_other = finding.identity.structure != before.identity.structure
    if is_other and finding.cost.macs > before.cost.macs:
        return replace(finding, state=State.WORSE, before=before.cost.macs)
    return replace(finding, state=State.UNCHANGED)
