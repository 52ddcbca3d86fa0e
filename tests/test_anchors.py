"""The line of text that a finding is told at, and the stack traces that lead to it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from archlint.analyzer.compare.architecture import Architecture, Operation, Totals
from archlint.analyzer.compare.snapshot import write
from archlint.analyzer.cost import Cost
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.identity import Identity
from archlint.analyzer.report import FindingReport, IgnoredReport, Line, ModelReport, NodeReport
from archlint.analyzer.stack_trace import source_lines
from archlint.anchors import Sources, anchored
from archlint.choices import AnchorChoice
from archlint.git import Repository
from repositories import Repo, isolate

AUTO, SOURCE, SNAPSHOT, MODEL = AnchorChoice

# Of a model that torch 2.9 exported with dynamo=True; folders are shortened.
TRACE = (
    'File "/home/alice/proj/nets/net.py", line 3, in forward\n'
    "    return self.conv(x)\n"
    '  File "/home/alice/venv/lib/python3.11/site-packages/torch/nn/modules/conv.py", line 565, '
    "in forward\n"
    "    return self._conv_forward(input, self.weight, self.bias)"
)
NET = b"class Net:\n    def forward(self, x):\n        return self.conv(x)\n"
OURS = Line("/home/alice/proj/nets/net.py", 3, "return self.conv(x)")
TORCH = Line(
    "/home/alice/venv/lib/python3.11/site-packages/torch/nn/modules/conv.py",
    565,
    "return self._conv_forward(input, self.weight, self.bias)",
)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.chdir(tmp_path)
    made = Repo(tmp_path / "repo")
    monkeypatch.chdir(made.root)
    return made


# Stack traces


def test_a_trace_of_torch_innermost_first() -> None:
    assert source_lines(TRACE) == (TORCH, OURS)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ("", ()),
        ("no trace", ()),
        ('File "a.py", line 7, in f', [Line("a.py", 7)]),
        ('File "a.py", line 7, in f\n', [Line("a.py", 7)]),
        # Python 3.13 marks the part of the line that it means.
        ('  File "a.py", line 7, in f\n    y = g(x)\n        ~^^^\n',
         [Line("a.py", 7, "y = g(x)")]),
        ('File "a.py", line 7, in f\nFile "b.py", line 8, in g\n  h()',
         [Line("b.py", 8, "h()"), Line("a.py", 7)]),
        ('File "C:\\\\a b\\\\n.py", line 1, in <module>\n  x', [Line("C:\\\\a b\\\\n.py", 1, "x")]),
        ('File "<string>", line 1, in f', [Line("<string>", 1)]),
        ('File "a.py", line 0, in f', ()),
        ('File "a.py", line -1, in f', ()),
        ('File "a.py", line 99999999999999999999, in f', ()),
        ('File "", line 1, in f', ()),
        ('File "a.py", line ١, in f', ()),
        ('File "' + "a" * 5000 + '", line 1, in f', ()),
        ('File "a.py", line 1, in f\n' + "x" * 5000, [Line("a.py", 1, "x" * 1000)]),
    ],
)  # fmt: skip
def test_frames(trace: str, expected: Sequence[Line]) -> None:
    assert source_lines(trace) == tuple(expected)


@pytest.mark.parametrize(
    "trace",
    [
        'File "' * 1_000_000,
        'File "a.py", line 1, in ' * 500_000,
        'File "a.py", line 1, in f\n' * 500_000,
        "\n" * 5_000_000,
        " " * 5_000_000,
    ],
    ids=["quotes", "one line", "frames", "empty lines", "blanks"],
)
def test_long_traces_are_cut(trace: str) -> None:
    begin = time.perf_counter()
    assert len(source_lines(trace)) <= 64
    assert time.perf_counter() - begin < 1


def test_of_a_deep_trace_the_innermost_lines_count() -> None:
    trace = "".join(f'File "{place}.py", line 1, in f\n  x\n' for place in range(1, 101))
    assert [line.file for line in source_lines(trace)] == [f"{n}.py" for n in range(100, 36, -1)]


# Lines of Python


def finding(*nodes: NodeReport, source: Sequence[Line] = ()) -> FindingReport:
    """A finding at these nodes."""
    return FindingReport(
        "ARC101", "wide", Severity.WARNING, None, nodes, "", "", Identity(""), source=tuple(source)
    )  # fmt: skip


def report(path: str, *findings: FindingReport, macs: int = 0, parameters: int = 0) -> ModelReport:
    """The report of a model."""
    return ModelReport(
        path=path, file_bytes=0, external_bytes=0, opset=21, inputs=(), outputs=(), nodes=0,
        cost=Cost(macs=macs), least_macs=0, parameters=parameters, buffers=0, folded_macs=0,
        peak_bytes=0, peak_node=None, peak_unknown=0, critical_macs=0, unknown=(),
        unknown_nodes=0, notes=(), findings=findings,
    )  # fmt: skip


def told(path: str, one: FindingReport, choice: AnchorChoice = AUTO) -> Line | None:
    """Where a finding of a model is told."""
    return anchored(report(path, one), choice).findings[0].anchor


def test_the_innermost_line_of_the_repository(repo: Repo) -> None:
    repo.commit(**{"nets/net.py": NET, "m.onnx": b""})
    one = finding(source=source_lines(TRACE))
    expected = Line("nets/net.py", 3, "return self.conv(x)")
    assert told("m.onnx", one) == told("m.onnx", one, SOURCE) == expected
    assert told("m.onnx", one, SNAPSHOT) is None
    assert told("m.onnx", one, MODEL) is None


def test_lines_are_named_from_the_working_directory(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit(**{"nets/net.py": NET, "models/m.onnx": b""})
    monkeypatch.chdir(repo.root / "models")
    line = told("m.onnx", finding(source=[OURS]))
    assert line is not None
    assert line.file == "../nets/net.py"


CASES: list[tuple[str, dict[str, bytes], Line, str | None]] = [
    ("moved", {"src/nets/net.py": NET}, OURS, "src/nets/net.py"),
    ("flattened", {"net.py": NET}, OURS, "net.py"),
    ("installed", {"src/nets/net.py": NET}, Line("/x/site-packages/nets/net.py", 3, OURS.text),
     "src/nets/net.py"),
    ("of Windows", {"nets/net.py": NET}, Line("C:\\a\\nets\\net.py", 3, OURS.text), "nets/net.py"),
    ("nearest", {"nets/net.py": NET, "other/net.py": NET, "net.py": NET}, OURS, "nets/net.py"),
    ("whole before part", {"net.py": NET, "other/net.py": NET}, OURS, "net.py"),
    ("two as near", {"a/net.py": NET, "b/net.py": NET}, OURS, None),
    ("the nearest has changed", {"nets/net.py": b"\n" + NET, "other/net.py": NET}, OURS, None),
    ("another line there", {"nets/net.py": b"\n" + NET}, OURS, None),
    ("too short", {"nets/net.py": b"x\n"}, OURS, None),
    ("empty", {"nets/net.py": b""}, OURS, None),
    ("no such file", {"nets/nets.py": NET}, OURS, None),
    ("no text told, all of the path", {"nets/net.py": NET}, Line("/p/nets/net.py", 3),
     "nets/net.py"),
    ("no text told, a part of the path", {"src/nets/net.py": NET}, Line("/p/nets/net.py", 3), None),
    ("relative", {"nets/net.py": NET}, Line("nets/net.py", 3, OURS.text), "nets/net.py"),
    ("line ends of Windows", {"nets/net.py": NET.replace(b"\n", b"\r\n")}, OURS, "nets/net.py"),
    ("not UTF-8", {"nets/net.py": b"# \xff\n" + NET[11:]}, OURS, "nets/net.py"),
    ("climbing", {"nets/net.py": NET}, Line("../../etc/passwd", 1), None),
    ("a folder", {"nets/net.py": NET}, Line("/home/nets", 1), None),
    ("a long line", {"nets/net.py": b"\n\n" + b"x" * 3000}, Line("/nets/net.py", 3, "x" * 1000),
     "nets/net.py"),
    ("odd names", {"a b\n\udcff.py": NET}, Line("/a b\n\udcff.py", 3, OURS.text), "a b\n\udcff.py"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "line", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0].replace(" ", "-") for case in CASES],
)
def test_which_file_is_meant(
    repo: Repo, files: dict[str, bytes], line: Line, expected: str | None
) -> None:
    repo.commit(**files)
    found = told("m.onnx", finding(source=[line]))
    assert (found.file if found else None) == expected


def test_a_file_that_git_does_not_track_is_not_meant(repo: Repo) -> None:
    repo.commit(f=b"")
    repo.write("nets/net.py", NET)
    assert told("m.onnx", finding(source=[OURS])) is None


def test_only_plain_files_are_read(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_bytes(NET)
    (repo.root / "nets").mkdir()
    (repo.root / "nets" / "net.py").symlink_to(tmp_path / "secret.py")
    repo.commit()
    assert told("m.onnx", finding(source=[OURS])) is None
    (repo.root / "nets" / "net.py").unlink()
    os.mkfifo(repo.root / "nets" / "net.py")
    assert told("m.onnx", finding(source=[OURS])) is None


def test_lines_of_accepted_findings_and_of_later_frames(repo: Repo) -> None:
    repo.commit(**{"nets/net.py": NET, "conv.py": b"x\n" * 600})
    one = finding(source=[TORCH, OURS])
    model = report("m.onnx", one)
    model = replace(model, findings=(), ignored=(IgnoredReport(one, "it"),))
    anchor = anchored(model, AUTO).ignored[0].finding.anchor
    assert anchor == Line("nets/net.py", 3, OURS.text)


def test_the_repositories_of_a_run_are_asked_once(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit(**{"nets/net.py": NET})
    known: dict[str, Sources | None] = {}
    first = report("a.onnx", finding(source=[OURS]))
    assert anchored(first, AUTO, known).findings[0].anchor is not None
    monkeypatch.setattr(Repository, "around", lambda _path: pytest.fail("asked again"))
    assert anchored(replace(first, path="b.onnx"), AUTO, known).findings[0].anchor is not None


def test_without_git_or_a_repository(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = finding(source=[OURS])
    outside = str(tmp_path / "m.onnx")
    for choice in (AUTO, SOURCE):
        assert told(outside, one, choice) is None
    monkeypatch.setenv("PATH", "")
    assert told("m.onnx", one, AUTO) is None
    with pytest.raises(ConfigError, match=r"^git: is not installed"):
        told("m.onnx", one, SOURCE)
    assert told("m.onnx", finding(), SOURCE) is None  # nothing to ask for


# Lines of the snapshot


def operation(operator: str, macs: int) -> Operation:
    """An operation that reads the input."""
    return Operation(operator, "", (), ("1x4",), (-1,), 3, macs)


ARCHITECTURE = Architecture(
    (operation("Gemm", 5), operation("Relu", 0), operation("com.microsoft.Gelu", 2)),
    ("x float 1x4",),
    ("y float 1x4",),
    Totals(7, 9, 100, 100, 36, 3),
)
GEMM, RELU, GELU = (
    NodeReport(operator, operator, place=place)
    for place, operator in enumerate(["Gemm", "Relu", "com.microsoft.Gelu"])
)


def at_snapshot(one: FindingReport, macs: int = 7, parameters: int = 9) -> int | None:
    """The number of the line where a finding of the model is told."""
    model = report("models/m.onnx", one, macs=macs, parameters=parameters)
    line = anchored(model, AUTO).findings[0].anchor
    assert anchored(model, SOURCE).findings[0].anchor is None
    if line is None:
        return None
    assert line.file == "models/m.onnx.arch"
    text = Path(line.file).read_text(encoding="utf-8").splitlines()[line.number - 1]
    assert line.text == text
    return line.number


def test_the_line_of_the_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = write(ARCHITECTURE)
    path = tmp_path / "models" / "m.onnx.arch"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    first = next(place for place, line in enumerate(lines, 1) if "  Gemm" in line)
    assert at_snapshot(finding(GEMM)) == first
    assert at_snapshot(finding(GELU, GEMM)) == first + 2
    assert "Gelu" in lines[first + 1]
    # A node of a body, or none at all, has no line; one that the snapshot tells otherwise neither.
    assert at_snapshot(finding(NodeReport("n", "Gemm"), RELU)) == first + 1
    assert at_snapshot(finding(NodeReport("n", "Gemm"))) is None
    assert at_snapshot(finding()) is None
    assert at_snapshot(finding(replace(GEMM, place=1))) is None
    assert at_snapshot(finding(replace(GEMM, place=3))) is None
    # It is of another state of the model.
    assert at_snapshot(finding(GEMM), macs=8) is None
    assert at_snapshot(finding(GEMM), parameters=8) is None
    path.write_text("no snapshot", encoding="utf-8")
    assert at_snapshot(finding(GEMM)) is None
    path.unlink()
    assert at_snapshot(finding(GEMM)) is None


def test_a_line_of_python_comes_before_one_of_the_snapshot(repo: Repo) -> None:
    repo.write("m.onnx.arch", write(ARCHITECTURE).encode())
    repo.commit(**{"nets/net.py": NET})
    one, other = finding(GEMM, source=[OURS]), finding(GEMM, source=[TORCH])
    model = report("m.onnx", one, other, macs=7, parameters=9)
    files = {
        choice: [f.anchor and f.anchor.file for f in anchored(model, choice).findings]
        for choice in AnchorChoice
    }
    assert files == {
        AUTO: ["nets/net.py", "m.onnx.arch"],
        SOURCE: ["nets/net.py", None],
        SNAPSHOT: ["m.onnx.arch", "m.onnx.arch"],
        MODEL: [None, None],
    }
