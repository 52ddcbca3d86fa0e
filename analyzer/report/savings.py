"""What following a proposal changes, in words."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.report import FindingReport, ProposalReport
from archlint.analyzer.report.measured import brief
from archlint.analyzer.text import change, percent_change, safe, size


def savings(proposal: ProposalReport) -> Iterator[tuple[str, str]]:
    """Lines with their labels: MACs, what changes in their place where they do not, parameters."""
    before, after = proposal.before, proposal.after
    if before.macs != after.macs:
        ratio = f", ratio {after.macs / before.macs:.2f}" if before.macs else ""
        label = "saves" if after.macs < before.macs else "costs"
        yield label, change(before.macs, after.macs, "MACs") + ratio
    elif before.macs:
        yield "keeps", f"{before.macs:,} MACs"
    else:
        yield "saves", change(before.ops, after.ops, "other operations")
    if before.macs == after.macs and after.bytes < before.bytes:
        yield "saves" if before.macs else "", _moved(proposal)
    if proposal.saved_parameters:
        yield "", change(proposal.parameters_before, proposal.parameters_after, "parameters")


def brief_saving(proposal: ProposalReport) -> str:
    """The most telling of them."""
    before, after = proposal.before, proposal.after
    if proposal.saved_parameters > max(0, 10 * proposal.saved_macs):
        return change(proposal.parameters_before, proposal.parameters_after, "parameters")
    if before.macs == after.macs and after.bytes < before.bytes:
        return _moved(proposal)
    return change(before.macs, after.macs, "MACs")


def remainder(proposal: ProposalReport) -> str:
    """What is left, for those who know what there is."""
    before, after = proposal.before, proposal.after
    if before.macs == after.macs and after.bytes < before.bytes:
        return f"{size(after.bytes)} moved ({percent_change(before.bytes, after.bytes)})"
    return f"{after.macs:,} MACs ({percent_change(before.macs, after.macs)})"


def in_brief(finding: FindingReport) -> str:
    """What was found, and in brackets what following it saves and what the stopwatch says."""
    message = safe(finding.message)
    if finding.proposal is None:
        return message
    told = [brief_saving(finding.proposal), *map(brief, finding.measured)]
    return f"{message} [{'; '.join(told)}]"


def _moved(proposal: ProposalReport) -> str:
    before, after = proposal.before.bytes, proposal.after.bytes
    return f"{size(before)} → {size(after)} moved ({percent_change(before, after)})"
