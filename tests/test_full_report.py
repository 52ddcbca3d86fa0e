"""The report for a person: what it says, and how it looks in a pipe and on a terminal."""

from __future__ import annotations

import io
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report import Report, concise
from archlint.analyzer.text import Paint
from archlint.cli import main
from archlint.config import Chosen, choose_rules
from archlint.pipeline import lint
from archlint.run import plain

SAMPLES = Path(__file__).parent.parent / "samples"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

# Figure 2 of Going Deeper with Convolutions: a 5x5 over a 28x28 map, 192 to 32 channels.
NAIVE = 28 * 28 * 32 * 5 * 5 * 192
REDUCE, EXPAND = 28 * 28 * 16 * 192, 28 * 28 * 32 * 5 * 5 * 16
STACKED = 28 * 28 * 9 * (192 * 32 + 32 * 32)
# 200 to 55 channels on 30 rows of 40, behind a 1x1 of 20.
WIDE = 30 * 40 * 55 * 5 * 5 * 200
NARROW = 30 * 40 * (20 * 200 + 55 * 5 * 5 * 20)

UNKNOWN = """agraph (float[1,seq,64] x, float[1,rows,64] z) => (y) <float[64,32] w> {
    [first] a = MatMul (x, w)
    [second] b = MatMul (z, w)
    [join] c = Concat <axis = 1> (a, b)
    y = Relu (c)
}"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What archlint prints into a pipe."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(sys, "argv", ["archlint", *map(str, arguments)])
        main()
    return capsys.readouterr().out


def on_terminal(arguments: Sequence[str], columns: int) -> str:
    """What archlint prints on a terminal."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    removed = ("NO_COLOR", "COLUMNS", "PYTHONIOENCODING", "FORCE_COLOR")
    kept = {key: value for key, value in os.environ.items() if key not in removed}
    run = subprocess.Popen(
        [sys.executable, "-m", "archlint", *arguments],
        stdout=follower,
        stderr=subprocess.DEVNULL,
        cwd=SAMPLES,
        env={**kept, "TERM": "xterm", "PYTHONUTF8": "1"},
    )
    os.close(follower)
    output = b""
    try:
        while part := os.read(leader, 65_536):
            output += part
    except OSError:
        pass  # Linux tells so that the other side is closed
    finally:
        os.close(leader)
    run.wait(30)
    return output.decode().replace("\r\n", "\n")


def test_a_finding_says_all_that_one_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """Rule, place, cost and share, sketch, saving, other proposals, caveat, PyTorch."""
    path = SAMPLES / "inception_5x5.onnx"
    text = told(capsys, path)
    assert (NAIVE, REDUCE + EXPAND) == (120_422_400, 12_443_648)
    assert text.startswith("ARC101 wide-convolution: 5×5 convolution over 192 channels")
    for line in (
        f"  --> {path}: conv5x5",
        f"  now        5×5 conv 192→32: {NAIVE:,} MACs, 100.0 % of the model",
        "  suggested  a 1×1 bottleneck of 16 channels",
        "  saves      120,422,400 → 12,443,648 MACs (−89.7 %), ratio 0.10",
        f"             {32 * (25 * 192 + 1):,} → {16 * 193 + 32 * 401:,} parameters (−89.6 %)",
        f"  or         2 stacked 3×3 convolutions: {STACKED:,} MACs (−58.0 %), ARC201 large-kernel",
        "                 nn.Conv2d(192, 16, 1),",
        "                 nn.ReLU(),",
        "                 nn.Conv2d(16, 32, 5, padding=2),",
        "  with the proposal: 120,422,400 → 12,443,648 MACs (−89.7 %)",
    ):
        assert line in text.splitlines()
    words = [" ".join(line.split()) for line in text.splitlines()]
    place = words.index("suggested a 1×1 bottleneck of 16 channels")
    assert words[place + 1 : place + 4] == [
        f"1×1 conv 192→16 {REDUCE:,} MACs",
        "Relu",
        f"5×5 conv 16→32 {EXPAND:,} MACs",
    ]
    assert re.search(r"^  caveat     The function changes: .*retrain.*accuracy", text, re.MULTILINE)
    assert text.endswith("\n\n1 finding in 1 model.\n")


def test_the_width_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    """The proposal has the width that the user wants."""
    text = told(capsys, "--set", "ARC101.width=20", SAMPLES / "wide_5x5.onnx")
    assert (WIDE, NARROW) == (330_000_000, 37_800_000)
    assert "saves      330,000,000 → 37,800,000 MACs (−88.5 %), ratio 0.11\n" in text
    assert "nn.Conv2d(200, 20, 1),\n" in text


def test_findings_of_several_models_are_summed(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line counts them; the effect of a model is that of all its proposals."""
    naive, clean = SAMPLES / "inception_module_naive.onnx", SAMPLES / "mlpconv.onnx"
    text = told(capsys, naive, clean)
    before = NAIVE + 28 * 28 * 192 * (9 * 128 + 64 + 32)
    three = 28 * 28 * 128 * 9 * 192 - 28 * 28 * 32 * (192 + 9 * 128)
    after = before - three - (NAIVE - REDUCE - EXPAND)
    assert before == 308_281_344
    assert f"with all proposals together: {before:,} → {after:,} MACs (−80.3 %)\n" in text
    assert text.endswith("\n2 findings in 2 models.\n")
    assert told(capsys, clean).endswith("\nNo findings in 1 model.\n")


def test_inputs_that_failed_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """So that no reader takes silence for success."""
    text = told(capsys, SAMPLES / "mlpconv.onnx", "none.onnx", "nor.onnx")
    assert text.endswith("\nNo findings in 1 model, 2 inputs not analysed.\n")


def test_concise_is_one_line_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """Path, node, rule, message and saving; then the count."""
    path = SAMPLES / "inception_module_naive.onnx"
    first, second, last = told(capsys, "--output-format", "concise", path).splitlines()
    assert first.startswith(f"{path}: /inception_3a/branch3x3/conv/Conv: ARC101 wide-convolution: ")
    assert second.startswith(f"{path}: /inception_3a/branch5x5/conv/Conv: ARC101 wide-convolution:")
    assert second.endswith(" [120,422,400 → 12,443,648 MACs (−89.7 %)]")
    assert last == "2 findings in 1 model."


@pytest.mark.parametrize(
    ("parameters", "told_in"),
    [pytest.param(10**6, "MACs", id="macs"), pytest.param(10**10, "parameters", id="parameters")],
)
def test_concise_tells_where_the_saving_is(parameters: int, told_in: str) -> None:
    """In MACs, unless a proposal saves far more parameters."""
    report = lint([str(SAMPLES / "inception_5x5.onnx")], lambda _path: Chosen(choose_rules()))
    (model,) = plain(report).models
    (finding,) = model.findings
    assert finding.proposal is not None
    proposal = replace(finding.proposal, parameters_before=parameters)
    changed = replace(model, findings=(replace(finding, proposal=proposal),))
    line = concise.render(Report("1", (changed,)), Paint()).splitlines()[0]
    assert re.search(rf" \[[\d,]+ → [\d,]+ {told_in} \(−\d", line)


@pytest.mark.parametrize("form", ["full", "concise"])
def test_what_is_unknown_is_told_with_its_remedy(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unbound dims are named, with the options that bind them."""
    path = tmp_path / "unknown.onnx"
    onnx.save(from_text(UNKNOWN).proto, path)
    text = told(capsys, "--output-format", form, path)
    remedies = {name: f"dim '{name}' is unbound; bind it with --dim {name}=128" for name in
                ("seq", "rows")}  # fmt: skip
    assert all(remedy in text for remedy in remedies.values()) or form == "concise"
    assert any(remedy in text for remedy in remedies.values())
    bound = told(capsys, "--output-format", form, "--dim=seq=128", "--dim=rows=64", path)
    assert "is unknown" not in bound


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """No escapes, and no line is broken."""
    text = told(capsys, *sorted(SAMPLES.glob("*.onnx")))
    assert "\x1b" not in text
    lines = text.splitlines()
    messages = [line for line in lines if re.match(r"ARC\d{3} ", line)]
    assert max(map(len, messages)) > 100
    assert not [line for line in lines if line != line.rstrip()]


TTY = [
    pytest.param([], 80, id="full"),
    pytest.param([], 120, id="full-wide"),
    pytest.param(["cost", "--by", "node"], 80, id="cost-by-node"),
    pytest.param(["cost", "--by", "scope"], 80, id="cost-by-scope"),
]


@pytest.mark.parametrize(("arguments", "columns"), TTY)
def test_a_terminal_gets_lines_that_fit(arguments: list[str], columns: int, tmp_path: Path) -> None:
    """Styles, and no line wider than the terminal, however long the path and the names."""
    folder = tmp_path / "a folder of a long name" / "x"
    folder.mkdir(parents=True)
    unknown = folder / "unknown.onnx"
    onnx.save(from_text(UNKNOWN.replace("first", "first" * 40)).proto, unknown)
    flagged = shutil.copy(SAMPLES / "inception_5x5.onnx", folder / "flagged.onnx")
    models = sorted(path.name for path in SAMPLES.glob("*.onnx"))
    text = on_terminal([*arguments, *models, str(unknown), str(flagged)], columns)
    assert "\x1b[1" in text
    lines = [ESCAPE.sub("", line) for line in text.splitlines()]
    assert "\x1b" not in "".join(lines)
    assert [line for line in lines if len(line) > columns] == []
    assert any(len(line) > columns - 10 for line in lines)
    assert len(lines) > 100


class Terminal(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(
    ("environment", "escapes"),
    [
        pytest.param({}, True, id="colour-terminal"),
        pytest.param({"NO_COLOR": "1"}, False, id="no-color"),
        pytest.param({"NO_COLOR": ""}, True, id="no-color-empty"),
        pytest.param({"TERM": "dumb"}, False, id="dumb-terminal"),
    ],
)
def test_colour_can_be_refused(
    environment: dict[str, str], escapes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no colour the text is the same, and still fits."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm", "COLUMNS": "60"} | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(SAMPLES)
    monkeypatch.setattr(sys, "argv", ["archlint", "inception_5x5.onnx"])
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    with pytest.raises(SystemExit):
        main()
    text = terminal.getvalue()
    assert ("\x1b" in text) == escapes
    lines = ESCAPE.sub("", text).splitlines()
    assert "  --> inception_5x5.onnx: conv5x5" in lines
    assert "1 finding in 1 model." in lines
    assert max(len(line) for line in lines if "5×5 conv" not in line) <= 60


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_encoding_of_the_output_works(encoding: str) -> None:
    """Signs that it lacks are written in ASCII."""
    done = subprocess.run(
        [sys.executable, "-m", "archlint", "inception_5x5.onnx", "none.onnx"],
        cwd=SAMPLES,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    text, errors = done.stdout.decode(encoding), done.stderr.decode(encoding)
    arrow, minus, times = ("→", "−", "×") if encoding == "utf-8" else (">", "-", "x")
    assert f"120,422,400 {arrow} 12,443,648 MACs ({minus}89.7 %)" in text
    assert f"5{times}5 conv 192{arrow}32" in text
    assert errors.splitlines() == ["archlint: error: none.onnx: no such file or folder"]
    assert done.returncode == 3


def test_the_sixth_kind_of_place_has_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seven sizes of one fault, the smallest twice: five are told in full, the others in a line."""
    sizes = (80, 72, 64, 56, 48, 40, 28, 28)
    inputs = ", ".join(f"float[1,192,{n},{n}] x{k}" for k, n in enumerate(sizes))
    outputs = ", ".join(f"float[1,192,{n},{n}] y{k}" for k, n in enumerate(sizes))
    weights = ", ".join(f"float[192,192,3,3] w{k}" for k in range(8))
    nodes = " ".join(f"[c{k}] y{k} = Conv <pads = [1,1,1,1]> (x{k}, w{k})" for k in range(8))
    path = tmp_path / "m.onnx"
    onnx.save(from_text(f"g ({inputs}) => ({outputs}) <{weights}> {{ {nodes} }}").proto, path)
    text = told(capsys, "--select", "ARC101", str(path))
    assert text.count("\nARC101") + text.startswith("ARC101") == 6
    _, title, rest = text.partition("ARC101 wide-convolution at 3 more places\n")
    assert title
    first, second, blank, *_ = rest.splitlines()
    assert first.startswith("  c5: 3×3 convolution over 192 channels")
    assert second.startswith("  ×2 c6, c7: 3×3 convolution over 192 channels")
    before, after = (28 * 28 * 192 * taps for taps in (9 * 192, 48 + 9 * 48))
    assert f"[{before:,} → {after:,} MACs" in second
    assert blank == ""
    assert "c5" not in text.partition(title)[0]
