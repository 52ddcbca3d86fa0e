"""The page as a whole: sound, safe, whole without a script, and the same each time."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from archlint.analyzer.compare.architecture import Operation
from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.cost import Cost
from archlint.analyzer.report import Change, Failure, ModelReport, NodeReport, Predicted, Report
from archlint.analyzer.report.html import asset_files, nodes, page, render, summary
from archlint.analyzer.report.html.breaks import breakable
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.node_numbers import Scale, counts, shares, times
from archlint.analyzer.report.layers import Kernels, LayerReport
from reports import BEFORE, HOSTILE, REPORTS, finding, model, totals

VOID = {"meta", "link", "input", "br", "img", "hr", "wbr"}
IMPLIED = {"td", "th", "tr", "li", "option"}  # elements that the next one closes
OWN = "http://www.w3.org/2000/svg"  # the name of a language, which nobody asks for


class Seen(HTMLParser):
    """A page: its elements, what they link to, and what is not closed."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.headings: list[int] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags[tag] += 1
        if tag not in VOID | IMPLIED:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src"}:
                self.targets.add(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One without content."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """It is the last that was opened."""
        if tag not in IMPLIED:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what is no code."""
        if self.open[-1:] not in (["style"], ["script"]):
            self.texts.append(data)


def layer(place: int, **known: object) -> LayerReport:
    plain = LayerReport(
        f"n{place}", "Conv", "5×5 conv 192→32", "1x32x28x28", inputs=(place - 1,) if place else (),
        cost=Cost(macs=BEFORE), parameters=153_600,
    )  # fmt: skip
    return replace(plain, **known)  # type: ignore[arg-type]  # as the test names them


def drawn(*layers: LayerReport, **known: object) -> ModelReport:
    whole = sum(one.cost.macs for one in layers if one.cost is not None)
    return replace(model(), layers=layers, cost=Cost(macs=whole), **known)  # type: ignore[arg-type]


def at(place: int, label: str = "") -> NodeReport:
    return NodeReport(label or f"n{place}", "Conv", place=place)


LAYERS = tuple(
    layer(place, label=text or "?", operator=text[:50] or "?", output=text or "?", why=text)
    for place, text in enumerate(HOSTILE)
)
FLAGGED = replace(finding(HOSTILE[4]), nodes=(at(4, HOSTILE[4]),))
PAGES = {
    **REPORTS,
    "drawn": Report("1", (drawn(layer(0), layer(1, within=0), layer(2, cost=None, why="why")),)),
    "hostile layers": Report("1", (replace(drawn(*LAYERS), findings=(FLAGGED,)),)),
    "several": Report("1", (drawn(layer(0)), drawn(layer(0), layer(1)))),
    "snapshot": Report("1", (replace(model(), was_checked=False),)),
}


@pytest.mark.parametrize("name", PAGES)
def test_sound(name: str) -> None:
    """What is opened is closed, no anchor stands twice, each link leads somewhere, headings do not
    skip a level."""
    seen = Seen(render(PAGES[name]))
    assert not seen.open
    assert not [one for one, count in Counter(seen.ids).items() if count > 1]
    assert seen.targets <= {f"#{one}" for one in seen.ids}
    assert seen.headings[0] == 1
    assert seen.headings.count(1) == 1
    pairs = zip(seen.headings, seen.headings[1:], strict=False)
    assert all(after - before <= 1 for before, after in pairs)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_a_model_is_markup(name: str) -> None:
    """No style or handler at an element, no element that loads; the page has no other scripts than
    its own, and no anchor is made of names."""
    text = render(PAGES[name])
    seen = Seen(text)
    assert not [one for one in seen.attributes if one == "style" or one.startswith("on")]
    assert not set(seen.tags) & {"img", "iframe", "object", "embed", "link", "base"}
    assert seen.tags["script"] == seen.tags["style"] == 1
    assert all(re.fullmatch(r"[a-z0-9-]+", one) for one in seen.ids)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("name", ["one", "several", "compared"])
def test_no_address_outside(name: str) -> None:
    """A page asks for nothing."""
    assert set(re.findall(r"https?://[^\s\"'<]*", render(PAGES[name]))) <= {OWN}


def test_only_its_own_style_and_script_may_run() -> None:
    """The policy names them by their hashes."""
    text = render(REPORTS["one"])
    policy = re.search('Content-Security-Policy" content="(.*?)"', text)
    assert policy is not None
    rules = policy[1].replace("&#39;", "'").split("; ")
    assert rules[:3] == ["default-src 'none'", "base-uri 'none'", "form-action 'none'"]
    for name, rule in zip(("style", "script"), rules[3:], strict=True):
        inside = re.search(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
        assert inside is not None
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert rule == f"{name}-src 'sha256-{digest}'"


@pytest.mark.parametrize(
    ("stem", "address"), [("r", "r"), ("a b#1?'\"<x>:y", "a%20b%231%3F%27%22%3Cx%3E%3Ay")]
)
def test_files_beside_the_page(stem: str, address: str) -> None:
    """They have what else is inside, and the page names them by addresses."""
    text = render(REPORTS["one"], stem)
    assert {f"{address}.css", f"{address}.js"} <= Seen(text).targets
    assert "<style" not in text
    style, script = asset_files(stem).values()
    assert list(asset_files(stem)) == [f"{stem}.css", f"{stem}.js"]
    inside = render(REPORTS["one"])
    assert f"<style>{style}</style>" in inside
    assert f"<script>{script}</script>" in inside


@pytest.mark.parametrize(
    ("failed", "failures", "title"),
    [
        (None, 0, "models/net.onnx · archlint"),
        (True, 0, "FAIL · models/net.onnx · archlint"),
        (False, 0, "PASS · models/net.onnx · archlint"),
        (False, 1, "FAIL · models/net.onnx · archlint"),
    ],
)
def test_title(failed: bool | None, failures: int, title: str) -> None:
    """It says first whether the run fails, the description why."""
    broken = [Failure("models/net.onnx", "no room")] * failures
    report = Report("1", (replace(model(), failed=failed),), tuple(broken))
    text = render(report)
    assert f"<title>{title}</title>" in text
    assert '<meta name="description" content="No findings in 9 nodes">' in text


def test_what_could_not_be_done_fails() -> None:
    """Though nothing was found; it is told at the top, once."""
    report = replace(REPORTS["clean"], failures=(Failure("models/net.onnx", "no room"),))
    text = render(replace(report, models=(replace(model(), failed=False),)))
    assert "Passes" not in text
    assert text.count("Not all could be done: no room.") == 1


LOST = Failure("models/lost.onnx", "is no ONNX model")


@pytest.mark.parametrize(
    ("models", "failures", "base", "expected"),
    [
        ([True, False, False], [], "", "1 of 3 models fails: 1 finding"),
        ([True, True], [], "main", "2 of 2 models fail: 2 new or worse findings against main"),
        ([False, False], [], "", "All 2 models pass: no findings"),
        ([None, None], [], "", "2 models: no findings"),
        ([None, True], [LOST], "", "2 of 3 models fail: 1 could not be analysed, 1 finding"),
        ([False], [LOST, LOST], "", "1 of 2 models fails: 1 could not be analysed, no findings"),
        ([False, None], [Failure("0", "no room")], "", "1 of 2 models fails: no findings"),
    ],
)  # fmt: skip
def test_lead(models: list[bool | None], failures: list[Failure], base: str, expected: str) -> None:
    """How many models fail comes first; it is the heading and the title of the page."""
    told = [
        replace(model(str(place), [finding()] * bool(failed)), failed=failed)
        for place, failed in enumerate(models)
    ]
    text = render(Report("1", tuple(told), tuple(failures), base))
    assert f"<h1>{expected}</h1>" in text
    word = {"2 models": "", "All 2 mo": "PASS · "}.get(expected[:8], "FAIL · ")
    assert f"<title>{word}{expected} · archlint</title>" in text


def rows(report: Report) -> list[list[str]]:
    """The cells of the index, row by row."""
    table = re.search('<table class="data index">(.*?)</table>', render(report), re.DOTALL)
    assert table is not None
    lines = re.findall("<tr>(.*?)</tr>", table[1], re.DOTALL)
    cells = re.compile("<t[hd].*?</t[hd]>", re.DOTALL)
    return [[re.sub("<.*?>", "", cell).strip() for cell in cells.findall(line)] for line in lines]


def test_index() -> None:
    """What each model is in the order of the run, what could not be analysed, and the sums."""
    shown = replace(drawn(layer(0), failed=True), findings=(finding(), finding()))
    timed = Predicted("cpu, 1 thread", "cpu", 1, "CPU", "1.31", 3e6, 1)
    dark = replace(model("b.onnx"), failed=False, unknown_nodes=2, predicted=timed)
    assert rows(Report("1", (shown, dark), (LOST,))) == [
        ["Model", "Verdict", "MACs", "Parameters", "Latency", "Findings", "In a sentence"],
        ["models/net.onnx", "✕ Fails", "120.4\u00a0M", "500.0\u00a0k", "", "2 warnings",
         "120.4\u00a0M MACs; 2 findings"],
        ["b.onnx", "✓ Passes", "≥\u00a0481.7\u00a0M", "500.0\u00a0k",
         "≥\u00a03.00\u00a0ms predicted", "none",
         "No findings, but the cost of 2 of 9 nodes is unknown"],
        ["models/lost.onnx", "✕ Not analysed", "is no ONNX model."],
        ["3 models", "2 fail, 1 passes", "≥\u00a0602.1\u00a0M", "1.000\u00a0M", "", "2 warnings",
         ""],
    ]  # fmt: skip


def test_index_beside_a_base() -> None:
    """Without a column for what nobody has asked for."""
    head, *models, total = rows(REPORTS["compared"])
    assert head[:4] == ["Model", "MACs", "Against the base", "Parameters"]
    # 4 / 3, as said in the report
    assert [row[2] for row in models] == ["+33.3\u00a0%", "new", "same file"]
    assert (total[0], total[-2]) == ("3 models", "1 error,\n3 warnings")


def test_a_difference_stands_first() -> None:
    """Where it was asked for; else the findings do."""
    for is_difference in (False, True):
        report = replace(
            REPORTS["compared"], models=REPORTS["compared"].models[:1], is_difference=is_difference
        )
        seen = Seen(render(report))
        links = [one for one in seen.ids if one in {"findings", "change"}]
        assert links == (["change", "findings"] if is_difference else ["findings", "change"])


def test_headings_of_several_models() -> None:
    """One of the page, one for each model and the index, sections below them, cards below those."""
    report = Report("1", tuple(replace(drawn(layer(0)), findings=(finding(),)) for _ in "ab"))
    levels = Counter(Seen(render(report)).headings)
    assert (levels[1], levels[2], levels[4]) == (1, 3, 2)
    alone = Counter(Seen(render(replace(report, models=report.models[:1]))).headings)
    assert (alone[1], alone[2], alone[3]) == (1, levels[3] / 2, 1)


def test_what_was_not_analysed_is_told() -> None:
    """Failures, what is gone, what is skipped: as caveats at the top."""
    text = "".join(Seen(render(REPORTS["failures"])).texts)
    assert "No model was analysed" in text
    assert "models/broken.onnx. It could not be analysed: is no ONNX model." in text
    compared = "".join(Seen(render(REPORTS["compared"])).texts)
    assert "models/gone.onnx. Only the base has this model." in compared
    assert "models/pointer.onnx. It was skipped" in compared


def test_a_page_draws_so_many_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models beyond that keep their heads, and say what is left out."""
    monkeypatch.setattr(page, "MOST_LAYERS", 3)
    report = Report("1", tuple(drawn(layer(0), layer(1)) for _ in range(2)))
    seen = Seen(render(report))
    assert "m1-nodes" in seen.ids
    assert "m2-nodes" not in seen.ids
    assert "Its 2 nodes are left out: a page draws 3 nodes in all." in "".join(seen.texts)
    alone = Seen(render(Report("1", (drawn(*map(layer, range(4))),))))
    assert "nodes" in alone.ids


def table(report: ModelReport, *linked: int) -> nodes.Nodes:
    found = nodes.section(report, Ids(), linked)
    assert found is not None
    return found


def test_columns_without_data_are_left_out() -> None:
    """Times only where there are some, findings only where there are some."""
    plain = [one.label for one in table(drawn(layer(0))).columns]
    always = ["#", "Node", "Op", "What it does", "Output"]
    assert plain == [*always, "M MACs", "% MACs", "k params"]
    kernels = Kernels("cpu", "1.31", 4e6, 0.0, 9, 1.0, disturbed=False)
    full = drawn(layer(0, measured=3e6, predicted=2e6, kernel=(0,)), layer(1), kernels=kernels)
    full = replace(full, findings=(replace(finding(), nodes=(at(0),)),))
    full = replace(full, change=Change("main", Difference(totals(1), totals(2), 2)))
    shown = table(full)
    assert [one.label for one in shown.columns] == [
        *always, "measured ms", "% time", "M MACs", "% MACs", "predicted ms", "vs base", "Finding",
    ]  # fmt: skip
    first, second = shown.rows
    assert [cell.text for cell in first.cells] == [
        "Conv", "5×5 conv 192→32", "1×32×28×28", "3.00", "75.0", "120.42", "50.0", "2.00", "",
    ]  # fmt: skip
    assert first.findings == (("ARC101", "finding-1"),)
    assert [cell.text for cell in second.cells[3:5]] == ["", ""]


def test_a_base_in_the_table() -> None:
    """What is new, and by how much what is changed costs more."""

    def operation(place: int, macs: int) -> Operation:
        return Operation("Conv", "", (), (), (), 0, macs, label=f"n{place}")

    changed = (operation(1, BEFORE // 2), operation(1, BEFORE))
    difference = Difference(totals(1), totals(2), 2, added=(operation(0, 1),), changed=(changed,))
    report = drawn(layer(0), layer(1), layer(2), change=Change("main", difference))
    told = [row.cells[-1] for row in table(report).rows]
    assert [cell.text for cell in told] == ["new", "+60.21", ""]
    assert told[1].value == str(BEFORE // 2)


def test_unknown_is_no_zero() -> None:
    """It is said, with its reason; a node that costs nothing has a zero."""
    report = drawn(layer(0), layer(1, cost=None, why="dim 'n' is unbound"), layer(2, cost=Cost()))
    cells = [row.cells[3] for row in table(report).rows]
    assert [cell.text for cell in cells] == ["120.42", "unknown", "0"]
    assert cells[1].title == "dim 'n' is unbound"


def test_fused_nodes_are_left_out_of_large_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for those that something leads to."""
    layers = [layer(0), *(layer(place, within=0) for place in range(1, 5))]
    assert len(table(drawn(*layers)).rows) == 5
    monkeypatch.setattr(nodes, "FUSED_SHOWN", 3)
    shown = table(drawn(*layers), 2)
    assert [row.place for row in shown.rows] == [0, 2]
    assert shown.rest.startswith("3 more nodes are left out")
    flagged = replace(drawn(*layers), findings=(replace(finding(), nodes=(at(3),)),))
    assert 'id="node-3"' in render(Report("1", (flagged,)))


def test_the_dearest_rows_of_very_large_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the model."""
    monkeypatch.setattr(nodes, "FUSED_SHOWN", 3)
    monkeypatch.setattr(nodes, "MOST_ROWS", 2)
    layers = [layer(place, cost=Cost(macs=macs)) for place, macs in enumerate((5, 1, 9, 7))]
    assert [row.place for row in table(drawn(*layers)).rows] == [2, 3]
    assert [row.place for row in table(drawn(*layers), 1).rows] == [1, 2]


@pytest.mark.parametrize(
    ("numbers", "unit", "texts"),
    [
        ([5, 999, 0], "", ["5", "999", "0"]),
        ([1, 1_500, 9_999_999], "k ", ["<0.1", "1.5", "10,000.0"]),
        ([4_000, 120_422_400], "M ", ["<0.01", "120.42"]),
        ([BEFORE, 2 * 10**12], "G ", ["0.12", "2,000.00"]),
        ([None], "", ["unknown"]),
    ],
)
def test_units(numbers: list[int | None], unit: str, texts: list[str]) -> None:
    """One a column; what is too small for its digits is said to be smaller."""
    scale = Scale.of(numbers)
    cell = counts(numbers, scale)
    assert scale.sign == unit
    assert [cell(place).text for place in range(len(numbers))] == texts


def test_times() -> None:
    """In three digits, of which no more than three are behind the point."""
    given = [123_456_789, 99_949_999, 99_950_000, 1_234_567, 123_456, 12_345, 500, 499, 0, None]
    cell, _ = times(given, 1.0)
    told = ["123", "99.9", "100", "1.23", "0.123", "0.012", "0.001", "<0.001", "0", ""]
    assert [cell(place).text for place in range(len(given))] == told


def test_what_runs_within_a_kernel_has_no_time_of_its_own() -> None:
    """The prediction of a kernel stands at the first of its nodes; what is free has a zero."""
    layers = (layer(0, predicted=2e6), layer(1, predicted=0.0, within=0), layer(2, predicted=0.0))
    cells = [row.cells[5].text for row in table(drawn(*layers)).rows]
    assert cells == ["2.00", "", "0"]


def test_of_many_rows_the_dearest_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And those with findings; how many others there are is said."""
    layers = [layer(place, cost=Cost(macs=macs)) for place, macs in enumerate((5, 1, 9, 7))]
    flagged = replace(drawn(*layers), findings=(replace(finding(), nodes=(at(1),)),))
    monkeypatch.setattr(nodes, "DEAREST", 1)
    assert (table(flagged).unprinted, {row.kind for row in table(flagged).rows}) == ("", {""})
    monkeypatch.setattr(nodes, "PRINTED", 3)
    shown = table(flagged)
    assert [row.kind for row in shown.rows] == ["", "p", "p", ""]
    assert shown.unprinted.endswith(
        "with findings and those that cost most; 2 others are on the page."
    )


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("/inception_3b/branch5x5/conv/Conv", ["/inception_3b/", "branch5x5/", "conv/", "Conv"]),
        ("/cv2.0/Conv", ["/cv2.0/", "Conv"]),  # short modules are not parted
        ("encoder.layer.0.q", ["encoder.", "layer.", "0.", "q"]),
        ("x" * 50, ["x" * 20, "x" * 20, "x" * 10]),
        ("resnetv17_stage1_conv0_fwd", ["resnetv17_", "stage1_", "conv0_", "fwd"]),
        ("<b>", ["&lt;b&gt;"]),
        ("//", ["//"]),
        ("", [""]),
    ],
)
def test_names_are_broken_after_their_separators(name: str, pieces: list[str]) -> None:
    """What has no room for its words may be broken anywhere."""
    assert breakable(name) == "<wbr>".join(pieces)


def test_bars() -> None:
    """As long as their share of the largest, in steps of a twentieth; seen where there is any."""
    cell = shares([50.0, 25.0, 0.01, 0.0, None])
    cells = [cell(place) for place in range(5)]
    assert [one.kind for one in cells] == ["b20", "b10", "b1", "", ""]
    assert [one.text for one in cells] == ["66.7", "33.3", "<0.1", "", ""]


@pytest.mark.parametrize("name", PAGES)
def test_summary(name: str) -> None:
    """A part of another page: it has no script, no handler and no anchors, and says what was
    found."""
    seen = Seen(summary(PAGES[name]))
    assert not seen.open
    assert not seen.ids
    assert not [one for one in seen.attributes if one == "style" or one.startswith("on")]
    assert not set(seen.tags) & {"script", "img", "iframe", "link"}


def test_summary_tells_findings_and_failures() -> None:
    """As the page does."""
    text = "".join(Seen(summary(REPORTS["one"])).texts)
    assert "ARC101" in text
    assert "481.7 M" in text
    assert "models/broken.onnx: It could not be analysed" in summary(REPORTS["failures"])


def test_same_bytes() -> None:
    """However often it is rendered."""
    assert render(PAGES["several"]) == render(PAGES["several"])
