"""Claims under the stopwatch, from the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import onnx
import pytest

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.errors import TimingError
from archlint.analyzer.finding import Finding, Severity
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report.as_json import schema
from archlint.analyzer.timing import compare as comparison_module
from archlint.analyzer.timing import verification
from archlint.analyzer.timing.compare import compare
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.measurement import Comparison, Measured, Verdict
from archlint.analyzer.timing.providers import Provider, parse_providers
from archlint.analyzer.timing.statistics import Clock, Interval
from archlint.analyzer.timing.subject import whole
from archlint.analyzer.timing.verification import Verifier

if TYPE_CHECKING:
    from command_line import Run

SAMPLES = Path(__file__).parent.parent / "samples"
INCEPTION = SAMPLES / "inception_5x5.onnx"
QUICK = ("--verify", "--budget", "0.5")


def comparison(before: float, low: float, high: float) -> Comparison:
    (cpu,) = parse_providers([])
    return Comparison(
        provider=cpu, threads=1, clock=Clock.CPU, runtime="1.0", before=before,
        after=before * low, ratio=(low + high) / 2, interval=Interval(low, high), rounds=30,
        disturbed=0, kernels_before={cpu.full_name: 1}, kernels_after={cpu.full_name: 2}, copies=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "low", "high", "verdict"),
    [
        (1e6, 0.20, 0.30, Verdict.CONFIRMED),
        (1e6, 0.90, 0.949, Verdict.CONFIRMED),
        (1e6, 0.90, 0.96, Verdict.INCONCLUSIVE),
        (1e6, 0.96, 1.02, Verdict.REFUTED),  # faster at best by less than a twentieth
        (1e6, 1.10, 1.30, Verdict.REFUTED),
        (99_000, 0.20, 0.30, Verdict.TOO_SMALL),  # under 0.1 ms
    ],
)
def test_verdicts(before: float, low: float, high: float, verdict: Verdict) -> None:
    assert comparison(before, low, high).verdict is verdict


def finding(code: str) -> Finding:
    """Of a rule, at some place."""
    return Finding(code, "some-fault", Severity.WARNING, None, (), "", "")


class Stopwatch(Verifier):
    """Gives each finding the same 0.04 ms, of which three quarters go; none of ARC202."""

    def __init__(self) -> None:
        """It needs no model."""

    def finding(self, finding: Finding, provider: Provider) -> Measured | None:
        """The same for all."""
        if finding.code == "ARC202":
            return Measured(provider, why="it does not run")
        return Measured(provider, comparison(40_000, 0.24, 0.26))


def test_what_is_small_is_judged_by_all_that_its_rule_flags() -> None:
    """Three of 0.04 ms are more than 0.1 ms; one alone is not."""
    codes = ["ARC408", "ARC101", "ARC408", "ARC202", "ARC408"]
    findings, _ = verification.verify(Stopwatch(), map(finding, codes), parse_providers([]))
    verdicts = [found.measured[0].verdict for found in findings]
    small, confirmed = Verdict.TOO_SMALL, Verdict.CONFIRMED
    assert verdicts == [confirmed, small, confirmed, None, confirmed]


def test_the_claim_of_the_sample_is_confirmed(run: Run) -> None:
    ran = run(INCEPTION, *QUICK)
    assert ran.code == 1
    (line,) = [line for line in ran.out.splitlines() if line.startswith("  measured")]
    assert "confirmed on cpu: " in line
    assert "1 thread, CPU time" in line
    assert "onnxruntime 1." in line
    assert "faster with its 1 confirmed proposal on cpu: " in ran.out


def test_the_report_as_json_holds_all_numbers(run: Run) -> None:
    document = run(INCEPTION, *QUICK, "--output-format", "json").document
    jsonschema.validate(document, json.loads(schema()))
    (model,) = document["models"]
    (verdict,) = model["findings"][0]["measured"]
    times = verdict["times"]
    assert (verdict["verdict"], verdict["provider"]) == ("confirmed", "CPUExecutionProvider")
    # A tenth of the MACs, and less than half of the time on any machine.
    assert 0 < times["interval"][0] <= times["ratio"] <= times["interval"][1] < 0.5
    assert times["after_ns"] < times["before_ns"] / 2
    assert times["kernels_before"]["CPUExecutionProvider"] >= 1
    assert times["rounds"] >= 6
    (effect,) = model["measured"]
    assert effect["proposals"] == 1
    assert effect["times"]["interval"][1] < 0.5


def test_one_line_a_finding_holds_the_verdict(run: Run) -> None:
    out = run(INCEPTION, *QUICK, "--output-format", "concise").out
    assert "; confirmed on cpu: ×0." in out.splitlines()[0]


def test_a_refuted_claim_fails_no_run(run: Run, tmp_path: Path) -> None:
    # A 1×1 to 12 of 16 channels saves a sixth of the MACs of a 3×3 and adds a pass over a map of
    # 112×112: slower, as the kernels compute blocks of 8 or 16 channels.
    builder = GraphBuilder("net")
    x = builder.input("x", (1, 16, 112, 112))
    builder.output(builder.conv(x, 16, 3))
    path = tmp_path / "net.onnx"
    onnx.save(builder.model(), path)
    wide = ("--select=ARC101", "--set=ARC101.min_channels=16", "--set=ARC101.width=12")
    assert run(path, *wide).code == 1
    ran = run(path, *wide, "--verify", "--output-format=json")
    (finding,) = ran.document["models"][0]["findings"]
    assert finding["measured"][0]["verdict"] in {"refuted", "inconclusive"}
    assert (finding["severity"] == "note") == (finding["measured"][0]["verdict"] == "refuted")
    assert ran.code == (0 if finding["severity"] == "note" else 1)
    assert ran.document["models"][0]["measured"] == []  # nothing was confirmed


def test_a_quantised_part_is_not_measured(run: Run, tmp_path: Path) -> None:
    model = from_text(
        """<ir_version: 8, opset_import: ["": 17]> g (float[1,192,28,28] x) => (y)
        <float s = {0.1}, uint8 z = {0}, int8[32,192,5,5] w, float ws = {0.1}, int8 wz = {0}> {
            q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)
            v = DequantizeLinear(w, ws, wz)
            [conv] y = Conv<pads=[2,2,2,2]>(d, v)
        }"""
    )
    path = tmp_path / "q.onnx"
    onnx.save(model.proto, path)
    ran = run(path, *QUICK)
    assert "not measured: it is quantised, and its proposal is made of floating-point" in ran.out
    assert (ran.code, ran.err) == (1, "")


def test_equal_findings_are_timed_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = GraphBuilder("net")
    x = builder.input("x", (1, 192, 14, 14))
    for _ in range(3):
        x = builder.relu(builder.conv(x, 192, 5))
    builder.output(x)
    path = tmp_path / "net.onnx"
    onnx.save(builder.model(), path)
    timed: list[str] = []

    def counted(*arguments: Any, **options: Any) -> Any:
        timed.append(arguments[0])
        return compare(*arguments, **options)

    monkeypatch.setattr(verification, "compare", counted)
    document = run(path, "--select=ARC101", *QUICK, "--output-format=json").document
    findings = document["models"][0]["findings"]
    assert len(findings) == 3
    assert len(timed) == 2  # one for the three, one for the whole
    assert findings[0]["measured"] == findings[1]["measured"] == findings[2]["measured"]


def test_a_model_against_itself_is_as_fast() -> None:
    builder = GraphBuilder("net")
    builder.output(builder.conv(builder.input("x", (1, 64, 28, 28)), 64, 3))
    model = Model("net.onnx", builder.model(), 0)
    subject = whole(model, load(model))
    (cpu,) = parse_providers([])
    found = compare("net.onnx", subject, subject, cpu, Effort(budget=1))
    assert 0.8 < found.ratio < 1.25
    assert found.interval.low < found.ratio < found.interval.high


@pytest.mark.parametrize("placements", [[{}, {"cpu": 1}], [{"CPUExecutionProvider": 1}, {}]])
def test_a_provider_that_takes_no_node_is_an_error(placements: list[dict[str, int]]) -> None:
    answer = {"placements": placements, "blocks": [], "copies": [0, 0], "runtime": "1.0"}
    (cpu,) = parse_providers([])
    with pytest.raises(TimingError, match="CPUExecutionProvider took no node of it"):
        comparison_module._comparison("m.onnx", cpu, Effort(), Clock.CPU, answer)


def test_disturbed_wall_times_give_no_verdict() -> None:
    block = [[[20.0, 20.0], [10.0, 10.0]]] * 5  # two threads had one core
    kernels = {"CPUExecutionProvider": 1}
    answer = {"placements": [kernels] * 2, "blocks": [block] * 9, "copies": [0, 0], "runtime": "1"}
    (cpu,) = parse_providers([])
    with pytest.raises(TimingError, match="did not keep 2 cores, as other programs took them"):
        comparison_module._comparison("m.onnx", cpu, Effort(threads=2), Clock.WALL, answer)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ep", "cpu"], "give --verify too"),
        (["--threads", "2"], "give --verify too"),
        (["--verify", "--ep", "cpo"], "did you mean 'cpu'?"),
        (["--verify", "--threads", "0"], "--threads"),
    ],
)
def test_wrong_use(run: Run, arguments: list[str], words: str) -> None:
    ran = run(INCEPTION, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.error


def _children(process: int) -> list[str]:
    """The processes that one has started, as Linux tells."""
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def _running(process: str) -> bool:
    return Path(f"/proc/{process}/exe").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
def test_ctrl_c_ends_it_and_its_child() -> None:
    command = [sys.executable, "-m", "archlint", str(INCEPTION), "--verify", "--budget", "60"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a child inherits
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        while not (children := _children(process.pid)):
            time.sleep(0.05)
        child = children[0]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert not _running(child)
