"""The drawing of a network: all layers are in it, nothing overlaps, nothing runs."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from xml.etree import ElementTree as ET

import onnx
import pytest

from archlint.analyzer.compare.architecture import Operation
from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.cost import Cost
from archlint.analyzer.report import Change, ModelReport, NodeReport, ValueReport
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.layout import Layout
from archlint.analyzer.report.html.network import draw
from archlint.analyzer.report.html.network_bands import bands, beside
from archlint.analyzer.report.html.network_box import Box
from archlint.analyzer.report.html.network_graph import MOST_BOXES, boxes
from archlint.analyzer.report.html.network_sheets import sheets
from archlint.analyzer.report.html.network_values import given, returned
from archlint.analyzer.report.html.parts import Part
from archlint.analyzer.report.html.svg import Figure
from archlint.analyzer.report.layers import LayerReport
from archlint.work import Prepared, Request, Task, answer
from reports import HOSTILE, finding, model, totals

SVG = "{http://www.w3.org/2000/svg}"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SAMPLES = Path(__file__).parent.parent / "samples"
MODELS = [
    *sorted(SAMPLES.glob("*.onnx")),
    *(LIGHT / f"light_{name}.onnx" for name in ("inception_v1", "resnet50", "densenet121")),
]


@cache
def report_of(path: Path) -> ModelReport:
    """The report of a model, with what a page draws."""
    request = Request.of({}, layers=True)
    found = answer(request, Task(str(path)), Prepared(request.configuration())).report
    assert found is not None
    return found


def layer(place: int, *inputs: int, **rest: object) -> LayerReport:
    """A convolution of 10 MACs."""
    plain = LayerReport(f"conv{place}", "Conv", "3×3 conv 8→8", "1x8x4x4", inputs)
    return replace(plain, cost=Cost(macs=10), **rest)  # type: ignore[arg-type]  # the tests name the fields


def of(*layers: LayerReport, **rest: object) -> ModelReport:
    """A model of these layers."""
    return replace(model(), layers=layers, **rest)  # type: ignore[arg-type]  # as above


def chain(count: int, **rest: object) -> tuple[LayerReport, ...]:
    return tuple(layer(place, *([place - 1] if place else []), **rest) for place in range(count))


def different(count: int) -> tuple[LayerReport, ...]:
    """A chain in which nothing repeats itself."""
    return tuple(replace(one, kind=place) for place, one in enumerate(chain(count)))


def drawing(report: ModelReport) -> Figure:
    found = draw(report, Ids())
    assert found is not None
    return found


def parsed(figure: Figure) -> ET.Element:
    return ET.fromstring(figure.svg)  # noqa: S314 - it was made here


def texts(figure: Figure) -> list[str]:
    """What can be read in a drawing."""
    return ["".join(one.itertext()) for one in parsed(figure).iter(f"{SVG}text")]


def titles(figure: Figure) -> list[str]:
    return ["".join(one.itertext()) for one in parsed(figure).iter(f"{SVG}title")]


def fills(figure: Figure) -> list[str]:
    """The classes of the boxes, their own or those of the groups that they are in."""

    def walk(one: ET.Element, css: str, *, linked: bool) -> list[str]:
        css, linked = one.get("class", css), linked or one.tag == f"{SVG}a"
        own = [css] if linked and one.tag == f"{SVG}rect" else []
        return own + [found for child in one for found in walk(child, css, linked=linked)]

    return walk(parsed(figure), "", linked=False)


def links(figure: Figure) -> list[str]:
    return re.findall(r'href="#([^"]*)"', figure.svg)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_each_layer_is_in_one_box(path: Path) -> None:
    report = report_of(path)
    found = boxes(report.layers)
    assert sorted(place for box in found for place in box.places) == list(range(len(report.layers)))
    assert all(source < at for at, box in enumerate(found) for source in box.inputs)
    assert links(drawing(report)) == [f"node-{box.places[0]}" for box in found]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_drawing_is_the_same_each_time_and_is_well_formed(path: Path) -> None:
    report = report_of(path)
    figure = drawing(report)
    assert figure == drawing(replace(report, layers=tuple(report.layers)))
    assert parsed(figure).tag == f"{SVG}svg"
    assert not re.search(r"\s(style|on\w+)=", figure.svg)
    assert re.findall(r"\sid=.([\w-]+)", figure.svg) == ["drawing"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Table 1 of He et al. 2016: 3, 4, 6 and 3 blocks, the first of each with a projection
        ("light_resnet50", [1, 2, 4, 1]),
        # Table 1 of Szegedy et al. 2015: no two of its nine modules are equal
        ("light_inception_v1", []),
        ("light_densenet121", []),  # each layer of a block reads more channels
    ],
)
def test_the_repeats_of_real_networks_are_those_of_their_papers(
    name: str, expected: list[int]
) -> None:
    layers = report_of(LIGHT / f"{name}.onnx").layers
    assert [box.repeats for box in boxes(layers) if box.repeats] == expected


def test_no_layers_make_no_drawing() -> None:
    assert draw(of(), Ids()) is None


def test_one_layer_is_drawn_between_the_ends() -> None:
    ends = {
        "inputs": (ValueReport("image", (1, 3, "height", "width")),),
        "outputs": (ValueReport("classes", None), ValueReport("boxes", (1, 4))),
    }
    figure = drawing(of(replace(layer(0), reads=(0,), gives=(0, 1)), **ends))
    box = ["conv0", "3×3 conv 8→8"]
    values = ["image 1×3×height×width", "classes of unknown rank", "boxes 1×4"]
    assert texts(figure) == box + values
    assert figure.caption.startswith("1 layer; ")


def test_an_end_leads_to_what_reads_it() -> None:
    """Each input to its readers, each output from its maker; many of a kind are one end."""
    layers = (replace(layer(0), reads=(0,)), replace(layer(1, 0), reads=(1,), gives=(0,)))
    few = of(*layers, inputs=(ValueReport("x", (1,)), ValueReport("mask", ())))
    ends = [*given(few, boxes(layers)), *returned(few, boxes(layers))]
    assert [(one.text, one.boxes) for one in ends] == [("x 1", (0,)), ("mask scalar", (1,))]
    many = of(*layers, inputs=tuple(ValueReport(f"x{place}", (1,)) for place in range(7)))
    (one,) = given(many, boxes(layers))
    assert (one.text, one.boxes) == ("7 inputs", (0, 1))
    assert one.title.startswith("7 inputs\nx0 1\nx1 1\n")


def test_what_runs_within_a_kernel_is_in_the_box_of_what_it_reads() -> None:
    layers = (layer(0), layer(1, 0, within=0), layer(2, 1), layer(3, 2, within=3), layer(4, 3))
    assert boxes(layers) == (Box((0, 1), ()), Box((2, 3), (0,)), Box((4,), (1,)))


def test_a_join_within_a_kernel_has_a_box_of_its_own() -> None:
    add = layer(3, 2, 0, operator="Add", within=2)
    layers = (layer(0), layer(1, 0), layer(2, 1), add, layer(4, 3, within=2))
    assert boxes(layers)[3] == Box((3, 4), (2, 0), joins=True)
    assert "done by the kernel of conv2" in "\n".join(titles(drawing(of(*layers))))


def test_what_only_prepares_a_constant_is_in_the_box_of_its_reader() -> None:
    layers = (layer(0, within=1), layer(1, 0))
    assert boxes(layers) == (Box((1, 0), ()),)


def test_a_model_in_which_nothing_works_is_drawn_as_it_is() -> None:
    assert boxes((layer(0, within=0), layer(1, 0, within=1))) == (Box((0,), ()), Box((1,), (0,)))


@pytest.mark.parametrize("scope", ["", "net.stage{}.block{}"])
def test_many_layers_are_drawn_as_parts_that_hold_them_all(scope: str) -> None:
    layers = tuple(
        replace(
            one, scope=tuple(scope.format(place // 1000, place // 20).split(".")) if scope else ()
        )
        for place, one in enumerate(different(5_000))
    )
    start = perf_counter()
    figure = drawing(of(*layers))
    assert perf_counter() - start < 20  # takes 0.3 s here; a machine may be busy
    found = boxes(layers)
    assert len(found) <= MOST_BOXES
    assert sorted(place for box in found for place in box.places) == list(range(5_000))
    assert sum(box.shown for box in found) == 5_000
    assert len(figure.svg) < 400_000
    assert figure.caption.startswith(f"5,000 layers in {len(found)} parts; ")


def test_parts_that_read_each_other_are_drawn_in_pieces_without_a_cycle() -> None:
    modules = [("a", "b")[place // 10 % 2] for place in range(1_000)]
    layers = tuple(
        replace(one, scope=(module,)) for one, module in zip(different(1_000), modules, strict=True)
    )
    found = boxes(layers)
    assert all(source < at for at, box in enumerate(found) for source in box.inputs)
    assert [box.places for box in found] == [
        tuple(range(start, start + 10)) for start in range(0, 1_000, 10)
    ]


def test_a_tangle_is_drawn_with_few_boxes() -> None:
    tangled = tuple(layer(place, *range(place)) for place in range(200))
    assert len(boxes(tangled)) <= 24
    drawing(of(*tangled))


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_models_are_only_text(text: str) -> None:
    layers = tuple(
        replace(
            one, label=text, operator=text, described=text, output=text, scope=(text, "x"), why=text
        )
        for one in chain(3)
    )
    figure = drawing(
        of(replace(layers[0], cost=None), *layers[1:], inputs=(ValueReport(text, (text,)),))
    )
    elements = {one.tag.removeprefix(SVG) for one in parsed(figure).iter()}
    assert elements <= {"svg", "g", "a", "title", "rect", "text", "path", "line"}
    assert set(links(figure)) == {"node-0", "node-1", "node-2"}


@pytest.mark.parametrize(
    ("times", "measure"),
    [
        ({"measured": 5.0, "predicted": 4.0}, "measured time"),
        ({"predicted": 4.0}, "predicted time"),
        ({}, "MACs"),
    ],
)
def test_the_heat_is_of_the_best_that_is_known(times: dict[str, float], measure: str) -> None:
    figure = drawing(of(*chain(4, **times)))
    assert figure.caption.endswith(f"the deeper the colour, the more of the {measure}.")
    assert [text for _, text in figure.legend] == [
        "under 1 %", "1–2 %", "2–5 %", "5–10 %", "10–20 %", "20 % or more",
    ]  # fmt: skip
    assert fills(figure) == ["f-heat-5"] * 4


def test_even_shares_are_no_hot_spots() -> None:
    figure = drawing(of(*different(100)))
    assert fills(figure) == ["f-heat-2"] * 100  # 1 %, where 10 % is the deepest


def test_an_unknown_cost_is_no_zero() -> None:
    figure = drawing(of(layer(0), replace(layer(1, 0), cost=None)))
    assert fills(figure) == ["f-heat-5", "f-raised"]
    assert figure.svg.count("stroke-dasharray") == 1
    assert figure.caption.endswith("a dashed border: something of the cost is unknown.")


def test_nothing_is_deep_where_nothing_costs() -> None:
    figure = drawing(of(*(replace(one, cost=Cost()) for one in chain(2))))
    assert figure.legend == ()
    assert fills(figure) == ["f-heat-0"] * 2


def test_findings_are_marked_with_a_word() -> None:
    told = replace(finding(), nodes=(NodeReport("conv1", "Conv", place=1),))
    figure = drawing(of(*chain(3), findings=(told,)))
    assert texts(figure).count("warning") == 1
    many = drawing(of(*different(1_000), findings=(told, told)))
    assert texts(many).count("2 warnings") == 1


def test_what_the_base_lacks_is_marked() -> None:
    changed = Operation("Conv", "", (), (), (), 0, 10, label="conv2")
    difference = Difference(
        totals(20), totals(30), 2, changed=((changed, changed),), pairs=((0, 0), (1, 2))
    )
    shown = texts(drawing(of(*chain(3), change=Change("base", difference))))
    assert [text for text in shown if text in {"new", "changed"}] == ["new", "changed"]


def test_what_is_timed_with_another_is_told_in_the_legend() -> None:
    first, second = chain(2)
    figure = drawing(of(replace(first, measured=5.0), second))
    assert fills(figure) == ["f-heat-5", "f-even"]
    assert figure.legend[-1] == ("even", "timed with another layer")


def test_a_name_ends_before_what_is_drawn_beside_it() -> None:
    """A box to the left of its part's first row, a line that passes by, or nothing."""
    found = [Box((place,), ()) for place in range(4)]
    named = [Part("stem", (0, 1)), Part("net", (2, 3))]
    corners = ((100.0, 0.0), (100.0, 68.0), (60.0, 136.0), (100.0, 204.0))
    line = ((90.0, 40.0), (90.0, 136.0), (160.0, 204.0))
    sizes = [(80.0, 40.0)] * 4
    spans = [(top, top + 40.0) for _, top in corners]
    placed = Layout(180, 244, corners, (line,))
    stem, net = beside(bands(named, found, spans), placed, sizes)
    assert (stem.name, stem.top, stem.bottom) == ("stem", 0, 108)
    assert (net.name, net.top, net.bottom) == ("net", 136, 244)
    assert (100 - stem.right, 60 - net.right) == (14, 14)
    passed = Layout(180, 244, corners, (((90.0, 0.0), (90.0, 136.0)),))
    assert next(beside(bands(named, found, spans), passed, sizes)).right == 90 - 14


def test_rows_have_the_name_of_most_of_their_boxes() -> None:
    """Rows that parts share are named where one of them has three of four boxes."""
    found = [Box((place,), ()) for place in range(8)]
    spans = [(68.0 * row, 68.0 * row + 40) for row in (0, 1, 2, 3, 4, 2, 5, 6)]
    mostly = [Part("a", (0, 1)), Part("b", (2, 3, 4)), Part("mask", (5,)), Part("c", (6, 7))]
    assert [one.name for one in bands(mostly, found, spans)] == ["a", "b", "c"]
    evenly = [Part("a", (0, 1)), Part("b", (2, 4)), Part("mask", (3, 5)), Part("c", (6, 7))]
    assert [one.name for one in bands(evenly, found, spans)] == ["a", "", "c"]


def test_sheets_are_the_whole_drawing_cut_between_its_rows() -> None:
    rows = [(68.0 * row, 68.0 * row + 40) for row in range(20)]
    found = ET.fromstring(sheets(300, 1332, rows, "drawing"))  # noqa: S314 - as above
    assert found.get("class") == "sheets"
    views = [list(map(float, one.get("viewBox", "").split())) for one in found]
    assert views[0][1] == 0
    assert views[-1][1] + views[-1][3] == 1332
    assert all(top + height == after for (_, top, _, height), (_, after, *_) in pairwise(views))
    assert all(130 <= height <= 130 + 2 * 68 for *_, height in views)
    assert 'class="sheets wide"' in sheets(1_300, 1332, rows, "drawing")
    cuts = [top for _, top, *_ in views[1:]]
    assert not [cut for cut in cuts for top, bottom in rows if top <= cut <= bottom]


def test_a_drawing_begins_at_its_input() -> None:
    figure = drawing(of(replace(layer(0), reads=(0,)), inputs=(ValueReport("x", (1,)),)))
    _, _, width, _ = map(float, parsed(figure).get("viewBox", "").split())
    assert figure.start == width / 2
