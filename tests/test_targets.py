"""The profiles of devices: what archlint ships is whole, and a user's file is checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto

from archlint.analyzer.cost import count
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import RuleContext
from archlint.analyzer.targets import DEFAULT, default_target, load_target, names
from archlint.cli import main

MINIMAL = 'title = "a device"\nkind = "npu"\nsource = "its manual, 2024"\n'
SHIPPED = (
    "arm-ethos-u",
    "generic-avx2",
    "generic-avx512",
    "nvidia-tensor-cores",
    "qualcomm-hexagon",
)


def test_names() -> None:
    """Every device that was promised is there, under its name."""
    assert names() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_are_whole(name: str) -> None:
    """Each names its source with a year, and data types as ONNX does."""
    target = load_target(name)
    assert target.name == name
    assert "20" in target.source
    types = {entry.lower() for entry in TensorProto.DataType.keys()} | {"float32", "float64"}  # noqa: SIM118 - no mapping
    assert {*target.grid, *target.fast_types} <= types
    assert target.fast_types


@pytest.mark.parametrize(
    ("name", "block", "bits"), [("generic-avx2", 8, 256), ("generic-avx512", 16, 512)]
)
def test_a_block_fills_a_vector(name: str, block: int, bits: int) -> None:
    """The block of a CPU is the 32-bit floats that a vector register holds."""
    assert load_target(name).block == block == bits // 32


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_tensor_cores_take_16_bytes(dtype: str, size: int) -> None:
    """NVIDIA's rule: a dimension is a multiple of 16 bytes."""
    assert load_target("nvidia-tensor-cores").grid[dtype] * size == 16


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_ethos_u_computes_8_channels_at_once(dtype: str) -> None:
    """Arm's Vela 5.2.0: micro-blocks of 8 input channels and 8 filters."""
    assert load_target("arm-ethos-u").grid[dtype] == 8


def test_default() -> None:
    """A rule sees the default where none is chosen."""
    costs = count(load(from_text("g (float[1] x) => (y) {y = Relu(x)}")))
    assert RuleContext(costs.graph, costs).target is default_target()
    assert default_target() == load_target(DEFAULT)


def test_file_of_the_user(tmp_path: Path) -> None:
    """A file is a profile under its own name; what it does not say is unlimited."""
    path = tmp_path / "board.toml"
    path.write_text(MINIMAL + "block = 4\nmax_stride = 2\n[grid]\nint8 = 4\n", encoding="utf-8")
    target = load_target(str(path))
    assert (target.name, target.block, target.entry, target.max_stride) == ("board", 4, 1, 2)
    assert dict(target.grid) == {"int8": 4}
    assert target.max_kernel is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("generic-avx521", "did you mean 'generic-avx512'?"),
        ("Nvidia-Tensor-Core", "did you mean 'nvidia-tensor-cores'?"),
        ("zzz", f"there are {', '.join(SHIPPED)}"),
        ("", f"there are {', '.join(SHIPPED)}"),
        ("missing.toml", "cannot be read: No such file or directory"),
        ("nul\0.toml", "cannot be read"),
    ],
)
def test_no_such_target(name: str, why: str) -> None:
    """A name that is none tells the nearest, or all."""
    with pytest.raises(ConfigError) as caught:
        load_target(name)
    assert why in str(caught.value)
    assert caught.value.source == f"target {name}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (MINIMAL + "blocks = 4", "a target has no key 'blocks'; did you mean 'block'?"),
        (MINIMAL + "name = 'x'", "a target has no key 'name'"),
        ('title = "t"\nkind = "cpu"', "the key 'source' is missing"),
        (MINIMAL.replace("npu", "tpu"), "kind must be one of cpu, gpu, npu"),
        (MINIMAL.replace('"npu"', "[1]"), "kind must be one of cpu, gpu, npu"),
        (MINIMAL.replace('"a device"', "3"), "title must be a text"),
        (MINIMAL + "block = 0", "block must be a whole number from 1 to 65,536"),
        (MINIMAL + "block = true", "block must be a whole number"),
        (MINIMAL + "entry = 4.0", "entry must be a whole number"),
        (MINIMAL + "max_taps = 65537", "max_taps must be a whole number"),
        (MINIMAL + "fused = 'Relu'", "fused must be a list of texts"),
        (MINIMAL + "fast_types = [1]", "fast_types must be a list of texts"),
        (MINIMAL + "grid = 8", "grid must give each data type a number"),
        (MINIMAL + "grid = {int8 = '8'}", "grid must give each data type a number"),
        ("title = ", "is no TOML"),
        ("a = " + "[" * 5000, "is no TOML"),
        ("#" + "x" * (1 << 20), "is larger than 1,048,576 bytes"),
    ],
)
def test_files_that_are_no_profile(tmp_path: Path, text: str, why: str) -> None:
    """What is wrong is told in one line."""
    path = tmp_path / "t.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_target(str(path))
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_takes_a_target(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With ``--target`` the rules about targets run, by its profile; with a wrong name none."""
    model = tmp_path / "m.onnx"
    narrow = """agraph (float[1,3,64,64] x) => (float[1,40,64,64] y)
        <float[24,3,3,3] s, float[40,24,3,3] w> {
            a = Conv <pads = [1,1,1,1]> (x, s)
            y = Conv <pads = [1,1,1,1]> (a, w)
        }"""
    model.write_bytes(from_text(narrow).proto.SerializeToString())
    code, text = _check(capsys, str(model), "--isolated")
    assert (code, "ARC503" in text) == (0, False)
    code, text = _check(capsys, str(model), "--isolated", "--target", "qualcomm-hexagon")
    assert (code, "ARC503" in text, "multiples of 32" in text) == (1, True, True)
    code, text = _check(
        capsys, str(model), "--isolated", "--target", "qualcomm-hexagon", "--ignore", "ARC503"
    )
    assert (code, "ARC503" in text) == (0, False)
    code, text = _check(capsys, str(model), "--isolated", "--target", "hexagon")
    assert code == 2
    assert "did you mean 'qualcomm-hexagon'?" in text


def _check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code of ``archlint check``, and all that it wrote."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["archlint", "check", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
    written = capsys.readouterr()
    return int(left.value.code or 0), written.out + written.err


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are no TOML."""
    path = tmp_path / "t.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is no TOML"):
        load_target(str(path))
