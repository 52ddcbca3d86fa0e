"""What a drawing of a network shows: a layer, a part, or blocks that repeat another one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """One layer with those that are fused into it, or a part of the network.

    ``places`` are those of its layers, in rising order, ``shown`` counts those that have boxes of
    their own where all are drawn; ``inputs`` are the boxes that it reads. ``name`` is that of a
    part, empty where the box is the layer at the first place. What ``joins`` others is done by the
    kernel of one of them. The box ``repeats`` so often what is drawn before it: it is those blocks.
    """

    places: tuple[int, ...]
    inputs: tuple[int, ...]
    name: str = ""
    shown: int = 1
    joins: bool = False
    repeats: int = 0
