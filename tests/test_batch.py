"""Many models: in their order, whoever answers them, and never more processes than pay."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archlint import batch, executors
from archlint.analyzer.errors import ConfigError
from archlint.batch import Effort, answers
from archlint.work import Answer, Prepared, Request, Task
from command_line import Run
from rule_packages import ADVISING

SAMPLES = Path(__file__).parent.parent / "samples"
# A rule that ends its process where a file says so, unless another file says that it has.
KILLER = f"""{ADVISING}

import os
def match(self, context):
    name = context.graph.inputs[0]
    if os.path.exists("kill-" + name) and os.getpid() != int(os.environ["ARCHLINT_TEST_PARENT"]):
        if os.path.exists("once"):
            os.unlink("kill-" + name)
        os.kill(os.getpid(), 9)
    return iter(())
EmbeddedNms.match = match
"""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Copies of models in the working directory, in an order that is not that of their size."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "_WORTH", 0.0)
    names = sorted(path.name for path in SAMPLES.glob("*.onnx"))
    for name in names:
        shutil.copy(SAMPLES / name, name)
    return names


@pytest.fixture(autouse=True)
def _leaves_no_process() -> Iterator[None]:
    yield
    from multiprocessing import active_children

    assert not active_children()


def ask(paths: list[str], effort: Effort, request: Request | None = None) -> list[Answer]:
    request = request or Request()
    prepared = Prepared(request.configuration())
    return answers(request, [Task(path) for path in paths], prepared, effort)


def test_several_processes_answer_as_one_does(models: list[str]) -> None:
    Path("archlint.toml").write_text('target = "arm-ethos-u"\n', encoding="utf-8")
    told: list[str] = []
    request = Request.of({"extend_select": ["ALL"]})
    prepared = Prepared(request.configuration())
    tasks = [Task(path) for path in models]
    several = answers(request, tasks, prepared, Effort(2), told.append)
    assert several == ask(models, Effort(1), request)
    assert sorted(told) == models
    assert [one.report and one.report.path for one in several] == models


def test_the_command_prints_the_same(models: list[str], run: Run) -> None:
    """Of a model that cannot be read too."""
    Path("broken.onnx").write_bytes(b"no model")
    one = run("check", ".", "--output-format", "json")
    several = run("check", ".", "--output-format", "json", "-j", "2")
    assert (several.code, several.out, several.err) == (one.code, one.out, one.err)
    assert several.code == 3


@pytest.mark.parametrize("once", [True, False])
def test_a_process_that_dies_loses_nothing(
    models: list[str], once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had is done again; what kills it twice is a failure, and is told."""
    Path("archlint.toml").write_text('plugins = ["killer.py"]', encoding="utf-8")
    Path("killer.py").write_text(KILLER, encoding="utf-8")
    monkeypatch.setenv("ARCHLINT_TEST_PARENT", str(os.getpid()))
    shutil.copy("two_3x3.onnx", "guilty.onnx")
    rename_input("guilty.onnx", "guilty")
    expected = ask([*models, "guilty.onnx"], Effort(1))
    Path("kill-guilty").touch()
    if once:
        Path("once").touch()
    found = ask([*models, "guilty.onnx"], Effort(2))
    assert found[:-1] == expected[:-1]
    if once:
        assert found[-1] == expected[-1]
    else:
        (failure,) = found[-1].failures
        assert failure.path == "guilty.onnx"
        assert failure.why.startswith("ended the process that analysed it, twice")
        assert found[-1].report is None


def rename_input(path: str, name: str) -> None:
    import onnx

    model = onnx.load(path)
    old = model.graph.input[0].name
    model.graph.input[0].name = name
    for node in model.graph.node:
        node.input[:] = [name if value == old else value for value in node.input]
    onnx.save(model, path)


def test_an_error_of_settings_is_one_line(models: list[str], run: Run) -> None:
    """From whatever process: this one names a dim that contradicts one model."""
    told = run("check", ".", "-j", "2", "--input-shape", "input=1,2,3,4,5,6,7")
    assert told.code == 2
    assert told.error == run("check", ".", "--input-shape", "input=1,2,3,4,5,6,7").error


@pytest.mark.parametrize(
    ("worth", "spent", "paths", "effort", "starts"),
    [
        pytest.param(1e9, 1e9, 16, Effort(2), False, id="quick"),
        pytest.param(0.0, 1e9, 16, Effort(2), True, id="long"),
        pytest.param(1e9, 0.0, 16, Effort(2), True, id="longer-than-thought"),
        pytest.param(0.0, 0.0, 16, Effort(1), False, id="one-process"),
        pytest.param(0.0, 0.0, 1, Effort(2), False, id="one-model"),
        pytest.param(0.0, 0.0, 0, Effort(2), False, id="none"),
    ],
)
def test_processes_are_started_where_they_pay(
    models: list[str],
    worth: float,
    spent: float,
    paths: int,
    effort: Effort,
    starts: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[int] = []

    def in_processes(_: object, tasks: executors.Tasks, jobs: int, __: object) -> executors.Tasks:
        started.append(jobs)
        return tasks  # as where no process could be had: they are done here

    monkeypatch.setattr(executors, "in_processes", in_processes)
    monkeypatch.setattr(batch, "_WORTH", worth)
    monkeypatch.setattr(batch, "_SPENT", spent)
    found = ask(models[:paths], effort)
    assert [one.report and one.report.path for one in found] == models[:paths]
    assert started == ([effort.jobs] if starts else [])


@pytest.mark.parametrize(
    ("request_", "stopwatch"),
    [pytest.param(Request(execute=True), None, id="execute"), (Request(), object())],
)
def test_what_is_timed_or_run_stays_here(request_: Request, stopwatch: object) -> None:
    prepared = Prepared(request_.configuration(), stopwatch=stopwatch)  # type: ignore[arg-type]
    assert not batch._may_leave([Task("m.onnx")], request_, prepared)
    assert not batch._may_leave([Task("-")], Request(), Prepared(Request().configuration()))


def test_no_jobs_are_one_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Effort(0).processes >= 1
    assert Effort(3).processes == 3
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert Effort(0).processes == os.cpu_count()


@pytest.mark.parametrize("word", ["", "proces", "dask", "dask=", "threads", "process=2"])
def test_a_wrong_executor_is_told(word: str, run: Run) -> None:
    with pytest.raises(ConfigError, match=f"--executor {word}: can be process, or"):
        assert Effort(executor=word).address
    assert run("check", str(SAMPLES / "lenet5.onnx"), "--executor", word).code == 2


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(models: list[str], end: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C ends it at once, without a traceback; and no worker outlives the run."""
    Path("archlint.toml").write_text('plugins = ["slow.py"]', encoding="utf-8")
    slow = f"{ADVISING}\nimport os, time\ndef match(self, context):\n"
    slow += "    open(f'started-{os.getpid()}', 'w').close()\n    time.sleep(300)\n    yield\n"
    Path("slow.py").write_text(f"{slow}EmbeddedNms.match = match\n", encoding="utf-8")
    for number in range(60):
        shutil.copy("inception_module.onnx", f"copy-{number}.onnx")
    with subprocess.Popen(
        [sys.executable, "-m", "archlint", "check", ".", "-j", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        workers = started(2)
        if end is signal.SIGINT:
            os.killpg(process.pid, end)  # as a terminal does
        else:
            process.kill()
        begin = time.monotonic()
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - begin < 10
    if end is signal.SIGINT:
        assert process.returncode == 130
        assert out == err == ""
    gone(workers)


def started(count: int) -> list[int]:
    """The processes that have begun with a model."""
    for _ in range(300):
        found = [int(path.name.partition("-")[2]) for path in Path().glob("started-*")]
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError("no worker has started")


def gone(processes: list[int]) -> None:
    for _ in range(100):
        if not any(map(is_alive, processes)):
            return
        time.sleep(0.1)
    raise AssertionError("a worker is left")


def is_alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
