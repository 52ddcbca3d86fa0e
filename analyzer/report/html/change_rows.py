"""The tables of a change: totals, and the nodes that differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archlint.analyzer.compare.architecture import Operation
from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.operation_text import described, differing
from archlint.analyzer.text import percent_change, safe, size

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is told; ``tone`` is ``up`` for what costs more, ``down`` for less."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node that differs; without a place and a target where no layer is certain to be it."""

    name: str
    place: int | None
    target: str
    word: str
    was: str
    now: str
    before: str
    after: str
    delta: Number


def total_rows(difference: Difference) -> Iterator[tuple[str, Number, Number, Number]]:
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
            Number(_number(n, in_bytes=in_bytes, least=counted and bool(side.unknown)))
            for n, side in ((old, before), (new, after))
        )
        change = _change(old, new, in_bytes=in_bytes)
        if counted and (before.unknown or after.unknown):
            change = replace(change, text=f"{change.text} of what is known")
        if label == "Nodes":  # more of them are no worse
            change = replace(change, tone="")
        yield label, was, now, change


def _number(number: int | None, *, in_bytes: bool, least: bool) -> str:
    if number is None:
        return _UNKNOWN
    text = f"{number:,}" if not in_bytes else size(number)
    return f"at least {text}" if least else text


def _change(
    old: int | None, new: int | None, *, in_bytes: bool = False, is_whole: bool = False
) -> Number:
    """``+1,234 (+5.6 %)``, of what is known."""
    if old is None or new is None:
        return Number(_UNKNOWN)
    if old == new:
        return Number("unchanged")
    sign, tone = ("+", "up") if new > old else ("−", "down")
    amount = abs(new - old)
    percent = f" ({percent_change(old, new)})" if old and not is_whole else ""
    return Number(f"{sign}{size(amount) if in_bytes else f'{amount:,}'}{percent}", tone)


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
        safe(shown.label or "/".join(shown.scope)) or "(no name)",
        place,
        "" if place is None else ids.node(place),
        word,
        old,
        new,
        _side(was),
        _side(now),
        _delta(was, now),
    )


def _side(operation: Operation | None) -> str:
    if operation is None:
        return ""
    return _UNKNOWN if operation.macs is None else f"{operation.macs:,}"


def _delta(was: Operation | None, now: Operation | None) -> Number:
    """By how much the MACs changed; a side that is not there has none."""
    before, after = (0 if one is None else one.macs for one in (was, now))
    if not before and before == after:
        return Number("0")
    if was is not None and now is not None:
        return _change(before, after)
    return _change(before, after, is_whole=True)
