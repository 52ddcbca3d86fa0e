"""What a run changes in the process of its caller, and puts back."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def seldom_collected() -> Iterator[None]:
    """A run makes millions of objects that live to its end and hardly a cycle."""
    before = gc.get_threshold()
    if before[0]:  # 0 looks for none
        gc.set_threshold(max(before[0], 1_000_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def without_main() -> Iterator[None]:
    """Processes that are started find no script to import, which might have no guard against it."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before
