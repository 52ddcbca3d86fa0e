"""What pictures call layers, and where those are that have one name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archlint.analyzer.report.html.charts.short_names import shorter
from archlint.analyzer.report.html.layer_names import heading
from archlint.analyzer.report.layers import LayerReport
from archlint.analyzer.text import safe


@dataclass(frozen=True, slots=True)
class Called:
    """The name of a layer, and the module that tells it from others of that name; empty where none
    does."""

    name: str
    module: str

    @property
    def whole(self) -> str:
        """Both."""
        return f"{self.module} {self.name}".strip()


def called(layers: Mapping[int, LayerReport]) -> Mapping[int, Called]:
    """What layers are called, by their places."""
    alike: dict[str, list[int]] = {}
    for place, layer in layers.items():
        alike.setdefault(safe(heading(layer)[0]), []).append(place)
    found: dict[int, Called] = {}
    for name, places in alike.items():
        depth = _depth([layers[place].scope for place in places])
        found |= {place: Called(name, _module(layers[place].scope, depth)) for place in places}
    return found


def _depth(scopes: Sequence[tuple[str, ...]]) -> int:
    """The first module in which some differ; beyond all modules where none do."""
    first, last = min(scopes), max(scopes)
    if first == last:
        return len(first)
    same = (a == b for a, b in zip(first, last, strict=False))
    return next((depth for depth, is_same in enumerate(same) if not is_same), len(first))


def _module(scope: tuple[str, ...], depth: int) -> str:
    """What tells a module apart, in few letters; a number with the module that it is in."""
    if depth >= len(scope):
        return ""
    first = depth - 1 if depth and scope[depth].isdigit() else depth
    *_, shortest = shorter(safe(".".join(scope[first : depth + 1])))
    return shortest
