"""Runs that are remembered: said again where nothing has changed, and run again otherwise."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from archlint import memo, recording, states
from external_data import save_external

SAMPLES = Path(__file__).parent.parent / "samples"
PAST = 1_700_000_000
_SCRIPT = """
import sys
from archlint import recording
from archlint.cli import main
if __name__ == "__main__":
    recording._TICK = 0.0
    try:
        main()
    finally:
        print("onnx" in sys.modules, file=open({told!r}, "w"))
"""


@dataclass(frozen=True, slots=True)
class Done:
    """One run: what it told, and whether it was said again, for which nothing is analysed."""

    code: int
    out: str
    err: str
    again: bool


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with models and a configuration; beside it a script that runs archlint."""
    monkeypatch.delenv("ARCHLINT_NO_CACHE")
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "here"
    (folder / "models").mkdir(parents=True)
    for name in ("inception_5x5.onnx", "two_3x3.onnx"):
        shutil.copy(SAMPLES / name, folder / "models")
    (folder / "archlint.toml").write_text('output-format = "concise"\n', encoding="utf-8")
    save_external(str(folder / "models" / "e.onnx"), "e.data")
    (tmp_path / "script").mkdir()
    script = _SCRIPT.format(told=str(tmp_path / "told"))
    (tmp_path / "script" / "run.py").write_text(script, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(recording, "_TICK", 0.0)
    return folder


def check(*arguments: str, **variables: str) -> Done:
    """A process that checks."""
    top = Path.cwd().parent
    done = subprocess.run(
        [sys.executable, top / "script" / "run.py", "check", *(arguments or ("models",))],
        capture_output=True, text=True, check=False, env={**os.environ, **variables},
    )  # fmt: skip
    told = (top / "told").read_text(encoding="ascii")
    return Done(done.returncode, done.stdout, done.stderr, told == "False\n")


def test_an_unchanged_run_is_said_again(here: Path) -> None:
    first, second = check(), check()
    assert first.code == 1
    assert first.out.count("ARC101") == 3
    assert not first.again
    assert second == Done(first.code, first.out, first.err, again=True)
    (here / "models" / "__pycache__").mkdir()  # as Python makes in folders of code
    assert check().again


def test_what_python_compiles_is_left_by_no_run(tmp_path: Path) -> None:
    """Where a package is imported for the first time, Python makes a folder and writes to it."""
    run = recording.Recording([])
    (folder := tmp_path / "__pycache__").mkdir()
    (file := folder / "a.pyc.1").touch()
    run.hear("os.mkdir", (str(folder), 0o777, -1))
    run.hear("open", (str(file), None, os.O_WRONLY))
    assert run.outputs() == []
    assert not run.is_doubtful


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda here: (here / name).write_text(text, encoding="utf-8")


def touch(here: Path) -> None:
    os.utime(here / "models" / "two_3x3.onnx")


def swap(here: Path) -> None:
    """Same size, same time: the time of the change tells."""
    path = here / "models" / "two_3x3.onnx"
    status = path.stat()
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES: tuple[Callable[[Path], object], ...] = (
    touch,
    swap,
    lambda here: shutil.copy(SAMPLES / "lenet5.onnx", here / "models"),
    lambda here: os.unlink(here / "models" / "lenet5.onnx"),
    lambda here: (here / "models" / "sub").mkdir(),
    write("archlint.toml", 'output-format = "concise"\nfail-on = "never"'),
    write(".archlint.toml", 'output-format = "concise"'),
    write("models/archlint.toml", 'ignore = ["ARC201"]'),
    write("models/two_3x3.onnx.arch", "text"),
    lambda here: os.truncate(here / "models" / "e.data", 63),
    lambda here: os.unlink(here / "models" / "e.data"),
)


@pytest.mark.slow
def test_every_change_is_seen(here: Path) -> None:
    """Of models and what is beside them, of folders and of configurations, also of new ones."""
    check()
    for number, change in enumerate(CHANGES):
        change(here)
        assert not check().again, number
        assert check().again, number


def test_outputs_are_written_again(here: Path) -> None:
    arguments = ("models", "-o", "out.txt", "--output", "json=out.json")
    first = check(*arguments)
    written = {name: (here / name).read_bytes() for name in ("out.txt", "out.json")}
    assert json.loads(written["out.json"])["models"]
    for name in written:
        os.unlink(here / name)
    second = check(*arguments)
    assert second.again
    assert (second.out, second.code) == (first.out, first.code)
    assert {name: (here / name).read_bytes() for name in written} == written
    model = here / "models" / "two_3x3.onnx"
    before = model.read_bytes()
    os.unlink(here / "out.txt")
    (here / "out.txt").symlink_to(model)
    refused = check(*arguments)
    assert (refused.again, refused.code) == (False, 2)
    assert "would be overwritten" in refused.err
    assert model.read_bytes() == before


def test_a_run_in_several_processes_is_said_again(here: Path) -> None:
    for number in range(60):
        shutil.copy(SAMPLES / "inception_module.onnx", here / "models" / f"{number}.onnx")
    first, second = check("models", "-j", "2"), check("models", "-j", "2")
    assert second.again
    assert second.out == first.out == check("models", "--no-cache").out


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("models", "--no-cache"), id="no-cache"),
        pytest.param(("models", "--base", "models"), id="base"),
        pytest.param(("nothing.onnx",), id="failed"),
        pytest.param(("models", "--select", "nothing"), id="wrong-use"),
    ],
)
def test_what_is_no_plain_check_is_run(here: Path, arguments: tuple[str, ...]) -> None:
    check(*arguments)
    assert not list((here.parent / "cache").glob("runs/*.json"))


def test_it_imports_little(here: Path) -> None:
    """Neither what analyses nor what parses the command line."""
    _, second = (check(PYTHONPROFILEIMPORTTIME="1") for _ in range(2))
    imported = {line.rpartition("|")[2].strip() for line in second.err.splitlines()}
    unwanted = {"onnx", "numpy", "networkx", "typer", "msgspec", "archlint.configuration"}
    assert imported & {"archlint.memo", *unwanted} == {"archlint.memo"}


class Runs:
    """A run that reads a file and tells what is in it; how often it was asked."""

    def __init__(self, capsys: pytest.CaptureFixture[str], code: int = 1) -> None:
        self.asked = 0
        self._capsys = capsys
        self._code = code

    def __call__(self) -> int:
        """Say what stands in the configuration."""
        self.asked += 1
        recording.plain()
        with open("archlint.toml", encoding="utf-8") as file:
            sys.stdout.write(file.read())
        sys.stderr.write("archlint: note: so\n")
        return self._code

    def told(self, *arguments: str) -> tuple[int, str, str]:
        """What somebody hears who asks for it."""
        code = memo.remembered(["check", *arguments], self)
        out, err = self._capsys.readouterr()
        return code, out, err


def test_everything_is_said_once_more(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = Runs(capsys)
    assert runs.told() == runs.told() == (
        1, 'output-format = "concise"\n', "archlint: note: so\n"
    )  # fmt: skip
    assert runs.asked == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("FORCE_COLOR", "1"), ("ARCHLINT_OUTPUT_FORMAT", "json"), ("ANYTHING", "else")],
)
def test_another_environment_is_another_run(
    here: Path,
    name: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = Runs(capsys)
    runs.told()
    monkeypatch.setenv(name, value)
    runs.told()
    assert runs.asked == 2


@pytest.mark.parametrize("attribute", ["path", "version", "executable", "flags", "warnoptions"])
def test_another_python_is_another_run(
    here: Path,
    attribute: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = Runs(capsys)
    runs.told()
    held = getattr(sys, attribute)
    monkeypatch.setattr(sys, attribute, f"{held} " if isinstance(held, str) else [*held, "x"])
    runs.told()
    assert runs.asked == 2


def test_arguments_folder_and_day_count(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs(capsys)
    runs.told("models")
    runs.told("./models")
    monkeypatch.setattr("time.strftime", lambda _form: "2999-12-31")
    runs.told("models")
    shutil.copytree(here, here.parent / "other")
    monkeypatch.chdir(here.parent / "other")
    runs.told("models")
    assert runs.asked == 4
    runs.told("models")
    assert runs.asked == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["-"], ["--write-baseline"], ["--add-ignore", "so"], ["--add-ignore=so"], ["--watch"],
        ["--execute"], ["--verify"], ["--base=main"], ["s3://b/m.onnx"], ["--prune-baseline"],
    ],
)  # fmt: skip
def test_such_arguments_are_always_run(
    here: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(capsys)
    runs.told("models", *arguments)
    runs.told("models", *arguments)
    assert runs.asked == 2


@pytest.mark.parametrize("code", [2, 3, 130])
def test_what_fails_is_run_again(here: Path, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    runs = Runs(capsys, code)
    assert runs.told()[0] == runs.told()[0] == code
    assert runs.asked == 2


def test_a_fresh_file_is_looked_at_again(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be written once more within the tick of the clock that its time is from."""
    monkeypatch.setattr(recording, "_TICK", 10_000.0)
    runs = Runs(capsys)
    runs.told()
    runs.told()
    assert runs.asked == 2


def test_a_new_file_in_the_search_path_of_modules_counts(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a package with rules."""
    monkeypatch.syspath_prepend(here / "models")
    runs = Runs(capsys)
    runs.told()
    (here / "models" / "acme.pth").write_text("", encoding="ascii")
    runs.told()
    (here / "models" / "acme.pth").write_text("/elsewhere", encoding="ascii")
    runs.told()
    assert runs.asked == 3


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda held: b"", id="empty"),
        pytest.param(lambda held: held[:-10], id="truncated"),
        pytest.param(lambda held: held.replace(b'"code": 1', b'"code": 0'), id="changed"),
        pytest.param(lambda held: signed(b"[]"), id="other-json"),
        pytest.param(lambda held: signed(b'{"state": "", "things": [1]}'), id="other-types"),
        pytest.param(lambda held: signed(b"[" * 100_000), id="nested"),
    ],
)
def test_a_spoilt_memo_is_none(
    here: Path, spoil: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(capsys)
    first = runs.told()
    (file,) = (here.parent / "cache" / "runs").glob("*.json")
    file.write_bytes(spoil(file.read_bytes()))
    assert runs.told() == first
    assert runs.asked == 2


def signed(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def test_a_memo_that_others_could_have_written_is_none(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(capsys)
    runs.told()
    (file,) = (here.parent / "cache" / "runs").glob("*.json")
    file.chmod(0o666)
    runs.told()
    assert runs.asked == 2


@pytest.mark.parametrize("folder", ["/proc/archlint", "archlint.toml"])
def test_a_cache_that_cannot_be_written_fails_no_run(
    here: Path,
    folder: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", folder)
    runs = Runs(capsys)
    assert runs.told() == runs.told()
    assert runs.asked == 2


def test_everything_that_is_looked_up_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever way of Python's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="ascii")
    ways: list[Callable[[], object]] = [
        lambda: os.path.exists("exists"), lambda: os.path.isfile("isfile"),
        lambda: os.path.isdir("isdir"), lambda: os.path.lexists("lexists"),
        lambda: os.path.islink("islink"), lambda: os.path.getsize("file"),
        lambda: Path("path").exists(), lambda: os.path.realpath("realpath"),
        lambda: open("file", encoding="ascii").close(),
        lambda: os.close(os.open(b"file", os.O_RDONLY)), lambda: os.listdir("."),
        lambda: list(os.scandir()), lambda: os.listdir(os.open(".", os.O_RDONLY)),
        lambda: os.stat("file", dir_fd=os.open(".", os.O_RDONLY)),
        lambda: list(os.walk(tmp_path)), lambda: Path("file").read_text(encoding="ascii"),
    ]  # fmt: skip
    for way in ways:
        with recording.recorded([]) as found:
            way()
        known = {path for _, path in found.seen if ".archlint-" not in path}
        assert known, way
        assert not found.is_doubtful
    assert os.stat is states.stat_of


def test_what_cannot_be_seen_is_doubtful(tmp_path: Path) -> None:
    ways: list[Callable[[], object]] = [
        lambda: subprocess.run(["true"], check=True),  # noqa: S607 - any program
        lambda: os.system("true"),  # noqa: S605, S607 - likewise
        lambda: os.chdir(tmp_path),
        lambda: os.stat("x", dir_fd=10_000),
        lambda: os.listdir(10_000),
        lambda: open("/proc/self/status", encoding="utf-8").close(),
        lambda: sys.stdout.buffer,
    ]
    here = os.getcwd()
    for way in ways:
        with recording.recorded([]) as found, suppress(OSError):
            way()
        assert found.is_doubtful, way
    os.chdir(here)


def test_what_stays_behind_unasked_is_doubtful(tmp_path: Path) -> None:
    with recording.recorded([]) as found:
        (tmp_path / "left").write_text("", encoding="ascii")
    found.outputs()
    assert found.is_doubtful


def test_what_changes_during_the_run_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("1", encoding="ascii")
    os.utime(file, (PAST, PAST))
    with recording.recorded([]) as found:
        found.begin += 10  # the file was written long ago
        file.read_text(encoding="ascii")
        assert found.is_settled([])
        file.write_text("22", encoding="ascii")
        os.utime(file, (PAST, PAST))
        assert not found.is_settled([])
        assert found.is_settled([str(file)])


def test_a_display_of_progress_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    with recording.recorded([]) as found:
        sys.stderr.write("\x1b[2K1 of 7")
        sys.stderr.write("archlint: note: n\n")
        sys.stdout.write("\x1b[1mARC101\x1b[0m\n")
    assert found.told == [("stderr", "archlint: note: n\n"), ("stdout", "\x1b[1mARC101\x1b[0m\n")]
    assert memo._may_be_remembered(["check", "m"]) is False  # as tests switch it off
