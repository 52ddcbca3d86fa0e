"""Models over an executor: in other processes of this machine, or wherever it has them.

What is handed over is plain, and says all that the other side needs: a process may have been
started elsewhere, before, and for somebody else.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from archlint import __version__
from archlint.analyzer.errors import ArchlintError, ConfigError
from archlint.analyzer.report import Failure
from archlint.fetching import answer_for
from archlint.work import Answer, Prepared, Request, Task

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from archlint.analyzer.timing.prediction.machine import MachineProfile

_OURS = "ARCHLINT_"  # how the variables begin that settings come from
_METHOD = "forkserver" if sys.platform == "linux" else "spawn"  # as Python has it from 3.14 on
_CHANGING = threading.Lock()  # the working directory is that of a whole process
_KILLED = (
    "ended the process that analysed it, twice: it may take more memory than there is; analyse it "
    "alone, or leave it out by --exclude"
)

Tasks = Mapping[int, Task]  # by their places in the run
Told = Callable[[int, Answer], None]


@dataclass(frozen=True, slots=True)
class Errand:
    """A request with what its settings are read in: folder and variables, and the profile of the
    machine that times are predicted for. ``run`` tells it from the same one of another day, when
    files of settings may have changed."""

    request: Request
    folder: str
    variables: tuple[tuple[str, str], ...]
    profile: MachineProfile | None = field(hash=False)  # it holds a table; run tells it apart
    run: bytes
    version: str = __version__

    @staticmethod
    def of(request: Request, prepared: Prepared) -> Errand:
        """The errand of a run in this process."""
        ours = sorted(_variables().items())
        return Errand(request, os.getcwd(), tuple(ours), prepared.profile, os.urandom(8))


def done(errand: Errand, task: Task) -> Answer:
    """The answer to a task, in whatever process; raises ConfigError."""
    with _CHANGING, _within(errand):
        return answer_for(errand.request, task, _prepared(errand))


@lru_cache(maxsize=1)
def _prepared(errand: Errand) -> Prepared:
    return Prepared(errand.request.configuration(), errand.profile)


@contextmanager
def _within(errand: Errand) -> Iterator[None]:
    """In the folder and with the variables of the run, and back."""
    if errand.version != __version__:
        why = f"has archlint {__version__}, and this is {errand.version}; install the same on both"
        raise ConfigError("a worker", why)
    before, here = _variables(), os.getcwd()
    try:
        os.chdir(errand.folder)
    except OSError as error:
        why = f"is not there for a worker ({error.strerror}), which must see the same files"
        raise ConfigError(errand.folder, why) from error
    _set(dict(errand.variables))
    try:
        yield
    finally:
        os.chdir(here)
        _set(before)


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_OURS)}


def _set(variables: Mapping[str, str]) -> None:
    for name in _variables().keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


def run_over(
    executor: Executor,
    errand: Errand,
    tasks: Tasks,
    width: int,
    told: Told,
    killing: tuple[type[BaseException], ...] = (),
) -> Tasks:
    """Have the tasks done, so many under way at once; ``told`` gets each answer.

    Those that were under way when the executor broke are returned: it takes no more then. A task
    with an error of ``killing`` is one that it has given up. Raises what the first task raises
    that does, in their order.
    """
    waiting = deque(tasks.items())
    running: dict[Future[Answer], int] = {}
    lost: dict[int, Task] = {}
    errors: dict[int, Exception] = {}
    broken = False
    while running or (waiting and not broken):
        while waiting and len(running) < width and not broken:
            place, task = waiting[0]
            try:
                running[executor.submit(done, errand, task)] = place
                waiting.popleft()
            except (BrokenExecutor, OSError):  # no further process could be started
                broken = True
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            place = running.pop(future)
            try:
                told(place, future.result())
            except killing:
                told(place, _failed(tasks[place]))
            except (BrokenExecutor, CancelledError):
                lost[place] = tasks[place]
                broken = True
            except ArchlintError as error:
                errors[place] = error
                broken = True
    if errors:
        raise errors[min(errors)]
    return lost


def _failed(task: Task) -> Answer:
    return Answer(failures=(Failure(task.path, _KILLED),))


def in_processes(errand: Errand, tasks: Tasks, jobs: int, told: Told) -> Tasks:
    """Have the tasks done in so many processes; those that no process could be had for are
    returned.

    A task that was under way when a process died is done again, alone; one that also kills that
    process is a failure.
    """
    left = dict(tasks)

    def tell(place: int, answer: Answer) -> None:
        del left[place]
        told(place, answer)

    while left:
        before = len(left)
        try:
            with _processes(min(jobs, len(left))) as pool:
                lost = run_over(pool, errand, left.copy(), jobs + 1, tell)
            for place, task in lost.items():
                with _processes(1) as pool:
                    again = run_over(pool, errand, {place: task}, 1, tell)
                if again:
                    tell(place, _failed(task))
        except ImportError:  # a system without the locks that processes share
            break
        if len(left) == before:
            break
    return left


def prepare() -> None:
    """Have the process started that others are forked from, where there is one: it imports while
    this one goes on."""
    if _METHOD == "forkserver":
        from multiprocessing import forkserver

        _context().set_forkserver_preload([__name__])
        forkserver.ensure_running()


def _context() -> BaseContext:
    from multiprocessing import get_context

    return get_context(_METHOD)


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    """So many processes, which end with this one whatever ends it.

    Where it is possible they are forked from one that has imported what they need and has no
    threads; this process may have some.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import active_children

    prepare()
    others = set(active_children())
    pool = ProcessPoolExecutor(count, mp_context=_context(), initializer=_begin)
    try:
        yield pool
    except BaseException:  # an error, or Ctrl-C: nobody waits for what is under way
        for process in set(active_children()) - others:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it."""
    import signal
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(1_000_000)  # as the command line does
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    from multiprocessing.connection import wait as wait_for

    wait_for([sentinel])
    os._exit(1)
