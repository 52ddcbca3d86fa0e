"""Second moments of channels: those of numpy over the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archlint.analyzer.load import load
from archlint.analyzer.proof import moments as subject
from archlint.analyzer.proof import runs, tapping
from archlint.analyzer.proof.moments import Moment, Wanted, moments
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime.child import Done
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.runtime.limits import Limits
from same_process import run_here

RANDOM = np.random.default_rng(7)
MAPS = RANDOM.standard_normal((3, 2, 3, 4, 5)).astype(np.float32)  # samples of [N, C, H, W]
LINEAR = "g (float[2,3,4,5] x) => (float[2,3,4,5] y) <float[3,1,1] c = {1, 2, 3}> { %s }"
SCALED = LINEAR % "h = Mul(x, c) y = Neg(h)"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child process."""
    monkeypatch.setattr(subject, "run_job", run_here)


def of(
    text: str, *wanted: Wanted, x: Any = MAPS, limits: Limits | None = None
) -> dict[str, Moment]:
    model = from_text(text)
    samples = Samples(len(x), arrays={"x": x})
    return dict(moments(model, load(model), wanted, samples, limits))


def check(found: Moment, rows: Any) -> None:
    """What it is of the vectors in these rows."""
    rows = rows.astype(np.float64)
    np.testing.assert_allclose(found.second, rows.T @ rows / len(rows), rtol=1e-12)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-12, atol=1e-15)
    assert found.positions == len(rows)


def test_channels_of_maps() -> None:
    found = of(SCALED, Wanted("x", 1), Wanted("h", 1))
    rows = np.moveaxis(MAPS, 2, -1).reshape(-1, 3)
    check(found["x"], rows)
    # A linear map D takes E[x xᵀ] to D E[x xᵀ] Dᵀ.
    scale = np.diag([1.0, 2.0, 3.0])
    np.testing.assert_allclose(found["h"].second, scale @ found["x"].second @ scale, atol=1e-6)


@pytest.mark.usefixtures("here")
def test_the_last_axis_is_the_channels_of_a_product() -> None:
    found = of(SCALED, Wanted("x", -1), Wanted("x", 3))
    check(found["x"], MAPS.reshape(-1, 5))


@pytest.mark.usefixtures("here")
def test_one_sample_more_is_a_mean_over_both() -> None:
    one, two = (of(SCALED, Wanted("x", 1), x=MAPS[:count])["x"] for count in (1, 2))
    other = of(SCALED, Wanted("x", 1), x=MAPS[1:2])["x"]
    np.testing.assert_allclose(two.second, (one.second + other.second) / 2)


@pytest.mark.usefixtures("here")
def test_long_values_are_summed_in_parts() -> None:
    """Blocks of a million elements leave no rest out."""
    x = RANDOM.standard_normal((1, 400_001, 3)).astype(np.float32)
    text = "g (float[400001,3] x) => (float[400001,3] y) { y = Neg(x) }"
    check(of(text, Wanted("x", 1), x=x)["x"], x[0])


@pytest.mark.usefixtures("here")
def test_batches_of_values_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [Wanted("y", 1), Wanted("x", 1), Wanted("h", 3)]
    whole = of(SCALED, *wanted)
    batches: list[Any] = []

    def spy(job: Any, arguments: Any, *rest: Any) -> Any:
        batches.extend(arguments["batches"])
        return run_here(job, arguments, *rest)

    monkeypatch.setattr(subject, "run_job", spy)
    monkeypatch.setattr(tapping, "BUDGET", 1)
    parts = of(SCALED, *wanted)
    assert len(batches) == 3
    assert list(parts) == ["y", "x", "h"]
    for name, moment in whole.items():
        np.testing.assert_array_equal(moment.second, parts[name].second)


def test_nothing_is_run_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "run_job", None)
    assert of(SCALED) == {}


def test_two_axes_of_one_value_are_refused() -> None:
    with pytest.raises(ValueError, match="two axes"):
        of(SCALED, Wanted("x", 1), Wanted("x", 3))


SEQUENCE = LINEAR % "y = Mul(x, c) s = SequenceConstruct(x, x)"
WRONG: dict[str, tuple[str, Wanted, str]] = {
    "sequence": (SEQUENCE, Wanted("s", 1), "is no tensor of numbers"),
    "axis": (SCALED, Wanted("x", 4), r"of shape \[2, 3, 4, 5\] has no axis 4"),
    "absent": (SCALED, Wanted("nowhere", 1), "its run failed: "),
    "empty": (LINEAR % "y = Mul(x, c) s = Constant<value = float[0,3] {}>()", Wanted("s", 1),
              "is empty"),
    "wide": (LINEAR % "y = Mul(x, c) a = Constant<value_ints=[9000]>() s = ConstantOfShape(a)",
             Wanted("s", 0), "9,000 channels, more than 8,192"),
}  # fmt: skip


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", WRONG)
def test_what_has_no_moments_is_one_line(name: str) -> None:
    text, wanted, why = WRONG[name]
    with pytest.raises(ExecutionError, match=why) as caught:
        of(text, wanted)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("channels", "array"),
    [(3, None), (3, np.zeros((3, 3))), (3, np.zeros((4, 3), np.float32)),
     (3, np.zeros((400, 300))), (9000, np.zeros((4, 3))), (3, np.array([[None] * 3] * 4))],
)  # fmt: skip
def test_other_files_than_moments_are_refused(
    channels: int, array: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child runs what nobody trusts: its files are looked at."""

    def forge(job: Any, arguments: Any, *rest: Any) -> Done:
        assert job is runs.moments
        if array is not None:
            np.save(f"{arguments['scratch']}/moments-0.npy", array)
        return Done([{"channels": channels, "positions": 1}])

    monkeypatch.setattr(subject, "run_job", forge)
    with pytest.raises(ExecutionError, match="something else than moments"):
        of(SCALED, Wanted("x", 1))


@pytest.mark.usefixtures("here")
def test_moments_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_MOST_BYTES", 100)
    with pytest.raises(ExecutionError, match="moments of 2 values take 192 bytes, more than the"):
        of(SCALED, Wanted("x", 1), Wanted("y", 1))


def test_limits_are_kept() -> None:
    with pytest.raises(ExecutionError, match=r"its run failed: took longer than 0\.01 s"):
        of(SCALED, Wanted("x", 1), limits=Limits(wall_seconds=0.01))
