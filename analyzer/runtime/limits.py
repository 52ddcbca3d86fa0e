"""What a process may use, and how it is held to it."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of CPU and of wall time, bytes of memory and of any file that is written."""

    cpu_seconds: int = 120
    wall_seconds: float = 300
    memory_bytes: int = 4 << 30
    file_bytes: int = 1 << 30

    def enforce(self) -> None:
        """Hold this process to the limits, for good; the wall clock is its parent's to watch.

        Where the system knows no such limits, as Windows, none is set.
        """
        try:
            import resource
        except ImportError:
            return
        _limit(resource.RLIMIT_CORE, 0)
        # The soft limit ends the process by SIGXCPU; the hard one, if that is caught, by SIGKILL.
        _limit(resource.RLIMIT_CPU, self.cpu_seconds, self.cpu_seconds + 1)
        _limit(resource.RLIMIT_FSIZE, self.file_bytes)
        limit_memory(self.memory_bytes)


def limit_memory(size: int) -> None:
    """Let allocations fail above this many bytes of private, writable memory.

    Linux counts just that under RLIMIT_DATA; RLIMIT_AS, all that other systems have, also counts
    address space that is only reserved (by allocators, a thread's stack) and mapped files.
    """
    import resource

    _limit(resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS, size)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    import resource

    with suppress(ValueError, OSError):  # macOS refuses some, and nobody may raise a hard limit
        most = resource.getrlimit(kind)[1]
        wanted = soft if hard is None else hard
        ceiling = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (min(soft, ceiling), ceiling))
