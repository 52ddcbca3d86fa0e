"""benchmarks/fix.py runs the command that it says and judges it. No test times or fetches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import fix  # noqa: E402 - after the path is set
import fix_samples  # noqa: E402 - as above
from fix import Network  # noqa: E402 - as above

MODEL = "agraph (float[1,3,4,4] x) => (float[1,2,4,4] y) {{ s = {} y = Conv(s, w) }}"
SMALL = Network("small", "small.onnx", "x", (1, 3, 4, 4), "small")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, its samples, and what a fix makes of it: all it computes halved."""
    scale = np.full((2, 3, 1, 1), 0.5, np.float32)
    for name, half in (("small", 1), ("half", 2)):
        head = '<ir_version: 10, opset_import: ["": 17]>'
        proto = onnx.parser.parse_model(head + MODEL.format("Relu(x)"))
        proto.graph.initializer.append(onnx.numpy_helper.from_array(scale / half, "w"))
        onnx.save(proto, tmp_path / f"{name}.onnx")
    for which in ("crops", "held-out"):
        np.savez(tmp_path / f"small-{which}.npz", x=np.ones((1, 3, 4, 4), np.float32))
    return tmp_path


@pytest.mark.parametrize(
    ("limit", "ratio", "code"),
    [(0.51, 0.79, 0), (0.49, 0.79, 1), (0.51, 0.81, 1), (0.51, nan, 1), (nan, 0.79, 1)],
)
def test_limits(
    limit: float,
    ratio: float,
    code: int,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is half of what it was has an error of a half."""
    commands: list[list[str]] = []

    def run(command: Sequence[object], **_options: object) -> None:
        commands.append([str(word) for word in command])
        output = Path(commands[-1][commands[-1].index("-o") + 1])
        output.write_bytes((folder / "half.onnx").read_bytes())

    time = SimpleNamespace(ratio=ratio, interval=SimpleNamespace(low=0.7, high=0.8))
    network = replace(SMALL, most_error=limit)
    monkeypatch.setenv("ARCHLINT_MODELS", str(folder))
    monkeypatch.setattr(sys, "argv", ["fix.py", "--work", str(folder)])
    monkeypatch.setattr(fix, "crops", lambda folder: folder)
    monkeypatch.setattr(fix, "APPROXIMATE", [network])
    monkeypatch.setattr(fix, "EQUIVALENT", [network])
    monkeypatch.setattr(fix, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(fix.Pair, "time", property(lambda _: time))
    assert fix.main() == code
    first, second = commands
    assert first[-5:-1] == ["--unsafe", "--target-macs", "-25%", "--inputs"]
    assert first[1:3] == ["fix", str(folder / "small.onnx")]
    assert second == first[:-5]
    said = capsys.readouterr()
    row = f"| small | ±0 % | ±0 % | ×{ratio:.3f} [0.700, 0.800] | 0.80 | 0.500 | 0.500 |"
    assert row in said.out
    assert "| 5.0e-01 |" in said.out
    assert ("beyond the limits: small" in said.err) == bool(code)


def test_models_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them nothing is fetched."""
    monkeypatch.delenv("ARCHLINT_MODELS", raising=False)
    monkeypatch.setattr(sys, "argv", ["fix.py"])
    with pytest.raises(SystemExit, match="ARCHLINT_MODELS"):
        fix.main()


class Photo:
    """A picture that says which part of it is taken."""

    def __init__(self, level: int = 0) -> None:
        self.level = level

    def convert(self, mode: str) -> Photo:
        """Itself."""
        assert mode == "RGB"
        return self

    def crop(self, box: tuple[int, int, int, int]) -> Photo:
        """A picture as bright as its left edge is far."""
        return Photo(box[0])

    def resize(self, size: tuple[int, int]) -> np.ndarray:
        """All of one colour."""
        return np.full((*size, 3), self.level, np.uint8)


def test_crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes from 0 to 1 for the one network, from -1 to 1 for the other."""
    opener = SimpleNamespace(open=lambda path: Photo() if path.name == "china.jpg" else None)
    monkeypatch.setattr(fix_samples, "import_module", lambda _: opener)
    fix_samples.write(tmp_path, tmp_path)
    with np.load(tmp_path / "320n-crops.npz") as stored:
        images = stored["images"]
    with np.load(tmp_path / "detector-crops.npz") as stored:
        planes = stored["x"]
    assert (images.shape, images.dtype) == ((4, 3, 320, 320), np.float32)
    assert (planes.shape, planes.dtype) == ((4, 3, 640, 640), np.float32)
    assert images[:, 0, 0, 0] == pytest.approx(np.array([0, 0, 200, 100]) / 255)
    assert planes[:, 0, 0, 0] == pytest.approx(2 * np.array([0, 0, 200, 100]) / 255 - 1)
