"""The command line: commands, exit codes, and errors of one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import onnx
import pytest

from archlint import __version__, work
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import RuleContext
from archlint.rules.wide_convolution import WideConvolution
from command_line import Run

SAMPLES = Path(__file__).parent.parent / "samples"
CLEAN, FLAGGED, WIDE = (
    str(SAMPLES / f"{name}.onnx") for name in ("mlpconv", "inception_5x5", "wide_5x5")
)
BIND = """agraph (float[1,seq,8] x) => (y) { y = Relu (x) }"""


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([FLAGGED], id="path"),
        pytest.param([FLAGGED, CLEAN], id="paths"),
        pytest.param(["--set", "ARC101.width=20", WIDE], id="option-before-path"),
        pytest.param([WIDE, "--set", "ARC101.width=20"], id="option-after-path"),
        pytest.param(["--set=ARC101.width=20", WIDE], id="option-with-equals"),
        pytest.param(["--output-format", "concise", "--fail-on", "never", WIDE], id="options"),
        pytest.param(["--", FLAGGED], id="after-two-dashes"),
        pytest.param(["none.onnx"], id="missing-file"),
        pytest.param(["--dim", "n=x", CLEAN], id="wrong-value"),
    ],
)
def test_check_is_the_default(arguments: list[str], run: Run) -> None:
    """Without a command it is the same, to the byte and the exit code."""
    short, long = run(*arguments), run("check", *arguments)
    assert (short.code, short.out, short.err) == (long.code, long.out, long.err)
    assert "37,800,000" in short.out or "ARC101.width=20" not in "".join(arguments)


@pytest.mark.parametrize("name", ["check", "cost", "rule", "schema", "snapshot"])
def test_a_file_named_like_a_command_is_reached(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """By naming the command, or by a path that is no bare word; the word is the command."""
    shutil.copy(CLEAN, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert f"Usage: archlint {name} " in run(name, "--help").out
    for arguments in (["check", name], [f"./{name}"]):
        ran = run(*arguments)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(f"{arguments[-1]}: 61,931,520 MACs")


@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        pytest.param(["--version"], f"archlint {__version__}\n", id="version"),
        pytest.param(["--help"], "Usage: archlint [OPTIONS] COMMAND", id="help"),
        pytest.param(["-h"], "Usage: archlint [OPTIONS] COMMAND", id="h"),
        pytest.param(["check", "--help"], "Usage: archlint check ", id="check"),
        pytest.param(["cost", "-h"], "Usage: archlint cost ", id="cost"),
        pytest.param(["rule", "-h"], "Usage: archlint rule ", id="rule"),
        pytest.param(["schema", "report"], "{", id="schema"),
    ],
)
def test_what_is_asked_for_is_on_stdout(arguments: list[str], begin: str, run: Run) -> None:
    """With exit code 0 and a silent stderr."""
    ran = run(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(begin)


def test_without_arguments_the_help_is_told(run: Run) -> None:
    """On stderr: nothing was analysed, so that a script that lost its arguments fails."""
    ran = run()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip() == run("--help").out.strip()
    assert "Exit codes: 0 " in ran.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param([CLEAN], 0, id="clean"),
        pytest.param([FLAGGED], 1, id="findings"),
        pytest.param([CLEAN, FLAGGED], 1, id="findings-in-one-of-two"),
        pytest.param(["--fail-on", "warning", FLAGGED], 1, id="at-the-threshold"),
        pytest.param(["--fail-on", "note", FLAGGED], 1, id="above-the-threshold"),
        pytest.param(["--fail-on", "error", FLAGGED], 0, id="below-the-threshold"),
        pytest.param(["--fail-on", "never", FLAGGED], 0, id="never"),
        pytest.param(["--select", "ARC103", FLAGGED], 0, id="notes-only"),
        pytest.param(["--select", "ARC103", "--fail-on", "note", FLAGGED], 1, id="notes-count"),
        pytest.param(["--ignore", "ALL", FLAGGED], 0, id="no-rule"),
        pytest.param(["cost", FLAGGED], 0, id="cost-has-no-findings"),
    ],
)
def test_the_exit_code_tells_the_findings(arguments: list[str], code: int, run: Run) -> None:
    """1 where one is as severe as --fail-on, otherwise 0; stderr is silent."""
    ran = run(*arguments)
    assert (ran.code, ran.err) == (code, "")
    assert ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["--selct", "ALL", CLEAN], "--selct", id="unknown-option"),
        pytest.param(["cost", "--select", "ALL", CLEAN], "--select", id="option-of-another"),
        pytest.param(["--output-format", "xml", CLEAN], "xml", id="unknown-format"),
        pytest.param(["--fail-on", "info", CLEAN], "--fail-on", id="unknown-severity"),
        pytest.param(["cost", "--by", "layer", CLEAN], "--by", id="unknown-row"),
        pytest.param(["cost", "--sort", "time", CLEAN], "--sort", id="unknown-key"),
        pytest.param(["cost", "--top", "0", CLEAN], "--top", id="no-rows"),
        pytest.param(["cost", "--depth", "x", CLEAN], "--depth", id="no-depth"),
        pytest.param(["--set"], "--set", id="option-without-value"),
        pytest.param(["check"], "PATHS", id="check-nothing"),
        pytest.param(["cost"], "PATHS", id="cost-nothing"),
        pytest.param(["schema"], "report", id="schema-of-nothing"),
        pytest.param(["schema", "confgi"], "confgi", id="unknown-schema"),
        pytest.param(["rule"], "rule: give either a rule, --all or --test PATH", id="rule-nothing"),
        pytest.param(["rule", "ARC101", "--all"], "rule: give either", id="rule-both"),
        pytest.param(["rule", "ARC1O1"], "rule ARC1O1: there is no rule 'ARC1O1'; did you mean "
                     "'ARC101'?", id="unknown-rule"),
        pytest.param(["--select", "wide", CLEAN], "--select wide: there is no rule", id="select"),
        pytest.param(["--ignore", "ARC1O1", CLEAN], "'ARC1O1'; did you mean 'ARC101'?",
                     id="ignore"),
        pytest.param(["--set", "ARC101.width=0", CLEAN], "--set ARC101.width=0: width must be "
                     "at least 1", id="set"),
        pytest.param(["--dim", "n=0", CLEAN], "--dim n=0: ", id="dim"),
        pytest.param(["--input-shape", "x=1,a", CLEAN], "--input-shape x=1,a: ", id="shape"),
        pytest.param(["--dim", "n=8", CLEAN], "--dim n=…: no model has the dim 'n'",
                     id="dim-of-no-model"),
        pytest.param(["--input-shape", "z=8", CLEAN], "no model has the input 'z'",
                     id="input-of-no-model"),
        pytest.param(["--dim", "n=8", CLEAN, "none.onnx"], "the dim 'n'", id="before-failures"),
        pytest.param(["chekc", CLEAN], "'chekc' (did you mean 'check'?)", id="misspelt-command"),
        pytest.param(["costs"], "'costs' (did you mean 'cost'?)", id="misspelt-command-alone"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line(arguments: list[str], told: str, run: Run) -> None:
    """Exit code 2, a clean stdout, and what was wrong in the line."""
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.error
    assert "\\x" not in ran.error


def test_a_contradicting_shape_is_wrong_use(tmp_path: Path, run: Run) -> None:
    """The line says what the file declares."""
    onnx.save(from_text(BIND).proto, tmp_path / "m.onnx")
    ran = run("--input-shape", "x=1,4,9", tmp_path / "m.onnx")
    assert (ran.code, ran.out) == (2, "")
    assert "--input-shape x=1,4,9: " in ran.error
    assert "[1,seq,8]" in ran.error


def crash(_rule: WideConvolution, _context: RuleContext) -> Iterator[None]:
    """A rule with a fault."""
    raise ZeroDivisionError("some fault")


def test_a_crash_of_a_rule_is_a_finding(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Exit code 2 before 3 before 1; the other rules and models are reported."""
    monkeypatch.setattr(WideConvolution, "match", crash)
    for extra in ([], ["--fail-on", "never"]):
        ran = run(*extra, FLAGGED)
        assert (ran.code, ran.err) == (2, "")
        assert "ARC900 rule-crashed: rule ARC101 failed: ZeroDivisionError: some fault" in ran.out
        assert "ARC201 large-kernel" in ran.out
        assert "Traceback" not in ran.out
    assert run(FLAGGED, "none.onnx").code == 2
    assert run("--ignore", "ARC101", FLAGGED, "none.onnx").code == 3
    assert run("--ignore", "ARC101", "--fail-on", "never", FLAGGED, "none.onnx").code == 3
    assert run("--ignore", "ARC101", FLAGGED).code == 1


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        pytest.param(RuntimeError("a\nb\x1b[31m"), 2, r"RuntimeError: a\x0ab\x1b[31m", id="fault"),
        pytest.param(KeyError("k"), 2, "KeyError: 'k'", id="fault-without-words"),
        pytest.param(RecursionError(), 2, "RecursionError", id="recursion"),
        pytest.param(MemoryError(), 2, "MemoryError", id="memory"),
        pytest.param(KeyboardInterrupt(), 130, None, id="interrupt"),
    ],
)
def test_a_fault_of_archlint_is_one_line(
    fault: BaseException,
    code: int,
    told: str | None,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
) -> None:
    """No traceback reaches a user; an interrupt says nothing."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise fault

    monkeypatch.setattr(work, "examine", fail)
    ran = run(CLEAN)
    assert (ran.code, ran.out) == (code, "")
    if told is None:
        assert ran.err.strip() == ""
    else:
        assert ran.error.startswith(f"archlint failed: {told}")
        assert "report it" in ran.error


def python(
    *arguments: str, stdout: int | IO[str] = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """A real run of ``python -m archlint``."""
    return subprocess.run(
        [sys.executable, "-m", "archlint", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [["cost", WIDE], ["check", CLEAN], ["cost", "--by", "op", FLAGGED]],
    ids=["cost", "check", "by-op"],
)
def test_a_static_run_loads_little(arguments: list[str]) -> None:
    """Neither a runtime nor the libraries that only some graphs, errors and outputs need; to count
    nothing that only findings need."""
    unwanted = {"networkx", "rich", "onnxruntime", "jinja2", "onnx.reference"}
    if "cost" in arguments:
        unwanted |= {f"archlint.analyzer.{name}" for name in ("blocks", "snippet", "timing.part")}
    code = (
        "import sys\n"
        "from archlint.cli import main\n"
        "try:\n    main()\n"
        "finally:\n"
        f"    print(sorted({unwanted!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stdout
    assert done.stderr == "[]\n"


def test_the_version_is_told_without_typer() -> None:
    """What every call of a shell's prompt would wait for."""
    code = (
        "import sys\n"
        "from archlint.cli import main\n"
        "sys.argv[1:] = ['--version']\n"
        "try:\n    main()\n"
        "finally:\n    print('typer' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert (done.stdout, done.stderr) == (f"archlint {__version__}\nFalse\n", "")


def test_the_module_runs() -> None:
    """``python -m archlint`` is archlint."""
    done = python("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"archlint {__version__}\n", "")


def test_a_reader_that_stops_is_no_fault() -> None:
    """As of ``archlint cost model | head -1``: neither a traceback nor an error."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = python("cost", FLAGGED, stdout=writer)
    finally:
        os.close(writer)
    assert done.stderr == ""
    assert done.returncode != 0


def test_a_full_disk_is_one_line() -> None:
    """Where stdout cannot be written, that is told."""
    if not Path("/dev/full").exists():
        pytest.skip("no such device")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = python(FLAGGED, stdout=full)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("archlint: error: stdout: cannot be written: ")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_stream_takes_nothing(
    stream: str, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """The interpreter gives None for it; the exit code and the other stream stay the same."""
    whole = run(FLAGGED, "none.onnx")
    monkeypatch.setattr(sys, stream, None)
    ran = run(FLAGGED, "none.onnx")
    getattr(sys, stream).close()
    assert ran.code == whole.code == 3
    expected = {"stdout": whole.out, "stderr": whole.err, stream: ""}
    assert (ran.out, ran.err) == (expected["stdout"], expected["stderr"])
