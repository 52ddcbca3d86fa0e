"""The tables of a change: totals, and the nodes that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from archlint.analyzer.compare.architecture import Operation
from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import deltas
from archlint.analyzer.report.html.breaks import breakable
from archlint.analyzer.report.html.deltas import Delta
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.operation_text import described, differing
from archlint.analyzer.text import plural, safe, size

_SHOWN = 200  # nodes of a list
_OPERATORS = 6  # that are told by name


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node that differs; without a place and a target where no layer is certain to be it. It
    ``is_free`` where it has no MACs and had none."""

    name: Markup
    operator: str
    place: int | None
    target: str
    word: str
    was: str
    now: str
    before: str
    after: str
    delta: Delta
    is_free: bool


@dataclass(frozen=True, slots=True)
class FreeNodes:
    """Nodes that differ and have no MACs, in one line, and each of them for who wants it."""

    summary: str
    rows: tuple[NodeRow, ...]
    rest: str


def total_rows(difference: Difference) -> Iterator[tuple[str, str, str, Delta]]:
    """Each total in the base and in the head, and by how much it changed."""
    before, after = difference.before, difference.after
    for label, old, new, in_bytes in (
        ("MACs", before.macs, after.macs, False),
        ("Parameters", before.parameters, after.parameters, False),
        ("Files", before.file_bytes, after.file_bytes, True),
        ("Weights as stored", before.weight_bytes, after.weight_bytes, True),
        (
            "Activations at the peak",
            before.peak_activation_bytes,
            after.peak_activation_bytes,
            True,
        ),
        ("Nodes", before.operations, after.operations, False),
        ("Nodes of unknown cost", before.unknown, after.unknown, False),
    ):
        if label == "Nodes of unknown cost" and not (old or new):
            continue
        counted = label == "MACs"  # others are known, or unknown as a whole
        was, now = (
            _number(n, in_bytes=in_bytes, least=counted and bool(side.unknown))
            for n, side in ((old, before), (new, after))
        )
        change = deltas.difference(old, new, size if in_bytes else _exact)
        if counted and (before.unknown or after.unknown):
            change = replace(change, text=f"{change.text} of what is known")
        if label == "Nodes":  # more of them are no worse
            change = replace(change, tone="")
        yield label, was, now, change


def _number(number: int | None, *, in_bytes: bool, least: bool) -> str:
    if number is None:
        return deltas.UNKNOWN.text
    text = size(number) if in_bytes else _exact(number)
    return f"at least {text}" if least else text


def _exact(number: float) -> str:
    return f"{number:,}"


def node_rows(model: ModelReport, difference: Difference, ids: Ids) -> list[NodeRow]:
    """The nodes that are removed, added or changed, those first whose MACs changed most."""
    places = places_of_layers(model)

    def row(was: Operation | None, now: Operation | None, word: str) -> NodeRow:
        place = None if now is None else places.get((now.label, now.operator))
        return _row(was, now, word, place, ids)

    rows = [(_macs(one), row(one, None, "removed")) for one in difference.removed]
    rows += [(_macs(one), row(None, one, "added")) for one in difference.added]
    for old, new in difference.changed:
        rows.append((abs(_macs(new) - _macs(old)), row(old, new, "changed")))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def _macs(operation: Operation) -> int:
    return operation.macs or 0


def places_of_layers(model: ModelReport) -> dict[tuple[str, str], int | None]:
    """The places of layers by label and operator; None where several have the same."""
    places: dict[tuple[str, str], int | None] = {}
    for place, layer in enumerate(model.layers):
        key = layer.label, layer.operator
        places[key] = None if key in places else place
    return places


def _row(
    was: Operation | None, now: Operation | None, word: str, place: int | None, ids: Ids
) -> NodeRow:
    shown = now or was
    if shown is None:
        raise ValueError("a row needs a node")
    if was is not None and now is not None:
        old, new = differing(was, now)
    else:
        old, new = ("" if one is None else described(one) for one in (was, now))
    return NodeRow(
        breakable(safe(shown.label or "/".join(shown.scope)) or "(no name)"),
        safe(shown.operator),
        place,
        "" if place is None else ids.node(place),
        word,
        old,
        new,
        _side(was),
        _side(now),
        _delta(was, now),
        all(one is None or one.macs == 0 for one in (was, now)),
    )


def _side(operation: Operation | None) -> str:
    if operation is None:
        return ""
    return _number(operation.macs, in_bytes=False, least=False)


def _delta(was: Operation | None, now: Operation | None) -> Delta:
    """By how much the MACs changed; a side that is not there has none."""
    before, after = (0 if one is None else one.macs for one in (was, now))
    is_there = was is not None and now is not None
    return deltas.difference(before, after, _exact, percent=is_there)


def free_nodes(rows: Sequence[NodeRow], *, are_more: bool) -> FreeNodes | None:
    """Those of the rows that are of no cost, after others or alone; None where there are none."""
    free = [row for row in rows if row.is_free]
    if not free:
        return None
    words = Counter(row.word for row in free)
    told = ", ".join(f"{count:,} {word}" for word, count in words.items())
    operators = Counter(row.operator for row in free).most_common()
    names = [f"{operator}\u00a0×{count:,}" for operator, count in operators[:_OPERATORS]]
    if others := operators[_OPERATORS:]:
        names.append(f"{sum(count for _, count in others):,} others")
    rest = len(free) - _SHOWN
    return FreeNodes(
        f"{'And ' if are_more else ''}{told} {'node' if len(free) == 1 else 'nodes'} without MACs: "
        f"{', '.join(names)}",
        tuple(free[:_SHOWN]),
        f"and {plural(rest, 'more node')}" if rest > 0 else "",
    )
