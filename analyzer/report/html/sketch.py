"""What a drawing of flagged nodes, and of what is proposed for them, is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from archlint.analyzer.report import FindingReport, ModelReport, ProposalReport
from archlint.analyzer.text import plural, safe

_SIZES = re.compile(r"(.+?) (\d[\d,]*→.+)")  # 5×5 conv, 192→32
_MOST = 40  # columns of a text


class Kind(StrEnum):
    """What a box stands for."""

    VALUE = "value"
    OPERATOR = "operator"
    MORE = "more"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Box:
    """A value or an operator: ``macs`` is None where unknown, ``place`` that of a layer."""

    kind: Kind
    text: str
    detail: str = ""
    macs: int | None = 0
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Sketch:
    """Boxes in a topological order, and edges between their places."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]

    def shortened(self, kept: int) -> Sketch:
        """The sketch with so many of its operators, and one box for those in the middle."""
        places = [at for at, box in enumerate(self.boxes) if box.kind is Kind.OPERATOR]
        gone = places[(kept + 1) // 2 : len(places) - kept // 2]
        known = [macs for at in gone if (macs := self.boxes[at].macs) is not None]
        more = Box(Kind.MORE, f"… {len(gone):,} more", macs=sum(known) if known else None)
        order = [at for at in range(len(self.boxes)) if at not in gone[1:]]
        target = {at: number for number, at in enumerate(order)}
        target |= dict.fromkeys(gone, target[gone[0]])
        boxes = [self.boxes[at] for at in order]
        boxes[target[gone[0]]] = more
        edges = {(target[a], target[b]): None for a, b in self.edges if target[a] != target[b]}
        return Sketch(tuple(boxes), tuple(edges))


def sketches(
    model: ModelReport, finding: FindingReport, proposal: ProposalReport
) -> tuple[Sketch, Sketch]:
    """What is there now, and what is suggested."""
    inputs = _inputs(model, finding)
    return _now(model, finding, inputs), _suggested(proposal, inputs)


def _flagged(model: ModelReport, finding: FindingReport) -> list[int]:
    """The places of the layers; empty where not all nodes are among them."""
    places = [node.place for node in finding.nodes]
    if None in places or any(place >= len(model.layers) for place in places if place is not None):
        return []
    return sorted({place for place in places if place is not None})


def _inputs(model: ModelReport, finding: FindingReport) -> dict[int, Box]:
    """The values that the flagged layers read, by the places of what makes them; -1 is the model's
    input."""
    flagged = _flagged(model, finding)
    sources = dict.fromkeys(
        source for place in flagged for source in model.layers[place].inputs or (-1,)
    )
    return {
        source: value(model.layers[source].output if source >= 0 else _input_shape(model), "input")
        for source in sources
        if source not in flagged
    }


def _input_shape(model: ModelReport) -> str:
    shape = model.inputs[0].shape if len(model.inputs) == 1 else None
    return "" if shape is None else "x".join(map(str, shape))


def value(shape: str, otherwise: str) -> Box:
    """The box of a value: ``192 channels`` of ``28×28``."""
    dims = [safe(dim, 12) for dim in shape.split("x")]
    if shape in {"", "?"}:
        return Box(Kind.VALUE, otherwise)
    if len(dims) > 2:
        sizes = "×".join(dims[2:])
        many = len(dims) > 3
        return Box(
            Kind.VALUE, f"{dims[1]} channels" if many else f"{dims[1]}×{sizes}", sizes * many
        )
    last = dims[-1]
    return Box(Kind.VALUE, f"{int(last):,} values" if last.isdecimal() else f"{last} values")


def _now(model: ModelReport, finding: FindingReport, inputs: dict[int, Box]) -> Sketch:
    flagged = _flagged(model, finding)
    if not flagged:
        text = finding.described if len(finding.nodes) == 1 else plural(len(finding.nodes), "node")
        box = operator(text, finding.cost.macs)
        return Sketch((value("", "input"), box, value("", "output")), ((0, 1), (1, 2)))
    layers = [model.layers[place] for place in flagged]
    boxes = [
        replace(
            operator(layer.described or layer.operator, layer.cost.macs if layer.cost else None),
            place=place,
        )
        for place, layer in zip(flagged, layers, strict=True)
    ]
    number = {source: -1 - at for at, source in enumerate(inputs)}
    number |= {place: at for at, place in enumerate(flagged)}
    read = [[number[source] for source in layer.inputs or (-1,)] for layer in layers]
    return _joined(list(inputs.values()), boxes, read, [layer.output for layer in layers])


def _suggested(proposal: ProposalReport, inputs: dict[int, Box]) -> Sketch:
    known, steps = list(inputs.values()), proposal.steps
    if not steps:
        source = known[0] if known else value("", "input")
        return Sketch((source, Box(Kind.NOTHING, "removed")), ((0, 1),))
    read: list[Sequence[int]] = [step.inputs for step in steps]
    if not any(read):
        read = [(at - 1,) for at in range(len(steps))]
    wanted = max(-min(source for sources in read for source in sources), 1)
    if wanted != len(known) or len(set(known)) > 1:  # which is which is not told
        numbers = [f" {place}" for place in range(1, wanted + 1)] if wanted > 1 else [""]
        known = [value("", f"input{number}") for number in numbers]
    boxes = [operator(step.text, step.macs) for step in steps]
    return _joined(known, boxes, read, [step.shape for step in steps])


def _joined(
    inputs: Sequence[Box],
    boxes: Sequence[Box],
    read: Sequence[Iterable[int]],
    shapes: Sequence[str],
) -> Sketch:
    """The boxes between those of their inputs, which ``read`` counts from -1 down, and those of
    what nobody among them reads."""
    first = len(inputs)
    edges = [
        (-1 - source if source < 0 else first + source, first + at)
        for at, sources in enumerate(read)
        for source in sources
    ]
    used = {source for source, _ in edges}
    ends = [at for at in range(len(boxes)) if first + at not in used]
    outputs = [value(shapes[at], "output") for at in ends]
    edges += [(first + at, first + len(boxes) + n) for n, at in enumerate(ends)]
    return Sketch((*inputs, *boxes, *outputs), tuple(edges))


def operator(text: str, macs: int | None) -> Box:
    """The box of an operator: its sizes stand below what it is."""
    found = _SIZES.fullmatch(safe(text, _MOST))
    if found is None:
        return Box(Kind.OPERATOR, safe(text, _MOST), macs=macs)
    return Box(Kind.OPERATOR, found[1], found[2].replace("→", " → "), macs)
