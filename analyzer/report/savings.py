"""What following a proposal changes, in words."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.finding import Finding
from archlint.analyzer.proposal import Priced
from archlint.analyzer.report.measured import brief
from archlint.analyzer.text import change, percent_change, safe, size


def savings(priced: Priced) -> Iterator[tuple[str, str]]:
    """Lines with their labels: MACs, what changes in their place where they do not, parameters."""
    before, after = priced.before, priced.after
    if before.macs != after.macs:
        ratio = f", ratio {after.macs / before.macs:.2f}" if before.macs else ""
        label = "saves" if after.macs < before.macs else "costs"
        yield label, change(before.macs, after.macs, "MACs") + ratio
    elif before.macs:
        yield "keeps", f"{before.macs:,} MACs"
    else:
        yield "saves", change(before.ops, after.ops, "other operations")
    if before.macs == after.macs and after.bytes < before.bytes:
        yield "saves" if before.macs else "", _moved(priced)
    if priced.saved_parameters:
        yield "", change(priced.parameters_before, priced.parameters_after, "parameters")


def brief_saving(priced: Priced) -> str:
    """The most telling of them."""
    before, after = priced.before, priced.after
    if priced.saved_parameters > max(0, 10 * priced.saved_macs):
        return change(priced.parameters_before, priced.parameters_after, "parameters")
    if before.macs == after.macs and after.bytes < before.bytes:
        return _moved(priced)
    return change(before.macs, after.macs, "MACs")


def remainder(priced: Priced) -> str:
    """What is left, for those who know what there is."""
    before, after = priced.before, priced.after
    if before.macs == after.macs and after.bytes < before.bytes:
        return f"{size(after.bytes)} moved ({percent_change(before.bytes, after.bytes)})"
    return f"{after.macs:,} MACs ({percent_change(before.macs, after.macs)})"


def in_brief(finding: Finding) -> str:
    """What was found, and in brackets what following it saves and what the stopwatch says."""
    message = safe(finding.message)
    if finding.priced is None:
        return message
    told = [brief_saving(finding.priced), *map(brief, finding.measured)]
    return f"{message} [{'; '.join(told)}]"


def _moved(priced: Priced) -> str:
    before, after = priced.before.bytes, priced.after.bytes
    return f"{size(before)} → {size(after)} moved ({percent_change(before, after)})"
