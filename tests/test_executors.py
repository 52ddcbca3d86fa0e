"""The same function over any executor of concurrent.futures, and over a real cluster of dask."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from archlint import executors
from archlint.analyzer.errors import (
    ArchlintError,
    ConfigError,
    InvalidGraphError,
    ModelError,
    ModelReadError,
    RuleError,
)
from archlint.analyzer.timing.prediction.machine import Curve, MachineProfile
from archlint.executors import Errand, done, run_over
from archlint.work import Answer, Prepared, Request, Task, work
from command_line import Run
from rule_packages import ADVISING

SAMPLES = Path(__file__).parent.parent / "samples"
NAIVE = str(SAMPLES / "inception_module_naive.onnx")


def errand(request: Request | None = None) -> Errand:
    request = request or Request()
    return Errand.of(request, Prepared(request.configuration()))


def test_a_worker_keeps_what_it_has_prepared_for_a_known_machine() -> None:
    """An errand is known again by its hash, whose profile holds a table of operators."""
    configuration = Request().configuration()
    one = Errand.of(Request(), Prepared(configuration, MachineProfile(
        "cpu", "CPUExecutionProvider", 1, "CPU time", "1.31", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
        Curve(((1.0, 1.0),)), 1.0, Curve(((1.0, 1.0),)), None, {"Relu": 1.0},
    )))  # fmt: skip
    assert done(one, Task(NAIVE)) == done(replace(one), Task(NAIVE))
    assert done(one, Task(NAIVE)).report is not None


@pytest.mark.parametrize(
    "error",
    [
        ArchlintError("line"),
        ConfigError("--dim a=1", "no: such: dim"),
        ModelError("m.onnx", "why"),
        ModelReadError("m.onnx", "why"),
        InvalidGraphError("m.onnx", "why"),
        RuleError("ARC101", "m.onnx", "why"),
    ],
)
def test_errors_survive_the_way_between_processes(error: ArchlintError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - as processes do
    assert type(again) is type(error)
    assert (str(again), again.__dict__) == (str(error), error.__dict__)


def test_requests_and_answers_survive_it() -> None:
    request = Request.of({"select": ["ALL"], "target": "arm-ethos-u"})
    answer = work(replace(request, architectures=True), Task(NAIVE))
    for value in (request, Task(NAIVE), errand(request), answer):
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - as processes do
    assert answer.report is not None


def test_any_executor_will_do() -> None:
    tasks = {number: Task(str(path)) for number, path in enumerate(SAMPLES.glob("*.onnx"))}
    found: dict[int, Answer] = {}
    with ThreadPoolExecutor(3) as pool:
        assert run_over(pool, errand(), tasks, 4, found.__setitem__) == {}
    assert found == {place: work(Request(), task) for place, task in tasks.items()}


class Scripted(Executor):
    """An executor whose futures end as they are told to."""

    def __init__(self, *ends: Callable[[], Answer]) -> None:
        self._ends = iter(ends)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that has ended."""
        future: Future[Any] = Future()
        end = next(self._ends, None)
        if end is None:
            raise BrokenExecutor
        try:
            future.set_result(end())
        except Exception as error:  # noqa: BLE001 - any
            future.set_exception(error)
        return future


def raises(error: Exception) -> Callable[[], Answer]:
    def end() -> Answer:
        raise error

    return end


TASKS = {number: Task(f"{number}.onnx") for number in range(4)}


@pytest.mark.parametrize(
    ("ends", "told", "lost"),
    [
        pytest.param([Answer] * 4, [0, 1, 2, 3], [], id="all"),
        pytest.param([Answer], [0], [], id="breaks-between"),
        pytest.param([], [], [], id="breaks-at-once"),
        pytest.param([Answer, raises(BrokenExecutor())], [0], [1], id="breaks-with-one"),
        pytest.param([raises(CancelledError()), Answer], [1], [0], id="cancelled"),
        pytest.param([raises(KeyError()), *[Answer] * 3], [0, 1, 2, 3], [], id="given-up"),
    ],
)
def test_what_a_broken_executor_had_is_returned(
    ends: list[Callable[[], Answer]], told: list[int], lost: list[int]
) -> None:
    found: dict[int, Answer] = {}
    executor = Scripted(*ends)
    returned = run_over(executor, errand(), TASKS, 2, found.__setitem__, (KeyError,))
    assert sorted(found) == told
    assert sorted(returned) == lost
    failed = [place for place, answer in found.items() if answer.failures]
    assert failed == ([0] if ends and ends[0].__name__ == "end" and not lost else [])


def ignored(_: int, __: Answer) -> None:
    """Hear an answer."""


def test_what_a_task_raises_is_raised() -> None:
    wrong = raises(ConfigError("--dim", "no"))
    with pytest.raises(ConfigError, match="--dim: no"):
        run_over(Scripted(wrong), errand(), {0: Task("m.onnx")}, 1, ignored)


def test_of_several_the_first_is_raised() -> None:
    """In the order of the tasks, whichever has ended first: as in one process."""
    wrong = [raises(ConfigError(f"--dim {number}", "no")) for number in range(3)]
    with pytest.raises(ConfigError, match="--dim 0: no"):
        run_over(Scripted(*wrong), errand(), TASKS, 3, ignored)


def test_an_errand_brings_its_folder_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves those of the process as they were."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "archlint.toml").write_text('ignore = ["ALL"]', encoding="utf-8")
    (tmp_path / "none.toml").write_text("", encoding="utf-8")
    shutil.copy(NAIVE, tmp_path / "run" / "m.onnx")
    monkeypatch.chdir(tmp_path / "run")
    plain = errand()
    monkeypatch.setenv("ARCHLINT_CONFIG", str(tmp_path / "none.toml"))
    other = errand()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHLINT_CONFIG", "nothing.toml")
    monkeypatch.setenv("ARCHLINT_OUTPUT_FORMAT", "nothing")
    counts = []
    for one in (plain, other):
        report = done(one, Task("m.onnx")).report
        assert report is not None
        counts.append(len(report.findings))
    assert counts[0] == 0
    assert counts[1] > 0
    assert os.getcwd() == str(tmp_path)
    assert os.environ["ARCHLINT_CONFIG"] == "nothing.toml"


def test_settings_are_read_again_in_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a worker that lives longer than one."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(NAIVE, "m.onnx")
    before = done(errand(), Task("m.onnx")).report
    Path("archlint.toml").write_text('ignore = ["ALL"]', encoding="utf-8")
    after = done(errand(), Task("m.onnx")).report
    assert before is not None
    assert after is not None
    assert len(before.findings) > len(after.findings) == 0


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (replace(errand(), folder="/no/such/folder"), "/no/such/folder: is not there for a worker"),
        (replace(errand(), version="99.0"), "a worker: has archlint"),
    ],
)
def test_a_worker_that_differs_says_so(one: Errand, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        done(one, Task(NAIVE))


def test_where_no_process_can_be_had_all_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def broken(_: int) -> Iterator[Executor]:
        yield Scripted()

    monkeypatch.setattr(executors, "_processes", broken)
    assert executors.in_processes(errand(), TASKS, 2, ignored) == TASKS

    def missing(_: int) -> Iterator[Executor]:
        raise ImportError("no semaphores")

    monkeypatch.setattr(executors, "_processes", contextmanager(missing))
    assert executors.in_processes(errand(), TASKS, 2, ignored) == TASKS


def test_a_cluster_needs_what_is_not_installed(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    told = run(NAIVE, "--executor", "dask=tcp://127.0.0.1:1")
    assert told.code == 2
    assert told.error.endswith("install it with: pip install 'archlint[dask]'")


SLOW = f"""{ADVISING}
import os
import time
def match(self, context):
    open(f"at-work-{{os.getpid()}}", "a").close()
    time.sleep(0.2)
    return iter(())
EmbeddedNms.match = match
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler on this machine with two workers, each a process."""
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scratch = tmp_path / "dask"
    scratch.mkdir()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
             "--port", str(port), "--no-dashboard"],
            cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    ]  # fmt: skip
    started += [
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nworkers", "1",
             "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60",
             "--local-directory", str(scratch)],
            cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        until(lambda: both_are_there(address))
        yield address
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def both_are_there(address: str) -> bool:
    dask: Any = import_module("distributed")  # without types
    try:
        with dask.Client(address, timeout=2, set_as_default=False) as client:
            return len(client.nthreads()) == 2
    except OSError:
        return False


def until(met: Callable[[], bool]) -> None:
    for _ in range(300):
        if met():
            return
        time.sleep(0.1)
    raise AssertionError("this takes too long")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of distributed and what it uses
def test_a_cluster_that_loses_a_worker_loses_nothing(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the two is killed while both have a model."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("slow.py").write_text(SLOW, encoding="utf-8")
    Path("archlint.toml").write_text('plugins = ["slow.py"]', encoding="utf-8")
    for number in range(30):
        shutil.copy(SAMPLES / "two_3x3.onnx", f"{number}.onnx")
    Path("broken.onnx").write_bytes(b"no model")
    command = [sys.executable, "-m", "archlint", "check", ".", "--output-format", "json"]
    with subprocess.Popen(
        [*command, "--executor", f"dask={cluster}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        until(lambda: len(list(Path().glob("at-work-*"))) == 2)
        victim = int(next(Path().glob("at-work-*")).name.rpartition("-")[2])
        os.kill(victim, signal.SIGKILL)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, err.count("\n")) == (3, 1)
    here = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (here.stdout, here.stderr) == (out, err)
    assert len(list(Path().glob("at-work-*"))) == 3  # the workers, and this machine's own process


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_a_cluster_tells_what_is_wrong_in_a_line(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """Of settings, and of a model that kills every worker; of a scheduler that is not there."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(NAIVE, "m.onnx")
    told = run("m.onnx", "--executor", "dask=tcp://127.0.0.1:1")
    assert told.code == 2
    assert told.error.startswith("--executor dask=tcp://127.0.0.1:1: no scheduler answers")
    told = run("m.onnx", "--executor", f"dask={cluster}", "--input-shape", "x=1,2")
    assert told.code == 2
    assert told.error == run("m.onnx", "--input-shape", "x=1,2").error
