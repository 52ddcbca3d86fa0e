"""The pictures of where the cost of a model is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from archlint.analyzer.cost import Cost
from archlint.analyzer.report import ModelReport, Predicted
from archlint.analyzer.report.html.charts import cost_map, depth, roofline, scatter, strips
from archlint.analyzer.report.html.charts.dots import Area
from archlint.analyzer.report.html.charts.measures import Measure, groups, share, whole
from archlint.analyzer.report.html.charts.plot import plot
from archlint.analyzer.report.html.charts.short_names import short_name
from archlint.analyzer.report.html.charts.steps import ticks
from archlint.analyzer.report.html.charts.treemap import Area as Room
from archlint.analyzer.report.html.charts.treemap import in_rows, row_ends, squarified
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.svg import Figure, text_width
from archlint.analyzer.report.layers import Kernels, LayerReport
from inherited import marks
from reports import model as reported

_SVG = "{http://www.w3.org/2000/svg}"
_MACHINE = Predicted("cpu, 1 thread", "cpu", 1, "wall", "1.20", 5e6, 0, mac_ns=0.02, byte_ns=0.1)
_HOSTILE = '"><script>alert(1)</script>'


def conv(name: str, macs: int | None, **rest: object) -> LayerReport:
    cost = None if macs is None else Cost(macs, bytes_read=macs // 40, bytes_written=macs // 40)
    plain = LayerReport(
        name.replace(".", "/"), "Conv", "3×3 conv 64→64, stride 2", "1x64x28x28",
        scope=tuple(name.split(".")[:-1]), cost=cost, parameters=0 if macs is None else macs // 100,
    )  # fmt: skip
    return replace(plain, **rest)  # type: ignore[arg-type]  # the tests name the fields


def drawn(layers: list[LayerReport], *, machine: bool = False, timed: bool = False) -> ModelReport:
    kernels = None
    if timed:
        total = sum(layer.measured or 0 for layer in layers)
        kernels = Kernels("cpu", "1.20", total, 0, 50, 1.0, disturbed=False)
    predicted = _MACHINE if machine else None
    return replace(
        reported(), layers=tuple(layers), predicted=predicted, kernels=kernels, findings=()
    )


def static() -> ModelReport:
    """Six blocks of four layers; nothing is known of time."""
    return drawn([
        conv(f"net.block{block}.conv{number}", 1_000_000 * (block + 1) * (number + 1))
        for block in range(6)
        for number in range(4)
    ])  # fmt: skip


def timed() -> ModelReport:
    """The same with times: a Relu in each kernel, one prediction that is far off, one missing."""
    layers: list[LayerReport] = []
    for place, layer in enumerate(static().layers):
        at = 2 * place
        time = (layer.cost.macs if layer.cost else 0) * 0.03
        layers.append(replace(layer, predicted=time * 0.9, measured=time, kernel=(at, at + 1)))
        relu = LayerReport(f"{layer.label}.relu", "Relu", "Relu", "", cost=Cost(), predicted=0.0)
        layers.append(replace(relu, scope=layer.scope, within=at))
    layers[6] = replace(layers[6], measured=layers[6].predicted * 5 if layers[6].predicted else 0)
    lrn = conv("net.norm.lrn", 0, operator="LRN", described="LRN", measured=400_000.0, kernel=(48,))
    return drawn([*layers, lrn], machine=True, timed=True)


def predicted() -> ModelReport:
    return drawn([replace(one, measured=None, kernel=()) for one in timed().layers], machine=True)


def unknown() -> ModelReport:
    layers = list(static().layers)
    return drawn([*layers, conv("net.block6.warp", None, why="its shape"), conv("odd", None)])


def nothing_known() -> ModelReport:
    return drawn([conv(f"conv{number}", None) for number in range(3)])


def hostile() -> ModelReport:
    layers = [
        replace(layer, label=_HOSTILE * 3, described=_HOSTILE, scope=(_HOSTILE, *layer.scope))
        for layer in timed().layers
    ]
    return drawn(layers, machine=True, timed=True)


@cache
def deep() -> ModelReport:
    return drawn(
        [
            conv(f"net.stage{number // 600}.conv{number}", 1_000 + number * 7 % 5_000,
                 predicted=100.0 + number, measured=120.0 + 3 * number, kernel=(number,))
            for number in range(5_000)
        ],
        machine=True, timed=True,
    )  # fmt: skip


def wide() -> ModelReport:
    """Names in characters that are twice as wide."""
    layers = [
        replace(one, label="卷积" * 9, scope=(f"模块{one.scope[-1]}",)) for one in timed().layers
    ]
    return drawn(layers, machine=True, timed=True)


_MODELS = (static, timed, predicted, unknown, nothing_known, hostile, deep, wide)


class Nowhere(Ids):
    """No rows to lead to: tooltips tell all themselves."""

    def node(self, place: int) -> str:
        """No row."""
        return ""


def pictures(model: ModelReport) -> dict[str, Figure]:
    """All that there are of a model."""
    ids = Ids()
    found = {
        "strips": strips.draw(model),
        "depth": depth.draw(model, ids),
        "scatter": scatter.draw(model, ids),
        "roofline": roofline.draw(model, ids),
        **{str(by): cost_map.draw(model, ids, by) for by in cost_map.measures(model)},
    }
    return {name: figure for name, figure in found.items() if figure is not None}


@cache
def shown(make: Callable[[], ModelReport]) -> dict[str, Figure]:
    """The pictures of a model, drawn once."""
    return pictures(make())


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text and what it covers."""

    says: str
    size: float
    area: Area


def texts(element: ET.Element, x: float = 0, y: float = 0) -> Iterator[Text]:
    """All text of a picture where it stands."""
    if moved := re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", "")):
        x, y = x + float(moved[1]), y + float(moved[2])
    if element.tag == f"{_SVG}text":
        size = float(element.get("font-size", ""))
        says = element.text or ""
        wide = text_width(says, size, bold=element.get("font-weight") == "600")
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[element.get("text-anchor", "start")]
        left, base = x + float(element.get("x", "")) - share * wide, y + float(element.get("y", ""))
        yield Text(says, size, Area(left, base - 0.7 * size, left + wide, base))
    for child in element:
        yield from texts(child, x, y)


def parsed(figure: Figure) -> ET.Element:
    return marks(figure.svg)


def rects(element: ET.Element, tone: str = "") -> list[Room]:
    return [
        Room(*(float(one.get(name, "nan")) for name in ("x", "y", "width", "height")))
        for one in element.iter(f"{_SVG}rect")
        if one.get("class", "").startswith(f"f-{tone}")
    ]


@pytest.mark.parametrize("make", _MODELS)
def test_text_is_legible_whole_and_covers_no_other(make: Callable[[], ModelReport]) -> None:
    for name, figure in shown(make).items():
        root = parsed(figure)
        width, height = float(root.get("width", "")), float(root.get("height", ""))
        assert width <= 960
        found = list(texts(root))
        assert found, name
        for one in found:
            assert one.size >= 11, one
            assert Area(0, 0, width, height).holds(one.area), (name, one)
        for one, other in combinations(found, 2):
            assert not one.area.overlaps(other.area), (name, one, other)


@pytest.mark.parametrize("make", _MODELS)
def test_the_same_report_gives_the_same_bytes(make: Callable[[], ModelReport]) -> None:
    assert pictures(make()) == shown(make)


def test_nothing_of_a_model_is_markup() -> None:
    for figure in shown(hostile).values():
        assert "<script" not in figure.svg
        assert not re.search(r" (style|id|on\w+)=", figure.svg)
    assert "<script" not in plot(hostile(), "cost-map")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (static, {"strips", "depth", "MACs", "parameters"}),
        (
            timed,
            {"strips", "depth", "scatter", "roofline", "measured time", "MACs", "parameters"},
        ),
        (predicted, {"strips", "depth", "roofline", "predicted time", "MACs", "parameters"}),
        (nothing_known, set()),
        (lambda: drawn([]), set()),
    ],
)
def test_pictures_are_those_of_what_is_known(
    make: Callable[[], ModelReport], expected: set[str]
) -> None:
    assert set(shown(make)) == expected


@pytest.mark.parametrize("name", ["strips", "depth", "MACs"])
def test_what_is_unknown_is_said(name: str) -> None:
    figure = shown(unknown)[name]
    said = " ".join([figure.caption, *(one.says for one in texts(parsed(figure)))])
    assert "2 nodes" in said
    assert "unknown" in said


def test_macs_that_are_all_unknown_are_no_strip_and_are_said() -> None:
    figure = pictures(drawn([replace(conv("a.conv", None), parameters=9)]))["strips"]
    assert "The MACs of 1 node are unknown." in figure.caption
    assert "MACs" not in [one.says for one in texts(parsed(figure))]


def test_an_unknown_height_is_a_frame_and_no_bar() -> None:
    root = parsed(shown(unknown)["depth"])
    framed = [one for one in root.iter(f"{_SVG}rect") if one.get("stroke-dasharray")]
    assert len(framed) == 2
    assert all("MACs unknown" in "".join(one.itertext()) for one in framed)


# Strips


def test_a_strip_is_divided_by_shares() -> None:
    """Block k of 6 has k of the 21 parts of the MACs: its layers have 1 to 4 times k million."""
    root = parsed(shown(static)["strips"])
    first = next(root.iter(f"{_SVG}g"))
    found = rects(first)
    whole = sum(one.width for one in found)
    shares = [one.width / whole for one in found]
    assert shares == pytest.approx([k / 21 for k in range(1, 7)], abs=0.001)
    for one, other in pairwise(found):
        assert one.x + one.width == pytest.approx(other.x, abs=0.11)


def test_parts_keep_their_colour_in_all_strips() -> None:
    root = parsed(shown(timed)["strips"])
    rows = [
        {
            "".join(one.itertext()).split("\n")[0]: one.get("class")
            for one in row.iter(f"{_SVG}rect")
        }
        for row in root
    ]
    assert len(rows) == 3
    for name in rows[0].keys() & rows[1].keys():
        assert rows[0][name] == rows[1][name]
    assert Counter(rows[0].values()).most_common(1)[0][0] == f"f-{Tone.EVEN} s-{Tone.SURFACE}"


def test_a_strip_tells_what_it_counts() -> None:
    """Its own measure; the tooltips of the strips below tell theirs."""
    first, second, _ = parsed(shown(timed)["strips"])
    told = ["".join(one.itertext()) for row in (first, second) for one in row.iter(f"{_SVG}title")]
    assert told[0] == "block0\n8 nodes\nMACs 10.00 M (4.8 %)"
    assert all(("MACs" in one) != ("measured time" in one) for one in told)


def test_a_part_that_is_too_narrow_for_its_name_has_none() -> None:
    layers = [conv("net.first.0.conv", 1), conv("net.second.1.conv", 5_000_000)]
    said = [one.says for one in texts(parsed(pictures(drawn(layers))["strips"]))]
    assert "second" in said
    assert not any("first" in text for text in said)


def test_no_part_stands_out_of_equal_ones() -> None:
    even = drawn([conv(f"net.block{number}.conv", 1_000_000) for number in range(8)])
    figure = pictures(even)["strips"]
    assert "warm" not in figure.svg
    assert "Orange" not in figure.caption


# The map


@pytest.mark.parametrize(
    "values",
    [[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0], [1.0], [1000.0, 1.0, 1.0], [5.0] * 40, [3.0, 2.0, 1e-9]],
)
def test_a_treemap_fills_its_area_in_proportion(values: list[float]) -> None:
    room = Room(10, 20, 600, 400)
    found = squarified(values, room)
    scale = room.size / sum(values)
    assert [area.size for area in found] == pytest.approx([value * scale for value in values])
    for one in found:
        assert one.x >= 10 - 1e-6
        assert one.y >= 20 - 1e-6
        assert one.x + one.width <= 610 + 1e-6
        assert one.y + one.height <= 420 + 1e-6
    for one, other in combinations(found, 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert min(across, down) <= 1e-6


def test_the_treemap_of_the_paper() -> None:
    """Bruls, Huizing and van Wijk, figure 4: the first two of 6, 6, 4, 3, 2, 2, 1 in 6 × 4 stand
    on each other, 3 × 2 each; 4 and 3 lie beside each other."""
    first, second, third, fourth, *_ = squarified([6, 6, 4, 3, 2, 2, 1], Room(0, 0, 6, 4))
    assert tuple(first) == pytest.approx((0, 0, 3, 2))
    assert tuple(second) == pytest.approx((0, 2, 3, 2))
    assert (third.height, fourth.height) == pytest.approx((7 / 3, 7 / 3))
    assert third.width / fourth.width == pytest.approx(4 / 3)


def test_equal_parts_are_a_grid_in_their_order() -> None:
    """Of 12 in 960 × 420: 6 × 2 are 160 × 210 each, 5 in a row would be 192 × 140 or longer."""
    room = Room(0, 0, 960, 420)
    found = in_rows([2.0] * 12, row_ends([2.0] * 12, room), room)
    assert [tuple(one) for one in found] == [
        pytest.approx((160 * (at % 6), 210 * (at // 6), 160, 210)) for at in range(12)
    ]


def test_rows_fill_an_area_in_proportion() -> None:
    room, values = Room(10, 20, 600, 400), [6.0, 1.0, 4.0, 3.0, 2.0, 2.0, 1.0]
    found = in_rows(values, row_ends(values, room), room)
    scale = room.size / sum(values)
    assert [one.size for one in found] == pytest.approx([value * scale for value in values])
    assert max(one.x + one.width for one in found) == pytest.approx(610)
    assert max(one.y + one.height for one in found) == pytest.approx(420)


@pytest.mark.parametrize("make", [static, timed, deep])
def test_cells_of_a_map_are_in_proportion(make: Callable[[], ModelReport]) -> None:
    """By what their tooltips say they stand for, which has two digits at least."""
    figure = cost_map.draw(make(), Nowhere(), Measure.MACS)
    assert figure is not None
    found = []
    for group in parsed(figure).iter():
        title = group.find(f"{_SVG}title")
        if title is None or "MACs " not in (title.text or ""):
            continue
        mark = group if group.tag == f"{_SVG}rect" else group.find(f"{_SVG}rect")
        assert mark is not None
        percents = float(re.search(r"MACs .*\((?:< )?([\d.]+) %\)", title.text or "")[1])  # type: ignore[index]
        found.append((percents, float(mark.get("width", "")) * float(mark.get("height", ""))))
    drawn_ = sum(size for _, size in found)
    for percents, size in found:
        if percents >= 1:
            assert 100 * size / drawn_ == pytest.approx(percents, rel=0.08)


def test_the_map_of_a_large_model_has_few_cells_and_no_hole() -> None:
    figure = shown(deep)["MACs"]
    assert figure.svg.count("<rect") <= 400
    assert re.search(r"\d[\d,]* smaller", figure.svg)
    covered = sum(one.size for one in rects(parsed(figure)))
    headers = 15 * 960  # one row of parts at most in each of a few rows
    assert 960 * 420 - 6 * headers <= covered <= 960 * 420 + 400


def test_colour_tells_time_beside_macs() -> None:
    """LRN has time and no MACs; the rest is as slow as its MACs, but for one that is 5 × slower."""
    root = parsed(shown(timed)["measured time"])
    lrn = next(a for a in root.iter(f"{_SVG}a") if a.get("href") == "#node-48")
    assert "".join(lrn.itertext()) == "net/norm/lrn"
    assert tones(shown(timed)["measured time"])["net/norm/lrn"] == Tone.WARM_2


@pytest.mark.parametrize(("macs", "tone"), [(0, Tone.EVEN), (3_000_000, Tone.COOL_2)])
def test_what_takes_little_is_faint_whatever_its_ratio(macs: int, tone: Tone) -> None:
    """Under 1 % of the time, with none of the MACs and with 1.4 % of them."""
    little = conv("net.end.relu", macs, measured=30_000.0, kernel=(49,))
    model = drawn([*timed().layers, little], timed=True)
    assert tones(pictures(model)["measured time"])["net/end/relu"] == tone


def tones(figure: Figure) -> dict[str, str]:
    """The colour of each cell by the first line of its tooltip."""
    found = {}
    for parent in parsed(figure).iter():
        title, mark = parent.find(f"{_SVG}title"), parent.find(f"{_SVG}rect")
        mark = parent if parent.tag == f"{_SVG}rect" else mark
        if title is not None and mark is not None:
            found[(title.text or "").split("\n")[0]] = mark.get("class", "").split()[0][2:]
    return found


def test_a_cell_of_unknown_macs_is_dashed_and_no_cold_one() -> None:
    layers = [conv("net.a.conv", 1_000), conv("net.b.conv", None, parameters=900)]
    figure = pictures(drawn(layers))["parameters"]
    assert tones(figure)["net/b/conv"] == Tone.NEUTRAL
    assert figure.svg.count("stroke-dasharray") == 1
    assert (Tone.NEUTRAL, "MACs unknown, dashed") in figure.legend


def test_without_any_macs_colour_is_the_share_of_parameters() -> None:
    """10, 30 and 60 %: the steps below 60 are 50, 20, 10, 5 and 2."""
    shares = {"a": 10, "b": 30, "c": 60}
    layers = [conv(f"net.{name}.conv", None, parameters=n) for name, n in shares.items()]
    figure = pictures(drawn(layers))["parameters"]
    assert tones(figure) == {
        "net/a/conv": Tone.HEAT_3, "net/b/conv": Tone.HEAT_4, "net/c/conv": Tone.HEAT_5
    }  # fmt: skip
    assert figure.caption.endswith("Colour: share of the parameters.")


def test_small_layers_together_are_no_hot_spot() -> None:
    """1,000 equal layers are too many for cells of their own; each has 0.05 % of the MACs."""
    equal = [conv(f"net.many.conv{number}", 1_000) for number in range(1_000)]
    figure = pictures(drawn([*equal, conv("net.one.conv", 1_000_000)]))["MACs"]
    assert tones(figure) == {"many": Tone.HEAT_0, "net/one/conv": Tone.HEAT_5}
    assert "1,000 layers" in [one.says for one in texts(parsed(figure))]


def test_a_cell_has_the_work_of_its_whole_kernel() -> None:
    found = groups(timed().layers)
    assert [group.places for group in found[:2]] == [(0, 1), (2, 3)]
    assert len(found) == 25
    total = whole(timed().layers)
    assert sum(group.sums.measured or 0 for group in found) == pytest.approx(total.measured)
    assert sum(group.sums.macs or 0 for group in found) == total.macs


# Along the network


def test_bars_have_the_heights_of_their_costs() -> None:
    root = parsed(shown(static)["depth"])
    heights = [one.height for one in sorted(rects(root))]
    costs = [layer.cost.macs for layer in static().layers if layer.cost]
    tallest = max(heights)
    assert [height / tallest for height in heights] == pytest.approx(
        [cost / max(costs) for cost in costs], abs=0.002
    )


def test_many_layers_share_bars() -> None:
    """5,000 layers in bars of ceil(5,000 / 300) = 17: 295 of them."""
    figure = shown(deep)["depth"]
    assert "Each bar is the sum of 17 layers." in figure.caption
    assert figure.svg.count("<rect") == 295


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (40, [0, 10, 20, 30, 40]),
        (41, [0, 10, 20, 30, 40, 50]),
        (0.07, [0, 0.02, 0.04, 0.06, 0.08]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_axes_end_at_round_numbers(most: float, expected: list[float]) -> None:
    assert ticks(most) == pytest.approx(expected)


def test_only_what_stands_out_is_named() -> None:
    even = drawn([conv(f"net.block{number}.conv", 1_000_000) for number in range(8)])
    assert Tone.WARM_2 not in pictures(even)["depth"].svg
    peak = drawn([*even.layers, conv("net.block8.peak", 9_000_000)])
    assert "peak" in [one.says for one in texts(parsed(pictures(peak)["depth"]))]


@pytest.mark.parametrize(("quick", "told"), [(0.0, False), (0.5, True)])
def test_two_lines_that_are_one_are_drawn_once(quick: float, told: bool) -> None:
    """Times that go with the MACs, but for a fifth of the layers, which are quicker."""
    layers = [
        replace(one, predicted=(one.cost.macs if one.cost else 0) * (1 - quick * (at < 5)))
        for at, one in enumerate(static().layers)
    ]
    figure = pictures(drawn(layers, machine=True))["depth"]
    said = [text for _, text in figure.legend]
    assert ("MACs so far, dashed" in said) == told
    assert ("The MACs come together as the predicted time does" in figure.caption) != told


# Predicted against measured


def test_what_is_far_off_or_not_predicted_is_named() -> None:
    figure = shown(timed)["scatter"]
    said = [one.says for one in texts(parsed(figure))]
    assert {"lrn", "block0 conv3", "not predicted"} <= set(said)
    alike = {block * number for block in range(1, 7) for number in range(1, 5)}
    assert figure.svg.count("<circle") == len(alike) + 2  # one dot hides those at its place
    assert figure.legend[0] == (Tone.SERIES_2, "within a factor of two")


# The roofline


def test_roofs_are_those_of_the_machine() -> None:
    """2 FLOP in 0.02 ns are 100 GFLOP/s, a byte in 0.1 ns is 10 GB/s."""
    figure = shown(timed)["roofline"]
    said = [one.says for one in texts(parsed(figure))]
    assert "compute roof 100 GFLOP/s" in said
    assert "memory roof 10 GB/s" in said
    assert "Nothing was measured" not in figure.caption
    assert "Nothing was measured" in shown(predicted)["roofline"].caption


# Files of their own


@pytest.mark.parametrize("kind", ["cost-map", "depth", "roofline"])
def test_a_plot_is_a_whole_file(kind: str) -> None:
    written = plot(timed(), kind)
    root = marks(written)
    assert root.tag == f"{_SVG}svg"
    assert "prefers-color-scheme:dark" in (root.findtext(f"{_SVG}style") or "")
    assert "<a " not in written
    assert "href" not in written
    said = list(texts(root))
    assert any("MACs" in one.says for one in said)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    for one in said:
        assert Area(0, 0, width, height).holds(one.area), one
    for one, other in combinations(said, 2):
        assert not one.area.overlaps(other.area), (one, other)


@pytest.mark.parametrize(
    ("make", "kind", "why"),
    [
        (static, "roofline", "run archlint calibrate"),
        (nothing_known, "cost-map", "no node has a known cost"),
        (nothing_known, "depth", "no node has a known cost"),
        (lambda: drawn([], machine=True), "roofline", "operations and a predicted time"),
    ],
)
def test_why_there_is_no_plot(make: Callable[[], ModelReport], kind: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        plot(make(), kind)


@pytest.mark.parametrize(
    ("name", "letters", "expected"),
    [
        ("inception_4a", 20, "inception_4a"),
        ("inception_4a", 6, "…4a"),
        ("net.encoder.layer0", 9, "layer0"),
        ("net.layer.0", 8, "layer.0"),
        ("net.layer.0", 3, ""),  # a number alone tells nothing
        ("norm2 … pool2", 8, ""),
    ],
)
def test_names_are_shortened_to_what_tells(name: str, letters: int, expected: str) -> None:
    assert short_name(name, letters * 7.0, 11) == expected


@pytest.mark.parametrize(
    ("part", "text"),
    [(26, "26 %"), (9.96, "10 %"), (3.14, "3.1 %"), (0.04, "< 0.1 %"), (0, "0 %")],
)
def test_shares_are_short(part: float, text: str) -> None:
    assert share(part, 100) == text


def test_times_are_said_in_milliseconds_and_counts_with_prefixes() -> None:
    assert Measure.TIME.text(27_300_000) == "27.3 ms"
    assert Measure.MACS.text(481_700_000) == "481.7 M"
    assert Measure.MACS.round(50_000_000, 1e8) == "50 M"
    assert Measure.TIME.round(40e6, 40e6) == "40 ms"
