"""Where the findings of a rule are: the rows of a card's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.report import FindingReport, ModelReport
from archlint.analyzer.report.html.breaks import breakable
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.verdicts import briefly
from archlint.analyzer.text import milliseconds, plural, safe, short

_SHOWN = 50  # rows
_ALIKE_SHOWN = 200  # places of a row
_NAMES = 3


@dataclass(frozen=True, slots=True)
class Link:
    """A node by its name, and its place; without these where it is not among the layers."""

    text: Markup
    target: str
    place: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """The nodes of one finding, and the block that they are in."""

    nodes: tuple[Link, ...]
    more: str
    where: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a row tells of its places. Numbers are texts, empty where there is none to tell."""

    described: str
    suggested: str
    now: str
    after: str
    fewer: str
    measured: tuple[str, ...]
    predicted: str


@dataclass(frozen=True, slots=True)
class Row:
    """A case, and the places where it is so: the first, and those that are folded."""

    first: Place
    others: tuple[Place, ...]
    more: str
    count: int
    case: Case

    @property
    def links(self) -> Iterator[Link]:
        """Its nodes."""
        for place in (self.first, *self.others):
            yield from place.nodes


@dataclass(frozen=True, slots=True)
class Places:
    """The rows, and which columns have something to tell."""

    count: str
    rows: tuple[Row, ...]
    rest: str
    counted: bool
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
    alike: dict[Case, list[FindingReport]] = {}
    for finding in located:
        alike.setdefault(_case(model, finding), []).append(finding)
    groups = list(alike.items())
    rows = tuple(_row(model, case, group, ids) for case, group in groups[:_SHOWN])
    cases = [row.case for row in rows]
    macs = any(case.now not in {"", "0"} or case.after not in {"", "0"} for case in cases)
    return Places(
        plural(len(located), "place"),
        rows,
        _rest([finding for _, group in groups[_SHOWN:] for finding in group]),
        counted=any(row.count > 1 for row in rows),
        suggested=len(titles) > 1,
        macs=macs,
        proposed=macs and any(case.after for case in cases),
        fewer=any(case.fewer for case in cases),
        measured=any(case.measured for case in cases),
        predicted=any(case.predicted for case in cases),
    )


def _case(model: ModelReport, finding: FindingReport) -> Case:
    proposal, forecast = finding.proposal, finding.forecast
    several = len(finding.measured) > 1
    predicted = ""
    if forecast is not None:
        predicted = f"{milliseconds(forecast.before)} → {milliseconds(forecast.after)}"
    return Case(
        safe(finding.described),
        "" if proposal is None else safe(proposal.title),
        *_macs(model, finding),
        tuple(
            f"{safe(one.provider.label)}: {briefly(one)}" if several else briefly(one)
            for one in finding.measured
        ),
        predicted,
    )


def _row(model: ModelReport, case: Case, findings: Sequence[FindingReport], ids: Ids) -> Row:
    first, *others = (_place(model, finding, ids) for finding in findings[: 1 + _ALIKE_SHOWN])
    rest = len(findings) - 1 - len(others)
    more = f"and {plural(rest, 'more place')}" if rest else ""
    return Row(first, tuple(others), more, len(findings), case)


def _place(model: ModelReport, finding: FindingReport, ids: Ids) -> Place:
    return Place(
        tuple(_links(model, finding, ids)),
        f"and {left:,} more" if (left := len(finding.nodes) - _NAMES) > 0 else "",
        "" if finding.block is None else f"in {safe(finding.block.text)}",
    )


def _links(model: ModelReport, finding: FindingReport, ids: Ids) -> Iterator[Link]:
    for node in finding.nodes[:_NAMES]:
        known = node.place is not None and node.place < len(model.layers)
        target = ids.node(node.place) if known and node.place is not None else ""
        yield Link(
            breakable(safe(node.label) or "(no name)"), target, node.place if known else None
        )


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
