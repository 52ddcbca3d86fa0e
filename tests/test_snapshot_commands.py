"""Snapshots beside models: written, held against them and shown, with what people wrote in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnx
import onnx.parser
import pytest

from archlint.analyzer.compare.snapshot import parse
from archlint.analyzer.errors import ModelError
from archlint.snapshot_difference import staleness
from archlint.snapshot_reports import snapshot_answer
from command_line import Run
from external_data import save_external
from repositories import model_bytes, pointer

SAMPLES = Path(__file__).parent.parent / "samples"
MODULE = SAMPLES / "inception_module.onnx"
NAIVE = SAMPLES / "inception_module_naive.onnx"
# The module of Szegedy et al. 2015, at 28×28: 1×1 to 64; 1×1 to 96, 3×3 to 128; 1×1 to 16, 5×5 to
# 32; pooled, 1×1 to 32; and without the two reductions.
MODULE_MACS = 28 * 28 * (192 * 64 + 192 * 96 + 9 * 96 * 128 + 192 * 16 + 25 * 16 * 32 + 192 * 32)
NAIVE_MACS = 28 * 28 * (192 * 64 + 9 * 192 * 128 + 25 * 192 * 32 + 192 * 32)
Edit = Callable[[str], str]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the module as m.onnx."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODULE, "m.onnx")
    return tmp_path


def written(run: Run) -> str:
    """The snapshot that is written of m.onnx."""
    assert run("snapshot", "write", "m.onnx").code == 0
    return Path("m.onnx.arch").read_text(encoding="utf-8")


def edited(edit: Edit) -> None:
    """The snapshot of m.onnx with a change by hand."""
    path = Path("m.onnx.arch")
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")


def behind(scope: str, comment: str) -> Edit:
    """A comment behind the first line of a scope."""

    def edit(text: str) -> str:
        lines = text.split("\n")
        at = next(place for place, line in enumerate(lines) if line.startswith(f"{scope}  "))
        lines[at] += f"  # {comment}"
        return "\n".join(lines)

    return edit


def test_a_snapshot_is_written_once(desk: Path, run: Run) -> None:
    """It tells what the model costs, and is left alone while it holds."""
    ran = run("snapshot", "write", "m.onnx")
    assert (ran.code, ran.out, ran.err) == (0, "m.onnx.arch: new\n", "")
    text = Path("m.onnx.arch").read_text(encoding="utf-8")
    assert f"# MACs: {MODULE_MACS:,}\n" in text
    assert parse(text, "m").architecture.totals.macs == MODULE_MACS
    before = os.stat("m.onnx.arch").st_mtime_ns
    assert run("snapshot", "write", ".").out == "./m.onnx.arch: up to date\n"
    assert os.stat("m.onnx.arch").st_mtime_ns == before
    ran = run("snapshot", "check", "m.onnx")
    assert (ran.code, ran.out) == (0, "1 snapshot: 1 up to date.\n")
    shutil.copy(NAIVE, "m.onnx")
    assert run("snapshot", "write", "m.onnx").out == "m.onnx.arch: updated\n"
    assert f"# MACs: {NAIVE_MACS:,}\n" in Path("m.onnx.arch").read_text(encoding="utf-8")


def test_check_shows_what_differs(desk: Path, run: Run) -> None:
    """As a diff: the two reductions are gone."""
    written(run)
    shutil.copy(NAIVE, "m.onnx")
    ran = run("snapshot", "check", "m.onnx")
    assert ran.code == 1
    first, *diff, last = ran.out.splitlines()
    how = "run: archlint snapshot write m.onnx"
    assert first == f"m.onnx.arch: the architecture differs; {how}"
    assert diff[:2] == ["--- m.onnx.arch", "+++ m.onnx.arch (as it should be)"]
    assert f"-# MACs: {MODULE_MACS:,}" in diff
    assert f"+# MACs: {NAIVE_MACS:,}" in diff
    assert sum(line.startswith("-inception") and ".reduce" in line for line in diff) == 4
    assert last == "1 snapshot: 1 out of date."


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        pytest.param(
            lambda text: text.replace("# digest: sha256:", "# digest: sha256:0"),
            "m.onnx.arch:2: cannot be read",
            id="broken",
        ),
        pytest.param(
            lambda text: text.replace(text.split("sha256:")[1][:8], "0" * 8),
            "the architecture is the same, the file is another",
            id="weights",
        ),
        pytest.param(
            lambda text: text.replace(f"{MODULE_MACS:,}", "1"),
            "the operations are the same",
            id="totals",
        ),
    ],
)
def test_check_says_what_kind_of_difference_it_is(
    edit: Edit, what: str, desk: Path, run: Run
) -> None:
    written(run)
    edited(edit)
    ran = run("snapshot", "check", "m.onnx")
    assert ran.code == 1
    assert what in ran.out.splitlines()[0]


def test_a_missing_snapshot_can_be_accepted(desk: Path, run: Run) -> None:
    ran = run("snapshot", "check", "m.onnx")
    assert ran.code == 1
    assert ran.out.startswith("m.onnx.arch: is missing; run: archlint snapshot write m.onnx\n")
    ran = run("snapshot", "check", "m.onnx", "--may-miss")
    assert (ran.code, ran.out) == (0, "1 snapshot: 1 missing.\n")


def test_comments_go_with_their_operations(desk: Path, run: Run) -> None:
    """The 5×5 loses its reduction and stays what it is; that of the reduction is kept at the end,
    and told."""
    written(run)
    edited(behind("inception_3a.branch5x5.conv", "archlint: ignore[ARC101] measured"))
    edited(behind("inception_3a.branch5x5.reduce.conv", "16 are enough"))
    assert run("snapshot", "check", "m.onnx").code == 0
    shutil.copy(NAIVE, "m.onnx")
    ran = run("snapshot", "write", "m.onnx")
    assert ran.out == "m.onnx.arch: updated\n"
    (note,) = ran.err.splitlines()
    assert "no operation is like the one of this comment" in note
    assert note.endswith("# 16 are enough")
    lines = Path("m.onnx.arch").read_text(encoding="utf-8").splitlines()
    (kept,) = (line for line in lines if "ARC101" in line)
    assert kept.startswith("inception_3a.branch5x5.conv  Conv")
    assert lines[-1].startswith("# gone: inception_3a.branch5x5.reduce.conv  Conv  $0")
    assert lines[-1].endswith("  # 16 are enough")
    assert run("snapshot", "check", "m.onnx").code == 0
    shutil.copy(MODULE, "m.onnx")
    assert run("snapshot", "write", "m.onnx").err == ""
    assert Path("m.onnx.arch").read_text(encoding="utf-8").count("16 are enough") == 1


def test_a_merge_with_conflicts_is_mended(desk: Path, run: Run) -> None:
    """Both sides are in the file; comments go to the lines that read as theirs, others are kept."""
    edit = behind("inception_3a.branch1x1.conv", "archlint: ignore[ARC101] ours")
    ours = edit(written(run))
    shutil.copy(NAIVE, "m.onnx")
    run("snapshot", "write", "m.onnx")
    theirs = behind("inception_3a.branch3x3.conv", "theirs")(
        Path("m.onnx.arch").read_text(encoding="utf-8")
    )
    conflict = f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> other\n# archlint: ignore[ARC2]\n"
    edited(lambda _: conflict)
    shutil.copy(MODULE, "m.onnx")
    ran = run("snapshot", "write", "m.onnx")
    assert ran.code == 0
    assert "m.onnx.arch:1: begins no snapshot" in ran.err
    snapshot = parse(Path("m.onnx.arch").read_text(encoding="utf-8"), "m")
    assert list(snapshot.comments.values()) == ["archlint: ignore[ARC101] ours"]
    gone = list(snapshot.gone.values())
    assert [line.rpartition("# ")[2] for line in gone] == ["theirs", "archlint: ignore[ARC2]"]


def test_lines_of_windows_are_the_same(desk: Path, run: Run) -> None:
    text = written(run)
    Path("m.onnx.arch").write_bytes(text.replace("\n", "\r\n").encode())
    assert run("snapshot", "check", "m.onnx").code == 0


def test_a_pointer_is_held_against_the_digest(desk: Path, run: Run) -> None:
    """A pointer names the SHA-256 of the file, so the file need not be there."""
    text = written(run)
    Path("m.onnx").write_bytes(pointer(MODULE.read_bytes()))
    assert run("snapshot", "check", "m.onnx").code == 0
    assert run("snapshot", "write", "m.onnx").out == "m.onnx.arch: up to date\n"
    Path("m.onnx").write_bytes(pointer(NAIVE.read_bytes()))
    ran = run("snapshot", "check", "m.onnx")
    assert ran.code == 1
    assert ran.out.startswith("m.onnx.arch: is of another file than the pointer; fetch it")
    ran = run("snapshot", "write", "m.onnx")
    assert ran.code == 3
    assert "is a Git LFS pointer, not the model; fetch it: git lfs pull" in ran.error
    assert Path("m.onnx.arch").read_text(encoding="utf-8") == text


def test_the_totals_of_a_pointer_are_known_by_its_snapshot(desk: Path, run: Run) -> None:
    """Those of the model, and that no rule ran; the longest path is 96·192 and 9·96·128 MACs a
    position, through the 3×3."""
    written(run)
    architecture = parse(Path("m.onnx.arch").read_text(encoding="utf-8"), "m").architecture
    Path("m.onnx").write_bytes(pointer(MODULE.read_bytes()))
    answer = snapshot_answer("m.onnx", architecture.digest)
    report = answer.report
    assert report is not None
    assert not report.was_checked
    assert (report.cost.macs, report.unknown_nodes) == (MODULE_MACS, 0)
    assert report.critical_macs == 28 * 28 * (96 * 192 + 9 * 96 * 128)
    assert report.inputs[0].shape == (1, 192, 28, 28)
    assert report.digest == architecture.digest
    assert answer.architecture == architecture
    with pytest.raises(ModelError, match="is of another file"):
        snapshot_answer("m.onnx", "0" * 64)
    os.remove("m.onnx.arch")
    with pytest.raises(ModelError, match=r"there is no m\.onnx\.arch"):
        snapshot_answer("m.onnx", architecture.digest)


def test_what_a_snapshot_does_not_know_is_unknown(desk: Path, run: Run) -> None:
    """A product over a dim without a number: it is in no total."""
    text = (
        '<ir_version: 8, opset_import: ["" : 17]> g (float[2, n, 4] x) => (float[2, n, 4] y) '
        "<float[4, 4] w> { y = MatMul(x, w) }"
    )
    onnx.save(onnx.parser.parse_model(text), "n.onnx")
    run("snapshot", "write", "n.onnx")
    snapshot = Path("n.onnx.arch").read_text(encoding="utf-8")
    assert "-  MatMul  $0  weights 4x4  -> 2xnx4  16 parameters  ? MACs" in snapshot
    report = snapshot_answer("n.onnx", parse(snapshot, "n").digest).report
    assert report is not None
    assert (report.unknown_nodes, report.peak_unknown) == (1, 1)
    (unknown,) = report.unknown
    assert unknown.nodes == ("MatMul",)
    assert report.inputs[0].shape == (2, "n", 4)


@pytest.mark.parametrize("shape", ["?", "scalar", "1xbatchx?", "maxlenx3", "1x(2*seq)x64"])
def test_shapes_are_read_from_the_header(shape: str, desk: Path, run: Run) -> None:
    """Names of dims may have an x."""
    text = written(run).replace("float32 1x192x28x28", f"float32 {shape}", 1)
    Path("m.onnx.arch").write_text(text, encoding="utf-8")
    report = snapshot_answer("m.onnx", parse(text, "m").digest).report
    assert report is not None
    (value,) = report.inputs
    expected = {
        "?": None, "scalar": (), "1xbatchx?": (1, "batch", "?"), "maxlenx3": ("maxlen", 3),
        "1x(2*seq)x64": (1, "(2*seq)", 64),
    }  # fmt: skip
    assert (value.name, value.shape) == ("input", expected[shape])


def refuse_link() -> None:
    """Somebody else's file, behind a link."""
    Path("secret").write_text("secret", encoding="utf-8")
    Path("m.onnx.arch").symlink_to("secret")


@pytest.mark.parametrize(
    ("put", "why"),
    [
        pytest.param(refuse_link, "is a link; put a plain file in its place", id="link"),
        pytest.param(lambda: os.mkfifo("m.onnx.arch"), "is no plain file", id="pipe"),
        pytest.param(lambda: os.mkdir("m.onnx.arch"), "is no plain file", id="folder"),
        pytest.param(
            lambda: Path("m.onnx.arch").write_bytes(b"\xff\xfe"), "is no text in UTF-8", id="binary"
        ),
    ],
)
@pytest.mark.parametrize("command", ["write", "check"])
def test_only_plain_files_are_read_and_written(
    command: str, put: Callable[[], None], why: str, desk: Path, run: Run
) -> None:
    put()
    ran = run("snapshot", command, "m.onnx")
    assert ran.code == 2
    assert ran.error.startswith(f"m.onnx.arch: {why}")
    assert ran.out == ""


def test_show_prints_the_snapshot(desk: Path, run: Run) -> None:
    """Without comments, and for what it is told of."""
    text = written(run)
    edited(behind("inception_3a.branch1x1.conv", "archlint: ignore[ARC101]"))
    assert run("snapshot", "show", "m.onnx").out == text
    ran = run("snapshot", "show", "none.onnx")
    assert (ran.code, ran.out) == (3, "")
    assert ran.error.startswith("none.onnx: cannot be opened")
    Path("m.onnx").write_bytes(pointer(b"object"))
    oid = pointer(b"object").decode().split("sha256:")[1][:64]
    ran = run("snapshot", "show", "m.onnx")
    shown = f"# Git LFS pointer\n# digest: sha256:{oid}\n# file bytes: 6\n"
    assert (ran.code, ran.out, ran.err) == (0, shown, "")


def test_git_is_shown_a_line_for_what_is_no_model(desk: Path, run: Run) -> None:
    """So that it goes on with its diff; and the same wherever the file is, with what is beside it
    or without."""
    Path("broken").write_bytes(b"\x08\x07\x3a\x05broken")
    ran = run("snapshot", "show", "--textconv", "broken")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("# no model that can be analysed: ")
    assert ran.out.count("\n") == 1
    Path("inside").mkdir()
    Path("inside/m.onnx").write_bytes(model_bytes(8, "w.data"))
    shutil.copy("inside/m.onnx", "blob")
    alone = run("snapshot", "show", "--textconv", "blob").out
    Path("inside/w.data").write_bytes(bytes(8 * 4 * 4))
    assert run("snapshot", "show", "--textconv", "inside/m.onnx").out == alone
    assert run("snapshot", "show", "inside/m.onnx").out != alone


def test_git_runs_nothing_that_a_repository_names(desk: Path, run: Run) -> None:
    """A configuration may name rules in files beside it, which are imported; unless the user names
    the configuration, it is not read."""
    Path("rule.py").write_text("open('ran', 'w').close()\n", encoding="utf-8")
    Path("archlint.toml").write_text('plugins = ["rule.py"]\n', encoding="utf-8")
    assert run("snapshot", "show", "--textconv", "m.onnx").code == 0
    assert not Path("ran").exists()
    run("snapshot", "show", "m.onnx")
    assert Path("ran").exists()


def test_dims_are_bound_as_for_other_commands(desk: Path, run: Run) -> None:
    """Of one that no model has, the user is told."""
    ran = run("snapshot", "write", "m.onnx", "--dim", "seq=8")
    assert ran.code == 2
    assert "no model has the dim 'seq'" in ran.error
    assert not Path("m.onnx.arch").exists()


def test_standard_input_has_nothing_beside_it(desk: Path, run: Run) -> None:
    for command in ("write", "check"):
        ran = run("snapshot", command, "-")
        assert ran.code == 3
        assert ran.error == "-: standard input has no snapshot beside it; give a path"


def test_what_cannot_be_analysed_stops_no_other(desk: Path, run: Run) -> None:
    Path("a.onnx").write_bytes(b"text")
    ran = run("snapshot", "write", ".", "none.onnx")
    assert ran.code == 3
    assert ran.out == "./m.onnx.arch: new\n"
    assert len(ran.err.splitlines()) == 2


def test_hostile_comments_stay_text(desk: Path, run: Run) -> None:
    """What a repository says in a comment gives no orders to the log of a build."""
    written(run)
    edited(behind("inception_3a.branch5x5.reduce.conv", "\x1b[2J ##vso[task] ::error::x"))
    shutil.copy(NAIVE, "m.onnx")
    ran = run("snapshot", "check", "m.onnx")
    assert "\x1b" not in ran.out
    assert "##vso" not in ran.out
    ran = run("snapshot", "write", "m.onnx")
    assert "\x1b" not in ran.err
    assert "##vso" not in ran.err


def test_a_model_with_external_data_is_as_large_as_both(desk: Path, run: Run) -> None:
    """Its file, and the weights beside it."""
    save_external("e.onnx", "e.data")
    run("snapshot", "write", "e.onnx")
    sizes = os.stat("e.onnx").st_size + os.stat("e.data").st_size
    assert f"# file bytes: {sizes:,}\n" in Path("e.onnx.arch").read_text(encoding="utf-8")


def test_a_snapshot_is_stale_by_its_architecture(desk: Path, run: Run) -> None:
    """Not by the digest and the bytes of the file."""
    text = written(run)
    now = parse(text, "m").architecture
    assert staleness("m.onnx", now) == ""
    assert staleness("other.onnx", now) == ""
    other = replace(now, digest="0" * 64, totals=replace(now.totals, file_bytes=1))
    assert staleness("m.onnx", other) == ""
    other = replace(now, totals=replace(now.totals, macs=1))
    assert staleness("m.onnx", other).startswith("m.onnx.arch: the operations are the same")
    other = replace(now, operations=now.operations[:-1])
    assert staleness("m.onnx", other) == "m.onnx.arch: the architecture differs"
    edited(lambda text: text.replace("Concat(", "Concat ("))
    assert staleness("m.onnx", now).startswith("m.onnx.arch:26: is no operation")
