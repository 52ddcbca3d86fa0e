"""What other processes take of the machine while something is measured."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

_IDLE = (3, 4)  # proc(5): the columns of /proc/stat that are idle, or idle and waiting for a disk


class Others:
    """The share of the processors' time that other processes take, from its making on."""

    def __init__(self) -> None:
        self._began = self._now()

    def share(self) -> float:
        """From 0 to 1; this process with its finished children is not among the others."""
        wall, busy, own = (now - then for now, then in zip(self._now(), self._began, strict=True))
        return max(0.0, busy - own) / (wall * (os.cpu_count() or 1))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        """Seconds: of the clock, of all processors being busy, of this process and its children."""
        line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
        ticks = [int(word) for word in line.split()[1:9]]
        busy = sum(count for place, count in enumerate(ticks) if place not in _IDLE)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        own = sum(one.ru_utime + one.ru_stime for one in used)
        return time.monotonic(), busy / os.sysconf("SC_CLK_TCK"), own
