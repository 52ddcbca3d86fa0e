"""Equal findings at several places of a model, which a person wants to read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import BlockReport, FindingReport, ProposalReport
from archlint.analyzer.report.measured import verdict_text
from archlint.analyzer.text import change, percent, plural, safe

_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings that differ in nothing but their place, in the order of the report."""

    findings: tuple[FindingReport, ...]

    @property
    def first(self) -> FindingReport:
        """The one that stands for all."""
        return self.findings[0]

    @property
    def times(self) -> str:
        """``×4``; empty for a single finding."""
        return f"×{len(self.findings)}" if len(self.findings) > 1 else ""


def grouped(findings: Iterable[FindingReport]) -> list[FindingGroup]:
    """The groups of equal findings, in the order of the first of each."""
    groups: dict[object, list[FindingReport]] = {}
    for finding in findings:
        groups.setdefault(_key(finding), []).append(finding)
    return [FindingGroup(tuple(members)) for members in groups.values()]


def _key(finding: FindingReport) -> object:
    """All that a report says of a finding but its place."""
    return (
        finding.code,
        finding.severity,
        finding.message,
        finding.described,
        len(finding.nodes),
        finding.cost,
        finding.advice,
        finding.proposal,
        tuple((other.code, other.proposal) for other in finding.alternatives),
        finding.forecast,
        tuple(map(verdict_text, finding.measured)),
        finding.state,
        finding.before,
    )


def names(finding: FindingReport) -> str:
    """The names of the nodes, the last ones counted where there are many."""
    labels = [safe(node.label) for node in finding.nodes]
    shown = ", ".join(labels[:_NAMES_SHOWN])
    more = len(labels) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def grown(finding: FindingReport) -> str:
    """That the finding was there before and costs more now; empty where it is not so."""
    if finding.before is None:
        return ""
    return f" (it is worse than before: {change(finding.before, finding.cost.macs, 'MACs')})"


def places(group: FindingGroup) -> list[str]:
    """Where the findings are: one line for each block, and one for what is in none."""
    by_block: dict[BlockReport | None, list[FindingReport]] = {}
    for finding in group.findings:
        by_block.setdefault(finding.block, []).append(finding)
    several = any(len(finding.nodes) > 1 for finding in group.findings)
    lines = []
    for block, findings in by_block.items():
        line = ("; " if several else ", ").join(names(finding) for finding in findings)
        lines.append(f"{line} in {block.text}" if block is not None else line)
    return lines


def together(group: FindingGroup, proposal: ProposalReport, whole_macs: int) -> str | None:
    """What following all findings of a group saves; None for a single one, or for no MACs."""
    count = len(group.findings)
    saved = count * proposal.saved_macs
    if count == 1 or not saved:
        return None
    sums = change(count * proposal.before.macs, count * proposal.after.macs, "MACs")
    share = f"{'−' if saved > 0 else '+'}{percent(abs(saved), whole_macs)} of the model"
    return f"{sums} at {plural(count, 'place')}, {share}"


def group_numbers(findings: Sequence[FindingReport]) -> list[int]:
    """The number of each finding's group, from 1."""
    number_of = {
        id(finding): number
        for number, group in enumerate(grouped(findings), start=1)
        for finding in group.findings
    }
    return [number_of[id(finding)] for finding in findings]
