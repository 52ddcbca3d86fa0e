"""What a network takes and gives, as the ends of its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import ModelReport, ValueReport
from archlint.analyzer.report.html.network_graph import Box
from archlint.analyzer.text import plural, safe

_NAME = 40  # columns
_LISTED = 20  # values of a title


@dataclass(frozen=True, slots=True)
class Pill:
    """The inputs of a model, or its outputs, and the boxes that they lead to or come from."""

    text: str
    title: str
    boxes: tuple[int, ...]
    is_input: bool


def given(model: ModelReport, found: Sequence[Box]) -> Iterator[Pill]:
    """The inputs: they lead to what reads no other box."""
    first = tuple(at for at, box in enumerate(found) if not box.inputs)
    if model.inputs:
        yield _pill(model.inputs, "input", first, is_input=True)


def returned(model: ModelReport, found: Sequence[Box]) -> Iterator[Pill]:
    """The outputs: they come from what no other box reads."""
    read = {source for box in found for source in box.inputs}
    if model.outputs:
        last = tuple(at for at in range(len(found)) if at not in read)
        yield _pill(model.outputs, "output", last, is_input=False)


def _pill(
    values: Sequence[ValueReport], word: str, ends: tuple[int, ...], *, is_input: bool
) -> Pill:
    texts = [f"{safe(value.name, _NAME)} {_shape(value)}" for value in values[:_LISTED]]
    if (more := len(values) - _LISTED) > 0:
        texts.append(f"and {more:,} more")
    counted = plural(len(values), word)
    title = "\n".join([word if len(values) == 1 else counted, *texts])
    return Pill(texts[0] if len(values) == 1 else counted, title, ends, is_input)


def _shape(value: ValueReport) -> str:
    if value.shape is None:
        return "of unknown shape"
    return "×".join(safe(str(dim), _NAME) for dim in value.shape) or "scalar"
