"""CPU time and memory of whole processes, and what the figures say together.

This module and those that import it load nothing but the standard library: Linux counts the memory
of a process from before its exec, so that a large parent would show in every child.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from threading import Timer

LIMIT_SECONDS = 600.0
"""Wall time after which a process counts as failed."""
Command = Sequence[str | Path]
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds (user and system, waited-for children included) and the peak of bytes held."""

    cpu: float
    peak: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several figures, the least and the most."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread | None:
        """None where nothing was measured."""
        if not figures:
            return None
        return cls(statistics.median(figures), min(figures), max(figures))


def process(command: Command, answer: Path = Path(os.devnull)) -> Usage | None:
    """The use of one process, its output in ``answer``; None where it does not exit with 0."""
    words = [str(word) for word in command]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(answer), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    # The first round, which is not counted, may keep the bytecode: users' starts compile nothing.
    environ = {name: text for name, text in os.environ.items() if name != _NO_BYTECODE}
    pid = os.posix_spawn(words[0], words, environ, file_actions=actions)
    timer = Timer(LIMIT_SECONDS, os.kill, (pid, signal.SIGKILL))
    timer.start()
    try:
        _, status, usage = os.wait4(pid, 0)
    finally:
        timer.cancel()
    if status:
        return None
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def told(command: Command, answer: Path) -> Usage | None:
    """The use that a process tells of itself as JSON; None where it does not exit with 0."""
    if process(command, answer) is None:
        return None
    return Usage(**json.loads(answer.read_text(encoding="utf-8")))


def interleaved(
    commands: Mapping[str, Command], rounds: int, answer: Path | None = None
) -> dict[str, list[Usage]]:
    """The uses of each command, taken in turn A B A B after a round that is not counted.

    With ``answer`` a use is what the process tells of itself. A command that fails once has none.
    """
    uses: dict[str, list[Usage]] = {name: [] for name in commands}
    running = dict(commands)
    for number in range(rounds + 1):
        for name, command in tuple(running.items()):
            use = process(command) if answer is None else told(command, answer)
            if use is None:
                del running[name]
                uses[name] = []
            elif number:
                uses[name].append(use)
    return uses


def cpu(uses: Sequence[Usage]) -> Spread | None:
    """CPU seconds of several runs."""
    return Spread.of([use.cpu for use in uses])


def peak(uses: Sequence[Usage]) -> Spread | None:
    """Bytes held by several runs."""
    return Spread.of([float(use.peak) for use in uses])


def ratio(uses: Sequence[Usage], base: Sequence[Usage]) -> Spread | None:
    """CPU time over that of the base, round by round; None where either has failed."""
    pairs = zip(uses, base, strict=False)
    return Spread.of([one.cpu / other.cpu for one, other in pairs])


def difference(uses: Sequence[Usage], base: Sequence[Usage]) -> Spread | None:
    """CPU seconds more than the base takes, round by round; None where either has failed."""
    pairs = zip(uses, base, strict=False)
    return Spread.of([one.cpu - other.cpu for one, other in pairs])


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The k of the least-squares fit cost = c * size^k; 1 is linear."""
    return statistics.linear_regression([log(n) for n in sizes], [log(c) for c in costs]).slope
