"""archlint time: what it prints, what it says beside it, and where it cannot time."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import onnx
import pytest
from jsonschema import Draft202012Validator

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.choices import By, TimeKey
from archlint.analyzer.cost import Cost
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report.time_rows import ADDED, Timed, rows
from archlint.analyzer.report.timing import render
from archlint.analyzer.text import Paint, columns
from archlint.analyzer.timing.attribution.regions import Kind
from archlint.analyzer.timing.nodes.latency import KernelTime, NodeTime, Profile, shares
from archlint.config import Chosen
from archlint.pipeline import lint_model
from command_line import Run
from optimising import timed_here

SAMPLES = Path(__file__).parent.parent / "samples"
QUICK = ("--runs", "5", "--budget", "0.2")
# A response normalisation over many channels, which has no MACs, beside a small convolution.
LRN = """<ir_version: 10, opset_import: ["": 21]>
g (float[1,16,56,56] x) => (y) <float[16,16,1,1] w> {
    conv = Conv(x, w)
    n = LRN<size=5>(conv)
    y = Relu(n)
}"""


@pytest.fixture
def lrn(tmp_path: Path) -> str:
    path = tmp_path / "lrn.onnx"
    onnx.save(from_text(LRN).proto, path)
    return str(path)


@pytest.fixture
def validator(run: Run) -> Draft202012Validator:
    """The schema that archlint prints."""
    schema = run("schema", "time").document
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_an_operator_without_macs_jumps_out(run: Run, lrn: str) -> None:
    """The normalisation takes most of the time for none of the MACs, and that is said in words."""
    ran = run("time", lrn, *QUICK)
    assert ran.code == 0
    (slow,) = [line for line in ran.out.splitlines() if line.startswith("  slow:")]
    assert slow.startswith("  slow: LRN 'n' takes ")
    assert "for 0.0 % of the MACs" in slow
    assert ran.out.splitlines()[1].split()[:2] == ["n", "LRN"]


def test_what_is_said_beside_the_times(run: Run, lrn: str) -> None:
    """Measured, of which runs, on what, by which clock; and that times of nodes are other runs."""
    text = " ".join(run("time", lrn, *QUICK).out.split())
    for words in (
        "of CPU time a run on cpu, 1 thread",
        "measured: median of 5 runs, 95 % interval",
        "on CPUExecutionProvider",
        f"onnxruntime {_version()}",
        "profiled runs apart from these",
        "0.0 % kernels of no node",
        "weights that the file lacks, or fills with one number, are made up",
    ):
        assert words in text


def _version() -> str:
    from importlib import metadata

    return metadata.version("onnxruntime")


@pytest.mark.parametrize("by", By)
def test_json(run: Run, lrn: str, validator: Draft202012Validator, by: By) -> None:
    """It follows its schema, and the rows hold all the time of the kernels, however they are put
    together."""
    lenet = SAMPLES / "lenet5.onnx"
    ran = run("time", lrn, lenet, "none.onnx", "--by", by, "--output-format", "json", *QUICK)
    document = ran.document
    validator.validate(document)
    assert ran.code == 3
    assert [failure["path"] for failure in document["failures"]] == ["none.onnx"]
    for model in document["models"]:
        (latency,) = model["latencies"]
        profile = latency["profile"]
        found = profile["rows"]
        whole = profile["kernels_ns"]
        assert latency["runs"] == 5
        assert latency["interval_ns"][0] <= latency["median_ns"] <= latency["interval_ns"][1]
        assert abs(sum(row["time_ns"] for row in found) - whole) <= len(found)
        assert sum(row["time_share"] for row in found) == pytest.approx(1, abs=1e-4)
        assert sum(row["macs"] for row in found) == model["macs"]
        kernels = [k for row in found for part in row["parts"] for k in part["kernels"]]
        assert len(kernels) == latency["kernels"]["CPUExecutionProvider"]
        assert profile["shares"]["none"] == 0


def test_a_schema_that_refuses(run: Run, lrn: str, validator: Draft202012Validator) -> None:
    """Every object of the document is closed: a field that nobody described is an error."""
    document = run("time", lrn, "--output-format", "json", *QUICK).document
    latency = document["models"][0]["latencies"][0]
    for place in (document, document["models"][0], latency, latency["profile"]):
        place["new"] = 1
        assert not validator.is_valid(document)
        del place["new"]
    validator.validate(document)


def test_options_of_the_table(run: Run, lrn: str) -> None:
    """Rows in the order of the graph, and only some of them."""
    names = run("time", lrn, "--sort", "graph", *QUICK).out
    added = [line.split()[1] for line in names.split("\n\n")[0].splitlines()[1:]]
    assert [op for op in added if not op.startswith("Reorder")] == ["Conv", "LRN", "Relu"]
    top = run("time", lrn, "--by", "op", "--top", "1", *QUICK).out
    assert [line.split()[0] for line in top.split("\n\n")[0].splitlines()] == ["operator", "LRN"]


FAILING = {
    "unbound": ("g (float[seq,n] x) => (y) { y = Relu(x) }", (), "dim 'n' is unbound"),
    "unknown-operator": ("g (float[4] x) => (y) { y = Mystery(x) }", (), "Mystery"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_cannot_be_timed(run: Run, tmp_path: Path, name: str) -> None:
    """One line on stderr, and exit code 3."""
    text, options, why = FAILING[name]
    path = tmp_path / "model.onnx"
    onnx.save(from_text(text).proto, path)
    ran = run("time", path, *options, *QUICK)
    assert ran.code == 3
    assert why in ran.error
    assert not ran.out


MS = 1e6  # nanoseconds


def part(
    label: str, time: float, cost: Cost | None, kind: Kind = Kind.EXACT, scope: str = ""
) -> NodeTime:
    kernels = (KernelTime(label, "Op", "CPUExecutionProvider", time * MS),)
    nodes = ((label, "Op"),) if kind is Kind.EXACT else ()
    return NodeTime(label, "Op", tuple(filter(None, [scope])), kind, kernels, nodes, cost)


PARTS = (
    part("macs", 50, Cost(macs=98, bytes_read=10), scope="a"),
    part("bytes", 30, Cost(macs=2, bytes_read=80), scope="a"),
    part("odd", 18, Cost(bytes_read=10), scope="b"),
    part("small", 1, Cost()),
    part("token", 1, None, Kind.LAYOUT),
)
PROFILE = Profile(3, 110, 1.0, disturbed=False, overhead=0, nodes=PARTS)


def test_standard_input_is_read_once(run: Run, lrn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = SimpleNamespace(buffer=io.BytesIO(Path(lrn).read_bytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", pipe)
    ran = run("time", "-")
    assert (ran.code, ran.out) == (3, "")
    assert ran.error == "-: cannot be timed: it cannot be read again; give a path"


def test_what_is_out_of_proportion() -> None:
    """A share of time that is twice the larger of the shares of MACs and bytes, and notable."""
    flags = {
        p.label: shares(p.time, p.cost, PROFILE).out_of_proportion
        for p in PARTS if p.cost is not None
    }  # fmt: skip
    # 50 % of the time for 98 % of the MACs; 30 % for 80 % of the bytes; 18 % for 10 %: 1.8 times.
    assert not any(flags.values())
    slower = replace(PROFILE, nodes=(*PARTS, part("lrn", 30, Cost(bytes_read=1))))
    found = shares(30 * MS, Cost(bytes_read=1), slower)
    assert found.out_of_proportion
    assert found.excess == pytest.approx((30 / 130) / (1 / 101))
    tiny = replace(found, nanoseconds=9_000)  # that is hidden by what profiling adds
    assert not tiny.out_of_proportion


ORDERS = {
    TimeKey.TIME: ["macs", "bytes", "odd", "small", "token"],
    TimeKey.GRAPH: ["macs", "bytes", "odd", "small", "token"],
    TimeKey.MACS: ["macs", "bytes", "odd", "small", "token"],
    TimeKey.BYTES: ["bytes", "macs", "odd", "small", "token"],
    TimeKey.EXCESS: ["small", "odd", "macs", "bytes", "token"],
}


@pytest.mark.parametrize("key", TimeKey)
def test_orders(key: TimeKey) -> None:
    """Largest first; of equal ones, as they run."""
    assert [row.name for row in rows(PROFILE, By.NODE, key)] == ORDERS[key]


def test_groups() -> None:
    """What onnxruntime added is no operator and no module of the model's."""
    by_op = {row.name: row for row in rows(PROFILE, By.OP, TimeKey.TIME)}
    assert by_op["Op"].time == (50 + 30 + 18 + 1) * MS
    assert by_op[f"Op {ADDED}"].shares is None
    by_scope = {row.name: row.time / MS for row in rows(PROFILE, By.SCOPE, TimeKey.TIME)}
    assert by_scope == {"a": 80, "b": 18, "": 1, ADDED: 1}


@pytest.mark.parametrize("width", [20, 40, 80])
def test_narrow_terminals(width: int) -> None:
    """No line of text is wider than the terminal; a table is never narrower than its numbers."""
    model = from_text(LRN)
    latency = timed_here(model)
    assert latency.profile is not None
    report: Analysis = lint_model(model, Chosen())
    found = rows(latency.profile, By.NODE, TimeKey.TIME)
    text = render(Timed(report, (latency,)), [found], By.NODE, Paint(), width)
    table, _, below = text.partition("\n\n")
    assert all(columns(line) <= max(width, 40) for line in below.splitlines())
    assert all(columns(line) <= max(width, 60) for line in table.splitlines())
