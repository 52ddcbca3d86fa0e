"""The table of all nodes: what each is, costs and takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.breaks import breakable
from archlint.analyzer.report.html.cards import rules_of
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layer_names import shape_text
from archlint.analyzer.report.html.node_changes import changes
from archlint.analyzer.report.html.node_numbers import Cell, Scale, counts, shares, times
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import plural, safe

MOST_ROWS = 10_000
FUSED_SHOWN = 1_000  # nodes up to which those that run within another's kernel have rows
PRINTED = 200  # rows up to which all are printed
DEAREST = 100  # that are printed where there are more
_LONGEST = 120  # columns of a name
_LONGEST_SHAPE = 24
_LONGEST_WORD = 12  # of an operator


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; ``title`` says what the numbers are."""

    label: str
    title: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A node; it is ``fused`` where another's kernel does its work. ``kind`` are its classes."""

    id: str
    place: int
    label: Markup
    is_fused: bool
    kind: str
    cells: tuple[Cell, ...]
    findings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Nodes:
    """The section; ``operators`` are what the rows can be chosen by."""

    id: str
    lead: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    operators: tuple[str, ...]
    has_findings: bool
    has_fused: bool
    rest: str
    unprinted: str
    is_long: bool


@dataclass(frozen=True, slots=True)
class _Figures:
    """A column of numbers, and the cell of each layer."""

    column: Column
    cell: Callable[[int], Cell] = field(repr=False)


def section(model: ModelReport, ids: Ids, linked: Collection[int] = ()) -> Nodes | None:
    """The table of a model's layers; those that are ``linked`` to have a row in any case. None
    where there are no layers."""
    if not model.layers:
        return None
    shown = _shown(model.layers, linked)
    numbers = tuple(_numbers(model))
    found = _findings(model, ids)
    printed = _printed(model.layers, shown, found)
    rows = tuple(
        _row(model.layers[place], place, numbers, found.get(place, ()), ids, printed)
        for place in shown
    )
    text = (Column("#"), Column("Node"), Column("Op"), Column("What it does"), Column("Output"))
    heads = [*text, *(one.column for one in numbers)]
    if found:
        heads.append(Column("Finding"))
    fused = sum(row.is_fused for row in rows)
    return Nodes(
        ids.section("nodes"),
        _lead(model, fused),
        tuple(heads),
        rows,
        tuple(sorted({safe(model.layers[place].operator) for place in shown})),
        bool(found),
        bool(fused),
        _rest(len(model.layers) - len(rows)),
        _unprinted(len(rows) - len(printed), bool(found)) if printed else "",
        len(model.layers) > FUSED_SHOWN,
    )


def _shown(layers: Sequence[LayerReport], linked: Collection[int]) -> list[int]:
    """The places of the layers that have rows, in their order: the dearest where they are many."""
    places = list(range(len(layers)))
    if len(layers) > FUSED_SHOWN:
        places = [place for place in places if layers[place].within is None or place in linked]
    if len(places) > MOST_ROWS:
        places.sort(key=lambda place: (place not in linked, *_cheapness(layers[place]), place))
        places = sorted(places[:MOST_ROWS])
    return places


def _printed(
    layers: Sequence[LayerReport], shown: Sequence[int], found: Collection[int]
) -> frozenset[int]:
    """The places of the rows that are printed where they are many: those with findings and the
    dearest; none where all are."""
    if len(shown) <= PRINTED:
        return frozenset()
    dearest = sorted(shown, key=lambda place: (*_cheapness(layers[place]), place))[:DEAREST]
    return frozenset(dearest) | (frozenset(found) & frozenset(shown))


def _cheapness(layer: LayerReport) -> tuple[float, float]:
    macs = layer.cost.macs if layer.cost is not None else 0
    return -(layer.measured or layer.predicted or 0.0), -macs


def _numbers(model: ModelReport) -> Iterator[_Figures]:
    """The columns of numbers, as far as there are any."""
    layers = model.layers
    if model.kernels is not None and any(layer.measured for layer in layers):
        cell, share = times([layer.measured for layer in layers], model.kernels.of_layers)
        busy = "; the machine was busy" if model.kernels.disturbed else ""
        yield _Figures(Column("measured ms", f"milliseconds of its kernel{busy}", True), cell)
        yield _Figures(Column("% time", "share of the measured time of all nodes", True), share)
    macs = [None if layer.cost is None else layer.cost.macs for layer in layers]
    scale = Scale.of(macs)
    whys = [safe(layer.why) for layer in layers]
    counted = f"{scale.name}multiply-accumulates".capitalize()
    yield _Figures(Column(f"{scale.sign}MACs", counted, True), counts(macs, scale, whys))
    yield _Figures(Column("% MACs", "share of the MACs of the model", True), shares(macs))
    if any(layer.predicted for layer in layers):
        cell, _ = times([_alone(layer) for layer in layers], 0.0)
        yield _Figures(Column("predicted ms", "a prediction, not a measurement", True), cell)
    if model.change is not None and model.change.difference is not None:
        told = f"{scale.sign}MACs more or fewer than in the base"
        yield _Figures(
            Column("vs base", told, True), changes(model, model.change.difference, scale)
        )
    else:
        parameters = [layer.parameters for layer in layers]
        unit = Scale.of(parameters)
        head = Column(f"{unit.sign}params", f"{unit.name}parameters".capitalize(), True)
        yield _Figures(head, counts(parameters, unit))


def _alone(layer: LayerReport) -> float | None:
    """The predicted time; that of a kernel stands at the first of its nodes."""
    return None if layer.within is not None and not layer.predicted else layer.predicted


def _findings(model: ModelReport, ids: Ids) -> dict[int, tuple[tuple[str, str], ...]]:
    """The rules that found something at each place, with the anchors of their cards."""
    found: dict[int, dict[str, str]] = {}
    for number, group in enumerate(rules_of(model), start=1):
        for node in (node for finding in group for node in finding.nodes):
            if node.place is not None and node.place < len(model.layers):
                found.setdefault(node.place, {})[safe(group[0].code)] = ids.finding(number)
    return {place: tuple(codes.items()) for place, codes in found.items()}


def _row(
    layer: LayerReport,
    place: int,
    numbers: Sequence[_Figures],
    findings: tuple[tuple[str, str], ...],
    ids: Ids,
    printed: Collection[int],
) -> Row:
    says_more = layer.described != layer.operator
    texts = (
        breakable(safe(layer.operator), _LONGEST_WORD),
        safe(layer.described) if says_more else "",
        "unknown" if layer.output == "?" else safe(shape_text(layer.output), _LONGEST_SHAPE),
    )
    cells = (*map(Cell, texts), *(one.cell(place) for one in numbers))
    label = breakable(safe(layer.label, _LONGEST))
    is_fused = layer.within is not None
    kind = " ".join(word for word, has in (("fused", is_fused), ("p", place in printed)) if has)
    return Row(ids.node(place), place, label, is_fused, kind, cells, findings)


def _lead(model: ModelReport, fused: int) -> str:
    run = "runs" if len(model.layers) == 1 else "run"
    text = f"{plural(len(model.layers), 'node')} {run} at every inference, in this order."
    if fused:
        text += f" {fused:,} of them {'runs' if fused == 1 else 'run'} within another's kernel."
    return text


def _rest(left: int) -> str:
    if not left:
        return ""
    verb = "is" if left == 1 else "are"
    what = f"{plural(left, 'more node')} {verb} left out"
    return f"{what}: those that run within another's kernel, or cost least. archlint cost has all."


def _unprinted(left: int, are_findings: bool) -> str:
    """What a print has, where it has not all rows."""
    which = "with findings and those " if are_findings else ""
    verb = "is" if left == 1 else "are"
    return (
        f"Printed are the nodes {which}that cost most; {plural(left, 'other')} {verb} on the page."
    )
