"""What has changed since the base: how much, in which parts, at which nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.report import Change, ModelReport
from archlint.analyzer.report.groups import names
from archlint.analyzer.report.html import dumbbell
from archlint.analyzer.report.html.change_rows import (
    FreeNodes,
    NodeRow,
    free_nodes,
    node_rows,
    total_rows,
)
from archlint.analyzer.report.html.deltas import Delta
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.merged import sentence
from archlint.analyzer.report.measured import verdict_text
from archlint.analyzer.report.sentences import ended, title
from archlint.analyzer.text import percent_change, plural, safe, short

_SHOWN = 200  # nodes
_FIXED_SHOWN = 50
_LONGEST = 300  # columns of a sentence


@dataclass(frozen=True, slots=True)
class Timed:
    """The head against the base on one provider; ``kind`` is ``slower``, ``faster``, ``same`` or
    ``none``."""

    kind: str
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The section; everything but the lead is empty where nothing differs."""

    id: str
    lead: tuple[str, ...]
    timed: tuple[Timed, ...]
    drawing: Markup
    caption: str
    totals: tuple[tuple[str, str, str, Delta], ...]
    nodes: tuple[NodeRow, ...]
    nodes_count: str
    nodes_rest: str
    free: FreeNodes | None
    fixed: tuple[str, ...]
    fixed_count: str

    @property
    def linked(self) -> frozenset[int]:
        """The places of the layers that links lead to."""
        rows = (*self.nodes, *(() if self.free is None else self.free.rows))
        return frozenset(row.place for row in rows if row.place is not None)


def section(model: ModelReport, ids: Ids) -> Changes | None:
    """The change of a model; None where the run has no base."""
    change = model.change
    if change is None:
        return None
    difference = change.difference
    rows = () if difference is None else node_rows(model, difference, ids)
    dear = [row for row in rows if not row.is_free]
    rest = len(dear) - _SHOWN
    scopes = () if difference is None else difference.scopes
    drawing = dumbbell.draw(scopes)
    unit = dumbbell.unit_of(scopes)
    fixed = tuple(_fixed(change))
    return Changes(
        ids.section("change"),
        tuple(_lead(change)),
        tuple(_timed(change)),
        drawing,
        f"{unit} of each part that differs: grey is the base, colour the head." if drawing else "",
        () if difference is None else tuple(total_rows(difference)),
        tuple(dear[:_SHOWN]),
        f"{plural(len(rows), 'node')} {'differs' if len(rows) == 1 else 'differ'}" if rows else "",
        f"And {plural(rest, 'more node')}." if rest > 0 else "",
        free_nodes(rows, are_more=bool(dear)),
        fixed,
        f"This change fixes {plural(len(change.fixed), 'finding')}" if fixed else "",
    )


def _lead(change: Change) -> Iterator[str]:
    if change.is_new:
        yield "The base has no such model."
        return
    base, difference = safe(change.base), change.difference
    if difference is None:
        yield f"The file is the same as in the base ({base})."
        return
    if difference.is_empty:
        yield f"Nothing differs from {base} but, perhaps, names, weights and the size of the file."
        return
    yield f"Against {base}: {_counts(difference)}."
    most = max(difference.before.operations, difference.after.operations)
    share = 100 * difference.share
    yield f"{difference.matched:,} of {plural(most, 'node')} recognised ({share:.1f} %)."
    yield _macs(difference)


def _counts(difference: Difference) -> str:
    same = difference.matched - len(difference.changed)
    counts = (
        (len(difference.removed), "removed"),
        (len(difference.added), "added"),
        (len(difference.changed), "changed"),
        (same, "unchanged"),
    )
    (first, word), *others = [(count, word) for count, word in counts if count]
    return ", ".join([f"{plural(first, 'node')} {word}", *(f"{n:,} {word}" for n, word in others)])


def _macs(difference: Difference) -> str:
    before, after = difference.before.macs, difference.after.macs
    if before is None or after is None:
        old, new = ("unknown" if n is None else f"{short(n)} MACs" for n in (before, after))
        return f"{old} → {new}."
    old, new = (
        f"{'at least ' if side.unknown else ''}{short(macs)}"
        for macs, side in ((before, difference.before), (after, difference.after))
    )
    if old == new:
        return f"The arithmetic is the same: {new} MACs."
    change = percent_change(before, after) if before else "from nothing"
    return f"{sentence(old)} → {new} MACs ({change})."


def _timed(change: Change) -> Iterator[Timed]:
    """What the stopwatch says of the head against the base."""
    for measured in change.measured:
        label, comparison = safe(measured.provider.label), measured.comparison
        if comparison is None:
            why = ended(safe(measured.why))
            yield Timed("none", "Not measured", f" on {label}: {why}")
            continue
        numbers = verdict_text(measured).removeprefix(f"{comparison.verdict} on {label}: ")
        low, high, ratio = comparison.interval.low, comparison.interval.high, comparison.ratio
        if low <= 1 <= high:
            kind, word = "same", "No measurable change"
        elif ratio > 1:
            kind, word = "slower", f"This change adds {100 * (ratio - 1):.1f} % to its time"
        else:
            kind, word = "faster", f"This change takes {100 * (1 - ratio):.1f} % off its time"
        yield Timed(kind, word, f", measured on {label}: {ended(numbers)}")


def _fixed(change: Change) -> Iterator[str]:
    for one in change.fixed[:_FIXED_SHOWN]:
        where = f"{names(one)}: " if one.nodes else ""
        yield f"{where}{safe(title(one))}: {safe(one.message, _LONGEST)}"
    if (rest := len(change.fixed) - _FIXED_SHOWN) > 0:
        yield f"and {rest:,} more"
