"""A machine with round numbers: every time that a test expects is a product."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archlint.analyzer.timing.prediction.cache import cpu_name, runtime_version
from archlint.analyzer.timing.prediction.machine import Curve, MachineProfile, Tiles


def flat(number: float) -> Curve:
    """The same number at any size."""
    return Curve(((1.0, number),))


TILES = Tiles(
    block=16, multiply=0.0, latency=0.0, load=0.0, store=0.0, line=0.0, depthwise=0.0,
    depthwise_step=1.0, enter=flat(0.0), leave=flat(0.0),
)  # fmt: skip
IDLE = MachineProfile(
    cpu="a machine that takes no time", provider="CPUExecutionProvider", threads=1,
    clock="CPU time", runtime="1.2.3", run=0.0, node=0.0, call=0.0, product=0.0, integer=0.0,
    activation=0.0, expand=flat(0.0), strided=1.0, memory=flat(0.0), tiles=TILES,
)  # fmt: skip


def machine(tiles: dict[str, Any] | None = None, **numbers: Any) -> MachineProfile:
    """A machine that takes time for what is given alone; curves may be given as numbers."""
    for name in ("expand", "memory"):
        if name in numbers and not isinstance(numbers[name], Curve):
            numbers[name] = flat(numbers[name])
    steps: dict[str, Any] = {
        name: flat(number) if name in ("enter", "leave") else number
        for name, number in (tiles or {}).items()
    }
    return replace(IDLE, tiles=replace(TILES, **steps), **numbers)


def this_machine(**numbers: Any) -> MachineProfile:
    """A profile that is one of this machine."""
    return machine(cpu=cpu_name(), runtime=runtime_version() or "", **numbers)
