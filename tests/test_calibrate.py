"""Calibration: constants that are found again, and the speeds of this machine."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archlint.analyzer.cost import count
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.child import Failure, Kind
from archlint.analyzer.timing.prediction import survey
from archlint.analyzer.timing.prediction.cache import stored
from archlint.analyzer.timing.prediction.fitting import fit
from archlint.analyzer.timing.prediction.grid import PEAKS, READS, conv_name, kernels
from archlint.analyzer.timing.prediction.machine import Curve, MachineProfile, Tiles
from archlint.analyzer.timing.prediction.squares import Vector, least_squares
from archlint.analyzer.timing.prediction.times import predict
from command_line import Run
from profiles import IDLE

WIDTHS, BORDERS = (6.0, 13.0, 26.0, 58.0), (10_816.0, 97_344.0, 389_376.0)
TRUE = MachineProfile(
    cpu="a machine", provider="CPUExecutionProvider", threads=1, clock="CPU time", runtime="1.2.3",
    run=6000.0, node=500.0, call=900.0, product=0.02, integer=0.006, activation=0.5,
    expand=Curve(tuple(zip(WIDTHS, (2.0, 1.5, 1.0, 0.8), strict=True))), strided=1.3,
    memory=Curve(tuple(zip(
        (4.0 * side * side for side in READS), (0.02, 0.05, 0.08, 0.09, 0.1), strict=True
    ))),
    tiles=Tiles(
        block=16, multiply=0.25, latency=1.6, load=0.7, store=0.6, line=40.0, depthwise=60.0,
        depthwise_step=1.2,
        enter=Curve(tuple(zip(BORDERS, (0.4, 0.6, 0.7), strict=True))),
        leave=Curve(tuple(zip(BORDERS, (0.3, 0.5, 0.8), strict=True))),
    ),
    operators={"Sigmoid": 0.5, "Erf": 1.0, "LRN": 50.0},
)  # fmt: skip


@pytest.mark.parametrize(
    "truth", [pytest.param(TRUE, id="blocked"), pytest.param(replace(TRUE, tiles=None), id="plain")]
)
def test_the_constants_of_a_machine_are_found_again(truth: MachineProfile) -> None:
    """From the times that it would take for the grid; those that the grid tells apart, within 10 %,
    all predictions of convolutions within 3 %."""
    tables = {kernel.name: count(load(Model(kernel.name, kernel.model, 0))) for kernel in kernels()}
    times = {name: predict(table, truth).total_ns for name, table in tables.items()}
    empty = replace(IDLE, tiles=None)
    found = fit(empty, 16 if truth.tiles else 0, tables, times)
    assert (found.run, found.node) == pytest.approx((truth.run, truth.node), rel=0.01)
    assert found.integer == pytest.approx(truth.integer, rel=0.05)
    assert found.activation == pytest.approx(truth.activation, rel=0.05)
    for measured, true in zip(found.memory.points, truth.memory.points, strict=True):
        assert measured == pytest.approx(true, rel=0.2)
    assert found.product == pytest.approx(truth.product, rel=0.1)
    if found.tiles is not None and truth.tiles is not None:
        for name in ("multiply", "latency", "load"):
            assert getattr(found.tiles, name) == pytest.approx(getattr(truth.tiles, name), rel=0.1)
    for operator in truth.operators:
        assert found.operators[operator] == pytest.approx(truth.operators[operator], rel=0.1)
    for name, table in tables.items():
        if name.startswith("convolution"):
            assert predict(table, found).total_ns == pytest.approx(times[name], rel=0.03), name


def test_least_squares_bear_one_that_is_wrong() -> None:
    """A line through points, one of which is far off: the constants are those of the others."""
    places = np.arange(1.0, 21.0)
    goal = 3 * places + 2
    goal[7] *= 5

    def errors(vector: Vector) -> Vector:
        slope, height = np.exp(vector)
        return np.asarray(np.log(slope * places + height) - np.log(goal))

    found = np.exp(least_squares(errors, np.zeros(2)))
    assert found == pytest.approx([3, 2], rel=0.05)


def test_the_grid_holds_what_is_looked_up() -> None:
    """Names are unique, and those of the peaks are there."""
    names = [kernel.name for kernel in kernels()]
    assert len(names) == len(set(names))
    for _, *both in PEAKS:
        for kernel in both:
            assert (
                kernel is None
                or (kernel if isinstance(kernel, str) else conv_name(kernel)) in names
            )


def test_a_provider_that_cannot_run_it_is_told(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """In one line, and nothing is stored."""
    failed = Failure(Kind.ERROR, "the device is gone")
    monkeypatch.setattr(survey, "run_job", lambda *arguments: failed)
    ran = run("calibrate")
    assert ran.error == "calibration: cannot be timed on cpu: the device is gone"
    assert ran.code != 0
    assert stored().profile is None


def test_a_cache_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """With the variable that names another."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(blocked))
    monkeypatch.setattr(survey, "_PROCESSES", 1)
    monkeypatch.setattr(survey, "_SECONDS", 0.01)
    ran = run("calibrate")
    assert "cannot be written" in ran.error
    assert "ARCHLINT_CACHE_DIR" in ran.error


@pytest.mark.slow
def test_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Its numbers are plausible: wide kernels are faster than narrow ones, and memory than none."""
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(tmp_path))
    began = time.monotonic()
    ran = run("calibrate")
    assert time.monotonic() - began < 30  # ten, but for what else this machine does
    assert ran.code == 0
    assert "GMAC/s" in ran.out
    (path,) = tmp_path.iterdir()
    assert str(path) in ran.out.replace("\n", "")
    assert json.loads(path.read_text())["schema"] == 1
    profile = stored().profile
    assert profile is not None
    assert profile.clock == "CPU time"
    # Between a slow processor of one lane and the fastest of sixteen: 0.1 to 1000 GMAC/s.
    assert 0.001 < profile.product < 10
    assert 100 < profile.run < 1e6
    assert 10 < profile.node < 1e5
    points = [number for _, number in profile.memory.points]
    assert points == sorted(points)
    assert all(0.0005 < number < 10 for number in points)
    assert profile.operators["Softplus"] > profile.operators["Relu"]
    if profile.tiles is not None:
        tiles = profile.tiles
        assert tiles.block in (8, 16)
        # A product of vectors beats moving one of them in and out of the layout.
        assert 0 < tiles.multiply < 16 * tiles.enter.points[-1][1]
