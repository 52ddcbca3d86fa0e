"""Checks that are done again when something changes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archlint import watch as watching
from archlint.analyzer.errors import ConfigError
from archlint.watch import watch

SAMPLES = Path(__file__).parent.parent / "samples"
PAUSE = 0.01


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watching, "_STILL", 0.05)
    Path("known").write_text("1", encoding="ascii")


class Runs:
    """Runs that look at something, with what is done between them."""

    def __init__(self, look: Callable[[], object], *between: Callable[[], object]) -> None:
        self.count = 0
        self._look = look
        self._between = list(between)

    def __call__(self) -> int:
        """Look, and after all is done be interrupted."""
        self.count += 1
        if not self._between and self.count > 1:
            raise KeyboardInterrupt
        self._look()
        between = self._between.pop(0) if self._between else lambda: None
        threading.Timer(0.05, between).start()
        return 1


def write(name: str, text: str = "22") -> Callable[[], object]:
    return lambda: Path(name).write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    ("look", "change", "told"),
    [
        pytest.param(lambda: Path("known").read_bytes(), write("known"), "known", id="opened"),
        pytest.param(lambda: os.path.isfile("known"), write("known"), "known", id="looked-up"),
        pytest.param(lambda: os.path.isfile("new"), write("new"), "new", id="looked-up-in-vain"),
        pytest.param(lambda: os.listdir("."), write("new"), ".", id="listed"),
        pytest.param(
            lambda: Path("known").read_bytes(), lambda: os.unlink("known"), "known", id="gone"
        ),
    ],
)
def test_a_change_runs_it_again(
    look: Callable[[], object],
    change: Callable[[], object],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs = Runs(look, change)
    assert watch(runs, ["."], PAUSE) == 130
    assert runs.count == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "archlint: note: watching .; Ctrl-C ends it",
        f"archlint: note: 1 change: {told}",
    ]


def test_what_is_not_looked_at_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what the run has written itself."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        Path("other").write_text(str(len(waits)), encoding="ascii")
        if len(waits) == 20:
            raise KeyboardInterrupt

    def look() -> None:
        open("known", encoding="ascii").close()
        os.path.isfile("output")
        Path("draft").write_text("", encoding="ascii")
        os.replace("draft", "output")

    monkeypatch.setattr(time, "sleep", wait)
    runs = Runs(look)
    assert watch(runs, ["known"], PAUSE) == 130
    assert runs.count == 1


def test_a_change_during_the_run_is_seen() -> None:
    def look() -> None:
        open("known", encoding="ascii").close()
        if runs.count == 1:
            write("known")()

    runs = Runs(look, lambda: None)
    assert watch(runs, ["known"], PAUSE) == 130
    assert runs.count == 2


def test_half_a_file_is_waited_for() -> None:
    """It is written in ten pieces, of which each takes less time than it has to stand still."""
    sizes: list[int] = []

    def grow() -> None:
        for _ in range(10):
            with open("known", "a", encoding="ascii") as file:
                file.write("x")
            time.sleep(0.02)

    runs = Runs(lambda: sizes.append(os.path.getsize("known")), grow, write("known"))
    watch(runs, ["known"], PAUSE)
    assert sizes[:2] == [1, 11]


@pytest.mark.parametrize("error", [ConfigError("archlint.toml", "is no TOML"), SystemExit(2)])
def test_a_run_that_fails_is_not_the_last(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    def look() -> None:
        open("known", encoding="ascii").close()
        if runs.count == 1:
            threading.Timer(0.1, write("known")).start()
            raise error

    runs = Runs(look)
    assert watch(runs, ["known"], PAUSE) == 130
    assert runs.count == 2
    told = "archlint: error: archlint.toml: is no TOML\n"
    assert (told in capsys.readouterr().err) is isinstance(error, ConfigError)


def test_many_changes_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"f{number}" for number in range(5)]

    def change() -> None:
        for name in names:
            write(name)()

    runs = Runs(lambda: [os.path.isfile(name) for name in names], change)
    watch(runs, ["."], 0.2)
    assert "5 changes: f0, f1, f2 and 2 more" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_command_watches_models(tmp_path: Path) -> None:
    """A model that is replaced, then Ctrl-C: 130, and no traceback."""
    shutil.copy(SAMPLES / "lenet5.onnx", "m.onnx")
    with subprocess.Popen(
        [sys.executable, "-m", "archlint", "check", ".", "--watch", "--output-format", "concise"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        shutil.copy(SAMPLES / "inception_5x5.onnx", "draft")
        os.replace("draft", "m.onnx")
        lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert lines[0] == "No findings in 1 model.\n"
    assert lines[1].startswith("./m.onnx: conv5x5: ARC101")
    assert "Traceback" not in err
    assert "archlint: note: watching .; Ctrl-C ends it\n" in err
