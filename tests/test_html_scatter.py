"""Where kernels stand in the pictures of times, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import unescape
from itertools import combinations
from math import log10

import pytest

from archlint.analyzer.cost import Cost
from archlint.analyzer.report import ModelReport, Predicted
from archlint.analyzer.report.html.charts import roofline, scatter
from archlint.analyzer.report.html.charts.called import Called, called
from archlint.analyzer.report.html.charts.dots import MOST, Area, Dot, beside, named
from archlint.analyzer.report.html.charts.kernels import measured, predicted
from archlint.analyzer.report.html.charts.scales import Log, domain, tick
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.report.html.svg import Figure, text_width
from archlint.analyzer.report.layers import Kernels, LayerReport
from inherited import marks

_MS = 1e6  # nanoseconds
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_MACHINE = Predicted("cpu, 1 thread", "", 1, "", "", 0.0, 0, mac_ns=0.02, byte_ns=0.1)


def layer(
    took: float | None, expected: float | None, *, operator: str = "Conv", **rest: object
) -> LayerReport:
    """A layer with its measured and its predicted milliseconds, and 1 M FLOP over 100 kB."""
    plain = LayerReport(
        "", operator, operator, "",
        cost=Cost(macs=500_000, bytes_read=100_000),
        measured=None if took is None else took * _MS,
        predicted=None if expected is None else expected * _MS,
    )  # fmt: skip
    return replace(plain, **rest)  # type: ignore[arg-type]  # the tests name the fields


def model(
    layers: Sequence[LayerReport], *, total: float | None = None, busy: bool = False
) -> ModelReport:
    """Layers on a machine of 100 GFLOP/s and 10 GB/s; ``total`` are milliseconds of all kernels."""
    named_ = tuple(replace(one, label=one.label or f"n{at}") for at, one in enumerate(layers))
    whole = sum(one.measured or 0 for one in layers) if total is None else total * _MS
    kernels = Kernels("cpu", "1", whole, 0.0, 9, 1.0, busy) if whole else None
    return ModelReport(
        "m.onnx", 0, 0, 17, (), (), len(layers), Cost(), 0, 0, 0, 0, 0, None, 0, 0, (), 0, (),
        predicted=_MACHINE, layers=named_, kernels=kernels,
    )  # fmt: skip


def scattered(layers: Sequence[LayerReport], *, busy: bool = False) -> Figure:
    figure = scatter.draw(model(layers, busy=busy), Ids())
    assert figure is not None
    return figure


def roofed(layers: Sequence[LayerReport]) -> Figure:
    figure = roofline.draw(model(layers), Ids())
    assert figure is not None
    return figure


def circles(figure: Figure) -> list[tuple[float, float, float, str]]:
    """The middle, the radius and the tone of each dot."""
    found = [one.attrib for one in marks(figure.svg).iter(f"{_NAMESPACE}circle")]
    return [
        (float(one["cx"]), float(one["cy"]), float(one["r"]), one["class"].split()[0])
        for one in found
    ]


def texts(figure: Figure) -> list[str]:
    return [one.text or "" for one in marks(figure.svg).iter(f"{_NAMESPACE}text")]


Draw = Callable[[Sequence[LayerReport]], Figure]
BOTH = pytest.mark.parametrize("draw", [scattered, roofed])


# Axes


def test_a_number_stands_at_the_share_of_its_logarithm() -> None:
    axis = Log(0.01, 100.0, 50.0, 450.0)
    assert axis.at(0.01) == pytest.approx(50)
    assert axis.at(100.0) == pytest.approx(450)
    assert axis.at(1.0) == pytest.approx(250)  # two of four decades
    assert axis.at(2.0) == pytest.approx(250 + 100 * log10(2))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.2, 0.8], (0.1, 0.8 * 1.4)),
        ([3.0, 4.0], (1.0, 10.0)),
        ([2.0], (1.0, 10.0)),
        ([0.02, 900.0], (0.02 / 1.4, 900 * 1.4)),
    ],
)
def test_a_domain_leaves_room_and_has_two_powers(
    values: list[float], expected: tuple[float, float]
) -> None:
    assert domain(values) == pytest.approx(expected)


def test_ticks_are_powers_of_ten_that_have_room() -> None:
    assert list(Log(0.05, 300.0, 0, 400).powers()) == [-1, 0, 1, 2]
    assert list(Log(1e-8, 1e8, 0, 400).powers()) == [-8, -5, -2, 1, 4, 7]
    assert [tick(power) for power in (-2, 0, 3, -9, 7)] == ["0.01", "1", "1,000", "1e-9", "1e7"]


# Kernels


def test_a_kernel_is_all_of_its_layers() -> None:
    """Each layer has 0.5 M MACs; 1 and 0.25 ms are predicted for the two of the kernel."""
    layers = [
        layer(None, 9.0),
        layer(2.0, 1.0, kernel=(1, 2)),
        layer(None, 0.25, within=1),
        layer(None, 5.0),
    ]
    [kernel] = measured(layers)
    assert (kernel.place, kernel.macs) == (1, 1_000_000)
    assert kernel.predicted == 1.25 * _MS
    assert [one.place for one in predicted(layers)] == [0, 1, 3]
    assert predicted(layers)[1].cost == kernel.cost


def test_what_one_layer_lacks_is_unknown_of_its_kernel() -> None:
    first = layer(2.0, 1.0, kernel=(0, 1))
    [costless] = measured([first, layer(None, 0.25, cost=None)])
    assert (costless.cost, costless.predicted) == (None, 1.25 * _MS)
    assert "MACs unknown" in costless.told
    [unpredicted] = measured([first, layer(None, None)])
    assert (unpredicted.macs, unpredicted.predicted) == (1_000_000, None)
    assert "not predicted" in unpredicted.told


def test_a_tooltip_has_the_numbers() -> None:
    [kernel] = measured([layer(2.0, 1.0, label="a", kernel=(0, 1)), layer(None, 0.5)])
    assert kernel.told.split("\n") == [
        "Conv, with 1 other node of its kernel",
        "measured 2.00 ms, predicted 1.50 ms",
        "1.000 M MACs",
    ]


# Predicted against measured


def test_dots_stand_at_their_times() -> None:
    """The axes go from 1/1.4 to 14 ms, the plot from (52, 334) to (456, 30)."""
    found = circles(scattered([layer(1.0, 10.0), layer(10.0, 1.0)]))
    span = log10(10 * 1.4**2)
    low, high = log10(1.4) / span, log10(14) / span
    places = {(x, y) for x, y, _, _ in found}
    expected = {(52 + 404 * a, 334 - 304 * b) for a, b in ((low, high), (high, low))}
    rounded = {(round(x, 1), round(y, 1)) for x, y in expected}
    assert places == rounded


def test_a_disc_grows_with_the_macs() -> None:
    """A quarter of the MACs has half of what the radius grows: 2.5 + 5.5 / 2."""
    few = Cost(macs=125_000)
    none_known = layer(0.3, 0.3, cost=None)
    found = circles(scattered([layer(1, 1), layer(0.5, 0.5, cost=few), none_known]))
    assert [size for _, _, size, _ in found] == [8.0, 5.2, 2.5]


@pytest.mark.parametrize(
    ("took", "expected", "tone"),
    [
        (1.0, 1.0, Tone.SERIES_2),
        (1.0, 2.0, Tone.SERIES_2),
        (2.0, 1.0, Tone.SERIES_2),
        (1.0, 2.1, Tone.SERIES_1),
        (2.1, 1.0, Tone.SERIES_1),
        (1.0, 0.0, Tone.SERIES_1),
        (1.0, None, Tone.BAR),
    ],
)
def test_a_tone_says_how_far_off_a_prediction_is(
    took: float, expected: float | None, tone: Tone
) -> None:
    found = circles(scattered([layer(50.0, 50.0), layer(took, expected)]))
    assert found[-1][3] == f"f-{tone}"


def test_no_prediction_is_no_prediction_of_zero() -> None:
    """Kernels of which no time is predicted stand left of the axis, at the height of their time."""
    figure = scattered([layer(1.0, 1.0), layer(1.0, None)])
    (right, level, *_), (left, same, *_) = sorted(circles(figure), reverse=True)
    assert left == 52 + 26 / 2
    assert right > 52 + 26
    assert level == same
    assert "not predicted" in texts(figure)
    assert (Tone.BAR, "not predicted") in figure.legend
    removed = scattered([layer(1.0, 1.0), layer(1.0, 0.0)])
    assert "no time predicted" in texts(removed)
    assert "not predicted" not in [name for _, name in removed.legend]


def test_only_what_is_off_and_matters_is_named() -> None:
    """Of 100 ms, 2 are enough for a name; of what takes less those three that are off by most."""
    layers = [
        layer(94.0, 94.0, label="right"),
        layer(2.1, 0.9, label="long"),
        layer(2.0, None, label="unknown"),
        layer(1.8, 0.2, label="off"),
        layer(0.1, 1.6, label="quick"),
        layer(1.7, 0.7, label="short"),
    ]
    said = set(texts(scattered(layers)))
    names = {"right", "long", "unknown", "off", "quick", "short"}
    assert said & names == names - {"right", "short"}


def test_dots_at_one_place_have_one_name_that_counts_all() -> None:
    """Ten alike, of which few are among the dearest; the dot that hides the others says so."""
    figure = roofed([layer(1.0, None, label=f"LRN_{at}", operator="LRN") for at in range(10)])
    [said] = [text for text in texts(figure) if "LRN" in text]
    assert said == "10 × LRN"
    assert len(circles(figure)) == 1
    assert "LRN_0\n" in figure.svg
    assert "and 9 more here" in figure.svg


_LONG = "that take more than 0.05 ms"
_WITHIN = "predicted within a factor of two."


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (
            [layer(1, 1), layer(1, 3), layer(0.06, 0.05), layer(0.05, 9)],
            f"2 of the 3 kernels {_LONG} were {_WITHIN}",
        ),
        ([layer(1, 1), layer(1, 1.9)], f"All 2 kernels {_LONG} were {_WITHIN}"),
        ([layer(1, 3), layer(1, 0.2)], f"None of the 2 kernels {_LONG} were {_WITHIN}"),
        ([layer(1, 3)], f"The one kernel that takes more than 0.05 ms was not {_WITHIN}"),
        ([layer(0.01, 0.01)], f"The one kernel was {_WITHIN}"),
        ([layer(0.01, 0.01), layer(0.01, 1)], f"1 of the 2 kernels was {_WITHIN}"),
    ],
)
def test_coverage(layers: list[LayerReport], said: str) -> None:
    assert scatter.coverage(model(layers)) == said


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (
            [layer(6, 6), layer(1, None, operator="LRN"), layer(3, None, operator="Einsum")],
            "2 kernels were not predicted (Einsum, LRN): they take 40.0 % of the measured time.",
        ),
        (
            [layer(9, 9), layer(1, 0, operator="Relu")],
            "was predicted to be fused or removed (Relu): it takes 10.0 % of the measured time.",
        ),
    ],
    ids=["not predicted", "predicted to be gone"],
)
def test_coverage_tells_what_has_no_predicted_time(layers: list[LayerReport], said: str) -> None:
    assert scatter.coverage(model(layers)).endswith(said)


def test_shares_are_of_all_kernels() -> None:
    """Also of those that belong to no layer: 1 of 20 ms."""
    said = scatter.coverage(model([layer(9, 9), layer(1, None)], total=20.0))
    assert "it takes 5.0 % of the measured time" in said


@pytest.mark.parametrize(
    "layers", [[], [layer(None, 1.0)], [layer(1.0, None)], [layer(0.0, 1.0)], [layer(1.0, 0.0)]]
)
def test_nothing_is_drawn_without_both_times(layers: list[LayerReport]) -> None:
    assert scatter.draw(model(layers), Ids()) is None
    assert not scatter.coverage(model(layers))


def test_the_caption_tells_what_disturbed_the_measurement() -> None:
    assert "busy" in scattered([layer(1, 1)], busy=True).caption
    assert "busy" not in scattered([layer(1, 1)]).caption


# The roofline


def test_dots_stand_at_their_intensity_and_rate() -> None:
    """1 M FLOP over 100 kB in 0.1 ms are 10 FLOP a byte and 10 GFLOP/s. The roofs, 100 GFLOP/s
    and 10 GB/s, meet at 10 FLOP a byte. The axes begin 30 times below, the
    upright one ends 1.5 times above, and both have room of 1.4."""
    [(x, y, *_)] = circles(roofed([layer(0.1, None)]))
    across, up = log10(30 * 1.4**2), log10(30 * 1.5 * 1.4**2)
    assert x == pytest.approx(52 + 404 * log10(30 * 1.4) / across, abs=0.06)
    assert y == pytest.approx(334 - 304 * log10(10 / (100 / 30 / 1.4)) / up, abs=0.06)


def test_dots_above_a_roof_stay_there() -> None:
    """1 M FLOP in a microsecond are 1,000 GFLOP/s, ten times the roof."""
    figure = roofed([layer(0.001, None), layer(0.1, None)])
    (_, fast, *_), (_, slow, *_) = sorted(circles(figure), key=lambda one: one[1])
    roof = re.search(r'd="M\S+ \S+ L\S+ (\S+) L', figure.svg)
    assert roof is not None
    assert 30 < fast < float(roof[1]) < slow


@pytest.mark.parametrize(("took", "tone"), [(0.03, Tone.SERIES_2), (0.05, Tone.SERIES_1)])
def test_less_than_a_quarter_of_the_roof_is_told_apart(took: float, tone: Tone) -> None:
    """33 and 20 of 100 GFLOP/s; it is named though three others take longer."""
    others = [layer(1.0 + at, None, cost=Cost(macs=5_000_000 * (10 + at), bytes_read=10**6))
              for at in range(3)]  # fmt: skip
    figure = roofed([*others, layer(took, None, label="a")])
    assert circles(figure)[-1][3] == f"f-{tone}"
    assert ("a" in texts(figure)) == (tone is Tone.SERIES_1)


def test_what_has_no_place_is_counted() -> None:
    layers = [
        layer(1, None),
        layer(1, None, cost=Cost(bytes_read=8)),
        layer(1, None, cost=None),
        layer(1, None, cost=None),
    ]
    figure = roofed(layers)
    assert len(circles(figure)) == 1
    assert "1 kernel without FLOPs is not drawn." in figure.caption
    assert "2 kernels of unknown cost are not drawn." in figure.caption
    assert roofline.draw(model(layers[1:]), Ids()) is None


def test_predicted_rates_are_not_called_measured() -> None:
    """1 M FLOP of the kernel and 1 M of what is fused to it, in 0.2 ms: 10 GFLOP/s."""
    figure = roofed([layer(None, 0.2), layer(None, 0.0, within=0)])
    assert "10 GFLOP/s" in figure.svg
    assert figure.caption.startswith("Nothing was measured: rates are those of predicted times.")
    assert "predicted GFLOP/s" in figure.svg
    assert "measured GFLOP/s" not in figure.svg


# Both


def test_labels_cover_neither_dots_nor_each_other() -> None:
    frame = Area(52, 30, 456, 334)
    dots = [
        Dot(
            100 + 7 * at % 300,
            60 + 11 * at % 250,
            4,
            Tone.INK,
            "",
            "",
            "",
            Called(f"conv_{at}/5x5", ""),
            is_told=True,
        )
        for at in range(60)
    ]
    found = list(named(dots, frame))
    assert len(found) > 5
    for name, area in found:
        assert area.right - area.left == pytest.approx(text_width(name, 11))
        assert frame.holds(area)
        assert not any(area.overlaps(dot.area) for dot in dots)
    assert not any(one.overlaps(other) for (_, one), (_, other) in combinations(found, 2))


def test_the_name_of_a_line_moves_along_it_to_where_no_dot_is() -> None:
    frame = Area(0, 0, 300, 300)
    free = beside((0, 300), (300, 0), 60, frame, [], is_above=True)
    dot = Dot((free.left + free.right) / 2, free.top, 8, Tone.INK, "", "", "", Called("a", ""))
    moved = beside((0, 300), (300, 0), 60, frame, [dot], is_above=True)
    assert moved.right < free.right
    assert not moved.overlaps(dot.area)
    assert frame.holds(moved)


def test_layers_of_one_name_are_told_apart_by_their_modules() -> None:
    """By the first that differs, in few letters; a number alone would tell nothing."""
    scopes = [("net", "inception_3a", "branch"), ("net", "inception_5b", "branch"),
              ("net", "layer", "3"), ("net", "layer", "4"), ()]  # fmt: skip
    names = ["conv1", "conv1", "fc1", "fc1", "pool1"]
    layers = [
        layer(1, 1, label=name, scope=scope) for name, scope in zip(names, scopes, strict=True)
    ]
    told = called(dict(enumerate(layers)))
    assert [told[place].whole for place in range(len(layers))] == [
        "…3a conv1", "…5b conv1", "layer.3 fc1", "layer.4 fc1", "pool1"
    ]  # fmt: skip


@BOTH
def test_names_of_models_are_text(draw: Draw) -> None:
    hostile = '"><img src=x onerror=alert(1)></title><script>\x1b[31m'
    wrong = layer(5, 1, label=hostile, described=hostile, operator=hostile)
    figure = draw([layer(3, 3, label="x"), wrong])
    tags = set(re.findall(r"<(\w+)", figure.svg))
    assert tags <= {"svg", "g", "line", "path", "text", "a", "circle", "title"}
    assert "\x1b" not in figure.svg
    assert "onerror=alert(1)" in unescape(figure.svg)


@BOTH
def test_dots_lead_to_rows(draw: Draw) -> None:
    figure = draw([layer(None, 3), layer(3, 1)])
    assert re.findall(r'href="([^"]+)"', figure.svg) == ["#node-1"]


@BOTH
def test_the_slowest_are_drawn(draw: Draw) -> None:
    figure = draw([layer(1 + at / 10, 2 + at / 10) for at in range(MOST + 3)])
    assert "3 smaller kernels are not drawn." in figure.caption
    links = set(re.findall(r'href="#node-(\d+)"', figure.svg))
    assert MOST / 4 < len(links) <= MOST  # others stand at the same place
    assert not {"0", "1", "2"} & links


@BOTH
def test_the_same_layers_give_the_same_bytes(draw: Draw) -> None:
    one, other = (
        draw([layer(1 + at % 5, 3, label=f"c{at}") for at in range(40)]) for _ in range(2)
    )
    assert one == other


@BOTH
def test_text_is_large_enough(draw: Draw) -> None:
    figure = draw([layer(3, 1), layer(3, 3)])
    sizes = {float(size) for size in re.findall(r'font-size="([^"]+)"', figure.svg)}
    assert min(sizes) >= 11
