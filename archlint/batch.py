"""The models of a check: what is known of them, and the others in one process or in several."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.fetching import answer_for
from archlint.recording import doubt, plain
from archlint.remote import is_remote
from archlint.work import Answer, Prepared, Request, Task

if TYPE_CHECKING:
    from archlint.cache import Cache

_WORTH = 2.0  # seconds of work from which on processes are started, which takes half of one
_SPENT = 1.0  # seconds after which nobody believes that the rest is quick
_A_MODEL, _A_BYTE, _STRUCTURE = 0.01, 4e-7, 250_000  # seconds; bytes that are no weights, at most

Heard = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """In how many processes models are looked at, 0 for one a core, and whether answers are
    kept; ``executor`` is ``process`` or ``dask=ADDRESS``."""

    jobs: int = 1
    cached: bool = True
    executor: str = "process"

    @property
    def processes(self) -> int:
        """How many there may be."""
        if self.jobs:
            return self.jobs
        able = getattr(os, "sched_getaffinity", None)  # where a process may have fewer than all
        return len(able(0)) if able else os.cpu_count() or 1

    @property
    def is_spread(self) -> bool:
        """Whether there may be several processes of this machine."""
        return self.address is None and self.processes > 1

    @property
    def address(self) -> str | None:
        """The address of a dask scheduler; None for processes of this machine.

        Raises ConfigError for what is neither.
        """
        kind, _, address = self.executor.partition("=")
        if kind == "dask" and address:
            return address
        if self.executor != "process":
            why = "can be process, or a dask scheduler as in dask=tcp://127.0.0.1:8786"
            raise ConfigError(f"--executor {self.executor}", why)
        return None


def known(
    request: Request, task: Task, prepared: Prepared, digest: str, effort: Effort
) -> Answer | None:
    """The answer that was kept for a content of this SHA-256, if there is one.

    What was beside the model then stands for what is beside it: its files need not be here.
    """
    cache = _cache(request, prepared, effort)
    key = cache and cache.key(task, digest)
    return cache.find(key, task, alone=True) if cache and key else None


def answers(
    request: Request,
    tasks: Sequence[Task],
    prepared: Prepared,
    effort: Effort,
    progress: Heard = lambda _path: None,
) -> list[Answer]:
    """The answers for the models, in their order; ``progress`` is told each path.

    Raises ConfigError for settings that cannot be used.
    """
    cache = _cache(request, prepared, effort)
    is_spread = effort.is_spread and _may_leave(tasks, request, prepared)
    keys: list[str | None] = []
    found: dict[int, Answer] = {}
    left: dict[int, Task] = {}
    seconds = 0.0
    for place, task in enumerate(tasks):
        keys.append(cache.key(task) if cache else None)
        answer = cache.find(keys[-1], task) if cache and keys[-1] else None
        if answer is not None:
            progress(task.path)
            found[place] = answer
            continue
        left[place] = task
        seconds += _seconds(task)
        if is_spread and seconds > _WORTH:
            from archlint.executors import prepare  # late: most runs are quick

            prepare()
    if all(keys) and not request.architectures:
        plain()  # and all that a model's answer depends on was looked at in this process
    else:
        doubt()

    def told(place: int, answer: Answer) -> None:
        found[place] = answer
        key = keys[place]
        if cache and key:
            cache.keep(key, tasks[place], answer)

    spent = _SPENT if seconds > _WORTH else 0.0
    _answer_all(request, left, prepared, effort, progress, told, spent)
    return [found[place] for place in range(len(tasks))]


def _cache(request: Request, prepared: Prepared, effort: Effort) -> Cache | None:
    if not effort.cached:
        return None
    from archlint.cache import opened

    return opened(request, prepared)


def _answer_all(
    request: Request,
    tasks: Mapping[int, Task],
    prepared: Prepared,
    effort: Effort,
    progress: Heard,
    told: Callable[[int, Answer], None],
    spent: float,
) -> None:
    """Answer the tasks, in this process as long as others would not be worth it."""

    def ended(place: int, answer: Answer) -> None:
        progress(tasks[place].path)
        told(place, answer)

    address, left = effort.address, dict(tasks)
    may_leave = _may_leave(tasks.values(), request, prepared)
    if left and may_leave and address is not None:
        from archlint.cluster import on_dask  # late: few runs have a cluster
        from archlint.executors import Errand

        on_dask(address, Errand.of(request, prepared), tasks, ended)
        return
    is_spread = effort.is_spread and may_leave
    begin = time.monotonic()
    while left:
        if is_spread and spent >= _SPENT and len(left) > 1:
            from archlint.executors import Errand, in_processes  # late: most runs are quick

            left = dict(in_processes(Errand.of(request, prepared), left, effort.processes, ended))
            is_spread = False
            continue
        place = next(iter(left))
        task = left.pop(place)
        progress(task.path)
        told(place, answer_for(request, task, prepared))
        spent = time.monotonic() - begin


def _may_leave(tasks: Iterable[Task], request: Request, prepared: Prepared) -> bool:
    """Whether another process could do them: nothing is timed, and standard input and what is in
    memory are here alone."""
    if request.execute or prepared.stopwatch is not None:
        return False
    return all(
        task.memory is None and STANDARD_INPUT not in (task.path, task.content) for task in tasks
    )


def _seconds(task: Task) -> float:
    """About how long the analysis of a model takes; most of a large file is weights."""
    path = task.content or task.path
    if is_remote(path):
        return _WORTH
    try:
        size = os.stat(path).st_size
    except (OSError, ValueError):
        return 0.0
    return _A_MODEL + _A_BYTE * min(size, _STRUCTURE)
