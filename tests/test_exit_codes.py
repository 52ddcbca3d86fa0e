"""The exit code of ``check`` in every combination of what can end a run: 2 before 3 before 1."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import pytest

from command_line import Run

SAMPLES = Path(__file__).parent.parent / "samples"
FLAGGED = SAMPLES / "inception_5x5.onnx"  # one finding, a warning (docs/networks.md)
CLEAN = SAMPLES / "mlpconv.onnx"
BROKEN_BUDGET = '[[budget]]\nmacs = "1M"\n'
KEPT_BUDGET = '[[budget]]\nmacs = "1G"\n'
WARNING_BUDGET = '[[budget]]\nmacs = { max = "1M", level = "warning" }\n'
STALE = (
    '{"archlint-baseline": 1, "models": {"clean.onnx": [{"rule": "ARC101",'
    ' "name": "wide-convolution", "severity": "warning", "macs": 1,'
    ' "fingerprint": "0123456789abcdef:0"}]}}'
)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model that has a finding, and one that has none."""
    shutil.copy(FLAGGED, tmp_path / "flagged.onnx")
    shutil.copy(CLEAN, tmp_path / "clean.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("usage", "input_fails", "finding", "budget", "fail_on"),
    list(
        product(
            (False, True),
            (False, True),
            (False, True),
            (None, KEPT_BUDGET, BROKEN_BUDGET, WARNING_BUDGET),
            ("error", "warning", "note", "never"),
        )
    ),
)
def test_what_weighs_more_wins(
    usage: bool,
    input_fails: bool,
    finding: bool,
    budget: str | None,
    fail_on: str,
    models: Path,
    run: Run,
) -> None:
    """Wrong use, then inputs that could not be analysed, then findings and budgets by --fail-on."""
    Path("archlint.toml").write_text(budget or "", encoding="utf-8")
    paths = [
        "flagged.onnx" if finding else "clean.onnx",
        *(["missing.onnx"] if input_fails else []),
    ]
    wrong = ["--select", "NONE1"] if usage else []
    ran = run("check", *paths, "--fail-on", fail_on, *wrong)
    severities = {
        "warning": finding or budget == WARNING_BUDGET,
        "error": budget == BROKEN_BUDGET,
    }
    fails = {
        "error": severities["error"],
        "warning": severities["error"] or severities["warning"],
        "note": severities["error"] or severities["warning"],
        "never": False,
    }[fail_on]
    assert ran.code == (2 if usage else 3 if input_fails else 1 if fails else 0)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("most", "fail_on", "code"),
    [
        pytest.param("0", "never", 1, id="over"),
        pytest.param("1", "never", 0, id="at"),
        pytest.param("1", "warning", 1, id="severity-fails-by-itself"),
        pytest.param("0", "error", 1, id="over-below-the-severity"),
    ],
)
def test_warnings_may_be_counted(
    most: str, fail_on: str, code: int, models: Path, run: Run
) -> None:
    """The number that --max-warnings allows holds whatever --fail-on says."""
    assert run("check", ".", "--max-warnings", most, "--fail-on", fail_on).code == code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param((), 0, id="lenient"),
        pytest.param(("--strict-baseline",), 1, id="strict"),
        pytest.param(("--strict-baseline", "--fail-on", "never"), 0, id="never"),
        pytest.param(("--strict-baseline", "--ignore", "ARC101"), 0, id="rule-did-not-run"),
    ],
)
def test_a_stale_baseline_fails_where_it_is_strict(
    options: tuple[str, ...], code: int, models: Path, run: Run
) -> None:
    """And only for the models and rules of the run."""
    Path(".archlint-baseline.json").write_text(STALE, encoding="utf-8")
    assert run("check", "clean.onnx", *options).code == code
    assert run("check", "flagged.onnx", "--fail-on", "never", *options).code == 0


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--write-baseline", "--prune-baseline"), id="both"),
        pytest.param(("--write-baseline", "--add-ignore", "x"), id="baseline-and-ignore"),
        pytest.param(("--base", "no-such-revision"), id="base"),
        pytest.param(("--base", "clean.onnx"), id="one-file-for-two"),
        pytest.param(("--baseline", "missing.json"), id="baseline"),
        pytest.param(("--output", "sarif"), id="output-without-file"),
        pytest.param(("--output", "sarf=x"), id="unknown-format"),
        pytest.param(("--output", "json=x", "--output", "csv=./x"), id="one-file-twice"),
        pytest.param(("--output", "json=missing/x"), id="output-in-no-folder"),
        pytest.param(("--executor", "threads"), id="executor"),
        pytest.param(("--on-lfs-pointer", "maybe"), id="choice"),
    ],
)
def test_wrong_use_is_told_in_one_line(options: tuple[str, ...], models: Path, run: Run) -> None:
    """With what is wrong and what to do, and nothing is written."""
    before = sorted(models.iterdir())
    ran = run("check", ".", *options)
    assert ran.code == 2
    assert sorted(models.iterdir()) == before
    assert "Traceback" not in ran.err
    assert ran.err.strip()


@pytest.mark.parametrize("option", [("--write-baseline",), ("--add-ignore", "known")])
def test_accepting_ends_well_unless_an_input_fails(
    option: tuple[str, ...], models: Path, run: Run
) -> None:
    """What was not analysed cannot be accepted."""
    assert run("check", ".", *option).code == 0
    assert run("check", ".").code == 0
    assert run("check", ".", "missing.onnx", *option).code == 3
