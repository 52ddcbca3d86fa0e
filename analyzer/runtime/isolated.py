"""Run one function on bytes in a forked copy of this process, again after each crash."""

from __future__ import annotations

import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, Self

from archlint.analyzer.runtime.limits import limit_memory

CPU_SECONDS = 2.0  # for one request
_WALL_SECONDS = 20.0  # for one request, were the machine ten times as busy
_MEMORY = 1 << 30  # above what this process has
_MOST_FAILURES = 3  # crashes and time-outs, then no more is asked
_MOST_ANSWER = 64 << 20
_LENGTH = 8  # bytes of a message's length
_FINE, _RAISED = b"\0", b"\1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request has no answer."""

    why: str


@dataclass(slots=True)
class _Copy:
    """A forked process with the pipes to it."""

    pid: int
    requests: int
    answers: int


class Isolated:
    """A function from bytes to bytes, run in a forked copy of this process.

    A fork takes milliseconds where a fresh interpreter would import onnx for a quarter of a second.
    That is sound in a process that has threads too, as the copy, in which they are gone, runs
    nothing that could wait for a lock of theirs: the function must be native code or plain Python
    that neither prints nor imports. Should it wait all the same, the clock ends it. The copy starts
    with the first request and again after a crash; each request is held to CPU_SECONDS and 1 GiB.
    """

    def __init__(self, function: Callable[[bytes], bytes]) -> None:
        self._function = function
        self._copy: _Copy | None = None
        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: bytes) -> bytes | Refusal:
        """What the function returns, or why it does not: what it raised, or how it died."""
        if not hasattr(os, "fork"):
            return Refusal("this system cannot fork a process to try it in")
        if self._failures >= _MOST_FAILURES:
            return Refusal(f"not tried, as {_MOST_FAILURES} attempts crashed or took too long")
        self._copy = self._copy or self._start()
        try:
            answer = _exchange(self._copy, request)
        except (OSError, EOFError, TimeoutError) as error:
            self._failures += 1
            return Refusal(self._autopsy(timed_out=isinstance(error, TimeoutError)))
        status, text = answer[:1], answer[1:]
        return text if status == _FINE else Refusal(text.decode(errors="replace"))

    def close(self) -> None:
        """The copy is gone; a later request starts another."""
        if self._copy is not None:
            self._end()

    def _start(self) -> _Copy:
        request_out, request_in = os.pipe()
        answer_out, answer_in = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of threads, which is answered above.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _serve(self._function, request_out, answer_in)
        os.close(request_out)
        os.close(answer_in)
        return _Copy(pid, request_in, answer_out)

    def _autopsy(self, *, timed_out: bool) -> str:
        """How the copy died; it is gone then."""
        code = self._end()
        if timed_out or code == -signal.SIGPROF:
            return f"its shape inference took more than {CPU_SECONDS:g} s"
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its shape inference crashed ({name})"

    def _end(self) -> int:
        """The exit code of the copy, which is killed if it has not died; its pipes are closed."""
        copy, self._copy = self._copy, None
        assert copy is not None  # noqa: S101 - for type checkers: both callers have one
        os.close(copy.requests)
        os.close(copy.answers)
        os.kill(copy.pid, signal.SIGKILL)  # a process that has died already keeps its status
        return os.waitstatus_to_exitcode(os.waitpid(copy.pid, 0)[1])


def _exchange(copy: _Copy, request: bytes) -> bytes:
    """The answer to a request; raises EOFError, OSError or TimeoutError where none comes."""
    deadline = time.monotonic() + _WALL_SECONDS
    _write(copy.requests, request, deadline)
    length = int.from_bytes(_read(copy.answers, _LENGTH, deadline), "little")
    if not 0 < length <= _MOST_ANSWER:
        raise EOFError
    return _read(copy.answers, length, deadline)


def _write(pipe: int, message: bytes, deadline: float | None = None) -> None:
    rest = memoryview(len(message).to_bytes(_LENGTH, "little") + message)
    while rest:
        _await(pipe, select.POLLOUT, deadline)
        rest = rest[os.write(pipe, rest[: select.PIPE_BUF]) :]  # so much never blocks


def _read(pipe: int, length: int, deadline: float | None = None) -> bytes:
    """So many bytes; raises EOFError if the pipe ends before, TimeoutError at the deadline."""
    message = bytearray()
    while len(message) < length:
        _await(pipe, select.POLLIN, deadline)
        part = os.read(pipe, min(length - len(message), 1 << 16))
        if not part:
            raise EOFError
        message += part
    return bytes(message)


def _await(pipe: int, event: int, deadline: float | None) -> None:
    """A pipe that is ready, or broken; raises TimeoutError at the deadline."""
    if deadline is not None:
        poll = select.poll()
        poll.register(pipe, event)
        if not poll.poll(1000 * max(0.0, deadline - time.monotonic())):
            raise TimeoutError


def _serve(function: Callable[[bytes], bytes], requests: int, answers: int) -> NoReturn:
    """Answer requests until no more can come; run in the copy, which never returns from it."""
    try:
        _settle(requests, answers)
        while True:
            request = _read(requests, int.from_bytes(_read(requests, _LENGTH), "little"))
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # SIGPROF ends the process
            answer = _answer(function, request)
            signal.setitimer(signal.ITIMER_PROF, 0)
            _write(answers, answer)
    except BaseException:  # noqa: BLE001, S110 - what this process still holds is its parent's
        pass
    finally:
        os._exit(0)


def _settle(requests: int, answers: int) -> None:
    """Let go of all that the parent has open, and take the limits."""
    os.setsid()  # Ctrl-C is for the parent, which ends this process
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    low, high = sorted((requests, answers))
    os.closerange(3, low)
    os.closerange(low + 1, high)
    os.closerange(high + 1, os.sysconf("SC_OPEN_MAX"))
    with suppress(OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_memory(_data_bytes() + _MEMORY)


def _data_bytes() -> int:
    """Bytes of data that this process holds already, where the system tells."""
    with suppress(OSError, IndexError, ValueError), open("/proc/self/statm", "rb") as stream:
        return int(stream.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _answer(function: Callable[[bytes], bytes], request: bytes) -> bytes:
    try:
        return _FINE + function(request)
    except MemoryError:
        return _RAISED + b"its shape inference needs more than 1 GiB of memory"
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells it
        return _RAISED + str(error).encode(errors="replace")
