"""Models by URL: found, fetched as long as they are read, and told without what lets one in."""

from __future__ import annotations

import pickle
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archlint import fetching
from archlint.analyzer.reader.source import opened
from archlint.batch import Effort, answers
from archlint.configuration import Configuration
from archlint.fetching import answer_for
from archlint.paths import find_models
from archlint.remote import Address, is_remote
from archlint.work import Prepared, Request, Task
from command_line import Run
from external_data import save_external

fsspec = pytest.importorskip("fsspec")
SAMPLES = Path(__file__).parent.parent / "samples"
NAIVE = SAMPLES / "inception_module_naive.onnx"


@pytest.fixture
def memory() -> Iterator[Any]:
    """A file system of this process."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    for path in ("/models/a.onnx", "/models/sub/b.onnx", "/models/node_modules/c.onnx"):
        files.pipe_file(path, NAIVE.read_bytes())
    files.pipe_file("/models/readme.txt", b"")
    yield files
    files.store.clear()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("memory://models/a.onnx", ["memory://models/a.onnx"]),
        ("memory://models", ["memory://models/a.onnx", "memory://models/sub/b.onnx"]),
        ("memory://models/", ["memory://models/a.onnx", "memory://models/sub/b.onnx"]),
        ("memory://models/*.onnx", ["memory://models/a.onnx"]),
        ("memory://models/**/b.onnx", ["memory://models/sub/b.onnx"]),
        ("memory:///models/s?b/*.onnx", ["memory:///models/sub/b.onnx"]),
        ("memory://models/readme.txt", ["memory://models/readme.txt"]),
    ],
)
def test_files_folders_and_patterns(memory: Any, url: str, found: list[str]) -> None:
    """What is excluded is left out, as below a folder of this machine."""
    assert find_models([url], Configuration()) == (found, [])


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("memory://models/*.pt", "nothing matches the pattern"),
        ("memory://models/node_modules/", ""),
        ("memory://nothing/", "the folder holds no .onnx file"),
        ("nosuchthing://b/m.onnx", "fsspec knows no such kind of URL"),
    ],
)
def test_what_names_no_model_is_told(memory: Any, url: str, why: str) -> None:
    models, failures = find_models([url], Configuration())
    assert [one.path for one in failures] == ([url] if why else [])
    assert all(one.why.startswith(why) for one in failures)
    assert bool(models) is not bool(why)


def test_a_url_is_checked_as_a_file_is(memory: Any, run: Run) -> None:
    named, here = run("memory://models/a.onnx"), run(NAIVE)
    assert named.code == here.code == 1
    assert named.out == here.out.replace(str(NAIVE), "memory://models/a.onnx")


def test_a_file_url_is_checked_likewise(tmp_path: Path, run: Run) -> None:
    shutil.copy(NAIVE, tmp_path / "m.onnx")
    for url in (f"file://{tmp_path}/m.onnx", f"file://{tmp_path}", f"file://{tmp_path}/*.onnx"):
        told = run(url, "--output-format", "concise")
        assert told.code == 1
        assert told.out.startswith(f"file://{tmp_path}/m.onnx: ")


def test_in_several_processes(tmp_path: Path) -> None:
    paths = [f"file://{NAIVE}", f"file://{tmp_path}/none.onnx", f"file://{NAIVE}"]
    prepared = Prepared(Request().configuration())
    tasks = [Task(Address(path)) for path in paths]
    several = answers(Request(), tasks, prepared, Effort(2))
    assert several == answers(Request(), tasks, prepared, Effort(1))
    assert several[1].failures[0].why == "cannot be fetched: there is no such file or folder"


def test_external_data_is_there_by_its_size(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its content is fetched only where a rule reads it: 16 floats of 4 bytes, one no number."""
    save_external(str(tmp_path / "e.onnx"), "e.data")
    memory.pipe_file("/x/e.onnx", (tmp_path / "e.onnx").read_bytes())
    memory.pipe_file("/x/e.data", b"\xff\xff\xff\x7f" + bytes(60))
    opens: list[str] = []
    true = memory.open

    def noted(_: Any, path: str, *rest: Any) -> Any:
        opens.append(path)
        return true(path, *rest)

    monkeypatch.setattr(type(memory), "open", noted)
    url = "memory://x/e.onnx"
    request = Request()
    report = answer_for(request, Task(url), Prepared(request.configuration())).report
    assert report is not None
    assert report.external_bytes == 64
    assert opens == ["/x/e.onnx"]
    request = Request.of({"select": ["non-finite-weights"]})
    report = answer_for(request, Task(url), Prepared(request.configuration())).report
    assert report is not None
    assert [finding.name for finding in report.findings] == ["non-finite-weights"]
    memory.rm("/x/e.data")
    report = answer_for(Request(), Task(url), Prepared(Request().configuration())).report
    assert report is not None
    assert [finding.name for finding in report.findings] == ["broken-external-data"]


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret"])
def test_no_other_file_is_fetched_for_a_model(
    memory: Any, tmp_path: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_external(str(tmp_path / "e.onnx"), "placeholder.data")
    content = (tmp_path / "e.onnx").read_bytes()
    padded = location.ljust(len("placeholder.data"), "/").encode()
    memory.pipe_file("/x/e.onnx", content.replace(b"placeholder.data", padded[:16]))
    asked: list[str] = []
    monkeypatch.setattr(type(memory), "exists", lambda _, path: asked.append(path))
    answer_for(Request(), Task("memory://x/e.onnx"), Prepared(Request().configuration()))
    assert asked == []


def test_too_much_is_not_fetched(memory: Any, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr(fetching, "_LARGEST", 1000)
    told = run("memory://models/a.onnx")
    assert told.code == 3
    assert told.error.startswith("memory://models/a.onnx: is larger than the 0 GiB")
    assert not list(Path(tempfile.gettempdir()).glob("archlint-*/model.onnx"))


def test_it_is_gone_when_it_was_read(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    @contextmanager
    def noted(path: str) -> Iterator[int]:
        seen.append(path)
        with opened(path) as descriptor:
            yield descriptor

    monkeypatch.setattr("archlint.analyzer.reader.opened", noted)
    task = Task("memory://models/a.onnx")
    assert answer_for(Request(), task, Prepared(Request().configuration())).report
    assert seen
    assert not any(Path(path).exists() for path in seen)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://me:secret@host/m.onnx", "ftp://host/m.onnx"),
        ("ftp://me:se@cret@host/m.onnx", "ftp://host/m.onnx"),
        ("https://host/m.onnx?X-Amz-Signature=secret#secret", "https://host/m.onnx"),
        ("HTTPS://me@host/m.onnx?secret", "HTTPS://host/m.onnx"),
        ("s3://bucket/m?.onnx", "s3://bucket/m?.onnx"),
        ("s3://bucket/a@b.onnx", "s3://bucket/a@b.onnx"),
    ],
)
def test_what_lets_one_in_is_not_shown(url: str, shown: str) -> None:
    address = Address(url)
    assert (str(address), repr(address), f"{address}") == (shown, repr(shown), shown)
    again = pickle.loads(pickle.dumps(address))  # noqa: S301 - as processes do
    assert (again, again.url) == (address, url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://me:secret@127.0.0.1:1/m.onnx", "sftp://me:secret@127.0.0.1:1/m.onnx",
        "https://127.0.0.1:1/m.onnx?secret", "http://me:secret@127.0.0.1:1/models/",
        "nosuchthing://me:secret@host/m.onnx",
    ],
)  # fmt: skip
def test_no_error_shows_it(url: str, run: Run) -> None:
    """Of a place that nothing listens at, or whose driver is not installed."""
    told = run(url)
    assert told.code == 3
    assert told.error.startswith(Address(url))
    assert "secret" not in told.err + told.out


def test_without_fsspec_the_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    told = run("s3://bucket/m.onnx")
    assert told.error.endswith("install it with: pip install 'archlint[remote]'")


@pytest.mark.parametrize(
    ("path", "remote_"),
    [
        ("s3://b/m.onnx", True), ("https://h/m.onnx", True), ("git+ssh://h/m", True),
        ("m.onnx", False), ("C:/m.onnx", False), ("c://m.onnx", False), ("a/b://c", False),
        ("-", False), ("://m", False), ("main:models/m.onnx", False),
    ],
)  # fmt: skip
def test_a_url_is_told_from_a_path(path: str, remote_: bool) -> None:
    assert is_remote(path) is remote_
