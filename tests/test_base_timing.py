"""What a model takes beside its base."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from archlint.analyzer.inputs import Bindings
from archlint.analyzer.report import Failure
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.providers import Provider
from archlint.base_timing import timed_beside
from archlint.bases import Counterpart
from archlint.pipeline import Stopwatch
from command_line import Run

SAMPLES = Path(__file__).parents[1] / "samples"
REDUCED, NAIVE = (
    SAMPLES / name for name in ("inception_module.onnx", "inception_module_naive.onnx")
)
CPU = Provider("cpu", "CPUExecutionProvider", host=True)
ABSENT = Provider("none", "NoExecutionProvider")


def beside(path: Path, base: Counterpart, *providers: Provider) -> tuple[list[str], list[Failure]]:
    """Why there are no times on each provider, and the failures; nothing where there are some."""
    failures: list[Failure] = []
    watch = Stopwatch(providers or (CPU,), Effort(budget=0.1))
    found = timed_beside(str(path), base, Bindings(), watch, failures)
    assert all((one.comparison is None) == bool(one.why) for one in found)
    return [one.why for one in found], failures


def test_it_is_timed_on_each_provider() -> None:
    """One that cannot run it is a failure, and the others are timed."""
    (none, why), failures = beside(NAIVE, Counterpart("b", content=str(REDUCED)), CPU, ABSENT)
    assert not none
    assert [(one.path, one.why) for one in failures] == [(str(NAIVE), why)]


@pytest.mark.parametrize(
    ("path", "base", "why"),
    [
        pytest.param(
            NAIVE, Counterpart("b", content=str(REDUCED), has_holes=True),
            "the weights of the base are not here", id="holes",
        ),
        pytest.param(
            NAIVE, Counterpart("b"), "the weights of the base are not here", id="snapshot"
        ),
        pytest.param(
            Path("-"), Counterpart("b", content=str(REDUCED)),
            "the model cannot be read again; give a path", id="stdin",
        ),
        pytest.param(
            NAIVE, Counterpart("b", content=str(SAMPLES / "README.md")), "is a text file, not ONNX",
            id="no-model",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_timed_says_why(path: Path, base: Counterpart, why: str) -> None:
    """It is no failure of the run: nothing has run."""
    (found,), failures = beside(path, base)
    assert why in found
    assert not failures


def test_the_report_tells_of_it(run: Run) -> None:
    """In text and, as its schema says, in JSON; without --verify nothing is timed."""
    asked = ["check", NAIVE, "--base", REDUCED, "--isolated"]
    clocked = [*asked, "--verify", "--budget", "0.2", "--select", "ARC101"]
    text = run(*clocked).out
    (line,) = (line for line in text.splitlines() if line.startswith("    measured   "))
    assert " on cpu: " in line
    assert "ratio" in line
    document = run(*clocked, "--output-format", "json").document
    schema = run("schema", "report").document
    assert not [*Draft202012Validator(schema).iter_errors(document)]
    (measured,) = document["models"][0]["base"]["measured"]
    assert measured["provider"] == "CPUExecutionProvider"
    assert measured["times"]["before_ns"] > 0
    untimed = run(*asked, "--output-format", "json").document
    assert not untimed["models"][0]["base"]["measured"]
