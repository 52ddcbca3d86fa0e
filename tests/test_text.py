"""Text for terminals: numbers, styles, and names of models made harmless."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from archlint.analyzer.rule import RuleContext
from archlint.analyzer.text import (
    Paint,
    change,
    percent,
    percent_change,
    plural,
    safe,
    short,
    size,
    to_ascii,
)  # fmt: skip
from archlint.cli import main
from archlint.rules.wide_convolution import WideConvolution

EVIL = (
    "\x1b[31m\n\rarchlint: fake\x00\x07\x7f\x9b2J\u202e\u2066\u200b\u200d\ufeff\u2028[red]x[/red]"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/block/conv1/Conv", "/block/conv1/Conv", id="plain"),
        pytest.param("模型 é 5×5", "模型 é 5×5", id="letters-of-any-script"),
        pytest.param("[red]x[/red]", "[red]x[/red]", id="markup-means-nothing"),
        pytest.param("\x1b[31m", r"\x1b[31m", id="ansi"),
        pytest.param("\x9b31m", r"\x9b31m", id="ansi-of-one-byte"),
        pytest.param("a\nb\rc\td\x00", r"a\x0ab\x0dc\x09d\x00", id="control"),
        pytest.param("a\u202eb\u2066", r"a\u202eb\u2066", id="bidi"),
        pytest.param("a\u200bb\u200d\ufeff", r"a\u200bb\u200d\ufeff", id="zero-width"),
        pytest.param("a\u2028b\xa0", r"a\u2028b\xa0", id="separators"),
        pytest.param("\U000e0041", r"\U000e0041", id="tag"),
        pytest.param("a\u200ec\u200fd\u061ce\u2069", r"a\u200ec\u200fd\u061ce\u2069", id="marks"),
        pytest.param("a\ufe0fb\U000e0100", r"a\ufe0fb\U000e0100", id="variation-selectors"),
        pytest.param("\u3164\u115f\uffa0\u2800", r"\u3164\u115f\uffa0\u2800", id="fillers"),
        pytest.param("\u2060a\u034f", r"\u2060a\u034f", id="joiners"),
        pytest.param("\ue000\uffff", r"\ue000\uffff", id="private-and-unassigned"),
        pytest.param("e\u0301", "e\u0301", id="accent"),
        pytest.param("\u0301e", r"\u0301e", id="accent-on-what-stands-before"),
        pytest.param("a" + "\u0489" * 6, "a" + "\u0489" * 4 + r"\u0489\u0489", id="piled-marks"),
        pytest.param("::error::x", r"\x3a:error::x", id="workflow-command"),
        pytest.param("  ::error::x", r"  \x3a:error::x", id="workflow-command-indented"),
        pytest.param("std::move", "std::move", id="no-workflow-command"),
        pytest.param("a##[error]b", r"a\x23#[error]b", id="old-workflow-command"),
        pytest.param("###vso[x]", r"#\x23#vso[x]", id="azure-command"),
        pytest.param("##teamcity[x]", r"\x23#teamcity[x]", id="teamcity-command"),
        pytest.param("## title", "## title", id="no-command"),
        pytest.param("\udcff", r"\udcff", id="undecodable-file-name"),
        pytest.param("", "", id="empty"),
        pytest.param("n" * 200, "n" * 200, id="200-characters"),
        pytest.param("n" * 201, "n" * 199 + "…", id="201-characters"),
        pytest.param("层" * 100, "层" * 100, id="200-columns"),
        pytest.param("层" * 101, "层" * 99 + "…", id="202-columns"),
        pytest.param("\n" * 51, r"\x0a" * 49 + "…", id="escapes-take-columns"),
        pytest.param("n" * 10**7, "n" * 199 + "…", id="ten-megabytes"),
    ],
)
def test_text_of_a_model_is_made_harmless(text: str, expected: str) -> None:
    """What a terminal would obey or not show is written out; long text is cut."""
    assert safe(text) == expected


def test_ascii_keeps_the_meaning() -> None:
    """The signs of the reports have their likes in ASCII; the rest is written out."""
    assert to_ascii("5×5 → −3 % · é") == r"5x5 > -3 % | \xe9"


def test_paint_can_be_off() -> None:
    """Styles are escapes on a terminal, and nothing elsewhere."""
    assert Paint()("text", "bold", "red") == "text"
    assert Paint(True)("text", "bold", "red") == "\x1b[1;31mtext\x1b[0m"
    assert Paint(True)("", "bold") == ""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(120_422_400, 12_443_648, "−89.7 %", id="less"),
        pytest.param(100, 150, "+50.0 %", id="more"),
        pytest.param(100, 100, "±0 %", id="equal"),
        pytest.param(100, 0, "−100.0 %", id="nothing-left"),
        pytest.param(0, 5, "new", id="from-nothing"),
        pytest.param(0, 0, "±0 %", id="nothing"),
    ],
)
def test_a_change_has_a_sign(before: int, after: int, expected: str) -> None:
    """The percentage is that of what was there before."""
    assert percent_change(before, after) == expected
    assert change(before, after, "MACs") == f"{before:,} → {after:,} MACs ({expected})"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(0, "0", id="zero"),
        pytest.param(999, "999", id="no-prefix"),
        pytest.param(1_000, "1.000 k", id="kilo"),
        pytest.param(12_443_648, "12.44 M", id="mega"),
        pytest.param(120_422_400, "120.4 M", id="hundreds-of-mega"),
        pytest.param(15_470_264_320, "15.47 G", id="giga"),
        pytest.param(3 * 10**12, "3.000 T", id="tera"),
        pytest.param(4 * 10**15, "4.000 P", id="peta"),
        pytest.param(5 * 10**18, "5.000 E", id="exa"),
        pytest.param(2**63 * 2**63, "8.507e+37", id="larger"),
        pytest.param(10**400, "1.000e+400", id="larger-than-a-float"),
    ],
)
def test_short_numbers_have_four_digits(number: int, expected: str) -> None:
    """Decimal prefixes, in numbers and in bytes."""
    assert short(number) == expected
    assert size(number) == (f"{expected}B" if expected[-1] in "kMGTPE" else f"{expected} B")


def test_shares_and_plurals() -> None:
    """A share of nothing is a dash."""
    assert (percent(1, 8), percent(0, 8), percent(0, 0)) == ("12.5 %", "0.0 %", "-")
    assert [plural(n, "node") for n in (0, 1, 2000)] == ["0 nodes", "1 node", "2,000 nodes"]


def hostile_model(name: str) -> ModelProto:
    """A convolution that a rule flags, an unknown operator, a head; every name holds the text."""
    sizes = {"sizes": [32, 192, 5, 5], "trunk": [32, 32, 5, 5], "head": [32, 32, 3, 3]}
    fills = [helper.make_node("ConstantOfShape", [key], [f"w{key}{name}"]) for key in sizes]
    conv, aux, out = f"conv{name}", f"aux{name}", f"out{name}"
    nodes = [
        *fills,
        helper.make_node("Conv", [f"in{name}", f"wsizes{name}"], [conv], conv, pads=[2] * 4),
        helper.make_node("Conv", [conv, f"whead{name}"], [aux], aux, pads=[1] * 4),
        helper.make_node("Conv", [conv, f"wtrunk{name}"], [out], f"/scope{name}/x", pads=[2] * 4),
        helper.make_node(f"Op{name}", [out], ["odd"], domain=f"domain{name}"),
    ]
    graph = helper.make_graph(
        nodes,
        f"graph{name}",
        [helper.make_tensor_value_info(f"in{name}", 1, [f"n{name}", 192, 28, 28])],
        [helper.make_tensor_value_info(value, 1, None) for value in (out, aux, "odd")],
        [helper.make_tensor(k, TensorProto.INT64, [4], dims) for k, dims in sizes.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(f"domain{name}", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


COMMANDS = [
    pytest.param(["check"], id="full"),
    pytest.param(["check", "--output-format", "concise"], id="concise"),
    pytest.param(["cost"], id="cost-by-node"),
    pytest.param(["cost", "--by", "op"], id="cost-by-op"),
    pytest.param(["cost", "--by", "scope"], id="cost-by-scope"),
    pytest.param(["check", "--output-format", "json"], id="json"),
    pytest.param(["cost", "--output-format", "json"], id="cost-json"),
    pytest.param(["check", "--select", "ARC1,{}"], id="selector"),
    pytest.param(["check", "--set", "ARC101.{}=1"], id="set"),
    pytest.param(["check", "--dim", "{}=1"], id="dim"),
    pytest.param(["check", "--input-shape", "{}=1"], id="input-shape"),
    pytest.param(["check", "--output-format", "{}"], id="choice"),
    pytest.param(["check", "--{}"], id="unknown-option"),
    pytest.param(["check", "{}"], id="missing-file"),
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_nothing_hostile_reaches_the_terminal(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No control or invisible character, and no line that a name has made."""
    text = EVIL.replace("\x00", "") if "{}" in "".join(arguments) else EVIL
    path = tmp_path / f"{EVIL.replace(chr(0), '').replace('/', '')}.onnx"
    onnx.save(hostile_model(EVIL), path)
    given = [argument.replace("{}", text) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["archlint", *given, str(path)])
    with pytest.raises(SystemExit):
        main()
    output, errors = capsys.readouterr()
    lines = f"{output}{errors}".splitlines()
    assert arguments != ["check"] or any(line.startswith("ARC302 ") for line in lines)
    assert [line for line in lines if not line.isprintable()] == []
    assert [line for line in lines if line.startswith("archlint: fake")] == []
    assert "archlint failed" not in errors


@pytest.mark.parametrize("options", [[], ["--output-format", "concise"]], ids=["full", "concise"])
def test_nor_does_it_where_a_rule_crashes(
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The words of the fault are text of the model too."""

    def crash(_rule: WideConvolution, _context: RuleContext) -> Iterator[None]:
        raise KeyError(EVIL)

    monkeypatch.setattr(WideConvolution, "match", crash)
    path = tmp_path / "\x1b[31m\n.onnx"
    onnx.save(hostile_model(""), path)
    monkeypatch.setattr(sys, "argv", ["archlint", *options, str(path)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    lines = capsys.readouterr().out.splitlines()
    assert any("ARC900" in line for line in lines)
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.parametrize("arguments", COMMANDS[:5])
def test_long_names_are_cut(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A name of 10,000 characters takes 200."""
    path = tmp_path / "long.onnx"
    onnx.save(hostile_model("m" * 10_000), path)
    monkeypatch.setattr(sys, "argv", ["archlint", *arguments, str(path)])
    with pytest.raises(SystemExit):
        main()
    output, _ = capsys.readouterr()
    assert "m" * 150 in output
    assert "m" * 200 not in output
