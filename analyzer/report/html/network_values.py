"""What a network takes and gives, as the ends of its drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import ModelReport, ValueReport
from archlint.analyzer.report.html.layer_names import value_shape
from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import plural, safe

_NAME = 40  # columns
_APART = 6  # values that have an end each
_LISTED = 20  # values of a title


@dataclass(frozen=True, slots=True)
class Pill:
    """An input or output of a model, or all of them, and the boxes that it leads to or is from."""

    text: str
    title: str
    boxes: tuple[int, ...]
    is_input: bool


def given(model: ModelReport, found: Sequence[Box]) -> Iterator[Pill]:
    """The inputs: they lead to what reads them."""
    at = _boxes(model, found, lambda layer: layer.reads)
    yield from _pills(model.inputs, at, "input", is_input=True)


def returned(model: ModelReport, found: Sequence[Box]) -> Iterator[Pill]:
    """The outputs: they come from what makes them."""
    at = _boxes(model, found, lambda layer: layer.gives)
    yield from _pills(model.outputs, at, "output", is_input=False)


def _boxes(
    model: ModelReport, found: Sequence[Box], values: Callable[[LayerReport], Iterable[int]]
) -> Mapping[int, dict[int, None]]:
    """The boxes with layers that have to do with each value."""
    at: dict[int, dict[int, None]] = {}
    for number, box in enumerate(found):
        for place in box.places:
            for value in values(model.layers[place]):
                at.setdefault(value, {})[number] = None
    return at


def _pills(
    values: Sequence[ValueReport],
    at: Mapping[int, Iterable[int]],
    word: str,
    *,
    is_input: bool,
) -> Iterator[Pill]:
    """An end for each value, or one for all where they are many."""
    if len(values) > _APART:
        ends = tuple(sorted({box for boxes in at.values() for box in boxes}))
        yield _pill(values, word, ends, is_input=is_input)
        return
    for place, value in enumerate(values):
        yield _pill([value], word, tuple(at.get(place, ())), is_input=is_input)


def _pill(
    values: Sequence[ValueReport], word: str, ends: tuple[int, ...], *, is_input: bool
) -> Pill:
    texts = [f"{safe(value.name, _NAME)} {value_shape(value.shape)}" for value in values[:_LISTED]]
    if (more := len(values) - _LISTED) > 0:
        texts.append(f"and {more:,} more")
    counted = plural(len(values), word)
    title = "\n".join([word if len(values) == 1 else counted, *texts])
    return Pill(texts[0] if len(values) == 1 else counted, title, ends, is_input)
