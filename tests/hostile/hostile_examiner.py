"""Run archlint over models in this process, and tell what it did wrong to which of them.

``python hostile_examiner.py RESULTS MODEL…`` writes a line of JSON to RESULTS when it begins a
model and one when it ends it, so that a model that kills the process is known.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperCommand

from archlint import cli, commands, output, pipeline, work
from archlint.analyzer import engine
from archlint.analyzer.choices import By
from archlint.analyzer.finding import Finding
from archlint.analyzer.rule import Rule
from archlint.check_command import check
from archlint.choices import Format, TableFormat
from archlint.config import Chosen
from hostile_checks import REFUSED, wrong_with

CPU_SECONDS: Final = 10.0  # of each command
MEMORY_BYTES: Final = 10**9  # resident, the interpreter and its libraries included
_DATA_BYTES: Final = 3 * 10**9  # beyond it allocations fail, before the machine suffers
_HANG_SECONDS: Final = 90.0

_COLUMNS: Final = "60"  # of the terminal that some runs write to


@dataclass(frozen=True, slots=True)
class _Run:
    """A call of the command line, without the parsing of its words, which takes longer."""

    name: str
    call: Callable[[list[str]], None]
    terminal: bool = False
    form: str = "full"
    reads_weights: bool = False  # it fails, beside its report, where they cannot be read


_check: Final = partial(check, typer.Context(TyperCommand("check")))
_RUNS: Final = (
    _Run("check", _check),
    _Run("check at a terminal", _check, terminal=True),
    _Run("check as json", partial(_check, output_format=Format.JSON), form="json"),
    _Run("check for all", partial(_check, output_format=Format.JSON, select=["ALL"]),
         form="json", reads_weights=True),
    _Run("cost at a terminal", commands.cost, terminal=True),
    *(_Run(f"cost by {by}", partial(commands.cost, by=by)) for by in By),
    *(
        _Run(f"cost as {form}", partial(commands.cost, output_format=form), form=form)
        for form in TableFormat
    ),
)  # fmt: skip
_EACH: Final = 3  # models in a row of which one is written in each of the formats
_FORMATS: Final = tuple(
    _Run(f"check as {form}", partial(_check, output_format=form), form=form)
    for form in Format
    if form not in (Format.FULL, Format.JSON)
)
_FORBIDDEN: Final = frozenset({
    "os.chmod", "os.exec", "os.link", "os.mkdir", "os.posix_spawn", "os.remove", "os.rename",
    "os.rmdir", "os.symlink", "os.system", "os.truncate", "shutil.copyfile", "shutil.rmtree",
    "socket.bind", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "tempfile.mkdtemp",
    "tempfile.mkstemp",
})  # fmt: skip
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CODE: Final = tuple(
    os.path.realpath(folder) + os.sep
    for folder in (sys.prefix, sys.base_prefix, Path(cli.__file__).resolve().parents[1])
)


@dataclass(slots=True)
class Examined:
    """What was wrong with the runs over a model, and what they took."""

    wrong: list[str] = field(default_factory=list)
    refusal: str | None = None
    seconds: float = 0.0
    peak: int = 0


class Examiner:
    """Runs archlint in this process, whose memory it limits; it watches what is opened, started and
    changed."""

    def __init__(self) -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (_DATA_BYTES, _DATA_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.enable()
        os.environ.update(COLUMNS=_COLUMNS, NO_COLOR="1", ARCHLINT_NO_CACHE="1")
        sys.dont_write_bytecode = True  # or what is imported late would be written beside it
        self._turn = 0
        self._model: str | None = None
        self._seen: list[str] = []
        self._examined: dict[tuple[str, ...], pipeline.Examined] = {}
        self._examine, self._fail, self._crash = pipeline.examine, output.fail, engine._crash
        pipeline.examine = self._examine_once
        work.examine = self._examine_once  # type: ignore[attr-defined]  # its import of it
        cli.fail = self._fail_with_traceback  # type: ignore[attr-defined]  # its import of it
        engine._crash = self._crash_with_traceback
        sys.addaudithook(self._hook)

    def examine(self, model: str) -> Examined:
        """Every command over the model, and a third of the output formats; a hang ends the
        process."""
        folder = os.path.dirname(model)
        before = sorted(os.listdir(folder))
        examined = Examined()
        faulthandler.dump_traceback_later(_HANG_SECONDS, exit=True)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
        self._turn = (self._turn + 1) % _EACH
        for run in (*_RUNS, *_FORMATS[self._turn :: _EACH]):
            start = sum(os.times()[:4])
            self._model = model
            code, out, err = _outcome(run, model)
            self._model = None
            examined.seconds = max(examined.seconds, sum(os.times()[:4]) - start)
            if code == REFUSED and not run.reads_weights:
                examined.refusal = err
            found = wrong_with(code, out, err, run.form)
            examined.wrong += [f"{run.name}: {what}" for what in found]
        examined.peak = _peak()
        faulthandler.cancel_dump_traceback_later()
        if examined.seconds > CPU_SECONDS:
            examined.wrong.append(f"{examined.seconds:.1f} CPU seconds")
        if examined.peak > MEMORY_BYTES:
            examined.wrong.append(f"{examined.peak:,} bytes of memory")
        if sorted(os.listdir(folder)) != before:
            examined.wrong.append(f"changed its folder: {sorted(os.listdir(folder))}")
        examined.wrong = [*self._seen, *examined.wrong][:9]
        self._seen.clear()
        self._examined.clear()
        return examined

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._model is None:
            return
        if event in _FORBIDDEN:
            self._seen.append(f"{event} {arguments[:1]!r}")
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            path, flags = os.fsdecode(arguments[0]), int(arguments[2] or 0)
            ours = os.path.realpath(path).startswith(_CODE) and not flags & _WRITES
            if path != self._model and not ours:
                self._seen.append(f"opens {path!r}")

    def _examine_once(
        self, path: str, chosen: Chosen, *rest: Any, **more: Any
    ) -> pipeline.Examined:
        """Equal runs are done once, and then only rendered."""
        key = (path, *(rule.code for rule in chosen.rules))
        if key not in self._examined:
            self._examined[key] = self._examine(path, chosen, *rest, **more)
        return self._examined[key]

    def _fail_with_traceback(self, source: str, why: str) -> NoReturn:
        error = sys.exception()
        if error is not None and source == "archlint failed":
            self._remember(error)
        self._fail(source, why)

    def _crash_with_traceback(self, rule: Rule, error: BaseException) -> Finding:
        self._remember(error)
        return self._crash(rule, error)

    def _remember(self, error: BaseException) -> None:
        model, self._model = self._model, None  # a traceback opens the source
        self._seen += [line[-500:] for line in traceback.format_exception(error, limit=-3)]
        self._model = model


class _Stream(io.TextIOWrapper):
    """A stream in memory that may pass for a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__(io.BytesIO(), "utf-8", newline="")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        """What was written."""
        self.flush()
        self.seek(0)
        return self.read()


def _outcome(run: _Run, model: str) -> tuple[int, str, str]:
    """The exit code, stdout and stderr of archlint."""

    def called() -> int:
        try:
            run.call([model])
        except typer.Exit as left:
            return left.exit_code
        return 0

    streams = _Stream(run.terminal), _Stream(terminal=False)
    kept = sys.argv, sys.stdout, sys.stderr
    sys.argv = ["archlint", model]
    sys.stdout, sys.stderr = streams
    commands.run = called
    code = 0
    try:
        cli.main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
    finally:
        sys.argv, sys.stdout, sys.stderr = kept
    return code, streams[0].text(), streams[1].text()


def _peak() -> int:
    """Bytes that were resident at most since the last reset."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def main() -> None:
    """Examine the models."""
    examiner = Examiner()
    with open(sys.argv[1], "w", encoding="utf-8") as results:
        for model in list(sys.argv[2:]):
            print(json.dumps({"begun": model}), file=results, flush=True)
            examined = asdict(examiner.examine(model))
            print(json.dumps(examined | {"ended": model}), file=results, flush=True)


if __name__ == "__main__":
    main()
