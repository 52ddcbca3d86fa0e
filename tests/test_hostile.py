"""Hostile files: each one ends in a report or in one line that refuses it, soon and in little
memory, and nothing of it is obeyed, opened or started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import hostile_examiner
from hostile_checks import wrong_with
from hostile_corpus import CASES, Case
from hostile_sizes import LARGE

_BATCHES: Final = 8
_SMALL: Final = [case for case in CASES if case.name not in LARGE]
_LARGE: Final = [case for case in CASES if case.name in LARGE]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def _examined(models: list[Path], folder: Path) -> dict[str, dict[str, Any]]:
    """What the examiner says of each model, by its path; if one kills it, another goes on."""
    results, elsewhere = folder / "results", folder / "elsewhere"
    elsewhere.mkdir()
    said: dict[str, dict[str, Any]] = {}
    waiting = [str(model) for model in models]
    while waiting:
        results.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, hostile_examiner.__file__, str(results), *waiting],
            check=False, cwd=elsewhere, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        assert results.exists(), done.stderr
        lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
        said |= {line["ended"]: line for line in lines if "ended" in line}
        begun = lines[-1].get("begun") if lines else waiting[0]
        if begun is not None:
            why = f"the process ended with {done.returncode}: {done.stderr[-3000:]}"
            said[begun] = {"wrong": [why], "refusal": None, "seconds": 0.0, "peak": 0}
        waiting = [model for model in waiting if model not in said]
    assert os.listdir(elsewhere) == []
    return said


def _wrong(cases: list[Case], folder: Path) -> str:
    """What went wrong, under the names of the cases."""
    models = {case: case.write(folder) for case in cases}
    said = _examined(list(models.values()), folder)
    wrong: list[str] = []
    for case, model in models.items():
        told = said[str(model)]
        found = list(told["wrong"])
        refusal = told["refusal"]
        if case.analysed and refusal is not None:
            found.append(f"must end in a report: {refusal!r}")
        if case.refusal is not None and (refusal is None or case.refusal not in refusal):
            found.append(f"must be refused with the word {case.refusal!r}: {refusal!r}")
        if found:
            wrong += [f"{case.name}:", *found]
    return "\n".join(wrong)


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_a_hostile_file_ends_in_a_report_or_one_line(batch: int, tmp_path: Path) -> None:
    """Within the limits of the examiner, whatever the command and the output format."""
    wrong = _wrong(_SMALL[batch::_BATCHES], tmp_path)
    assert not wrong, wrong


@pytest.mark.slow
@pytest.mark.parametrize("case", _LARGE, ids=lambda case: case.name)
def test_so_does_a_large_one(case: Case, tmp_path: Path) -> None:
    """Tens of thousands of what real models have thousands of."""
    wrong = _wrong([case], tmp_path)
    assert not wrong, wrong


def test_the_corpus_is_large() -> None:
    """Every file has a name of its own."""
    assert len({case.name for case in CASES}) == len(CASES) > 500


@pytest.mark.parametrize(
    ("code", "out", "err", "form", "why"),
    [
        pytest.param(2, "", "archlint failed\n", "full", "exit code 2", id="fault"),
        pytest.param(3, "", "", "full", "0 lines", id="refusal-without-a-word"),
        pytest.param(3, "", "a\nb\n", "full", "2 lines", id="refusal-of-two-lines"),
        pytest.param(0, "", "warning\n", "full", "1 lines", id="chatter"),
        pytest.param(0, "\x1b[31m\n", "", "full", "obeys", id="escape"),
        pytest.param(0, "a\u202eb\n", "", "full", "hides", id="bidi"),
        pytest.param(0, "  ::error::a\n", "", "full", "build service", id="workflow-command"),
        pytest.param(0, "::error file=a\n", "", "github", "build service", id="own-unfinished"),
        pytest.param(
            0,
            "##vso[task.logissue type=error;code=A]##vso[b]\n",
            "",
            "azure",
            "build service",
            id="two-in-a-line",
        ),
        pytest.param(0, "{}\n{\n", "", "json-lines", "no JSON", id="broken-line"),
        pytest.param(0, "{", "", "json", "no JSON", id="broken-json"),
        pytest.param(0, '{"a": NaN}', "", "json", "NaN is no number", id="nan-in-json"),
        pytest.param(0, '{"macs": [{"b": -1}]}', "", "json", "b of -1", id="negative-cost"),
        pytest.param(0, '{"a": "é"}', "", "json", "not ASCII", id="json-of-other-letters"),
    ],
)
def test_the_examiner_sees_what_is_wrong(
    code: int, out: str, err: str, form: str, why: str
) -> None:
    """Each fault, by a run that has it."""
    assert any(why in what for what in wrong_with(code, out, err, form))
    assert list(wrong_with(1, "fine\n", "", "full")) == []
    assert list(wrong_with(1, "::error file=a b,line=1,title=c::d\n", "", "github")) == []
    assert list(wrong_with(0, '{"opset": -1, "a": "\\u202e"}', "", "json")) == []
