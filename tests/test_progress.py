"""The progress display: only on a terminal, and only when work takes long."""

from __future__ import annotations

import io
import sys
import threading
import time

import pytest

from archlint import progress
from archlint.progress import Progress


class Terminal(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def shown(stream: io.StringIO, text: str) -> bool:
    """Whether the text comes within some seconds."""
    until = time.monotonic() + 10
    while text not in stream.getvalue() and time.monotonic() < until:
        time.sleep(0.01)
    return text in stream.getvalue()


def use(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, delay: float) -> None:
    """Let the display write to this stream, after this delay."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "_DELAY", delay)


def test_slow_work_on_a_terminal_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model at work, how many of how many; names mean no markup and no escapes."""
    use(monkeypatch, stream := Terminal(), 0.01)
    with Progress(2) as display:
        display("first.onnx")
        assert shown(stream, "1 of 2: first.onnx")
        display("[red]second[/red]\x1b[2J\n.onnx")
        assert shown(stream, r"2 of 2: [red]second[/red]\x1b[2J\x0a.onnx")
    assert "\x1b[2J" not in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # cursor back, line gone


@pytest.mark.parametrize(
    ("stream", "delay"),
    [
        pytest.param(io.StringIO(), 0.01, id="slow-but-no-terminal"),
        pytest.param(Terminal(), 60, id="terminal-but-quick"),
    ],
)
def test_otherwise_it_is_silent(
    stream: io.StringIO, delay: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, and no thread is left."""
    use(monkeypatch, stream, delay)
    before = threading.active_count()
    with Progress(1) as display:
        display("model.onnx")
        time.sleep(0.05)
    time.sleep(0.05)
    assert stream.getvalue() == ""
    assert threading.active_count() <= before


def test_it_ends_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer that fires while the work ends shows nothing any more."""
    use(monkeypatch, stream := Terminal(), 60)
    with Progress(1) as display:
        display("model.onnx")
    display._show()
    assert stream.getvalue() == ""


def test_an_error_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor is back before the error is told."""
    use(monkeypatch, stream := Terminal(), 0.01)
    with pytest.raises(ValueError, match="told"), Progress(1) as display:
        display("model.onnx")
        assert shown(stream, "model.onnx")
        raise ValueError("told")
    assert "\x1b[?25h" in stream.getvalue()
