"""The boxes of a drawing: what stands in them, how large they are, and what they tell on hover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.heat import Heat, heat
from archlint.analyzer.report.html.layer_names import heading
from archlint.analyzer.report.html.network_graph import Box
from archlint.analyzer.report.html.network_tags import Tag, finding_tags, new_tags
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.parts import Part, Sums, part_sums
from archlint.analyzer.text import milliseconds, plural, safe, short

NAME_SIZE, DETAIL_SIZE = 12.0, 11.0
_NARROWEST, _WIDEST = 104, 184
_PAD = 14  # beside the text, both sides together
_HEIGHT, _JOIN_HEIGHT = 40.0, 24.0
_LONGEST, _WHY = 100, 60  # columns of a name, and of why a cost is unknown
_LISTED = 6  # fused layers of a title


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box as it is drawn; ``detail`` is empty in those of one line. It is ``vague`` where a cost
    is unknown."""

    place: int
    name: str
    detail: str
    title: str
    tone: Tone
    width: float
    vague: bool
    tags: tuple[Tag, ...]

    @property
    def height(self) -> float:
        """Those of one line are lower."""
        return _HEIGHT if self.detail else _JOIN_HEIGHT


def drawn_boxes(model: ModelReport, found: Sequence[Box]) -> tuple[tuple[Drawn, ...], Heat]:
    """The boxes as they are drawn, and the scale of their colours; all but joins are equally wide,
    so that chains look like chains."""
    sums = [part_sums(Part(box.name, box.places), model.layers) for box in found]
    scale = heat(model, sums)
    texts = [_texts(model, box, own) for box, own in zip(found, sums, strict=True)]
    wide = [_room(name, detail) for name, detail in texts if detail]
    width = min(max([_NARROWEST, *wide]), _WIDEST)
    told, new = finding_tags(model, found), new_tags(model, found)
    drawn = []
    for at, (box, own, (name, detail)) in enumerate(zip(found, sums, texts, strict=True)):
        drawn.append(
            Drawn(
                place=box.places[0],
                name=name,
                detail=detail,
                title="\n".join(_title(model, box, own, scale)),
                tone=Tone.RAISED if box.joins else scale.tone(own),
                width=width if detail else min(_room(name, ""), width),
                vague=own.unknown > 0,
                tags=(*told.get(at, ()), *new.get(at, ())),
            )
        )
    return tuple(drawn), scale


def _texts(model: ModelReport, box: Box, sums: Sums) -> tuple[str, str]:
    if box.name:
        counted = plural(box.shown, "layer")
        return _ending(safe(box.name, _LONGEST)), f"{counted}, {_macs(sums)}"
    layer = model.layers[box.places[0]]
    if box.joins:
        return safe(layer.operator, _LONGEST), ""
    name, detail = heading(layer)
    return (
        _trimmed(safe(name, _LONGEST), NAME_SIZE, bold=True),
        _trimmed(safe(detail or layer.operator, _LONGEST), DETAIL_SIZE, bold=False),
    )


def _trimmed(text: str, size: float, *, bold: bool) -> str:
    """The text, without what it says after a comma where a box has no room for that: a stride."""
    fits = svg.text_width(text, size, bold=bold) <= _WIDEST - _PAD
    return text if fits else text.partition(", ")[0]


def _ending(name: str) -> str:
    """As many of the last modules of a path as a box has room for."""
    while "." in name and svg.text_width(name, NAME_SIZE, bold=True) > _WIDEST - _PAD:
        name = name.partition(".")[2]
    return name


def _macs(sums: Sums) -> str:
    if sums.macs is None:
        return "MACs unknown"
    return f"{'at least ' if sums.unknown else ''}{short(sums.macs)} MACs"


def _room(name: str, detail: str) -> int:
    """The width of a box in which both fit, an even number so that its middle is one too."""
    text = max(svg.text_width(name, NAME_SIZE, bold=True), svg.text_width(detail, DETAIL_SIZE))
    return 2 * round((text + _PAD) / 2)


def _title(model: ModelReport, box: Box, sums: Sums, scale: Heat) -> Iterator[str]:
    """Lines that tell all of a box."""
    layer = model.layers[box.places[0]]
    if box.name:
        yield f"{safe(box.name, _LONGEST)}: {plural(box.shown, 'layer')}"
    else:
        yield f"{safe(layer.label, _LONGEST)}: {safe(layer.described, _LONGEST)}"
        if layer.output:
            yield f"output {safe(layer.output, _LONGEST)}"
    yield from _costs(layer.why, sums, scale)
    if box.joins and layer.within is not None:
        carrier = safe(model.layers[layer.within].label, _LONGEST)
        yield f"done by the kernel of {carrier}"
    elif not box.name and (fused := box.places[1:]):
        labels = [safe(model.layers[place].operator, _LONGEST) for place in fused[:_LISTED]]
        more = len(fused) - len(labels)
        yield f"with {', '.join(labels)}{f' and {more:,} more' if more else ''} in it"


def _costs(why: str, sums: Sums, scale: Heat) -> Iterator[str]:
    parameters = f", {short(sums.parameters)} parameters" if sums.parameters else ""
    yield f"{_macs(sums)}{parameters}"
    if sums.unknown and why:
        yield safe(why, _WHY)
    if sums.measured is not None:
        yield f"measured {milliseconds(sums.measured)}"
    if sums.predicted is not None:
        yield f"predicted {milliseconds(sums.predicted)}"
    if (share := scale.share(sums)) is not None:
        yield f"{share:.1f} % of the {scale.measure}"
