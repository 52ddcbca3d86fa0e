"""How much a timing may take, and what it times by."""

from __future__ import annotations

import os
from dataclasses import dataclass

from archlint.analyzer.choices import DEFAULT_BUDGET, DEFAULT_TIMEOUT
from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.statistics import Clock

_BASE_MEMORY = 2 << 30  # beside what tensors take
_COPIES = 3  # of weights: as handed over, as tensors, and packed for kernels
DEVICE_MEMORY = 256 << 30  # drivers map the memory of their devices, and more


@dataclass(frozen=True, slots=True)
class Effort:
    """How models are timed: on how many threads, for how many seconds that are measured together.

    One thread is timed by its CPU time, more of them by wall time. ``timeout`` are the seconds
    after which a child process is ended, ``memory`` the GiB that it may take, by the size of the
    model if None. With ``fallback`` a device may leave nodes to the CPU.
    """

    threads: int = 1
    budget: float = DEFAULT_BUDGET
    timeout: float = DEFAULT_TIMEOUT
    memory: float | None = None
    fallback: bool = False

    def clock(self, provider: Provider) -> Clock:
        """Which time is compared."""
        return Clock.CPU if self.threads == 1 and provider.host else Clock.WALL

    def cores(self, provider: Provider) -> int:
        """Cores of this machine that runs keep while nothing disturbs them; 0 of a device's."""
        return self.threads if provider.host else 0

    def limits(self, provider: Provider, tensor_bytes: int) -> Limits:
        """What the child process may use."""
        memory = min(_BASE_MEMORY + _COPIES * tensor_bytes, _physical_memory())
        if self.memory is not None:
            memory = int(self.memory * (1 << 30))
        elif not provider.host:
            memory = DEVICE_MEMORY
        return Limits(int(self.timeout * self.threads) + 1, self.timeout, memory)


def _physical_memory() -> int:
    """Bytes of memory that this machine has, less what it needs itself."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10
    return 1 << 62
