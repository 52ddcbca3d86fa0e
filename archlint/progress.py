"""A progress display on stderr, for work that takes longer than a second at a terminal."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from archlint.analyzer.text import safe

if TYPE_CHECKING:
    from rich.status import Status

_DELAY = 1.0  # seconds of silence, so that quick runs print nothing


class Progress:
    """Shows which of the models is at work, if it is ``shown``; silent where stderr is no
    terminal."""

    def __init__(self, total: int, *, shown: bool = True) -> None:
        self._shown = shown
        self._total = total
        self._done = 0
        self._text = self._step = ""
        self._over = False
        self._status: Status | None = None
        self._timer = threading.Timer(_DELAY, self._show)
        self._timer.daemon = True
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if self._shown and sys.stderr.isatty():
            self._timer.start()
        return self

    def __call__(self, path: str) -> None:
        """Tell that the next model is at work."""
        with self._lock:
            self._done += 1
            self._text = f"{self._done} of {self._total}: {safe(path, 60)}"
            self._step = ""
            if self._status is not None:
                self._status.update(self._escaped())

    def step(self, text: str) -> None:
        """Tell what is being done with it."""
        with self._lock:
            self._step = f", {safe(text, 60)}"
            if self._status is not None:
                self._status.update(self._escaped())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._status is not None:
                self._status.stop()

    def _show(self) -> None:
        from rich.console import Console  # late: most runs are quick and never need it

        with self._lock:
            if self._over:  # the timer fired while the last model ended
                return
            self._status = Console(stderr=True).status(self._escaped())
            self._status.start()

    def _escaped(self) -> str:
        from rich.markup import escape

        return escape(self._text + self._step)
