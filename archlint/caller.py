"""What runs change in the process of their caller, and put back."""

from __future__ import annotations

import gc
import sys
from _thread import allocate_lock  # which the interpreter has anyway, where threading takes time
from collections.abc import Callable
from types import ModuleType


class Shared:
    """What the first of several runs at a time changes, and the last one puts back."""

    def __init__(self, change: Callable[[], Callable[[], None]]) -> None:
        self._change = change
        self._lock = allocate_lock()
        self._runs = 0
        self._put_back: Callable[[], None] | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._runs == 0:
                self._put_back = self._change()
            self._runs += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs == 0 and self._put_back is not None:
                self._put_back()


def _collect_seldom() -> Callable[[], None]:
    """A run makes millions of objects that live to its end and hardly a cycle."""
    before = gc.get_threshold()
    if before[0]:  # 0 looks for none
        gc.set_threshold(max(before[0], 1_000_000), *before[1:])
    return lambda: gc.set_threshold(*before)


def _hide_main() -> Callable[[], None]:
    """Processes that are started find no script to import, which might have no guard against it."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")

    def put_back() -> None:
        sys.modules["__main__"] = before

    return put_back


SELDOM_COLLECTED, WITHOUT_MAIN = Shared(_collect_seldom), Shared(_hide_main)
