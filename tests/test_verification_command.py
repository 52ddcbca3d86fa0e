"""benchmarks/verification.py times what is missing, calibrates once and writes the page. No test
times anything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import predicted
import timed
import verification
from archlint.analyzer.errors import TimingError
from archlint.analyzer.timing.measurement import Comparison
from archlint.analyzer.timing.prediction.cache import FOLDER_VARIABLE
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.statistics import Clock, Interval
from cases import CASES
from predicted import Predictor
from quiet import Others
from timed import Figures, Timed, loaded, time_all


def compared(title: str, *_others: object) -> Comparison:
    """Stands for the stopwatch: one case fails, the others take half the time."""
    if title == CASES[1].title:
        raise TimingError("case", "refused")
    (cpu,) = parse_providers(["cpu"])
    half = Interval(0.4, 0.6)
    return Comparison(cpu, 1, Clock.CPU, "1.2.3", 2e6, 1e6, 0.5, half, 12, 0, {}, {}, 0)


def taking(*shares: float) -> Callable[[], SimpleNamespace]:
    """Stands for Others: one share a comparison."""
    left = iter(shares)
    return lambda: SimpleNamespace(share=lambda: next(left))


@pytest.mark.parametrize(
    ("shares", "kept"),
    [
        ((0.05, 0.0), 0.05),  # quiet at once
        ((0.5, 0.3, 0.1, 0.0), 0.1),
        ((0.5, 0.3, 0.6, 0.4, 0.0), 0.3),  # never quiet: the least disturbed of four
    ],
)
def test_disturbed_comparisons_are_made_again(
    shares: tuple[float, ...], kept: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(timed, "CASES", CASES[:1])
    monkeypatch.setattr(timed, "compare", compared)
    monkeypatch.setattr(timed, "Others", taking(*shares))
    time_all("cpu", tmp_path / "cpu.jsonl", 1, with_networks=False)
    (found,) = loaded(tmp_path / "cpu.jsonl").values()
    assert found.figures is not None
    assert found.figures.others == kept


def test_others_leave_this_process_out() -> None:
    """A share of the machine, whatever this process does."""
    others = Others()
    sum(range(10**6))
    assert 0 <= others.share() <= 1


def test_timing_goes_on_where_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has figures is not timed again; what failed, and what was cut short, is."""
    asked: list[str] = []

    def counted(title: str, *others: object) -> Comparison:
        asked.append(title)
        return compared(title, *others)

    monkeypatch.setattr(timed, "CASES", CASES[:3])
    monkeypatch.setattr(timed, "compare", counted)
    monkeypatch.setattr(timed, "Others", taking(*[0.0] * 9))
    file = tmp_path / "cpu.jsonl"
    time_all("cpu", file, 1, with_networks=False)
    assert asked == [case.title for case in CASES[:3]]
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole[:-5], encoding="utf-8")
    asked.clear()
    time_all("cpu", file, 1, with_networks=False)
    assert asked == [CASES[1].title, CASES[2].title]
    assert file.read_text(encoding="utf-8") == whole
    found = loaded(file)
    assert found[CASES[0].title].figures == Figures(
        2e6, 1e6, 0.5, 0.4, 0.6, 12, "confirmed", "1.2.3", 0.0
    )
    assert found[CASES[1].title].why == "refused"


def test_machine_is_calibrated_where_it_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, into the folder of the work; a calibration that leaves nothing is an error."""
    profiles: list[Any] = []
    commands: list[list[str]] = []

    def calibrate(command: list[str], *, check: bool) -> None:
        assert check
        commands.append(command)
        profiles.append("profile")

    def stored() -> SimpleNamespace:
        return SimpleNamespace(profile=next(iter(profiles), None), problem="")

    monkeypatch.setenv(FOLDER_VARIABLE, "elsewhere")
    monkeypatch.setattr(predicted, "stored", stored)
    monkeypatch.setattr(subprocess, "run", calibrate)
    for _ in range(2):
        assert Predictor.calibrated(tmp_path) == Predictor(profiles[0])
    assert [command[1:] for command in commands] == [["-m", "archlint", "calibrate"]]
    assert os.environ[FOLDER_VARIABLE] == str(tmp_path)
    profiles.clear()
    monkeypatch.setattr(subprocess, "run", lambda *_args, check: None)
    with pytest.raises(RuntimeError, match="no profile"):
        Predictor.calibrated(tmp_path)


@pytest.mark.parametrize(("unpredicted", "time"), [({}, 5.0), ({3: "an unknown operator"}, None)])
def test_time_of_an_unpredicted_node_is_unknown(
    unpredicted: dict[int, str], time: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the time is not the time."""
    known = SimpleNamespace(unpredicted=unpredicted, total_ns=5.0)
    monkeypatch.setattr(predicted, "predict", lambda *_args: known)
    assert Predictor(None).nanoseconds(None) == time  # type: ignore[arg-type]  # a stub reads them


def test_command_times_each_provider_and_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its interpreter and its file; without one for OpenVINO that is left out."""
    asked: list[tuple[str, str, str]] = []

    def times(python: str | Path, provider: str, file: Path, *_flags: str) -> dict[str, Timed]:
        asked.append((str(python), provider, file.name))
        figures = Figures(2e6, 1e6, 0.5, 0.4, 0.6, 12, "confirmed", "1.2.3", 0.0)
        return {case.title: Timed(case.title, figures) for case in CASES}

    predictor = SimpleNamespace(nanoseconds=lambda _table: 4e6)
    monkeypatch.setattr(verification, "_timed", times)
    monkeypatch.setattr(Predictor, "calibrated", lambda _folder: predictor)
    own = [(sys.executable, "cpu", "cpu.jsonl"), (sys.executable, "cpu", "again.jsonl")]
    words = ["verification.py", "--work", str(tmp_path), "--output", str(tmp_path / "page.md")]
    monkeypatch.setattr(sys, "argv", words)
    verification.main()
    assert asked == own
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "`python benchmarks/verification.py`" in text
    assert "timed on OpenVINO" not in text
    asked.clear()
    monkeypatch.setattr(sys, "argv", [*words, "--openvino-python", "/other/python"])
    verification.main()
    assert asked == [*own, ("/other/python", "openvino", "openvino.jsonl")]
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "`python benchmarks/verification.py --openvino-python PYTHON`" in text
    assert "| timed on OpenVINO | 84 of 84 |" in text
