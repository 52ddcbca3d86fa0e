"""Where the findings of a rule are: the rows of a card's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import FindingReport, ModelReport
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.verdicts import briefly
from archlint.analyzer.text import milliseconds, plural, safe, short

_SHOWN = 50
_NAMES = 3


@dataclass(frozen=True, slots=True)
class Link:
    """A node by its name, and its place; without these where it is not among the layers."""

    text: str
    target: str
    place: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """A place. Numbers are texts, empty where there is none to tell."""

    nodes: tuple[Link, ...]
    more: str
    where: str
    described: str
    suggested: str
    now: str
    after: str
    fewer: str
    measured: tuple[str, ...]
    predicted: str


@dataclass(frozen=True, slots=True)
class Places:
    """The rows, and which columns have something to tell."""

    count: str
    rows: tuple[Row, ...]
    rest: str
    suggested: bool
    macs: bool
    proposed: bool
    fewer: bool
    measured: bool
    predicted: bool


def places_of(model: ModelReport, findings: Sequence[FindingReport], ids: Ids) -> Places | None:
    """The table; None where the findings are at no node."""
    located = [finding for finding in findings if finding.nodes]
    if not located:
        return None
    titles = {finding.proposal.title for finding in located if finding.proposal is not None}
    rows = tuple(_row(model, finding, ids) for finding in located[:_SHOWN])
    return Places(
        plural(len(located), "place"),
        rows,
        _rest(located[_SHOWN:]),
        suggested=len(titles) > 1,
        macs=any(row.now for row in rows),
        proposed=any(row.after for row in rows),
        fewer=any(row.fewer for row in rows),
        measured=any(row.measured for row in rows),
        predicted=any(row.predicted for row in rows),
    )


def _row(model: ModelReport, finding: FindingReport, ids: Ids) -> Row:
    proposal, forecast = finding.proposal, finding.forecast
    several = len(finding.measured) > 1
    now, after, fewer = _macs(model, finding)
    predicted = ""
    if forecast is not None:
        predicted = f"{milliseconds(forecast.before)} → {milliseconds(forecast.after)}"
    return Row(
        tuple(_links(model, finding, ids)),
        f"and {left:,} more" if (left := len(finding.nodes) - _NAMES) > 0 else "",
        "" if finding.block is None else f"in {safe(finding.block.text)}",
        safe(finding.described),
        "" if proposal is None else safe(proposal.title),
        now,
        after,
        fewer,
        tuple(
            f"{safe(one.provider.label)}: {briefly(one)}" if several else briefly(one)
            for one in finding.measured
        ),
        predicted,
    )


def _links(model: ModelReport, finding: FindingReport, ids: Ids) -> Iterator[Link]:
    for node in finding.nodes[:_NAMES]:
        known = node.place is not None and node.place < len(model.layers)
        target = ids.node(node.place) if known and node.place is not None else ""
        yield Link(safe(node.label) or "(no name)", target, node.place if known else None)


def _macs(model: ModelReport, finding: FindingReport) -> tuple[str, str, str]:
    """MACs now, after and how many times fewer; unknown is told as such."""
    proposal = finding.proposal
    macs = finding.cost.macs
    if proposal is None:
        places = [node.place for node in finding.nodes if node.place is not None]
        if any(model.layers[place].cost is None for place in places if place < len(model.layers)):
            return f"at least {macs:,}" if macs else "unknown", "", ""
        return f"{macs:,}" if macs else "", "", ""
    before, after = proposal.before.macs, proposal.after.macs
    if not before and not after:
        return "0", "0", ""
    return f"{before:,}", f"{after:,}", times(before, after)


def times(before: int, after: int) -> str:
    """``9.7×`` as many before as after; empty where it saves nothing, or all of it."""
    return f"{before / after:.1f}×" if before > after > 0 else ""


def _rest(findings: Sequence[FindingReport]) -> str:
    """The places that are in no row, in one sentence."""
    if not findings:
        return ""
    proposals = [finding.proposal for finding in findings if finding.proposal is not None]
    before = sum(proposal.before.macs for proposal in proposals)
    after = sum(proposal.after.macs for proposal in proposals)
    sums = f", {short(before)} → {short(after)} MACs together" if before != after else ""
    return f"And {plural(len(findings), 'more place')}{sums}."
