"""Answers that are kept: found where nothing that they depend on differs, and nowhere else."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import onnx
import pytest

from archlint import batch, cache, contents, fetching
from archlint.analyzer.errors import ConfigError
from archlint.batch import Effort, answers, known
from archlint.cache_folder import Kept
from archlint.cache_keys import NoDigestError, digest
from archlint.work import Answer, Prepared, Request, Task
from external_data import save_external
from profiles import machine
from rule_packages import ADVISING

SAMPLES = Path(__file__).parent.parent / "samples"
NAIVE = SAMPLES / "inception_module_naive.onnx"
PINNED = 1_700_000_000  # a time that is surely past


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHLINT_NO_CACHE")
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    shutil.copy(NAIVE, "m.onnx")


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were analysed, as they come."""
    made: list[str] = []

    def counted(request: Request, task: Task, prepared: Prepared) -> Answer:
        made.append(task.path)
        return true(request, task, prepared)

    true = fetching.answer_for
    monkeypatch.setattr(batch, "answer_for", counted)
    return made


def ask(path: str = "m.onnx", request: Request | None = None, **prepared: object) -> Answer:
    """The answer of a run of its own."""
    request = request or Request()
    made = Prepared(request.configuration(), **prepared)  # type: ignore[arg-type] # as given
    return answers(request, [Task(path)], made, Effort())[0]


def test_the_second_run_is_answered_as_the_first(analysed: list[str]) -> None:
    first = ask()
    assert first.report is not None
    assert first.report.findings
    assert ask() == first
    assert analysed == ["m.onnx"]


def test_every_sample_is_read_as_it_was_written(analysed: list[str]) -> None:
    """With architectures, findings, proposals, blocks."""
    paths = sorted(map(str, SAMPLES.glob("*.onnx")))
    request = Request(architectures=True)
    first = [ask(path, request) for path in paths]
    assert [ask(path, request) for path in paths] == first
    assert analysed == paths


def test_a_moved_model_is_answered_by_its_new_path(analysed: list[str]) -> None:
    """With what an analysis of it says."""
    ask()
    os.rename("m.onnx", "other.onnx")
    moved = ask("other.onnx")
    assert analysed == ["m.onnx"]
    prepared = Prepared(Request().configuration())
    assert moved == fetching.answer_for(Request(), Task("other.onnx"), prepared)


def write(name: str, text: str) -> Callable[[], object]:
    return lambda: Path(name).write_text(text, encoding="utf-8")


def rename_a_node() -> None:
    model = onnx.load("m.onnx")
    model.graph.node[0].name = "renamed"
    onnx.save(model, "m.onnx")


CONFIG = "archlint.toml"
IGNORED = '[[ignore]]\nrule = "ARC101"\n'


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(rename_a_node, id="content"),
        pytest.param(write(CONFIG, 'ignore = ["ARC101"]'), id="selection"),
        pytest.param(write(CONFIG, "[rules.ARC101]\nmin_share = 0.5"), id="option"),
        pytest.param(write(CONFIG, '[severity]\nARC101 = "error"'), id="severity"),
        pytest.param(write(CONFIG, '[per-file-ignores]\n"m.onnx" = ["ARC101"]'), id="per-file"),
        pytest.param(write(CONFIG, IGNORED), id="ignore"),
        pytest.param(write(CONFIG, f'{IGNORED}reason = "so"'), id="reason"),
        pytest.param(write(CONFIG, 'target = "arm-ethos-u"'), id="target"),
        pytest.param(write("m.onnx.arch", "anything"), id="snapshot"),
    ],
)
def test_what_changes_the_answer_is_a_miss(
    change: Callable[[], object], analysed: list[str]
) -> None:
    ask()
    change()
    changed = ask()
    assert analysed == ["m.onnx"] * 2
    assert ask() == changed
    assert analysed == ["m.onnx"] * 2


def test_what_is_no_part_of_it_is_a_hit(analysed: list[str]) -> None:
    """Settings that say what becomes of the findings, the time of the file."""
    ask()
    write(CONFIG, 'fail-on = "never"\noutput-format = "json"')()
    os.utime("m.onnx", (PINNED, PINNED))
    ask()
    assert analysed == ["m.onnx"]


def test_an_option_is_a_miss(analysed: list[str]) -> None:
    ask()
    request = Request.of({"select": ["ARC1"]})
    ask(request=request)
    ask(request=replace(request, architectures=True))
    ask(profile=machine())
    assert len(analysed) == 4


def test_an_entry_that_expires_is_a_miss(
    analysed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(CONFIG, f"{IGNORED}expires = 2030-01-01")()
    monkeypatch.setattr("time.strftime", lambda _form: "2029-12-31")
    assert ask().report == ask().report
    assert len(analysed) == 1
    monkeypatch.setattr("time.strftime", lambda _form: "2030-01-02")
    report = ask().report
    assert report is not None
    assert not report.ignored
    assert len(analysed) == 2


def test_the_code_of_a_plugin_counts(tmp_path: Path) -> None:
    """It is loaded once in a process, so each run has its own."""
    write(CONFIG, 'plugins = ["rules.py"]')()
    write("rules.py", ADVISING)()
    first = check()
    assert check() == first
    write("rules.py", f"{ADVISING}\n# changed\n")()
    kept = len(list((tmp_path / "cache" / "answers").glob("*.json")))
    check()
    assert len(list((tmp_path / "cache" / "answers").glob("*.json"))) == kept + 1


def check(*arguments: str) -> str:
    """What a process says of the model."""
    command = [sys.executable, "-m", "archlint", "check", "m.onnx", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_external_data_counts_by_what_is_looked_up(analysed: list[str]) -> None:
    save_external("e.onnx", "e.data")
    first = ask("e.onnx")
    Path("e.data").write_bytes(bytes(64))  # 16 floats of 4 bytes, other ones
    assert ask("e.onnx") == first
    assert len(analysed) == 1
    Path("e.data").write_bytes(bytes(63))
    assert ask("e.onnx").report != first.report
    assert len(analysed) == 2
    os.unlink("e.data")
    ask("e.onnx")
    os.symlink("elsewhere", "e.data")
    ask("e.onnx")
    assert len(analysed) == 4


def test_weights_elsewhere_that_a_rule_reads_are_read(analysed: list[str]) -> None:
    save_external("e.onnx", "e.data")
    request = Request.of({"select": ["non-finite-weights"]})
    for _ in range(2):
        ask("e.onnx", request)
    assert len(analysed) == 2
    for _ in range(2):  # those in the file itself are part of its content
        ask("m.onnx", request)
    assert len(analysed) == 3


def test_a_pointer_is_answered_by_the_id_of_its_object(analysed: list[str]) -> None:
    """With what was beside the object then."""
    save_external("e.onnx", "e.data")
    first = ask("e.onnx")
    oid = hashlib.sha256(Path("e.onnx").read_bytes()).hexdigest()
    for name in ("e.onnx", "e.data"):
        os.unlink(name)
    prepared = Prepared(Request().configuration())
    found = known(Request(), Task("other/e.onnx"), prepared, oid, Effort())
    assert found is not None
    assert found.report is not None
    assert first.report is not None
    assert found.report == replace(first.report, path="other/e.onnx")
    assert known(Request(), Task("e.onnx"), prepared, "0" * 64, Effort()) is None
    assert known(Request(), Task("e.onnx"), prepared, oid, Effort(cached=False)) is None


def test_what_fails_is_not_kept(analysed: list[str], tmp_path: Path) -> None:
    Path("m.onnx").write_bytes(b"no model")
    assert ask().failures == ask().failures
    assert len(analysed) == 2
    with pytest.raises(ConfigError):
        ask("-", Request.of({"select": ["nothing"]}))
    assert not (tmp_path / "cache" / "answers").exists()


@pytest.mark.parametrize(
    "prepared", [pytest.param({"stopwatch": object()}, id="timed"), pytest.param({}, id="executed")]
)
def test_what_runs_a_model_is_not_kept(prepared: dict[str, object]) -> None:
    request = Request(execute=not prepared)
    made = Prepared(request.configuration(), **prepared)  # type: ignore[arg-type] # never asked
    assert cache.opened(request, made) is None


def test_the_environment_switches_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = Prepared(Request().configuration())
    assert cache.opened(Request(), prepared) is not None
    monkeypatch.setenv("ARCHLINT_NO_CACHE", "1")
    assert cache.opened(Request(), prepared) is None


FORGED = msgspec.json.encode({"answer": {"report": None, "failures": "none"}})


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda held: b"", id="empty"),
        pytest.param(lambda held: held[: len(held) // 2], id="truncated"),
        pytest.param(lambda held: held.replace(b'"macs":', b'"mars":'), id="changed"),
        pytest.param(lambda held: signed(held.partition(b"\n")[2][:-1]), id="no-json"),
        pytest.param(lambda held: signed(FORGED), id="other-types"),
        pytest.param(lambda held: signed(b"[" * 100_000), id="nested"),
        pytest.param(lambda held: signed(b'{"answer":{"report":null}}'), id="no-report"),
        pytest.param(lambda held: b"cos\nsystem\n(S'touch poisoned'\ntR.", id="pickle"),
        pytest.param(
            lambda held: signed(
                held.partition(b"\n")[2].replace(b'"nodes":', b'"nodes":1e999,"x":')
            ),
            id="no-number",
        ),
    ],
)
def test_a_spoilt_file_is_a_miss(
    spoil: Callable[[bytes], bytes], analysed: list[str], tmp_path: Path
) -> None:
    first = ask()
    (file,) = (tmp_path / "cache" / "answers").glob("*.json")
    file.write_bytes(spoil(file.read_bytes()))
    assert ask() == first
    assert len(analysed) == 2
    assert not Path("poisoned").exists()
    assert ask() == first  # and it was mended
    assert len(analysed) == 2


def signed(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def test_what_would_not_be_read_as_it_is_is_not_kept(
    analysed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a share that is no number."""
    first = ask("m.onnx", Request.of({"ignore": ["ARC2"]}))
    assert first.report is not None
    odd = replace(first.report, cost=replace(first.report.cost, macs=1 << 70))
    monkeypatch.setattr(batch, "answer_for", lambda *_: replace(first, report=odd))
    for _ in range(2):
        report = ask().report
        assert report is not None
        assert report.cost.macs == 1 << 70


def test_a_model_that_changes_meanwhile_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def slow(request: Request, task: Task, prepared: Prepared) -> Answer:
        made = true(request, task, prepared)
        rename_a_node()
        return made

    true = fetching.answer_for
    monkeypatch.setattr(batch, "answer_for", slow)
    ask()
    assert not list((tmp_path / "cache").glob("answers/*.json"))


@pytest.mark.parametrize("kind", ["file", "read-only", "full"])
def test_a_cache_that_cannot_be_written_fails_no_run(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so a file stands where the folder should be."""
    if kind == "file":
        (tmp_path / "cache").write_text("", encoding="ascii")
    elif kind == "read-only":
        monkeypatch.setenv("ARCHLINT_CACHE_DIR", "/proc/archlint")
    else:
        monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(tmp_path / "full"))
        monkeypatch.setattr(os, "replace", full)
    assert ask() == ask()
    assert not list(tmp_path.glob("full/answers/*"))


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_many_at_once_write_whole_files(analysed: list[str], tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ask(), range(16)))
    assert len({repr(one) for one in found}) == 1
    assert len(list((tmp_path / "cache" / "answers").glob("*.json"))) == 1
    before = len(analysed)
    ask()
    assert len(analysed) == before


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    kept = Kept("k", 250)
    for age, name in enumerate("abcd"):
        kept.write(name, bytes(100))
        os.utime(tmp_path / "cache" / "k" / name, (PINNED - age, PINNED - age))
    kept.read("d")  # which makes it the newest
    kept.prune()
    assert sorted(os.listdir(kept.folder)) == [".pruned", "a", "d"]


def test_it_is_pruned_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    pruned: list[str] = []
    monkeypatch.setattr(Kept, "prune", lambda self: pruned.append(self.name))
    kept = Kept("k", 1)
    kept.write("a", b"")
    kept.write("b", b"")
    assert len(pruned) == 1
    os.utime(os.path.join(kept.folder, ".pruned"), (PINNED, PINNED))
    kept.write("c", b"")
    assert len(pruned) == 2


def test_a_file_that_has_settled_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The expected word is what hashlib says of the whole file."""
    hashed: list[int] = []
    true = contents._hashed

    def counted(descriptor: int) -> str:
        hashed.append(descriptor)
        return true(descriptor)

    monkeypatch.setattr(contents, "_hashed", counted)
    expected = f"sha256 {hashlib.sha256(NAIVE.read_bytes()).hexdigest()}"
    for _ in range(2):  # it was written just now, and may be written again unseen
        assert contents.content_of("m.onnx") == expected
    assert len(hashed) == 2
    monkeypatch.setattr(contents, "_TICK", -(10**12))
    for _ in range(2):
        assert contents.content_of("m.onnx") == expected
    assert len(hashed) == 3
    os.utime("m.onnx", (PINNED, PINNED))
    contents.content_of("m.onnx")
    assert len(hashed) == 4


def test_of_a_large_file_the_structure_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its weights, unless a repository with Git LFS wants to know it by its object."""
    monkeypatch.setattr(contents, "HASHED", 1000)
    shutil.copy(SAMPLES / "inception_module.onnx", "m.onnx")  # 643 KB, most of it weights
    first = contents.content_of("m.onnx")
    assert first.startswith("structure ")
    whole = bytearray(Path("m.onnx").read_bytes())
    place = len(whole) // 2
    whole[place] ^= 1
    Path("m.onnx").write_bytes(whole)
    assert contents.content_of("m.onnx") == first
    rename_a_node()
    assert contents.content_of("m.onnx") != first
    os.makedirs(".git/lfs/objects")
    contents._is_in_lfs.cache_clear()
    assert contents.content_of("m.onnx").startswith("sha256 ")
    contents._is_in_lfs.cache_clear()


def test_a_large_file_is_no_hit_where_weights_are_read(
    monkeypatch: pytest.MonkeyPatch, analysed: list[str]
) -> None:
    monkeypatch.setattr(contents, "HASHED", 1000)
    for _ in range(2):
        ask(request=Request.of({"select": ["non-finite-weights"]}))
    assert len(analysed) == 2
    for _ in range(2):
        ask()
    assert len(analysed) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (1, True), (1, "1"), (None, "None"), ((1, 2), (12,)), ((), None),
        ((1, (2,)), ((1,), 2)), ({"a": 1}, {"a": "1"}), (("a", "b"), ("a\0str 'b'",)),
        (frozenset("ab"), frozenset("abc")), ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        (Kept("a", 1), Kept("a", 2)),
    ],
)  # fmt: skip
def test_different_values_have_different_digests(one: object, other: object) -> None:
    assert digest(one) != digest(other)


def test_equal_values_have_equal_digests() -> None:
    assert digest({"a": 1, "b": frozenset("xyz")}) == digest({"b": frozenset("zyx"), "a": 1})


@pytest.mark.parametrize("value", [object(), lambda: 0, b"", 1j, {"a": [object()]}, Path])
def test_what_is_not_known_has_no_digest(value: object) -> None:
    with pytest.raises(NoDigestError):
        digest(value)


def test_a_link_for_a_snapshot_is_no_hit(analysed: list[str]) -> None:
    ask()
    os.symlink("m.onnx", "m.onnx.arch")
    for _ in range(2):
        ask()
    assert len(analysed) == 3
