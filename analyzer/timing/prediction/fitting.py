"""From the times of the grid to the numbers of a machine profile.

What is alone in a model's time is read off it. The constants of convolutions and matrix products
are those with which the formulas of analyzer/timing/estimates.py give the times of the grid best,
by the logarithms of predicted over measured times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from archlint.analyzer.cost import CostTable
from archlint.analyzer.timing.prediction.grid import (
    ACTIVATED,
    ACTIVATED_MAPS,
    INTEGER_PRODUCT,
    LINEAR,
    MATRIX,
    NODES,
    NODES_MORE,
    PRODUCT,
    READS,
    RUN,
    is_convolution,
    read_name,
)
from archlint.analyzer.timing.prediction.machine import Curve, MachineProfile, Tiles
from archlint.analyzer.timing.prediction.squares import Vector, least_squares
from archlint.analyzer.timing.prediction.times import lowered_for, predict

_FLOAT_BYTES = 4
_LEAST = 1e-3  # nanoseconds: of what is too short to tell
_WIDTHS = (6, 13, 26, 58)  # of the maps whose patches the grid lays out
# Elements that the grid brings into the blocked layout and out of it: the last fill caches.
_BORDERS = (10_816, 97_344, 389_376)
_FITTED = ("multiply", "latency", "load", "store", "line", "depthwise", "depthwise_step")
_FAITH = 0.05  # in the constants to begin with, where the grid does not tell


def fit(
    empty: MachineProfile, block: int, tables: Mapping[str, CostTable], times: Mapping[str, float]
) -> MachineProfile:
    """The profile with which the predictions of the grid are nearest to its times; ``empty`` names
    the machine. ``tables`` and ``times`` (nanoseconds) are by the names of the kernels."""
    profile = _direct(empty, block, times)
    profile = _fitted(profile, [(tables[n], times[n]) for n in tables if is_convolution(n)])
    integer = _beside(profile, tables[INTEGER_PRODUCT], times[INTEGER_PRODUCT]) / prod(MATRIX)
    operators = {
        name: _per_element(profile, table, times[name])
        for name, table in tables.items()
        if table.graph.nodes[-1].op_type == name
    }
    return replace(profile, integer=integer, operators=operators)


def _direct(empty: MachineProfile, block: int, times: Mapping[str, float]) -> MachineProfile:
    """What single models tell, and a beginning for the rest."""
    node = max((times[NODES] - times[RUN]) / NODES_MORE, _LEAST)
    run = max(times[RUN] - node, _LEAST)
    product = max(times[PRODUCT] - run - node, 1.0) / prod(MATRIX)
    activation = max(times[ACTIVATED] - times[LINEAR], 0.0) / prod(ACTIVATED_MAPS)
    return replace(
        empty, run=run, node=node, call=node, product=product, integer=0.0,
        activation=activation, strided=1.5,
        expand=_curve(_WIDTHS, [40 * product] * len(_WIDTHS)),
        memory=_memory(run + node, product, times),
        tiles=_typical(block, 16 * product) if block else None,
    )  # fmt: skip


def _memory(beside: float, product: float, times: Mapping[str, float]) -> Curve:
    """A byte of a matrix that is read once, by the bytes of the matrix: more never take less."""
    points, least = [], _LEAST / 1000
    for side in READS:
        count = _FLOAT_BYTES * side * side
        least = max(least, (times[read_name(side)] - beside - product * side * side) / count)
        points.append((float(count), least))
    return Curve(tuple(points))


def _typical(block: int, lane: float) -> Tiles:
    """Constants to begin with, by the time of a product of vectors."""
    border = _curve(_BORDERS, [2 * lane] * len(_BORDERS))
    return Tiles(
        block, multiply=lane, latency=8 * lane, load=4 * lane, store=4 * lane, line=200 * lane,
        depthwise=200 * lane, depthwise_step=1.0, enter=border, leave=border,
    )  # fmt: skip


def _fitted(profile: MachineProfile, measured: Sequence[tuple[CostTable, float]]) -> MachineProfile:
    """The profile with the constants that fit the measured times."""
    begin = _vector(profile)
    goal = np.log([time for _, time in measured])
    lowered = [lowered_for(table, profile) for table, _ in measured]

    def errors(vector: Vector) -> Vector:
        trial = _with(profile, vector)
        found = [
            predict(table, trial, how).total_ns
            for (table, _), how in zip(measured, lowered, strict=True)
        ]
        return np.concatenate([np.log(found) - goal, _FAITH * (vector - begin)])

    return _with(profile, least_squares(errors, begin))


def _vector(profile: MachineProfile) -> Vector:
    """The logarithms of the constants that are fitted."""
    numbers = [profile.call, profile.product, profile.strided]
    numbers += [number for _, number in profile.expand.points]
    tiles = profile.tiles
    if tiles is not None:
        numbers += [getattr(tiles, name) for name in _FITTED]
        numbers += [number for curve in (tiles.enter, tiles.leave) for _, number in curve.points]
    logarithms: Vector = np.log(np.asarray(numbers))
    return logarithms


def _with(profile: MachineProfile, vector: Vector) -> MachineProfile:
    """The profile with the constants of a vector."""
    numbers = iter(np.exp(vector).tolist())
    changed = replace(
        profile, call=next(numbers), product=next(numbers), strided=next(numbers),
        expand=_curve(_WIDTHS, [next(numbers) for _ in _WIDTHS]),
    )  # fmt: skip
    if profile.tiles is None:
        return changed
    steps: dict[str, Any] = {name: next(numbers) for name in _FITTED}
    enter, leave = (_curve(_BORDERS, [next(numbers) for _ in _BORDERS]) for _ in range(2))
    return replace(changed, tiles=replace(profile.tiles, **steps, enter=enter, leave=leave))


def _curve(sizes: Sequence[int], numbers: Sequence[float]) -> Curve:
    return Curve(tuple(zip(map(float, sizes), numbers, strict=True)))


def _per_element(profile: MachineProfile, table: CostTable, time: float) -> float:
    """What an operator takes an element beside moving it."""
    (node,) = table.graph.operators()
    shapes = [table.graph.value(name).static_shape for name in (*node.inputs, *node.outputs)]
    largest = max(prod(shape) for shape in shapes if shape is not None)
    return _beside(profile, table, time) / largest


def _beside(profile: MachineProfile, table: CostTable, time: float) -> float:
    """What a model takes beside what is known of it."""
    return max(0.0, time - predict(table, profile).total_ns)
