"""What a page says of a change: words, numbers, tables, and the picture of the parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archlint.analyzer.compare.architecture import Operation
from archlint.analyzer.compare.difference import Difference, ScopeChange, compare
from archlint.analyzer.report import Change, ModelReport
from archlint.analyzer.report.html import change, dumbbell
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.operation_text import described, differing
from archlint.analyzer.timing.measurement import Comparison, Measured
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.statistics import Clock, Interval
from archlint.work import Prepared, Request, Task, answer
from partials import Partial
from reports import BEFORE, HOSTILE, finding, model, totals

SAMPLES = Path(__file__).parent.parent / "samples"
PIXELS = 28 * 28


def page(report: ModelReport) -> Partial:
    return Partial("change.html.j2", change.section(report, Ids()))


def compared(difference: Difference | None, base: str = "main", **known: Any) -> ModelReport:
    return model(change=replace(Change(base, difference), **known))


def between(base: str, head: str) -> ModelReport:
    """A sample against another one."""
    request = replace(Request.of({"isolated": True}, layers=True), architectures=True)
    prepared = Prepared(request.configuration())
    was, now = (answer(request, Task(str(SAMPLES / name)), prepared) for name in (base, head))
    assert was.architecture is not None
    assert now.architecture is not None
    assert now.report is not None
    found = compare(was.architecture, now.architecture)
    return replace(now.report, change=Change(base, found))


def operation(label: str = "conv", macs: int | None = 5, **known: Any) -> Operation:
    plain = Operation("Conv", "", ("8x4x3x3",), ("1x8x4x4",), (-1,), 288, macs, (), label)
    return replace(plain, **known)


def timed(low: float, high: float) -> Measured:
    """A head that takes between so many times what its base takes. The median of the ratios of
    pairs need not be the ratio of the medians, and here it is not."""
    (cpu,) = parse_providers([])
    ratio = (low + high) / 2
    return Measured(
        cpu,
        Comparison(
            cpu, 2, Clock.CPU, "1.0", 1e8, 1e8 * low, ratio, Interval(low, high), 30, 0,
            {cpu.full_name: 1}, {cpu.full_name: 1}, 0,
        ),
    )  # fmt: skip


def test_there_is_no_section_without_a_base() -> None:
    assert change.section(model(), Ids()) is None


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (model(change=Change()), "The base has no such model."),
        (compared(None), "The file is the same as in the base (main)."),
        (compared(Difference(totals(5), totals(5), 9)), "Nothing differs from main but, perhaps,"),
    ],
)
def test_nothing_differs(report: ModelReport, told: str) -> None:
    seen = page(report)
    assert told in seen.text
    assert not seen.tags["svg"]


def test_real_models_are_told_in_the_numbers_of_the_formula() -> None:
    """The 3×3 and 5×5 branches of an Inception module with and without their 1×1 reductions."""
    seen = page(between("inception_module.onnx", "inception_module_naive.onnx"))
    reduced = (9 * 96 * 128 + 192 * 96) * PIXELS, (25 * 16 * 32 + 192 * 16) * PIXELS
    naive = 9 * 192 * 128 * PIXELS, 25 * 192 * 32 * PIXELS
    assert (reduced, naive) == ((101_154_816, 12_443_648), (173_408_256, 120_422_400))
    for told in (
        "Against inception_module.onnx: 4 nodes removed, 2 changed, 8 unchanged.",
        "10 of 14 nodes recognised (71.4 %).",
        "128.0 M → 308.3 M MACs (+140.8 %).",
        "inception_3a.branch3x3 101.2 M → 173.4 M (+71.4 %)",
        "inception_3a.branch5x5 12.44 M → 120.4 M (+867.7 %)",
        f"MACs 128,049,152 308,281,344 +{sum(naive) - sum(reduced):,} (+140.8 %)",
        "/inception_3a/branch5x5/conv/Conv +110,387,200 (+1100.0 %) changed 5×5 conv 16→32",
        "5×5 conv 192→32 10,035,200 120,422,400",
        f"−{192 * 96 * PIXELS:,} removed 1×1 conv 192→96 {192 * 96 * PIXELS:,}",
        "6 nodes differ",
        "And 2 removed nodes without MACs: Relu ×2 /inception_3a/branch3x3/reduce/Relu removed",
    ):
        assert told in seen.text
    assert "#node-4" in seen.targets  # the 5×5 of the head
    section = change.section(between("inception_module.onnx", "inception_module_naive.onnx"), Ids())
    assert section is not None
    assert section.linked == {2, 4}


def test_a_head_that_costs_less_is_told_in_the_same_words() -> None:
    report = between("inception_module_naive.onnx", "inception_module.onnx")
    seen = page(report)
    section = change.section(report, Ids())
    assert section is not None
    assert {f"#node-{place}" for place in section.linked} == set(seen.targets)
    assert len(section.linked) == 4 + 2  # those without MACs too
    assert "4 nodes added, 2 changed, 8 unchanged" in seen.text
    assert "308.3 M → 128.0 M MACs (−58.5 %)." in seen.text
    assert 'class="num down">−180,232,192 (−58.5\u00a0%)</td>' in seen.source


def test_what_costs_more_has_a_plus_and_a_colour() -> None:
    before = replace(totals(100), weight_bytes=3_000_000, file_bytes=None)
    after = replace(totals(150), parameters=400_000, operations=11)
    seen = page(compared(Difference(before, after, 9)))
    cells = re.findall(r'<td class="num( up| down)?">([^<]*)</td>', seen.source)
    changes = [(tone.strip(), text.replace("\u00a0", " ")) for tone, text in cells][2::3]
    assert changes == [
        ("up", "+50 (+50.0 %)"),
        ("down", "−100,000 (−20.0 %)"),
        ("", "unknown"),  # one file's size is
        ("down", "−1.000 MB (−33.3 %)"),
        ("", "unchanged"),
        ("", "+2 (+22.2 %)"),  # more nodes are no worse
    ]


def test_unknown_costs_are_told_as_such() -> None:
    after = replace(totals(700), unknown=2)
    added = (operation("new", None),)
    seen = page(compared(Difference(totals(500), after, 9, added=added)))
    assert "500 → at least 700 MACs (+40.0 %)." in seen.text
    assert "MACs 500 at least 700 +200 (+40.0 %) of what is known" in seen.text
    assert "Nodes of unknown cost 0 2 +2" in seen.text
    assert "1 node differs" in seen.text
    assert "new unknown added 3×3 conv 4→8 unknown" in seen.text
    assert "without MACs" not in seen.text  # unknown is never zero
    lost = page(compared(Difference(totals(None), totals(5), 9)))
    assert "unknown → 5 MACs." in lost.text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            timed(1.7, 1.9),
            "This change adds 80.0 % to its time, measured on cpu: 100 ms → 170 ms, ratio 1.800 [",
        ),
        (timed(1.02, 1.04), "This change adds 3.0 % to its time, measured on cpu: 100 ms → 102 ms"),
        (
            timed(0.4, 0.6),
            "This change takes 50.0 % off its time, measured on cpu: 100 ms → 40.0 ms",
        ),
        (timed(0.97, 1.05), "No measurable change, measured on cpu: 100 ms → 97.0 ms"),
        (Measured(timed(1, 1).provider, why="no room"), "Not measured on cpu: no room."),
    ],
)
def test_the_stopwatch_says_what_the_change_does(given: Measured, told: str) -> None:
    seen = page(compared(None, measured=(given,)))
    assert told in seen.text
    assert ("adds" in seen.text, "off its" in seen.text) == ("adds" in told, "off its" in told)
    assert seen.text.count("%") == ("adds" in told or "off its" in told)  # that of the pairs alone
    for word in ("onfirmed", "efuted", "nconclusive"):  # a change is no claim
        assert word not in seen.text
    if given.comparison is not None:
        interval = given.comparison.interval
        assert f"[{interval.low:.3f} to {interval.high:.3f}]" in seen.text
    else:
        assert " ms" not in seen.text


def test_what_changed_most_comes_first_and_the_rest_is_counted() -> None:
    added = tuple(operation(f"n{place:03}", place) for place in range(300))
    changed = ((operation("c", 1_000), operation("c", 100, attributes="strides=2,2")),)
    seen = page(compared(Difference(totals(5), totals(9), 9, (), added, (), changed)))
    assert "head c −900 (−90.0 %) changed 3×3 conv 4→8" in seen.text
    assert "n299" in seen.text
    assert "n100" not in seen.text  # c and 199 others are shown
    assert "And 100 more nodes." in seen.text
    assert "And 1 added node without MACs: Conv ×1 n000 added" in seen.text


def test_names_that_several_layers_have_lead_nowhere() -> None:
    report = between("inception_module.onnx", "inception_module_naive.onnx")
    twins = tuple(replace(layer, label="same") for layer in report.layers)
    assert not [t for t in page(replace(report, layers=twins)).targets if "node" in t]


def test_fixed_findings_are_listed() -> None:
    seen = page(compared(None, fixed=(finding("gone"),) * 60))
    assert "This change fixes 60 findings gone: ARC101 wide-convolution: 5×5 conv" in seen.text
    assert "and 10 more" in seen.text


SCOPES = (
    ScopeChange("grown", 100, 250, 5, 5),
    ScopeChange("shrunk", 200, 50, 5, 5),
    ScopeChange("new", None, 80, None, 5),
    ScopeChange("gone", 90, None, 5, None),
    ScopeChange("unclear", 10, None, 5, 5),
    ScopeChange("even", 40, 40, 5, 7),
)


def test_dots_stand_where_the_numbers_are() -> None:
    drawing = dumbbell.draw(SCOPES)
    titles = re.findall(r"<circle.*?cx=\"([\d.]+)\".*?<title>(\w+: [\d,]+)</title>", drawing)
    where = {title: float(x) for x, title in titles}
    origin = where["base: 100"] - (where["head: 250"] - where["base: 100"]) * 100 / 150
    scale = (where["head: 250"] - where["base: 100"]) / 150
    for title, x in where.items():
        number = int(title.split(": ")[1])
        assert x == pytest.approx(origin + number * scale, abs=0.2)
    assert len(titles) == 2 + 2 + 1 + 1 + 1 + 2


@pytest.mark.parametrize(
    "told",
    [
        "100 → 250 (+150.0 %)",
        "200 → 50 (−75.0 %)",
        "new: +80",
        "gone: −90",
        "10 → unknown",
        "unchanged",
    ],
)
def test_parts_are_told_beside_their_dots(told: str) -> None:
    assert told in dumbbell.draw(SCOPES)


def test_parts_without_macs_are_drawn_by_their_parameters() -> None:
    only = (ScopeChange("embedding", 0, 0, 1_000, 4_000),)
    assert "1.000 k → 4.000 k (+300.0 %)" in dumbbell.draw(only)
    assert dumbbell.unit_of(only) == "parameters"
    assert not dumbbell.draw(())


def test_the_parts_that_changed_most_are_drawn_in_their_order() -> None:
    scopes = [ScopeChange(f"part{n:02}", 0, n, 0, 0) for n in range(1, 41)]
    drawing = dumbbell.draw(scopes)
    names = re.findall(r"part\d\d", drawing)
    assert names == [f"part{n:02}" for n in range(17, 41)]
    assert "and 16 parts that changed less" in drawing


@pytest.mark.parametrize("most", [1, 9, 123, 99_999_999, 10**13])
def test_a_grid_has_a_few_round_lines(most: int) -> None:
    drawing = dumbbell.draw([ScopeChange("part", 0, most, 0, 0)])
    numbers = re.findall(r">([\d.]+)( [kMGTP])?</text>", drawing)
    assert 2 <= len(numbers) <= 7
    digits = {number.replace(".", "").strip("0") for number, _ in numbers}
    assert all(len(one) <= 2 for one in digits)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({}, "3×3 conv 4→8"),
        ({"weights": ("96x32x5x5",)}, "5×5 conv 32→96"),
        ({"weights": ("32x1x3x3",), "attributes": "group=32"}, "3×3 depthwise conv 32→32"),
        ({"weights": ("32x4x3x3",), "attributes": "group=8"}, "3×3 conv 32→32, 8 groups"),
        ({"weights": ("8x4x3",)}, "3-tap conv 4→8"),
        ({"attributes": "strides=2,2"}, "3×3 conv 4→8 strides=2,2"),
        ({"operator": "Gemm", "weights": ("10x84",)}, "Gemm 10×84"),
        ({"weights": ()}, "Conv"),
        ({"weights": ("?x4x3x3",)}, "Conv ?×4×3×3"),
    ],
)
def test_operations_in_words(known: dict[str, Any], told: str) -> None:
    assert described(operation(**known)) == told


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({}, {"weights": ("8x64x3x3",)}, ("3×3 conv 4→8", "3×3 conv 64→8")),
        (
            {"attributes": "pads=1,1 strides=1,1"},
            {"attributes": "pads=1,1 strides=2,2"},
            ("3×3 conv 4→8 strides=1,1", "3×3 conv 4→8 strides=2,2"),
        ),
        ({}, {}, ("3×3 conv 4→8", "3×3 conv 4→8, of another value")),
    ],
)
def test_how_operations_differ(
    was: dict[str, Any], now: dict[str, Any], told: Sequence[str]
) -> None:
    assert differing(operation(**was), operation(**now)) == tuple(told)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_models_are_harmless(text: str) -> None:
    hostile = operation(text, attributes=text, weights=(text,), operator=text)
    scopes = (ScopeChange(text, 1, 2, 3, 4),)
    difference = Difference(
        totals(BEFORE), totals(5), 9, scopes, (hostile,), (hostile,), ((hostile, operation()),)
    )
    seen = page(compared(difference, text, fixed=(finding(text, message=text),)))
    plain = page(compared(replace(difference, scopes=SCOPES), fixed=(finding(),)))
    assert set(seen.tags) <= {*plain.tags, "rect", "circle"}
    assert not [name for name in seen.attributes if name.startswith("on") or name == "style"]
    assert len(seen.ids) == len(set(seen.ids))
    assert all(target.startswith("#") for target in seen.targets)
    seen.source.encode()  # surrogates are written out
