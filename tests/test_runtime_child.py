"""The child process: what a job may do to it, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.runtime import child
from archlint.analyzer.runtime.child import Done, Failure, Kind, run_job
from archlint.analyzer.runtime.limits import Limits

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the limits of a POSIX system")

JOBS = """
import ctypes, os, signal, subprocess, sys, time

def echo(**arguments): return [arguments, sorted(os.listdir()), os.getcwd()]
def speak(): print("to standard output"); os.write(1, b"raw"); return "the answer"
def fail(): raise ValueError("what went wrong")
def leave(): os._exit(3)
def crash(number): os.kill(os.getpid(), number)
def segfault(): ctypes.string_at(0)
def hang(): time.sleep(60)
def spin():
    while True: pass
def allocate(size): return len(bytearray(size))
def write(size):
    with open("large", "wb") as stream: stream.write(bytes(size))
def spawn(path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open(path, "w") as stream: stream.write(str(child.pid))
    time.sleep(60)
def flood(): return "x" * (1 << 20)
def limits():
    import resource
    return [resource.getrlimit(resource.RLIMIT_CORE), os.getsid(0) == os.getpid()]
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of jobs that the child finds too."""
    path = tmp_path / "jobs_of_a_test.py"
    path.write_text(JOBS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The children's folders are made in one of the test's own, and are gone after it."""
    folder = tmp_path / "folders"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = sorted(os.listdir())
    yield
    assert list(folder.iterdir()) == []
    assert sorted(os.listdir()) == before


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waits for may stay as a zombie."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            == "Z"
        ):
            return True
        time.sleep(0.05)
    return False


def test_arguments_files_and_result(jobs: Any) -> None:
    """A job gets its arguments, finds its files in its folder, and its result comes back."""
    outcome = run_job(jobs.echo, {"a": [1, None, "ü"]}, {"data.bin": b"123"})
    assert isinstance(outcome, Done)
    arguments, found, folder = outcome.value
    assert arguments == {"a": [1, None, "ü"]}
    assert found == ["data.bin", "stderr.txt"]
    assert not os.path.exists(folder)


def test_what_a_job_prints_is_no_answer(jobs: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Output of the child reaches neither the answer nor the terminal."""
    assert run_job(jobs.speak, {}) == Done("the answer")
    assert capfd.readouterr() == ("", "")


@posix
def test_limits_and_session(jobs: Any) -> None:
    """The child dumps no core, and leads a session of its own."""
    assert run_job(jobs.limits, {}) == Done([[0, 0], True])


@dataclass(frozen=True)
class Row:
    """A job, its arguments, limits, and how it fails."""

    job: str
    arguments: dict[str, Any]
    kind: Kind
    why: str
    limits: Limits | None = None


FAILURES = {
    "raises": Row("fail", {}, Kind.ERROR, "what went wrong"),
    "exits": Row("leave", {}, Kind.CRASHED, "ended without an answer (exit code 3)"),
    "segfault": Row("segfault", {}, Kind.CRASHED, "crashed (SIGSEGV)"),
    "abort": Row("crash", {"number": signal.SIGABRT}, Kind.CRASHED, "crashed (SIGABRT)"),
    "floating point": Row("crash", {"number": signal.SIGFPE}, Kind.CRASHED, "crashed (SIGFPE)"),
    "killed": Row("crash", {"number": 9}, Kind.CRASHED, "crashed (SIGKILL)"),
    "wall": Row("hang", {}, Kind.TIMED_OUT, "took longer than 0.5 s", Limits(wall_seconds=0.5)),
    "cpu": Row("spin", {}, Kind.TIMED_OUT, "took more than 1 s of CPU time", Limits(cpu_seconds=1)),
    "memory": Row("allocate", {"size": 2 << 30}, Kind.OUT_OF_MEMORY,
                  "needs more than 0.5 GiB of memory", Limits(memory_bytes=512 << 20)),
    "file": Row("write", {"size": 2 << 20}, Kind.ERROR, "[Errno 27] File too large",
                Limits(file_bytes=1 << 20)),
}  # fmt: skip


@posix
@pytest.mark.parametrize("row", FAILURES)
def test_failures(jobs: Any, row: str) -> None:
    """Each way to fail is told apart, and says what happened."""
    case = FAILURES[row]
    outcome = run_job(getattr(jobs, case.job), case.arguments, limits=case.limits)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.why) == (case.kind, case.why)


def test_allocations_within_the_limit(jobs: Any) -> None:
    """The limit is one of memory that is used, not of address space."""
    limits = Limits(memory_bytes=512 << 20)
    assert run_job(jobs.allocate, {"size": 256 << 20}, limits=limits) == Done(256 << 20)


def test_a_flood(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of an answer is taken than any job has to say."""
    monkeypatch.setattr(child, "_MOST_ANSWER", 100_000)
    flood = Failure(Kind.ERROR, "its answer is longer than 100,000 bytes")
    assert run_job(jobs.flood, {}) == flood


@posix
def test_its_processes_end_with_it(jobs: Any, tmp_path: Path) -> None:
    """What the child starts is killed with it."""
    path = tmp_path / "pid"
    outcome = run_job(jobs.spawn, {"path": str(path)}, limits=Limits(wall_seconds=3))
    assert isinstance(outcome, Failure)
    assert is_gone(int(path.read_text(encoding="utf-8")))


@posix
def test_interrupt(jobs: Any, tmp_path: Path) -> None:
    """Ctrl-C ends the child and what it started, and is not swallowed."""
    path = tmp_path / "pid"

    def interrupt() -> None:
        while not path.exists() or not path.read_text(encoding="utf-8"):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    # What starts the tests in the background makes them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_job(jobs.spawn, {"path": str(path)}, limits=Limits(wall_seconds=30))
    finally:
        signal.signal(signal.SIGINT, before)
    assert is_gone(int(path.read_text(encoding="utf-8")))


@posix
def test_the_child_ends_with_its_parent(jobs: Any, tmp_path: Path) -> None:
    """A parent that is killed leaves no child that runs on."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import jobs_of_a_test as jobs;"
        "from archlint.analyzer.runtime.child import run_job;"
        "run_job(jobs.spawn, {'path': sys.argv[2]})"
    )
    path = tmp_path / "pid"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), str(path)],
        env=os.environ | {"TMPDIR": tempfile.gettempdir()},
    )
    while not path.exists() or not path.read_text(encoding="utf-8"):
        time.sleep(0.02)
    grandchild = int(path.read_text(encoding="utf-8"))
    leader = os.getpgid(grandchild)
    parent.kill()
    parent.wait()
    try:
        assert is_gone(leader)
    finally:
        os.kill(grandchild, signal.SIGKILL)
        for left in Path(tempfile.gettempdir()).iterdir():
            for file in left.iterdir():
                file.unlink()
            left.rmdir()
