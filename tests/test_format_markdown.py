"""The report as Markdown, read by GitHub's own parser: what a model says is text alone."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from archlint import __version__
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import Change, Failure, Report, State, gfm, markdown
from archlint.analyzer.text import safe
from reports import HOSTILE, REPORTS, finding, model

OWN = {
    "h3", "table", "thead", "tbody", "tr", "th", "td", "code", "p", "ul", "li", "details",
    "summary", "strong",
}  # fmt: skip
ATTRIBUTES = {"align"}
ALIVE = re.compile(r"@octocat|#1\b|GH-2|deadbeef|evil|me@")  # what forges look for in plain text


class Page(HTMLParser):
    """The tags, attributes and texts of a page; text in code is kept apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.plain = ""
        self.codes: list[str] = []
        self.open: list[str] = []
        self.cells: list[int] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)
        if tag == "code":
            self.codes.append("")
        elif tag == "tr":
            self.cells.append(0)
        elif tag in ("td", "th"):
            self.cells[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        """A tag ends, the one that began last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text, in code or not."""
        if "code" in self.open:
            self.codes[-1] += data
        else:
            self.plain += data


def page(text: str) -> Page:
    """What GitHub's parser makes of it, raw HTML kept."""
    read = Page(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))
    assert read.open == []
    return read


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_of_archlints_tags_alone(name: str) -> None:
    text = markdown.render(REPORTS[name])
    read = page(text)
    assert set(read.tags) <= OWN
    assert read.attributes <= ATTRIBUTES
    assert read.tags.count("h3") == 1
    assert not ALIVE.search(read.plain)
    assert len(text.encode()) <= 65_536


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    """Tables have as many cells in each row as in their heads, and the text is in code."""
    told = finding(text, message=text, title=text)
    change = Change(text, None, (finding(text, state=None),))
    report = Report(
        __version__, (model(text, [told], change),), (Failure(text, text),), text, (text,), (text,)
    )
    read = page(markdown.render(report))
    assert set(read.tags) <= OWN
    assert read.attributes <= ATTRIBUTES
    assert not ALIVE.search(read.plain)
    assert read.tags.count("table") == 2
    assert read.cells == [5, 5, 5, 5]
    shown = safe(text).strip(" ") or "(no name)"
    assert any(re.sub(r"\\+\|", "|", code) == re.sub(r"\\+\|", "|", shown) for code in read.codes)


@pytest.mark.parametrize("text", ["a|b", "a\\|b", "a\\\\|b", "|", "\\", "`|`", "``\\|"])
def test_pipes_and_backslashes_stay_in_their_cell(text: str) -> None:
    """A backslash before a pipe may be doubled, never lost. Where backslashes are escapes of each
    other too, a pipe behind an even number of them would end the cell."""
    rows = [gfm.row([gfm.code(text), "second"])]
    inside = rows[0].removeprefix("| ").removesuffix(" | second |")
    assert all(len(before) % 2 for before in re.findall(r"(\\*)\|", inside))
    read = page(gfm.table(["first", "second"], rows, 0))
    assert read.cells == [2, 2]
    (code,) = read.codes
    assert re.sub(r"\\+\|", "|", code) == re.sub(r"\\+\|", "|", text)
    assert read.plain.split() == ["first", "second", "second"]


@pytest.mark.parametrize(
    "text",
    [
        "5×5 convolution over 192 channels has no 1×1 reduction before it; 155 channels save 3 %",
        "node /inception/b3/Conv of block_3 (stage 2)",
        "120,422,400 → 12,443,648 MACs (−89.7 %)",
    ],
)
def test_ordinary_sentences_are_no_code(text: str) -> None:
    read = page(gfm.words(text))
    assert read.codes == []
    assert read.plain.strip() == text


@pytest.mark.parametrize(
    "text",
    [
        "see //evil.example", "WWW.evil.example", "gh-12 is it", "_loud_", "a *b* c", "1234567",
        "0badc0de", "- item", "1. item", "= line", ":smile:", "me@evil.example", "#12", "a<b",
        "&amp;", "[x]", "~~x~~", "$x$", "!x", "a\\b",
    ],
)  # fmt: skip
def test_sentences_that_could_mean_more_are_code(text: str) -> None:
    read = page(gfm.words(text))
    assert read.codes == [text]
    assert read.plain.strip() == ""
    assert set(read.tags) == {"p", "code"}


def test_the_table_of_a_comparison() -> None:
    grown = "361.3 M → 481.7 M (**+33.3 %**)"  # 361,267,200 and 481,689,600: a third more
    lines = markdown.render(REPORTS["compared"]).splitlines()
    assert lines[0] == ("### archlint: 4 new or worse findings in 3 models, against `main`")
    assert lines[2:6] == [
        "**Broken budgets**",
        "",
        "- `models/net.onnx`: ARC905 wide-convolution: MACs over the budget of 400 M",
        "",
    ]
    assert lines[6:10] == [
        "| model | findings | MACs | parameters | peak activations |",
        "| --- | --- | --: | --: | --: |",
        f"| `models/net.onnx` | 2 new, 1 worse, 1 fixed, 4 in all | {grown} | 500.0 k | 1.600 MB |",
        "| `models/new.onnx` (new) | 1 new, 1 in all | 481.7 M | 500.0 k | 1.600 MB |",
    ]
    assert lines[11] == "1 model is as in the base."
    assert lines[13] == "This change fixes 1 finding. Thank you."
    assert lines[15] == "Removed: `models/gone.onnx`."
    assert lines[17] == "Skipped: `models/pointer.onnx`."


def test_broken_budgets_are_the_first_of_the_details() -> None:
    text = markdown.render(REPORTS["compared"])
    rows = [
        line.split(" | ")[:2]
        for line in text.splitlines()
        if line.startswith(("| n", "| w", "| u"))
    ]
    assert rows == [
        ["| new", "ARC905 wide-convolution"],
        ["| new", "ARC101 wide-convolution"],
        ["| worse", "ARC101 wide-convolution"],
        ["| unchanged", "ARC101 wide-convolution"],
        ["| new", "ARC101 wide-convolution"],
    ]
    assert "Fixed by this change:\n\n- ARC101 wide-convolution at `gone`" in text
    assert text.index("<code>models/net.onnx") < text.index("<code>models/new.onnx")


def test_without_a_base_all_models_are_listed() -> None:
    report = Report(__version__, (model("a.onnx", [finding()]), model("b.onnx")))
    text = markdown.render(report)
    assert text.startswith("### archlint: 1 finding in 2 models\n")
    assert "| `a.onnx` | 1 finding | 481.7 M | 500.0 k | 1.600 MB |" in text
    assert "| `b.onnx` | 0 findings | 481.7 M | 500.0 k | 1.600 MB |" in text
    assert text.count("<details>") == 1
    assert "base" not in text


def test_numbers_that_are_not_known_are_told_as_such() -> None:
    unknown = replace(model(), unknown_nodes=1, peak_unknown=1)
    text = markdown.render(Report(__version__, (unknown,)))
    assert "| at least 481.7 M | 500.0 k | at least 1.600 MB |" in text
    carried = replace(model(), was_checked=False)
    assert "| not checked |" in markdown.render(Report(__version__, (carried,)))


def test_twenty_findings_of_a_model_are_shown_and_the_others_counted() -> None:
    findings = [finding(f"n{place:02}") for place in range(23)]
    text = markdown.render(Report(__version__, (model(findings=findings),)))
    assert text.count("| ARC101") == 20
    assert "And 3 more findings." in text


@pytest.mark.parametrize("limit", [5_000, 20_000, 65_000, 1_000_000])
def test_what_has_no_room_is_counted(limit: int) -> None:
    models = tuple(
        model(f"models/{'é' * 40}{place:04}.onnx", [finding()] * 5) for place in range(500)
    )
    text = markdown.render(Report(__version__, models), limit)
    assert len(text.encode()) <= limit
    shown = text.count("\n| `models")
    folded = text.count("<details>")
    more = re.findall(
        r"^(\d+) more models are left out( in detail)? for want of room\.$", text, re.MULTILINE
    )
    left = {bool(detail): int(count) for count, detail in more}
    assert shown + left.get(False, 0) == 500
    assert folded + left.get(True, 0) == 500
    assert set(page(text).tags) <= OWN


def test_the_largest_reports_fit() -> None:
    wide = "\U0001f600" * 400  # four bytes each
    findings = [finding(wide, message=wide, title=wide, severity=Severity.ERROR)] * 25
    budgets = [finding("", code="ARC905", message=wide, state=State.NEW)] * 25
    change = Change(wide, None, tuple(findings))
    models = tuple(model(wide, [*findings, *budgets], change) for _ in range(9))
    failures = tuple(Failure(wide, wide) for _ in range(25))
    report = Report(__version__, models, failures, wide, (wide,) * 25, (wide,) * 25)
    text = markdown.render(report)
    assert len(text.encode()) <= 65_000
    assert "more inputs are left out for want of room." in text
    assert "more broken budgets are left out for want of room." in text
    assert "7 more models are left out in detail for want of room." in text
