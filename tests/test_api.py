"""The functions of the package say what the command says, of files and of models in memory."""

from __future__ import annotations

import ast
import doctest
import inspect
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.spawn import get_preparation_data
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import archlint
from archlint import api
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.memory import InMemory, hold
from archlint.analyzer.reader.structure import REFERENCE
from archlint.analyzer.reader.tensors import tensors
from archlint.analyzer.reader.weights import read_tensor
from archlint.analyzer.runtime.restored import restore
from archlint.arguments import Options
from archlint.caller import WITHOUT_MAIN, Shared
from archlint.choices import Format
from command_line import Run
from repositories import Repo, isolate
from this_repository import ROOT

SAMPLES = ROOT / "samples"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
LIGHTS = "squeezenet", "resnet50"  # most of their weights are made by nodes
FLAGGED = SAMPLES / "inception_5x5.onnx"
MACS = 5 * 5 * 192 * 32 * 28 * 28


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a model."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(FLAGGED, tmp_path / "net.onnx")
    return tmp_path


def test_examples_of_the_docstrings(monkeypatch: pytest.MonkeyPatch) -> None:
    """They print what they show."""
    monkeypatch.chdir(SAMPLES)
    failed, tried = doctest.testmod(api)
    assert failed == 0
    assert tried >= 8


@pytest.mark.parametrize(
    "path",
    [
        *sorted(SAMPLES.glob("*.onnx")),
        LIGHT / "light_squeezenet.onnx",
        LIGHT / "light_resnet50.onnx",
    ],
    ids=lambda path: path.stem,
)
def test_a_model_in_memory_is_what_its_file_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is said of it, to the byte of its size; and it is not changed."""
    monkeypatch.chdir(path.parent)
    proto = onnx.load(path.name)
    before = proto.SerializeToString(deterministic=True)
    assert archlint.lint(proto, name=path.name) == archlint.lint(path.name, cache=False)
    assert proto.SerializeToString(deterministic=True) == before


def test_the_report_is_that_of_the_command(here: Path, run: Run) -> None:
    """In JSON, with settings of both kinds."""
    (here / "archlint.toml").write_text('[severity]\nARC101 = "error"\n')
    ran = run("net.onnx", "--output-format=json", "--set", "ARC101.width=20", "--ignore=ARC7")
    report = archlint.lint("net.onnx", set={"ARC101.width": 20}, ignore="ARC7")
    assert json.loads(archlint.render(report, "json")) == ran.document
    assert [finding.severity for finding in report.findings] == [archlint.Severity.ERROR]


ARRAYS: list[tuple[str, np.ndarray[Any, Any]]] = [
    ("float32", np.arange(3000, dtype=np.float32).reshape(30, 100)),
    ("float64", np.arange(600, dtype=np.float64)),
    ("float16", np.arange(2000, dtype=np.float16)),
    ("int8", np.arange(100_000).astype(np.int8)),
    ("int32", np.arange(-20_000, 20_000, dtype=np.int32)),
    ("int64", np.arange(-9_000, 9_000, dtype=np.int64)),
    ("uint64", np.arange(40_000, dtype=np.uint64)),
    ("bool", np.arange(70_000) % 3 == 0),
    ("small", np.arange(5, dtype=np.float32)),
]


def holding(raw: bool) -> ModelProto:
    """A model that holds the arrays as weights, one of them in a node and one in a subgraph."""
    made = [
        numpy_helper.from_array(array, name)
        if raw
        else helper.make_tensor(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.reshape(-1)
        )
        for name, array in ARRAYS
    ]
    body = helper.make_graph(
        [helper.make_node("Identity", ["inner"], ["o"])],
        "body",
        [],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, [40, 40])],
        [numpy_helper.from_array(np.full((40, 40), 2, np.float32), "inner")],
    )
    held = numpy_helper.from_array(np.full(900, 3, np.float32), "held")
    nodes = [
        helper.make_node("Constant", [], ["c"], name="constant", value=held),
        helper.make_node("If", ["p"], ["y"], then_branch=body, else_branch=body),
    ]
    value = helper.make_tensor_value_info("p", TensorProto.BOOL, [])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [40, 40])
    model = helper.make_model(
        helper.make_graph(nodes, "g", [value], [output], made),
        opset_imports=[helper.make_opsetid("", 17)],
    )
    onnx.checker.check_model(model)
    return model


@pytest.mark.parametrize("raw", [True, False])
def test_weights_in_memory_are_read_where_they_are(raw: bool, tmp_path: Path) -> None:
    """The structure holds no large one, and each is read as onnx reads it from the file."""
    proto = holding(raw)
    onnx.save(proto, tmp_path / "m.onnx")
    model = hold("m", InMemory(proto))
    assert model.file_bytes == (tmp_path / "m.onnx").stat().st_size
    assert model.proto.ByteSize() < 6_000
    assert not model.problems
    wanted = [held.tensor for held in tensors(onnx.load(tmp_path / "m.onnx"))]
    found = [held.tensor for held in tensors(model.proto)]
    assert len(found) == len(ARRAYS) + 3
    for tensor, same in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(read_tensor(model, tensor), numpy_helper.to_array(same))
    assert [held.tensor.name for held in tensors(restore(model)[0])] == [one.name for one in wanted]


def test_a_model_of_four_gigabytes_is_described_without_its_weights() -> None:
    """Nobody asks for them where no rule looks at weights."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1 << 15])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1 << 15])],
        [TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 15, 1 << 15])],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    asked: list[str] = []

    def elements() -> np.ndarray[Any, Any]:
        asked.append("w")
        return np.zeros(0)

    report = archlint.lint(InMemory(proto, {"w": elements}), select="ARC2", isolated=True)
    assert asked == []
    assert report.models[0].parameters == 1 << 30
    assert 0 < report.models[0].file_bytes - (4 << 30) < 1000


def test_faults_of_weights_in_memory_are_found() -> None:
    """As in a file."""
    proto = onnx.load(FLAGGED)
    weight = max(proto.graph.initializer, key=lambda one: len(one.raw_data))
    weight.raw_data = weight.raw_data[:-4]
    model = hold("m", InMemory(proto))
    assert [problem.kind for problem in model.problems] == [ProblemKind.PAYLOAD]


def test_what_claims_to_be_a_reference_is_none() -> None:
    """The entry by which the structure refers to weights means nothing in a model."""
    proto = onnx.load(FLAGGED)
    small = min(proto.graph.initializer, key=lambda one: len(one.raw_data))
    small.metadata_props.add(key=REFERENCE, value="not a number")
    model = hold("m", InMemory(proto))
    found: TensorProto = next(t for t in model.proto.graph.initializer if t.name == small.name)
    np.testing.assert_array_equal(read_tensor(model, found), numpy_helper.to_array(small))


def test_text_that_is_no_utf8_is_escaped() -> None:
    """As in a file: protobuf hands it out as bytes."""
    content = onnx.load(FLAGGED).SerializeToString().replace(b"conv5x5", b"conv\xff\xfe5")
    path = ModelProto.FromString(content)
    model: Model = hold("m", InMemory(path))
    node: NodeProto = model.proto.graph.node[0]
    assert node.name == r"conv\xff\xfe5"


def graphless() -> ModelProto:
    """A model without a graph."""
    return ModelProto(ir_version=8)


def cyclic() -> ModelProto:
    """Two nodes that wait for each other."""
    proto = onnx.load(FLAGGED)
    del proto.graph.node[:]
    proto.graph.node.add(op_type="Relu", input=["b"], output=["a"], name="first")
    proto.graph.node.add(op_type="Relu", input=["a"], output=["b"], name="second")
    return proto


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("nothing.onnx", "nothing.onnx: no such file or folder"),
        (Path("broken.onnx"), "broken.onnx: "),
        (graphless(), "<model>: is no ONNX model: it holds no graph; export it again"),
        (cyclic(), "<model>: "),
    ],
    ids=["missing", "broken", "graphless", "cyclic"],
)
def test_one_model_that_cannot_be_analysed_is_an_error(here: Path, model: Any, why: str) -> None:
    """In one line, which names it."""
    (here / "broken.onnx").write_bytes(b"\x08\x07\x3a\xff")
    with pytest.raises(archlint.ModelError) as raised:
        archlint.lint(model)
    assert str(raised.value).startswith(why)
    assert "\n" not in str(raised.value)


def test_of_several_models_failures_are_reported(here: Path) -> None:
    """Whatever kind of iterable names them."""
    report = archlint.lint(name for name in ["net.onnx", "nothing.onnx"])
    assert [model.path for model in report.models] == ["net.onnx"]
    assert [(one.path, one.why) for one in report.failures] == [
        ("nothing.onnx", "no such file or folder")
    ]
    assert archlint.lint([]).models == ()


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ({"model": 5}, TypeError, "a model is a path, or an onnx.ModelProto, not int"),
        ({"model": b"x"}, TypeError, "parse it: onnx.load_model_from_string(…)"),
        ({"model": ["net.onnx", None]}, TypeError, "model takes a path, not None"),
        ({"model": [ModelProto()] * 2}, TypeError, "give each ModelProto to a call of its own"),
        ({"model": io.BytesIO(b"x")}, TypeError, "give its path, or load it: onnx.load(…)"),
        ({"model": {"net.onnx": 1}}, TypeError, "a model is a path, or an onnx.ModelProto, not"),
        ({"fail_on": archlint.Severity.ERROR}, TypeError, "fail_on takes a text (error, warning,"),
        ({"name": "x"}, TypeError, "name is for a ModelProto"),
        ({"select": [1]}, TypeError, "select takes texts, not int"),
        ({"select": 1}, TypeError, "select takes one or several, not int"),
        ({"config": {"select": "ARC1"}}, TypeError, "config takes one or several, not dict"),
        ({"dims": ["n=1"]}, TypeError, "dims takes a mapping from names, not list"),
        ({"dims": {"n": 1.5}}, TypeError, "dims takes whole numbers, not float"),
        ({"input_shapes": {"x": 3}}, TypeError, "input_shapes takes one or several, not int"),
        ({"set": {"ARC101.width": "20"}}, TypeError, "set takes numbers, not str"),
        ({"target": 5}, TypeError, "target takes a path, not int"),
        ({"base": 5}, TypeError, "base takes a path, not int"),
        ({"jobs": 1.5}, TypeError, "jobs takes whole numbers, not float"),
        ({"budget": "5"}, TypeError, "budget takes a number, not str"),
        ({"select": "ARC9999"}, ValueError, "select ARC9999: there is no rule 'ARC9999'"),
        ({"dims": {"n": 8}}, ValueError, "dims n=…: no model has the dim 'n'"),
        ({"dims": {"n": 0}}, ValueError, "dims n=0: "),
        ({"input_shapes": {"z": (1,)}}, ValueError, "input_shapes z=…: no model has the input 'z'"),
        ({"set": {"ARC101.wide": 2}}, ValueError, "set ARC101.wide=2: ARC101 has no option 'wide'"),
        ({"fail_on": "warn"}, ValueError, "fail_on: there is no 'warn'; did you mean 'warning'?"),
        ({"config": "none.toml"}, ValueError, "config none.toml: there is no such file"),
        ({"model": ""}, ValueError, "model: is empty; name a file or a folder"),
        ({"base": "none"}, ValueError, "base none: there is no such file or folder"),
        ({"jobs": -1}, ValueError, "jobs: must be between 0 and 1024, not -1"),
        ({"memory": 0}, ValueError, "memory: must be at least 0.1, not 0"),
        ({"threads": 2}, ValueError, "ep, threads and cpu_fallback: say how to time"),
        ({"ep": "nothing", "verify": True}, ValueError, "ep nothing: "),
    ],
)  # fmt: skip
def test_wrong_arguments(
    here: Path, arguments: dict[str, Any], kind: type[Exception], told: str
) -> None:
    """One line that names the argument as Python has it."""
    with pytest.raises(kind) as raised:
        archlint.lint(**{"model": "net.onnx", **arguments})
    assert told in str(raised.value)
    assert "--" not in str(raised.value).partition(": ")[0]
    assert isinstance(raised.value, archlint.ConfigError) == (kind is ValueError)


@pytest.mark.parametrize("framework", ["model_proto", "named_modules"])
def test_what_could_become_a_model_is_told_how(framework: str) -> None:
    """An exported program of torch, or a module."""
    model: Any = type("Model", (), {framework: None})()
    hint = {"model_proto": "give its model_proto", "named_modules": "archlint.lint_torch("}
    with pytest.raises(TypeError, match=hint[framework].replace("(", r"\(")):
        archlint.lint(model)


def test_settings_of_the_working_directory_hold_in_memory(here: Path) -> None:
    """Also those that speak of the path that a model is called by."""
    (here / "archlint.toml").write_text('[per-file-ignores]\n"deep/*.onnx" = ["ALL"]\n')
    proto = onnx.load("net.onnx")
    codes = [finding.code for finding in archlint.lint(proto).findings]
    assert codes == ["ARC101"]
    assert not archlint.lint(proto, name="deep/net.onnx").findings
    assert archlint.lint(proto, name="deep/net.onnx", isolated=True).findings


def test_budgets_and_outcomes(here: Path) -> None:
    """A broken budget is a finding; a model fails by the severity that is asked for."""
    (here / "archlint.toml").write_text('[[budget]]\nmacs = "1M"\n')
    report = archlint.lint("net.onnx", fail_on="error")
    assert {finding.code for finding in report.findings} == {"ARC101", "ARC905"}
    assert [model.failed for model in report.models] == [True]
    assert not archlint.lint("net.onnx", fail_on="never").models[0].failed


def test_what_is_named_is_meant(here: Path) -> None:
    """Also where the configuration forces it out of runs that are handed file names."""
    (here / "archlint.toml").write_text('exclude = ["net.onnx"]\nforce-exclude = true\n')
    assert len(archlint.lint("net.onnx").models) == 1


def load(name: str) -> ModelProto:
    """A sample."""
    return onnx.load(SAMPLES / f"{name}.onnx")


def test_bases_of_models_in_memory(here: Path) -> None:
    """Another one, or a file: the one that it is called by, too."""
    before, after = load("inception_5x5_bottleneck"), load("inception_5x5")
    onnx.save(before, "old.onnx")
    for base in (before, "old.onnx"):
        report = archlint.lint(after, base=base)
        assert [str(finding.state) for finding in report.findings] == ["new"]
        (change,) = [model.change for model in report.models]
        assert change is not None
        assert change.difference is not None
        assert change.difference.after.macs == MACS
    same = archlint.lint(after, base="net.onnx", name="net.onnx")
    assert [str(finding.state) for finding in same.findings] == ["unchanged"]


def test_a_revision_is_the_base_of_what_is_called_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the file in the working tree is what it is in the commit."""
    isolate(monkeypatch)
    repo = Repo(tmp_path)
    repo.write("net.onnx", (SAMPLES / "inception_5x5_bottleneck.onnx").read_bytes())
    repo.git("add", ".")
    repo.git("commit", "-qm", "m")
    monkeypatch.chdir(tmp_path)
    report = archlint.lint(load("inception_5x5"), name="net.onnx", base="main")
    assert [str(finding.state) for finding in report.findings] == ["new"]
    assert (
        archlint.lint("net.onnx", base="main").models[0].change
        == archlint.lint("net.onnx", base="main", cache=False).models[0].change
    )


@pytest.mark.slow
def test_a_model_in_memory_is_run_and_timed(here: Path) -> None:
    """With its own weights, against a base in memory too; no file is written here."""
    base = load("inception_5x5_bottleneck")
    report = archlint.lint(load("inception_5x5"), execute=True, verify=True, budget=0.2, base=base)
    assert not report.failures
    (finding,) = report.findings
    assert [one.comparison is not None for one in finding.measured] == [True]
    assert report.models[0].change is not None
    assert [one.comparison is not None for one in report.models[0].change.measured] == [True]
    assert [path.name for path in here.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize("output_format", [*Format])
def test_reports_are_rendered(output_format: Format, here: Path) -> None:
    """As the command writes them to a pipe."""
    text = archlint.render(archlint.lint("net.onnx"), output_format)
    assert "ARC101" in text
    assert "\x1b" not in text


def test_unknown_formats_and_other_reports_are_refused() -> None:
    """With what was likely meant."""
    report = archlint.lint([])
    with pytest.raises(archlint.ConfigError, match="did you mean 'markdown'"):
        archlint.render(report, "markdwon")
    with pytest.raises(TypeError, match="report takes what lint returns, not str"):
        archlint.render("report")  # type: ignore[arg-type]


def test_reports_show_themselves(here: Path) -> None:
    """In a sentence, as lines, and as the top of the page in a notebook."""
    report = archlint.lint(["net.onnx", "nothing.onnx"])
    assert repr(report) == "<Report: 1 model, 1 finding, 1 failure>"
    assert str(report) == archlint.render(report, "concise").rstrip("\n")
    assert str(report.findings[0]) == str(report).partition("\n")[0].removeprefix("net.onnx: ")
    assert repr(report.findings) == "[<FindingReport ARC101 wide-convolution: conv5x5>]"
    (model,) = report.models
    assert repr(model) == f"<ModelReport net.onnx: {MACS:,} MACs, 1 finding>"
    assert f": at least {MACS:,} MACs" in repr(replace(model, unknown_nodes=1))
    assert ": unknown MACs" in repr(replace(model, unknown_nodes=1, cost=archlint.Cost()))
    assert "net.onnx" in report._repr_html_()
    assert "float:none" in report._repr_html_()  # JupyterLab lets the parts of a <dl> float
    assert " id=" not in report._repr_html_()  # a notebook may show it twice
    assert "No models." in archlint.lint([])._repr_html_()


def test_progress_is_not_shown(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal is the caller's."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("threading.Timer.start", lambda _timer: pytest.fail("a display starts"))
    archlint.lint("net.onnx")


def test_processes_import_nothing_of_the_script(here: Path) -> None:
    """Though it has no ``if __name__ == "__main__":``; it is there again afterwards."""
    before = sys.modules["__main__"]
    with WITHOUT_MAIN:
        assert not [key for key in get_preparation_data("") if key.startswith("init_main")]
    assert sys.modules["__main__"] is before
    with pytest.raises(archlint.ModelError):
        archlint.lint("nothing.onnx", jobs=2)
    assert sys.modules["__main__"] is before


def test_the_last_of_several_runs_puts_back_what_the_first_has_changed() -> None:
    """Threads begin and end their runs in any order."""
    done: list[str] = []

    def change() -> Callable[[], None]:
        done.append("changed")
        return lambda: done.append("put back")

    shared = Shared(change)
    with shared:
        shared.__enter__()
    assert done == ["changed"]
    shared.__exit__()
    with shared:
        pass
    assert done == ["changed", "put back"] * 2


def typed_names() -> dict[str, str]:
    """The public names that type checkers see, with their modules."""
    tree = ast.parse(Path(archlint.__file__).read_text(encoding="utf-8"))
    return {
        alias.name: node.module.removeprefix("archlint.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__"
        for alias in node.names
        if alias.name != "import_module"
    }


def test_public_names_are_those_that_type_checkers_see() -> None:
    """And each leads to what it names."""
    assert typed_names() == archlint._MODULES
    assert sorted(archlint.__all__) == sorted([*archlint._MODULES, "__version__"])
    assert set(archlint.__all__) <= set(dir(archlint))
    for name in archlint._MODULES:
        assert getattr(archlint, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = getattr(archlint, "nothing")  # noqa: B009 - type checkers know that it is not there


def test_importing_the_package_loads_nothing() -> None:
    """Not even typing: the shortest commands wait for it."""
    code = (
        "import sys; before = set(sys.modules); import archlint; "
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.append({str(ROOT)!r}); {code}"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert ran.stdout.split() == ["__future__", "archlint"]


def test_both_functions_have_the_same_options() -> None:
    """What lint_torch hands on is what lint takes."""
    taken = {
        name: parameter.annotation
        for name, parameter in inspect.signature(api.lint).parameters.items()
        if name not in ("model", "name")
    }
    optional: Callable[[str], str] = lambda text: text.removesuffix(" | None")  # noqa: E731
    handed = {name: kind.__forward_arg__ for name, kind in Options.__annotations__.items()}
    assert {name: optional(str(kind)) for name, kind in taken.items()} == {
        name: optional(kind) for name, kind in handed.items()
    }


def test_reading_agrees_with_the_file(tmp_path: Path) -> None:
    """The structure of a model in memory is that of its file, whatever the entries refer to."""
    onnx.save(holding(raw=True), tmp_path / "m.onnx")
    one, other = read(str(tmp_path / "m.onnx")), hold("m", InMemory(holding(raw=True)))
    for held, same in zip(tensors(one.proto), tensors(other.proto), strict=True):
        assert held.tensor.dims == same.tensor.dims
        assert bool(held.tensor.metadata_props) == bool(same.tensor.metadata_props)
