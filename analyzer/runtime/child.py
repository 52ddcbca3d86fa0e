"""Run a job in a child process that its model may crash, hang or bloat without harm to this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.runtime.worker import OUT_OF_MEMORY

_MOST_ANSWER = 256 << 20  # bytes of an answer
_MOST_CHATTER = 2000  # characters of what the child wrote to standard error
_CHATTER = "stderr.txt"


class Kind(StrEnum):
    """How a job failed."""

    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Done:
    """A job that ended, and what it returned: JSON."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that did not: how, in one sentence, and the end of what it wrote to standard error."""

    kind: Kind
    why: str
    chatter: str = field(default="", compare=False)


Outcome = Done | Failure


def run_job(
    job: Callable[..., Any],
    arguments: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """What a function of a module returns when a fresh interpreter calls it within limits.

    The arguments and the result are JSON. The child's working directory is a new folder that holds
    the files, removed at the end; its processes are gone when this returns or raises.
    """
    limits = limits or Limits()
    with TemporaryDirectory(prefix="archlint-", ignore_cleanup_errors=True) as folder:
        for name, content in (files or {}).items():
            Path(folder, name).write_bytes(content)
        request = {
            "job": f"{job.__module__}:{job.__qualname__}",
            "arguments": arguments,
            "limits": asdict(limits),
        }
        with open(Path(folder, _CHATTER), "wb") as chatter:
            process = _start(folder, chatter)
        answer, in_time = _converse(process, request, limits)
        status = process.returncode
        text = _tail(Path(folder, _CHATTER))
    if not in_time:
        why = f"took longer than {limits.wall_seconds:g} s"
        return Failure(Kind.TIMED_OUT, why, text)
    return _outcome(answer, status, text, limits)


def _start(folder: str, chatter: IO[bytes]) -> subprocess.Popen[bytes]:
    """A fresh interpreter: safe whatever threads this process has, and the same on all systems."""
    return subprocess.Popen(
        # -P: no file of the working directory stands in for a module.
        [sys.executable, "-P", "-m", "archlint.analyzer.runtime.worker"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=chatter,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def _converse(
    process: subprocess.Popen[bytes], request: Mapping[str, Any], limits: Limits
) -> tuple[bytes, bool]:
    """The answer of the process, which has ended then, and whether it came in time."""
    answer = bytearray()
    listener = threading.Thread(target=_listen, args=(process.stdout, answer), daemon=True)
    try:
        listener.start()
        assert process.stdin is not None  # noqa: S101 - for type checkers: it is a pipe
        with suppress(BrokenPipeError):  # it died at once; how, its status says
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        deadline = time.monotonic() + limits.wall_seconds
        while listener.is_alive() and time.monotonic() < deadline:
            listener.join(0.1)  # in short waits, which Ctrl-C ends on every system
        return bytes(answer), not listener.is_alive()
    finally:
        _end(process)
        listener.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _listen(stream: IO[bytes], answer: bytearray) -> None:
    """Gather what the stream gives, until it ends or is longer than any answer."""
    while len(answer) <= _MOST_ANSWER and (part := stream.read(1 << 16)):
        answer += part


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and those that it started; they are not waited for before, so that its id is
    its own."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # macOS: it has ended already
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _tail(path: Path) -> str:
    """The end of a text."""
    with open(path, "rb") as stream:
        stream.seek(max(0, path.stat().st_size - _MOST_CHATTER))
        return stream.read().decode(errors="replace")


def _outcome(answer: bytes, status: int, text: str, limits: Limits) -> Outcome:
    """What an answer says, or why there is none."""
    if len(answer) > _MOST_ANSWER:
        return Failure(Kind.ERROR, f"its answer is longer than {_MOST_ANSWER:,} bytes", text)
    try:
        reply = json.loads(answer)
    except (ValueError, RecursionError):
        return _death(status, text, limits)
    if not isinstance(reply, dict):
        return Failure(Kind.ERROR, "answered with something else than JSON's object", text)
    if "memory" in reply:
        return Failure(Kind.OUT_OF_MEMORY, _memory(limits), text)
    if "error" in reply:
        return Failure(Kind.ERROR, str(reply["error"]), text)
    return Done(reply.get("value"))


def _death(status: int, text: str, limits: Limits) -> Failure:
    if status == -getattr(signal, "SIGXCPU", 0):
        why = f"took more than {limits.cpu_seconds} s of CPU time"
        return Failure(Kind.TIMED_OUT, why, text)
    if any(mark in text for mark in OUT_OF_MEMORY):
        return Failure(Kind.OUT_OF_MEMORY, _memory(limits), text)
    if status < 0:
        return Failure(Kind.CRASHED, f"crashed ({signal.Signals(-status).name})", text)
    return Failure(Kind.CRASHED, f"ended without an answer (exit code {status})", text)


def _memory(limits: Limits) -> str:
    return f"needs more than {limits.memory_bytes / (1 << 30):.1f} GiB of memory"
