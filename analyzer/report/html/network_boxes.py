"""The boxes of a drawing: what stands in them, how large they are, and what they tell on hover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.heat import Heat, heat
from archlint.analyzer.report.html.layer_names import ending, heading
from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.network_tags import Tag, finding_tags, new_tags
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Part, Sums, part_sums
from archlint.analyzer.text import milliseconds, plural, safe, short

NAME_SIZE, DETAIL_SIZE = 12.0, 11.0
CARD = 4.0
"""How far each card of a stack looks out below the one before it."""

_NARROWEST, _WIDEST = 104, 184
_WIDEST_PART, _WIDEST_STACK = 216, 260
_PAD = 14  # beside the text, both sides together
_LINE = 16.0  # each line but the first adds so much
_LOW = 24.0
_LONGEST = 100  # columns of a name


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box as it is drawn. It ``is_vague`` where a cost is unknown, and has ``cards`` below where
    it stands for blocks that repeat what is drawn above."""

    place: int
    lines: tuple[str, ...]
    title: str
    tone: Tone
    width: float
    is_vague: bool
    cards: int
    tags: tuple[Tag, ...]

    @property
    def is_low(self) -> bool:
        """Those of one line are lower than the others, and round."""
        return len(self.lines) == 1

    @property
    def body(self) -> float:
        """The height of the box itself."""
        return _LOW + _LINE * (len(self.lines) - 1)

    @property
    def height(self) -> float:
        """That with the cards of a stack."""
        return self.body + CARD * self.cards


def drawn_boxes(model: ModelReport, found: Sequence[Box]) -> tuple[tuple[Drawn, ...], Heat]:
    """The boxes as they are drawn, and the scale of their colours; all but joins and stacks are
    equally wide, so that chains look like chains."""
    sums = [part_sums(Part(box.name, box.places), model.layers) for box in found]
    single = [own for box, own in zip(found, sums, strict=True) if not box.repeats]
    scale = heat(model, sums, compared=single)
    texts = [_lines(model, box, own, scale) for box, own in zip(found, sums, strict=True)]
    wide = [_room(lines) for lines in texts if len(lines) == 2]
    most = _WIDEST_PART if any(box.name and not box.repeats for box in found) else _WIDEST
    width = min(max([_NARROWEST, *wide]), most)
    tags = [finding_tags(model, found), new_tags(model, found)]
    drawn = []
    for at, (box, own, lines) in enumerate(zip(found, sums, texts, strict=True)):
        own_width = min(_room(lines), _WIDEST_STACK)
        drawn.append(
            Drawn(
                place=box.places[0],
                lines=lines,
                title="\n".join(_title(model, box, own, scale)),
                tone=Tone.RAISED if box.joins else scale.tone(own),
                width={1: min(own_width, width), 2: width}.get(len(lines), max(own_width, width)),
                is_vague=own.unknown > 0,
                cards=min(box.repeats, 2),
                tags=tuple(tag for kind in tags for tag in kind.get(at, ())),
            )
        )
    return tuple(drawn), scale


def _lines(model: ModelReport, box: Box, sums: Sums, scale: Heat) -> tuple[str, ...]:
    if box.repeats:
        name = ending(safe(box.name, _LONGEST), _WIDEST_STACK - _PAD, NAME_SIZE, bold=True)
        return name, repeated(box), _share(sums, scale)
    if box.name:
        name = ending(safe(box.name, _LONGEST), _WIDEST_PART - _PAD, NAME_SIZE, bold=True)
        share = scale.share(sums)
        told = [plural(box.shown, "layer"), _macs(sums)]
        told += [] if share is None or scale.measure == "MACs" else [f"{share:.1f} %"]
        return name, ", ".join(told)
    layer = model.layers[box.places[0]]
    if box.joins:
        return (safe(layer.operator, _LONGEST),)
    name, detail = heading(layer)
    return (
        _trimmed(safe(name, _LONGEST), NAME_SIZE, bold=True),
        _trimmed(safe(detail or layer.operator, _LONGEST), DETAIL_SIZE, bold=False),
    )


def repeated(box: Box) -> str:
    """What a box repeats how often: ``the 23 layers above 11 more times``."""
    each = box.shown // box.repeats
    layers = "layer" if each == 1 else f"{each:,} layers"
    often = "once more" if box.repeats == 1 else f"{box.repeats:,} more times"
    return f"the {layers} above {often}"


def _share(sums: Sums, scale: Heat) -> str:
    if (share := scale.share(sums)) is None:
        return _macs(sums)
    return f"{share:.1f} % of the {scale.measure}"


def _trimmed(text: str, size: float, *, bold: bool) -> str:
    """The text, without what it says after a comma where a box has no room for that: a stride."""
    fits = svg.text_width(text, size, bold=bold) <= _WIDEST - _PAD
    return text if fits else text.partition(", ")[0]


def _macs(sums: Sums) -> str:
    if sums.macs is None:
        return "MACs unknown"
    return f"{'at least ' if sums.unknown else ''}{short(sums.macs)} MACs"


def _room(lines: Sequence[str]) -> int:
    """The width of a box in which all lines fit, an even number so that its middle is one too."""
    name, *rest = lines
    text = max(
        svg.text_width(name, NAME_SIZE, bold=True),
        *(svg.text_width(line, DETAIL_SIZE) for line in ["", *rest]),
    )
    return 2 * round((text + _PAD) / 2)


def _title(model: ModelReport, box: Box, sums: Sums, scale: Heat) -> Iterator[str]:
    """Lines that tell all of a box; of a layer its name, as its row tells
    the rest."""
    if not box.name:
        layer = model.layers[box.places[0]]
        yield safe(layer.label, _LONGEST)
        if box.joins and layer.within is not None:
            yield f"done by the kernel of {safe(model.layers[layer.within].label, _LONGEST)}"
        return
    counted = repeated(box) if box.repeats else plural(box.shown, "layer")
    yield f"{safe(box.name, _LONGEST)}: {counted}"
    yield from _costs(sums, scale)


def _costs(sums: Sums, scale: Heat) -> Iterator[str]:
    parameters = f", {short(sums.parameters)} parameters" if sums.parameters else ""
    yield f"{_macs(sums)}{parameters}"
    if sums.unknown:
        yield f"the cost of {plural(sums.unknown, 'node')} is unknown"
    if sums.measured is not None:
        yield f"measured {milliseconds(sums.measured)}"
    if sums.predicted is not None:
        yield f"predicted {milliseconds(sums.predicted)}"
    if (share := scale.share(sums)) is not None:
        yield f"{share:.1f} % of the {scale.measure}"
