"""benchmarks/ builds the models that it says, and its figures say what was measured. No test times
anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from math import prod
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import bench  # noqa: E402 - after the path is set
import html_report  # noqa: E402 - as above
import inside  # noqa: E402 - as above
import measure  # noqa: E402 - as above
import models  # noqa: E402 - as above
import page  # noqa: E402 - as above
import peers  # noqa: E402 - as above
import registry  # noqa: E402 - as above
import rows  # noqa: E402 - as above
import run as benchmark  # noqa: E402 - as above
import versus  # noqa: E402 - as above
from archlint.analyzer.cost import CostTable  # noqa: E402 - as above
from archlint.analyzer.runtime.isolated import Isolated  # noqa: E402 - as above
from archlint.analyzer.shapes import fallback  # noqa: E402 - as above
from archlint.analyzer.shapes.context import SHAPE_RULES  # noqa: E402 - as above
from measure import Spread, Usage  # noqa: E402 - as above

BUILDERS: dict[str, tuple[Callable[[Path], None], int]] = {
    "sample": (lambda path: models.sample(path, "lenet5"), 12),
    "layers": (lambda path: models.layers(path, 3 * 4 * 30**2, depth=3), 3 * 2),
    "residual": (lambda path: models.residual(path, 13), 13),
    "encoder": (lambda path: models.encoder(path, depth=2, width=128, tokens=3), 2 * 29),
}
"""Each builder at a small size, with its number of nodes."""


@pytest.mark.parametrize("name", BUILDERS)
def test_builders_write_valid_models(name: str, tmp_path: Path) -> None:
    """onnx's checker takes each file, with its shapes inferred; the bytes are always the same."""
    build, nodes = BUILDERS[name]
    first, second = tmp_path / "first" / "m.onnx", tmp_path / "second" / "m.onnx"
    for path in (first, second):
        path.parent.mkdir()
        build(path)
    onnx.checker.check_model(first, full_check=True)
    assert len(onnx.load(first, load_external_data=False).graph.node) == nodes
    for file in first.parent.iterdir():
        assert file.read_bytes() == (second.parent / file.name).read_bytes()


def test_the_models_of_a_registry_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also two copies of one model, by the names of their nodes."""
    monkeypatch.delenv("ARCHLINT_MODELS", raising=False)
    monkeypatch.setattr(registry, "COUNT", len(registry.sources()) + 1)
    registry.build(tmp_path)
    files = sorted(tmp_path.rglob("*.onnx"))
    assert len({file.read_bytes() for file in files}) == registry.COUNT
    for file in files:
        onnx.checker.check_model(file)


def test_sparse_weights_are_what_the_file_says(tmp_path: Path) -> None:
    """onnx reads zeros of the shapes; the size is that of the weights and a little more."""
    path = tmp_path / "layers.onnx"
    models.layers(path, 5 * 4 * 300**2 + 3, depth=5)
    weights = onnx.load(path).graph.initializer
    assert [tuple(weight.dims) for weight in weights] == [(300, 300)] * 5
    assert all(weight.raw_data == bytes(4 * prod(weight.dims)) for weight in weights)
    assert {weight.data_type for weight in weights} == {TensorProto.FLOAT}
    assert 0 < path.stat().st_size - 5 * 4 * 300**2 < 2000


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**31, 4_300_000_000])
def test_lengths_are_written_as_protobuf_does(number: int) -> None:
    """A field of protobuf's own holds the same varint after its tag of one byte."""
    assert onnx.ModelProto(model_version=number).SerializeToString()[1:] == models._varint(number)


@pytest.mark.slow
def test_export_is_valid(tmp_path: Path) -> None:
    """A small Swin goes through torch's exporter."""
    pytest.importorskip("torch", reason="exports need torch")
    pytest.importorskip("transformers", reason="exports need transformers")
    models.swin(tmp_path / "swin.onnx", depths=(1, 1), image=56)
    onnx.checker.check_model(tmp_path / "swin.onnx", full_check=True)


def test_every_row_names_models_that_can_be_built() -> None:
    """Rows know models by name only, as they import nothing."""
    named = {*versus.TEN, *rows._LIMITS, *(f"nodes_{count}" for count in rows.NODES)}
    named |= {"layers_1.9GB", "layers_4.3GB", "isolation", *html_report.LIMITS}
    assert named == set(models.MODELS)
    assert len(set(versus.TEN)) == 10


def test_operator_without_its_rule_is_asked_of_onnx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its shape is known all the same, found in a forked process or not; forks are all so far."""
    rule = SHAPE_RULES[inside.UNRULED]
    monkeypatch.setattr(fallback, "Isolated", Isolated)
    asked: list[str] = []
    fork = os.fork

    def counted_fork() -> int:
        asked.append("forked")
        return fork()

    monkeypatch.setattr(os, "fork", counted_fork)
    models.residual(path := tmp_path / "m.onnx", 6, last=inside.UNRULED)
    for work, forks in (("costs", 0), ("costs, isolated", 1), ("costs, in process", 1)):
        monkeypatch.setitem(SHAPE_RULES, inside.UNRULED, rule)
        costs = inside.WORKS[work]()(str(path))
        assert isinstance(costs, CostTable)
        assert costs.graph.value(costs.graph.outputs[0]).shape == (1, 8, 14, 14)
        assert len(asked) == forks


def test_exponent_is_that_of_the_power() -> None:
    """Of points on c * n^k it is k; of others the slope of the least squares in logarithms."""
    sizes = (1000, 10_000, 100_000)
    assert measure.exponent(sizes, [3e-5 * n for n in sizes]) == pytest.approx(1)
    assert measure.exponent(sizes, [7 * n**1.5 for n in sizes]) == pytest.approx(1.5)
    # The middle one of three equally spaced points decides no slope: (5 - 2) / (5 - 3).
    assert measure.exponent(sizes, [1e2, 1e9, 1e5]) == pytest.approx(1.5)


def test_figures_are_taken_round_by_round() -> None:
    """A slow round slows both sides: its ratio stays, that of the sums would not."""
    own = [Usage(2.0, 10), Usage(30.0, 20), Usage(4.0, 60)]
    base = [Usage(1.0, 0), Usage(10.0, 0), Usage(1.0, 0)]
    assert measure.ratio(own, base) == Spread(3, 2, 4)
    assert measure.difference(own, base) == Spread(3, 1, 20)
    assert measure.cpu(own) == Spread(4, 2, 30)
    assert measure.peak(own) == Spread(20, 10, 60)
    assert measure.cpu([]) is measure.ratio([], base) is measure.ratio(own, []) is None


def test_processes_are_measured_in_turn(tmp_path: Path) -> None:
    """A first round is not counted, what fails once is not run again, uses are told as JSON."""
    log = tmp_path / "log"
    write = f"open({str(log)!r}, 'a').write"
    fine = f"{write}('a'); print('{{\"cpu\": 1.5, \"peak\": 7}}')"
    commands = {
        "fine": [sys.executable, "-c", fine],
        "broken": [sys.executable, "-c", f"{write}('b'); raise SystemExit(3)"],
    }
    assert measure.interleaved(commands, 2, tmp_path / "answer") == {
        "fine": [Usage(1.5, 7)] * 2,
        "broken": [],
    }
    assert log.read_text() == "abaa"
    uses = measure.interleaved({"fine": commands["fine"]}, 1)
    assert uses["fine"][0].peak > 1 << 20  # an interpreter holds more than 1 MiB


def test_work_above_the_imports_is_told() -> None:
    """Memory is what the work adds: 64 MiB here, in a process whose memory is its own."""
    code = (
        "import inside, json; "
        "work = lambda _path: bytearray(b'x') * (64 << 20); "
        "print(json.dumps(inside.measured(work, '')))"
    )
    folder = Path(inside.__file__).parent
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=folder)
    told = json.loads(ran.stdout)
    assert 64 << 20 <= told["peak"] < 96 << 20
    assert Usage(**told).cpu > 0


def test_inside_works_read_a_model(tmp_path: Path) -> None:
    """Every work but onnx-ir's, which lives in another environment, takes a path."""
    models.residual(path := tmp_path / "m.onnx", 6)
    for name, prepare in inside.WORKS.items():
        if name != "onnx_ir.load" and not name.startswith("costs, "):
            assert prepare()(str(path)) is not None


VERDICTS: dict[str, tuple[page.Verdict, tuple[str, str, str]]] = {
    "reached": (
        page.at_most("w", Spread(1.2, 1.1, 1.31), 1.25, "×"),
        ("≤ 1.25 ×", "1.20 × (1.10 to 1.31)", "yes"),
    ),
    "missed": (
        page.at_most("w", Spread(1.26, 1, 2), 1.25, "×"),
        ("≤ 1.25 ×", "1.26 × (1.00 to 2.00)", "**no**"),
    ),
    "just reached, in another unit": (
        page.at_most("w", Spread(3e7, 2e6, 1.2e9), 3e7, "MB", 1e-6),
        ("≤ 30 MB", "30.0 MB (2.00 to 1,200)", "yes"),
    ),
    "one figure": (
        page.at_most("w", Spread.of([0.0123]), 0.015, "ms", 1000),
        ("≤ 15 ms", "12.3 ms", "yes"),
    ),
    "failed": (page.at_most("w", None, 5, "s"), ("≤ 5 s", "fails", "**no**")),
    "the least decides": (
        page.at_least("w", {("a", "p"): 4.5, ("b", "q"): 3.9}, 4),
        ("≥ 4 ×", "3.90 × (b, q)", "**no**"),
    ),
    "at least": (page.at_least("w", {("a", "p"): 4}, 4), ("≥ 4 ×", "4.00 × (a, p)", "yes")),
    "no peers": (page.at_least("w", {}, 3), ("≥ 3 ×", "", "not measured")),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(name: str) -> None:
    """The median decides, and is shown with its spread beside the target."""
    verdict, cells = VERDICTS[name]
    assert verdict.cells == ("w", *cells)


def test_page_has_every_target_and_table() -> None:
    """The command, the machine, a table of all targets, then each section with its own."""
    sections = [
        page.Section(
            "One", "Of one.", [page.at_least("w", {("n", "p"): 2}, 1)], "ab", ["12", "34"]
        ),
        page.Section("Two", "Of two.", [page.at_most("v", None, 1, "s")], ["c"], [["5"]]),
    ]
    text = page.page(sections, "python benchmarks/run.py --rounds 3", 3)
    assert "`python benchmarks/run.py --rounds 3`" in text.replace("\n", " ")
    assert page.machine() in text.replace("\n", " ")
    assert "| w | ≥ 1 × | 2.00 × (n, p) | yes |\n| v | ≤ 1 s | fails | **no** |\n" in text
    assert "\n## One\n\nOf one.\n\n| a | b |\n| --- | --: |\n| 1 | 2 |\n| 3 | 4 |\n" in text
    assert text.endswith("\n## Two\n\nOf two.\n\n| c |\n| --- |\n| 5 |\n")


def test_models_are_built_once(tmp_path: Path) -> None:
    """A model is built by a process of its own, and found the next time; a failure says so."""
    made = bench.Bench(tmp_path, 1, with_peers=False)
    path = made.model("isolation")
    assert onnx.load(path).graph.node[-1].op_type == inside.UNRULED
    path.write_bytes(b"kept")
    assert made.model("isolation").read_bytes() == b"kept"
    assert made.size("isolation") == 4
    path.with_suffix(".data").write_bytes(bytes(10))
    assert made.size("isolation") == 14
    with pytest.raises(RuntimeError, match=r"models\.py unheard FILE fails"):
        made.model("unheard")
    assert {file.name for file in tmp_path.iterdir()} == {"isolation.onnx", "isolation.data"}


def test_peers_are_left_out_on_request(tmp_path: Path) -> None:
    """No environment is made, and loaders that need one are refused with the reason."""
    made = bench.Bench(tmp_path, 1, with_peers=False)
    assert made.interpreter(peers.ONNXSIM) is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "m.onnx").write_bytes(b"model")
    commands, refused = rows._loads(made, "m")
    assert refused == {"onnx_ir.load": "not installed"}
    assert list(commands) == ["archlint", "onnx.load", "onnx.load + infer_shapes"]


def test_command_writes_the_page_and_prints_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All rows make the page; what ``--only`` asks for replaces no page unless it is given one."""
    stubs = {
        key: lambda made, key=key: page.Section(key, f"{made.rounds} rounds.", [], "a", ["1"])
        for key in ("first", "second")
    }
    monkeypatch.setattr(benchmark, "ROWS", stubs)
    monkeypatch.setattr(benchmark, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "second", "--rounds", "2", "--no-peers"])
    benchmark.main()
    printed = capsys.readouterr().out
    assert "## second\n\n2 rounds." in printed
    assert "## first" not in printed
    assert "run.py --only second --rounds 2 --no-peers`" in printed.replace("\n", " ")
    assert not (tmp_path / "page.md").exists()
    monkeypatch.setattr(sys, "argv", ["run.py", "--work", str(tmp_path / "kept")])
    benchmark.main()
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert text.index("## first") < text.index("## second")
    assert "`python benchmarks/run.py`" in text.replace("\n", " ")
    assert (tmp_path / "kept").is_dir()
