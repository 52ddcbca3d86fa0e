"""Small marks at the corners of boxes: findings, and what a change brought."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.place import WORDS
from archlint.analyzer.text import plural

_TONES = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.NOTE: Tone.NOTE}
_SHAPES = {
    Severity.ERROR: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z",
    Severity.WARNING: "M0 -3.5L3.5 3h-7z",
    Severity.NOTE: "M-3 -3h6v6h-6z",
}
_DIAMOND = "M0 -4L4 0L0 4L-4 0z"


@dataclass(frozen=True, slots=True)
class Tag:
    """A word with a shape in front of it, drawn around (0, 0)."""

    text: str
    tone: Tone
    shape: str
    is_left: bool = False


def remarks(model: ModelReport) -> Mapping[int, Hashable]:
    """What is said of each layer: its findings, and whether the base has it as it is."""
    found: dict[int, list[str]] = {}
    for finding in model.findings:
        for place in {node.place for node in finding.nodes if node.place is not None}:
            found.setdefault(place, []).append(f"{finding.severity} {finding.code}")
    if (difference := model.change.difference if model.change else None) is not None:
        kept = {place for _, place in difference.pairs}
        changed = {(after.label, after.operator) for _, after in difference.changed}
        for place in range(len(model.layers)):
            if place not in kept:
                found.setdefault(place, []).append("new")
            elif _is_in(model, place, changed):
                found.setdefault(place, []).append("changed")
    return {place: tuple(told) for place, told in found.items()}


def finding_tags(model: ModelReport, found: Sequence[Box]) -> Mapping[int, tuple[Tag, ...]]:
    """The worst finding of each box, and how many there are of it in a part."""
    at_place: dict[int, list[Severity]] = {}
    for finding in model.findings:
        for place in {node.place for node in finding.nodes if node.place is not None}:
            at_place.setdefault(place, []).append(finding.severity)
    tags = {}
    for at, box in enumerate(found):
        severities = [one for place in box.places for one in at_place.get(place, ())]
        if severities:
            worst = max(severities)
            word, count = WORDS[worst], severities.count(worst)
            text = plural(count, word) if box.name else word
            tags[at] = (Tag(text, _TONES[worst], _SHAPES[worst]),)
    return tags


def new_tags(model: ModelReport, found: Sequence[Box]) -> Mapping[int, tuple[Tag, ...]]:
    """What the base lacks, or has otherwise; nothing where there is no base."""
    difference = model.change.difference if model.change else None
    if difference is None:
        return {}
    kept = {place for _, place in difference.pairs}
    changed = {(after.label, after.operator) for _, after in difference.changed}
    tags = {}
    for at, box in enumerate(found):
        new = sum(place not in kept for place in box.places)
        other = sum(_is_in(model, place, changed) for place in box.places if place in kept)
        if not box.name:  # what is fused into a layer does not make the layer new
            new, other = int(box.places[0] not in kept), int(bool(other or new))
        told = [(new, "new"), (0 if new and not box.name else other, "changed")]
        tags[at] = tuple(
            Tag(f"{count:,} {word}" if box.name else word, Tone.ACCENT, _DIAMOND, is_left=True)
            for count, word in told
            if count
        )
    return tags


def _is_in(model: ModelReport, place: int, changed: set[tuple[str, str]]) -> bool:
    layer = model.layers[place]
    return (layer.label, layer.operator) in changed
