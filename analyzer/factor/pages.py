"""The pages of mapped files."""

from __future__ import annotations

import mmap
from typing import Any

from numpy.typing import NDArray

_ADVICE: int | None = getattr(mmap, "MADV_DONTNEED", None)


def released(array: NDArray[Any]) -> bool:
    """Whether the array is of a file that is mapped to be read alone, and its pages were let go.

    They are read again when they are asked for. Maps that may be written stay as they are: what was
    written would be lost.
    """
    base: object = array
    while (below := _below(base)) is not None:
        base = below
    if not isinstance(base, mmap.mmap) or _ADVICE is None:
        return False
    with memoryview(base) as view:
        if not view.readonly:
            return False
    base.madvise(_ADVICE)
    return True


def _below(holder: object) -> object:
    """What holds the memory of an array or of a view; None for what holds its own."""
    return holder.obj if isinstance(holder, memoryview) else getattr(holder, "base", None)
