"""From the events of profiles to the times of nodes, on busy machines and for small kernels too."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from math import comb
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.cost import Cost, count
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime.child import Done
from archlint.analyzer.timing.attribution.marking import mark
from archlint.analyzer.timing.attribution.matching import match
from archlint.analyzer.timing.attribution.optimised import Kernel
from archlint.analyzer.timing.attribution.regions import Kind
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.nodes import measuring
from archlint.analyzer.timing.nodes.answer import Answer, Ran
from archlint.analyzer.timing.nodes.kernel_clock import KernelClock
from archlint.analyzer.timing.nodes.measuring import measure
from archlint.analyzer.timing.nodes.node_times import node_times
from archlint.analyzer.timing.nodes.places import Places
from archlint.analyzer.timing.nodes.profiling import _totals
from archlint.analyzer.timing.nodes.spread import median_interval, middle_mean
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.statistics import Sample
from kernels import run_here
from optimising import timed_here

# A response normalisation over many channels, which has no MACs, beside a small convolution.
LRN = """<ir_version: 10, opset_import: ["": 21]>
g (float[1,16,56,56] x) => (y) <float[16,16,1,1] w> {
    conv = Conv(x, w)
    n = LRN<size=5>(conv)
    y = Relu(n)
}"""
BRANCHES = """<ir_version: 10, opset_import: ["": 21]>
g (bool c, float[4,64] x) => (y) <float[64,64] w, int64 n = {5}, bool m = {1}> {
    a = Loop (n, m, x) <body = b (int64 i, bool k, float[4,64] s) => (bool l, float[4,64] o)
        { l = Identity(k) t = MatMul(s, w) o = Relu(t) }>
    y = If (c) <then_branch = t () => (float[4,64] p) { p = MatMul(a, w) },
                else_branch = e () => (float[4,64] q) { q = Neg(a) }>
}"""


def test_bodies() -> None:
    """Nodes in bodies have times of their own; a loop's own time holds none of them, and its node
    costs what all trips do. A branch that did not run is told."""
    latency = timed_here(from_text(BRANCHES))
    assert latency.profile is not None
    parts = {part.label: part for part in latency.profile.nodes}
    assert {part.operator for part in latency.profile.nodes} == {
        "Loop", "Identity", "MatMul", "Relu", "If"
    }  # fmt: skip
    assert latency.profile.idle == ("y/else_branch/q",)
    product = parts["a/body/t"].cost
    assert product is not None
    assert product.macs == 5 * (4 * 64 * 64)  # five trips
    assert parts["a"].cost == Cost()
    whole = sum(part.time for part in parts.values())
    assert whole <= latency.profile.took


def event(name: str, start: int, took: int, operator: str = "Relu") -> dict[str, Any]:
    arguments = {"op_name": operator, "provider": "CPUExecutionProvider"}
    return {
        "cat": "Node", "name": f"{name}_kernel_time", "ts": start, "dur": took, "args": arguments,
    }  # fmt: skip


RUN = {"cat": "Session", "name": "model_run", "ts": 0, "dur": 1000, "args": {}}


def test_nested_events(tmp_path: Path) -> None:
    """A node's own time is what its bodies leave; what ran before it is none of them, though equal
    names and times may meet."""
    events = [
        event("a", 5, 0), event("a", 10, 20), event("c", 31, 5), event("b", 30, 8, "If"),
        event("a", 40, 20), event("loop", 9, 60, "Loop"), event("z", 70, 3), RUN,
        event("loop", 0, 7, "Loop"), RUN, event("lost", 0, 9),
    ]  # fmt: skip
    path = tmp_path / "profile.json"
    path.write_text("[\n" + ",\n".join(map(json.dumps, events)) + "\n]\n", encoding="utf-8")
    found = _totals(str(path))
    assert found.runs == 2
    assert found.complete
    times = {key: total.last(2, 2) for key, total in found.kernels.items()}
    assert times == {
        ("a",): [0, 0],
        ("loop",): [1000 * (60 - 20 - 8 - 20), 7000],
        ("loop", "a"): [1000 * (20 + 20), 0],
        ("loop", "b"): [1000 * (8 - 5), 0],
        ("loop", "b", "c"): [5000, 0],
        ("z",): [3000, 0],
    }


def test_kernels_without_names() -> None:
    """They stand in the profile by operator and number, in the order of the optimised graph; what
    the graph lacks is added."""
    kernels = [
        Kernel(0, "", "Tanh", (), ()), Kernel(1, "named", "Loop", (), ()),
        Kernel(2, "", "com.microsoft.Gelu", (), (), 1), Kernel(3, "", "Tanh", (), ()),
    ]  # fmt: skip
    operators = {
        ("Tanh_12",): "Tanh", ("Tanh_9",): "Tanh", ("named",): "Loop", ("named", "Gelu_0"): "Gelu",
        ("more",): "Relu",
    }  # fmt: skip
    assert match(kernels, operators) == {
        ("named",): 1, ("Tanh_9",): 0, ("Tanh_12",): 3, ("more",): 4, ("named", "Gelu_0"): 2,
    }  # fmt: skip
    assert kernels[4].name == "more"


WITHOUT: dict[str, Any] = {
    "runtime": "1", "samples": [[10, 9]], "profiled": [[10, 9]], "kernels": [], "complete": True,
    "optimised": None, "lacking": "",
}  # fmt: skip
GARBAGE: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "no samples": {**WITHOUT, "samples": []},
    "no time": {**WITHOUT, "samples": [[0, 0]]},
    "no number": {**WITHOUT, "samples": [[float("nan"), 1]]},
    "negative": {**WITHOUT, "samples": [[-1, 1]]},
    "text": {**WITHOUT, "profiled": [["a", "b"]]},
    "other runs": {**WITHOUT, "kernels": [[["a"], "Relu", "CPU", 1, [1, 2]]]},
    "no name": {**WITHOUT, "kernels": [[[], "Relu", "CPU", 1, [1]]]},
    "no events": {**WITHOUT, "kernels": [[["a"], "Relu", "CPU", "many", [1]]]},
    "no base64": {**WITHOUT, "optimised": "***"},
}


@pytest.mark.parametrize("name", GARBAGE)
def test_a_process_that_was_taken_over(name: str) -> None:
    """What is no answer is refused; the exceptions are those that ``measure`` translates."""
    with pytest.raises((LookupError, TypeError, ValueError)):
        Answer.of(GARBAGE[name])


STRUCTURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "damaged": ({"optimised": base64.b64encode(b"\x3a\xff\xff\xff\xff\x0f").decode()},
                "the optimised model is damaged", ""),
    "missing": ({"optimised": None, "lacking": "too large"}, "", "too large"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURES)
def test_without_the_optimised_model(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The times of the model stand all the same, and it is said what its nodes lack."""
    given, why, lacking = STRUCTURES[name]

    def job(*arguments: Any) -> Done:
        done = run_here(*arguments)
        assert isinstance(done, Done)
        return Done({**done.value, **given})

    monkeypatch.setattr(measuring, "run_job", job)
    model = from_text(LRN)
    latency = measure(model, count(load(model)), parse_providers([])[0], Effort(budget=0.2), 2)
    assert latency.runs == 2
    assert latency.why == why
    assert (latency.profile is None) is bool(why)
    if latency.profile is not None:  # by the names of kernels alone
        assert latency.profile.lacking == lacking
        operators = {part.operator: part.kind for part in latency.profile.nodes}
        assert operators["LRN"] is Kind.EXACT


def kernel(*runs: float, events: float = 1) -> Ran:
    return Ran("Relu", "CPUExecutionProvider", events, runs)


def answer(had: Sequence[float], kernels: dict[tuple[str, ...], Ran], longer: float = 0) -> Answer:
    """Runs of 1 s of CPU time with such shares of the core, the profiled ones so much longer."""
    samples = tuple(Sample(1e9 / share, 1e9) for share in had)
    profiled = tuple(Sample((1e9 + longer) / share, 1e9 + longer) for share in had)
    return Answer("1", samples, profiled, kernels, complete=True, optimised=None, lacking="none")


CLOCKS: dict[str, tuple[list[float], list[float], bool, float]] = {
    # Three undisturbed runs: the others do not count; of four samples the middle two do.
    "quiet": ([1, 1, 1, 1, 0.5], [10, 11, 13, 90, 500], False, (11 + 13) / 2),
    # Interrupted runs of a short kernel: the lower half was not.
    "busy-short": ([0.5] * 4, [100, 120, 5e6, 9e6], True, (100 + 120) / 2),
    # A long one always is; it had half of the core, as all runs had together.
    "busy-long": ([0.5] * 4, [10e6, 12e6, 14e6, 16e6], True, 13e6 / 2),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_profiles_of_a_busy_machine(name: str) -> None:
    """Undisturbed runs count where there are some; else a kernel's time is corrected, and said to
    be rough."""
    had, runs, disturbed, expected = CLOCKS[name]
    model = from_text("g (float[4] x) => (y) { y = Relu(x) }")
    graph = load(model)
    costs = count(graph)
    given = answer(had, {("@0@",): kernel(*runs)})
    profile = node_times(given, mark(model.proto, graph), costs, 1)
    assert profile.disturbed is disturbed
    assert profile.time == pytest.approx(expected)
    assert [(part.kind, part.label) for part in profile.nodes] == [(Kind.EXACT, "y")]


def test_several_threads_may_rest() -> None:
    """Two threads with less than two cores were perhaps not interrupted: nothing is corrected."""
    clock = KernelClock.of(answer([0.5] * 4, {("a",): kernel(9e6, 9e6, 9e6, 9e6)}), 2)
    assert clock.share is None
    assert clock.times({("a",): kernel(9e6, 9e6, 9e6, 9e6)}) == {("a",): 9e6}


def test_what_profiling_adds() -> None:
    """Ten microseconds for each of twelve events. The shortest event bounds what is within them, 4
    of the 10; the other 6 of each that runs in a body are in the time of the body's owner."""
    kernels = {
        ("a",): kernel(*[50e3] * 3),
        ("loop",): kernel(*[100e3] * 3),
        ("loop", "b"): kernel(*[40e3] * 3, events=10),
    }
    given = answer([1, 1, 1], kernels, longer=12 * 10e3)
    clock = KernelClock.of(given, 1)
    assert clock.overhead == pytest.approx(10e3)
    assert clock.inside == pytest.approx(40e3 / 10)
    assert clock.times(kernels) == pytest.approx({
        ("a",): 50e3 - 4e3,
        ("loop",): 100e3 - 4e3 - 10 * 6e3,
        ("loop", "b"): 40e3 - 10 * 4e3,
    })  # fmt: skip


def test_places_of_unrolled_loops() -> None:
    """A loop whose shapes grow with each trip has one body a trip: its nodes cost all of them."""
    model = from_text("""g (float[1,5] x) => (y) <float[5,5] w> {
        n = Constant<value = int64 {4}>() m = Constant<value = bool {1}>()
        y = Loop (n, m, x) <body = b (int64 i, bool k, float[r,5] s) => (bool l, float[q,5] o)
            { l = Identity(k) a = MatMul(s, w) o = Concat<axis=0>(a, x) }>
    }""")
    placed = Places(count(load(model))).at((2, "body", 1))
    assert placed is not None
    assert placed.cost is not None
    assert placed.cost.macs == (1 + 2 + 3 + 4) * (5 * 5)
    assert Places(count(load(model))).at((2, "body", 9)) is None


@pytest.mark.parametrize("size", [20, 50, 100, 333])
def test_the_interval_of_the_median(size: int) -> None:
    """The chance that as many samples lie below the median as the interval allows, by the binomial
    distribution: 95 %, and not much more."""
    found = median_interval(list(range(size)))
    low, high = int(found.low), int(found.high)
    outside = sum(comb(size, below) for below in [*range(low + 1), *range(high + 1, size + 1)])
    assert 0.94 <= 1 - outside / 2**size <= 0.985


def test_the_middle_mean() -> None:
    """Two of eight samples on each side do not count."""
    assert middle_mean([1, 2, 3, 4, 5, 6, 700, 800]) == (3 + 4 + 5 + 6) / 4
    assert middle_mean([7]) == 7
