"""Machine profiles: what the files in the cache hold, and what makes one unusable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.reader.text import from_text
from archlint.analyzer.timing.prediction.cache import (
    cache_folder,
    cpu_name,
    runtime_version,
    store,
    stored,
)  # fmt: skip
from archlint.analyzer.timing.prediction.machine import Curve, MachineProfile
from command_line import Run
from profiles import machine, this_machine

FULL = this_machine(
    tiles={"multiply": 0.25, "latency": 1.5, "enter": 0.5},
    run=5000.0, node=300.0, memory=Curve(((1e5, 0.02), (1e6, 0.1))), operators={"Erf": 1.25},
)  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "deep" / "cache"
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(folder))
    return folder


@pytest.mark.parametrize(
    ("size", "number"),
    [(1, 2.0), (10, 2.0), (100, 4.0), (1000, 6.0), (10_000, 6.0), (10**1.5, 3.0)],
)
def test_a_curve_is_linear_in_the_logarithm(size: float, number: float) -> None:
    """Between its points; beyond them it is what its ends are."""
    assert Curve(((10, 2.0), (1000, 6.0))).at(size) == pytest.approx(number)


def test_what_is_stored_is_found(cache: Path) -> None:
    """Equal in every number."""
    assert stored().profile is None
    path = Path(store(FULL))
    assert path.parent == cache
    assert stored().profile == FULL
    assert stored().problem == ""


def test_a_profile_replaces_the_one_before_it_at_once(cache: Path) -> None:
    """One file a provider and number of threads, and no drafts beside it."""
    store(FULL)
    store(replace(FULL, run=1.0))
    store(replace(FULL, threads=2, run=2.0))
    assert len(list(cache.iterdir())) == 2


def test_the_last_one_counts(cache: Path) -> None:
    """Of several providers or threads."""
    first, second = Path(store(FULL)), Path(store(replace(FULL, threads=4)))
    os.utime(first, ns=(10**9, 2 * 10**9))
    os.utime(second, ns=(10**9, 10**9))
    assert stored().profile == FULL
    os.utime(second, ns=(10**9, 3 * 10**9))
    assert stored().profile == replace(FULL, threads=4)


def test_other_machines_share_the_cache(cache: Path) -> None:
    """As on a network drive: theirs are neither used nor told of."""
    store(replace(FULL, cpu="another processor"))
    assert stored().profile is None
    assert stored().problem == ""


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """The text of a profile after a change of its document."""

    def edit(text: str) -> str:
        document = json.loads(text)
        change(document)
        return json.dumps(document)

    return edit


BROKEN = {
    "empty": lambda text: "",
    "cut": lambda text: text[: len(text) // 2],
    "no JSON": lambda text: "\x00\xff",
    "no object": lambda text: "[1, 2]",
    "deep": lambda text: "[" * 100_000,
    "another schema": edited(lambda d: d.update(schema=0)),
    "a number lacks": edited(lambda d: d.pop("node")),
    "one too many": edited(lambda d: d.update(more=1)),
    "no number": edited(lambda d: d.update(run="fast")),
    "negative": edited(lambda d: d.update(run=-1)),
    "not a number": edited(lambda d: d.update(run=float("nan"))),
    "no threads": edited(lambda d: d.update(threads=0)),
    "no name": edited(lambda d: d.update(provider=None)),
    "a curve without points": edited(lambda d: d["memory"].update(points=[])),
    "a curve that falls back": edited(lambda d: d["memory"].update(points=[[2, 1], [1, 1]])),
    "a curve at nothing": edited(lambda d: d["expand"].update(points=[[0, 1]])),
    "tiles that lack one": edited(lambda d: d["tiles"].pop("store")),
    "no tiles": edited(lambda d: d.update(tiles=3)),
    "an operator without a time": edited(lambda d: d["operators"].update(Erf=None)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_and_ignored(name: str, cache: Path) -> None:
    """In one line that names it and says what to do."""
    path = Path(store(FULL))
    path.write_text(BROKEN[name](path.read_text()))
    found = stored()
    assert found.profile is None
    assert found.problem == (
        f"the machine profile {path} cannot be read; run 'archlint calibrate' again"
    )


def test_a_folder_in_place_of_a_file(cache: Path) -> None:
    """Is a broken one too."""
    path = Path(store(FULL))
    path.unlink()
    path.mkdir()
    assert "cannot be read" in stored().problem


def test_a_cache_that_is_a_file(cache: Path) -> None:
    """Holds nothing."""
    cache.parent.mkdir()
    cache.write_text("")
    assert stored().profile is None
    assert stored().problem == ""
    with pytest.raises(OSError, match="File exists"):
        store(FULL)


def test_another_onnxruntime_makes_it_stale(cache: Path) -> None:
    """Its kernels are others."""
    store(replace(FULL, runtime="0.1"))
    assert stored().profile is None
    assert stored().problem == (
        f"the machine profile was made with onnxruntime 0.1, and {runtime_version()} is "
        "installed; run 'archlint calibrate' again"
    )


def test_the_version_is_that_of_the_package() -> None:
    """As onnxruntime says it itself."""
    import onnxruntime

    assert runtime_version() == onnxruntime.__version__


def test_the_processor_has_a_name() -> None:
    """The same at every call."""
    assert cpu_name() == cpu_name() != ""


def test_reading_loads_no_runtime(cache: Path) -> None:
    """A static run pays for a file, not for what made it."""
    store(FULL)
    code = (
        "import sys\n"
        "from archlint.analyzer.timing.prediction.cache import stored\n"
        "assert stored().profile is not None\n"
        "print(sorted({'onnx', 'onnxruntime', 'numpy', 'networkx'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_the_variable_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system wants it; its last part is archlint's."""
    monkeypatch.delenv("ARCHLINT_CACHE_DIR")
    assert "archlint" in Path(cache_folder()).parts


@pytest.mark.parametrize(
    ("profile", "label"),
    [
        (machine(), "cpu, 1 thread"),
        (machine(threads=4), "cpu, 4 threads"),
        (machine(provider="CUDAExecutionProvider"), "cuda, 1 thread"),
    ],
)
def test_a_label_says_on_what(profile: MachineProfile, label: str) -> None:
    """The provider and the threads."""
    assert profile.label == label


MODEL = """agraph (float[1,16,6,6] x) => (y) <float[32,16,1,1] w> {
    [work] c = Conv (x, w)
    [half] h = Sigmoid (c)
    [end] y = Neg (h)
}"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model as a file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(from_text(MODEL).proto.SerializeToString())
    return path


def test_the_cost_table_has_a_column_of_predicted_times(cache: Path, model: Path, run: Run) -> None:
    """Where the machine is known, and only there."""
    assert "predicted" not in run("cost", model).out
    # 16 channels go in and 32 come out of the layout, which are the only times.
    store(this_machine(tiles={"enter": 1000.0}, operators={"Relu": 3000.0}))
    head, *rows = run("cost", model).out.splitlines()
    assert head.endswith("predicted ms")
    assert [row.split()[-1] for row in rows[:3]] == [
        f"{36 * 16 * 1000 / 1e6:.3f}", "0.000", f"{36 * 32 * 3000 / 1e6:.3f}",
    ]  # fmt: skip


def test_rows_of_several_nodes_have_the_sum(cache: Path, model: Path, run: Run) -> None:
    """By operator; what is unknown is told."""
    store(this_machine(node=1e6))
    rows = run("cost", "--by", "scope", model).out.splitlines()
    # A convolution, the sigmoid that it takes in, a negation; a way in and one out.
    assert rows[1].split()[-1] == "4.000"


def test_a_stale_profile_is_told_once(cache: Path, model: Path, run: Run) -> None:
    """And the report is as without one."""
    store(this_machine() if runtime_version() is None else replace(FULL, runtime="0.1"))
    ran = run("cost", model)
    assert ran.code == 0
    assert "predicted" not in ran.out
    assert len(ran.err.splitlines()) == 1
