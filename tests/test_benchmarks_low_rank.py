"""benchmarks/low_rank.py measures what it says and compares it. No test times or fetches."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, save

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import low_rank
import low_rank_reference
import low_rank_samples
from low_rank_page import Figure, Median, Row, figures, page, summary
from low_rank_variants import NETWORKS, VARIANTS, Network, Study

BY_TITLE = {variant.title: variant for variant in VARIANTS}
SMALL = Network("small", "small.onnx", "small", "x", (1, 32, 8, 8), "y")


RNG = np.random.default_rng(0)
RANK_ONE = np.einsum(
    "o,i,hw->oihw", RNG.normal(size=32), RNG.normal(size=32), RNG.normal(size=(3, 3))
)
SIZES = np.arange(32, 0, -1.0)


def written(folder: Path, kernel: NDArray[Any], probe: str = "y") -> Study:
    """A 3×3 convolution with this kernel, a 1×1, one that narrows, and one of four channels; with
    samples in which each channel has 2 of 64 places for itself."""
    weights = {
        "w3": kernel,
        "w1": np.eye(32)[:, :, None, None],
        "w0": RNG.normal(size=(4, 32, 1, 1)),
        "w4": RNG.normal(size=(4, 4, 3, 3)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w3"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["a", "w1"], ["b"]),
        helper.make_node("Conv", ["b", "w0"], ["c"]),
        helper.make_node("Conv", ["c", "w4"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 32, "h", "w"))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / SMALL.path)
    alone = np.tile(np.eye(32), 2) * np.where(np.arange(32) < 16, 1, 100)[:, None]
    np.savez(folder / "small-seen.npz", x=np.stack([alone, -alone]).reshape(2, 1, 32, 8, 8))
    np.savez(folder / "small-held-out.npz", x=RNG.normal(size=(1, 32, 8, 8)))
    return Study.of(replace(SMALL, probe=probe), folder, folder)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The network whose 3×3 kernel has rank 1 on both sides."""
    return written(tmp_path, RANK_ONE)


def test_narrow_convolutions_are_not_looked_at(study: Study) -> None:
    """The last has 4 input channels."""
    shapes = {kind: [one.shape for one in layers] for kind, layers in study.kernels.items()}
    assert shapes == {"k×k": [(32, 32, 3, 3)], "1×1": [(32, 32, 1, 1), (4, 32, 1, 1)]}


def test_medians_of_a_kernel_of_rank_one(study: Study) -> None:
    """32·1 + 1·32·9 MACs a place, or 32·1 + 1·1·9 + 1·32, of 32·32·9."""
    assert study.spectra("k×k", 0.99) == pytest.approx(
        {"rank": 1 / 32, "input": (32 + 288) / 9216, "tucker": (32 + 9 + 32) / 9216}
    )


@pytest.mark.parametrize("title", [variant.title for variant in VARIANTS])
def test_variants_lose_nothing_of_a_kernel_of_rank_one(title: str, study: Study) -> None:
    """Every variant keeps at least one direction, which is all that there is; in float32."""
    changed = study.with_variant(BY_TITLE[title])
    assert changed.costs.total().macs < study.subject.costs.total().macs
    assert study.error(changed) < 2e-6


@pytest.mark.parametrize(
    ("title", "lost"),
    [
        ("Cin r=½", slice(16, 32)),  # the channels with the smaller weights
        ("Tucker-2 r=½", slice(16, 32)),
        ("Cin r=½, data", slice(16)),  # those that the samples have a hundredth of
        ("Cout r=½, data", slice(16)),
    ],
)
def test_error_is_that_of_the_probe(title: str, lost: slice, tmp_path: Path) -> None:
    """A kernel that multiplies channel c by 32 − c at half its rank loses 16 channels, and the
    probe its share of them."""
    kernel = np.zeros((32, 32, 3, 3))
    kernel[:, :, 1, 1] = np.diag(SIZES)
    study = written(tmp_path, kernel, probe="a")
    with np.load(tmp_path / "small-held-out.npz") as held_out:
        a = held_out["x"][0] * SIZES[:, None, None]
    expected = np.linalg.norm(a[lost]) / np.linalg.norm(a)
    assert study.error(study.with_variant(BY_TITLE[title])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("title", "shape", "ranks"),
    [
        ("Cin r=½", (24, 96, 3, 3), (48,)),
        ("Cin r=¼", (24, 96, 3, 3), (32,)),  # 24 up to a multiple of 16
        ("Cin r=¼", (32, 32, 3, 3), (16,)),
        ("Cout r=½", (24, 96, 3, 3), (16,)),
        ("Tucker-2 r=½", (24, 96, 3, 3), (48, 16)),
    ],
)
def test_ranks_are_on_the_grid(
    title: str, shape: tuple[int, ...], ranks: tuple[int, ...], study: Study
) -> None:
    layer = study.kernels["k×k"][0]
    sized = type(layer)(layer.node, shape, layer.dims, layer.dtype, layer.bias, layer.conv)
    assert BY_TITLE[title].ranks(sized, study.constants) == ranks


def test_the_reference_is_of_what_is_measured() -> None:
    titles = {network.title for network in NETWORKS}
    assert {name for _, name in low_rank_reference.VARIANTS} == titles
    assert {name for name, _ in low_rank_reference.SPECTRA} == titles
    compared = set(low_rank_reference.VARIANTS) | set(low_rank_reference.DIFFERENCES)
    assert {variant for variant, _ in compared} <= set(BY_TITLE)


@pytest.mark.parametrize(
    ("made", "earlier", "cell", "reached"),
    [
        (0.549, 0.5, "0.549 (0.5, +9.8%)", True),
        (0.551, 0.5, "**0.551 (0.5, +10.2%)**", False),
        (0.44, 0.5, "**0.440 (0.5, -12.0%)**", False),
        (0.44, None, "0.440", True),
    ],
)
def test_figures(made: float, earlier: float | None, cell: str, reached: bool) -> None:
    figure = Figure("it", made, earlier, exact=True)
    assert (figure.cell, figure.reached) == (cell, reached)


def test_page_lists_what_is_off() -> None:
    """Four figures have an earlier one, one of them is far from it."""
    near, far = Figure("near", 1.0, 1.0, exact=True), Figure("far", 2.0, 1.0, False, "the cat")
    new = Figure("new", 3.0, None, exact=True)
    medians = [Median("net", "k×k", 5, {name: [near] for name in ("rank", "input", "tucker")})]
    rows = [Row("net", "it", new, far, None, 0.9)]
    compared = figures(medians, rows)
    assert summary(compared) == "3 of 4 figures within 10%"
    text = page(medians, rows, "python it")
    assert "| it | 3.000 | **2.000 (1, +100.0%)** | not measured (0.9) |" in text
    assert "| far | 2.0000 | 1 | +100.00% | the cat |" in text
    assert text.endswith("3 of 4 figures within 10%.\n")


@pytest.mark.parametrize(
    ("off", "exact", "code"), [(0.2, True, 1), (0.2, False, 0), (0.05, True, 0)]
)
def test_exit_code(
    off: float, exact: bool, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 where a figure of the weights alone is off; data may differ."""
    figure = Figure("it", 1 + off, 1.0, exact)
    three = {name: [Figure("it", 1.0, 1.0, exact=True)] for name in ("rank", "input", "tucker")}
    monkeypatch.setenv("ARCHLINT_MODELS", str(tmp_path))
    monkeypatch.setattr(low_rank, "samples", lambda folder: folder)
    monkeypatch.setattr(low_rank, "NETWORKS", [SMALL])
    monkeypatch.setattr(Study, "of", lambda network, *_: network)
    monkeypatch.setattr(low_rank, "_medians", lambda _: [Median("it", "k×k", 1, three)])
    monkeypatch.setattr(
        low_rank, "_row", lambda *_, **__: Row("it", "it", figure, figure, None, None)
    )
    output = tmp_path / "page.md"
    monkeypatch.setattr(sys, "argv", ["low_rank.py", "--no-times", "--output", str(output)])
    assert low_rank.main() == code
    assert output.read_text("utf-8").startswith("# Low rank\n\nMade by `python benchmarks/low_rank")


def test_models_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHLINT_MODELS", raising=False)
    monkeypatch.setattr(sys, "argv", ["low_rank.py"])
    with pytest.raises(SystemExit, match="ARCHLINT_MODELS"):
        low_rank.main()


def test_photographs_are_taken_from_the_wheel_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def run(*command: str, environ: Mapping[str, str] | None = None) -> None:
        asked.append(command)
        if "download" in command:
            folder = Path(command[command.index("--dest") + 1])
            folder.mkdir()
            with zipfile.ZipFile(folder / "it.whl", "w") as wheel:
                for name in ("china.jpg", "flower.jpg"):
                    wheel.writestr(f"sklearn/datasets/images/{name}", name)
        assert (environ is None) == (low_rank_samples.__file__ not in command)

    monkeypatch.setattr(low_rank_samples, "_run", run)
    for _ in range(2):
        assert low_rank_samples.samples(tmp_path / "work") == tmp_path / "work"
    assert len(asked) == 3
    photos = tmp_path / "work" / "photos"
    assert [(photos / f"{name}.jpg").read_text() for name in ("china", "flower")] == [
        "china.jpg", "flower.jpg",
    ]  # fmt: skip


def test_a_failed_fetch_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(low_rank_samples, "_PIP", (sys.executable, "-c", "raise SystemExit(1)"))
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            low_rank_samples.samples(tmp_path / "work")
