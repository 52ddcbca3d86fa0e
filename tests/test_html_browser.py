"""The pages of the HTML report in Chromium: all facts, for all readers, and nothing runs that a
model brought along."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from browser import JENKINS, NARROW, WIDE, Scheme, Visit, visit
from html_pages import KINDS, Pages
from page_checks import faults, unfold
from page_models import MARK

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WHY_NOT = browser.lacking()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]
needs_axe = pytest.mark.skipif(
    browser.AXE not in os.environ, reason=f"{browser.AXE} names no axe.min.js of axe-core"
)

USUAL = [kind for kind in KINDS if kind != "deep"]
BOTH = [WIDE, NARROW]


@needs_axe
@pytest.mark.parametrize("width", BOTH)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", USUAL)
def test_axe_finds_nothing(
    pages: Pages, chromium: Browser, kind: str, scheme: Scheme, width: int
) -> None:
    """By any of its rules, folded parts open."""
    address = pages(kind).as_uri()
    with visit(chromium, address, scheme=scheme, width=width, trusted=True) as seen:
        browser.picture(seen, f"{kind}-{scheme}-{width}")
        unfold(seen)
        assert browser.violations(seen) == []


@pytest.mark.parametrize("width", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_quiet_and_can_be_read(
    pages: Pages, chromium: Browser, kind: str, width: int
) -> None:
    """It asks for nothing and complains of nothing; text covers no text, is large enough, and the
    page is as wide as the window."""
    with visit(chromium, pages(kind).as_uri(), width=width) as seen:
        if kind not in USUAL:
            browser.picture(seen, f"{kind}-light-{width}")
        unfold(seen)
        assert faults(seen) == []
        assert (seen.asked, seen.complaints, seen.dialogs) == ([], [], [])


def facts(seen: Visit) -> set[str]:
    """The texts of a page, but for those of what only a script makes work."""
    return set(seen.do(_FACTS))


_FACTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.data.replace(/\\s+/g, ' ').trim();
    const around = walker.currentNode.parentElement;
    if (text && !around.closest('script, style, form, button, [role=status], output'))
      found.push(text);
  }
  return found;
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_without_script_nothing_is_missing(pages: Pages, chromium: Browser, kind: str) -> None:
    """All that is told with scripts is there, every row of the table is seen, and what would do
    nothing is not."""
    address = pages(kind).as_uri()
    with visit(chromium, address) as seen:
        told = facts(seen)
    with visit(chromium, address, script=False) as seen:
        assert told <= facts(seen)
        unfold(seen)
        assert seen.do("() => [...document.querySelectorAll('tr')].every(r => r.checkVisibility())")
        assert seen.do(_DEAD) == []
        assert faults(seen) == []


_DEAD = """() => [...document.querySelectorAll('input:not([type=radio]), select, button')]
  .filter(one => one.checkVisibility()).map(one => one.outerHTML)"""


def test_jenkins_shows_files_beside_the_page_as_designed(pages: Pages, chromium: Browser) -> None:
    """Under its default policy the style sheet is loaded, and the script is not."""
    page = pages("googlenet", "--assets", "external")
    with (
        browser.served(page.parent, JENKINS) as address,
        visit(chromium, f"{address}/{page.name}") as seen,
    ):
        styled, text = seen.do(_LOOKS), facts(seen)
        browser.picture(seen, "googlenet-jenkins")
        unfold(seen)
        assert faults(seen) == []
        assert {Path(one).suffix for one in seen.asked} <= {".css", ".js"}
    with visit(chromium, pages("googlenet").as_uri(), script=False) as seen:
        assert seen.do(_LOOKS) == styled
        assert facts(seen) == text


_LOOKS = """() => ['body', 'h1', 'nav', 'table', 'td'].map(name => {
  const style = getComputedStyle(document.querySelector(name));
  return [style.fontFamily, style.fontSize, style.color, style.backgroundColor, style.display];
})"""
_FILLS = "() => [...document.querySelectorAll('svg rect')].map(r => getComputedStyle(r).fill)"


def test_jenkins_shows_one_file_in_colour(pages: Pages, chromium: Browser) -> None:
    """Without its style sheet a page has all facts, and its charts the colours of their marks."""
    page = pages("googlenet")
    with (
        browser.served(page.parent, JENKINS) as address,
        visit(chromium, f"{address}/{page.name}") as seen,
    ):
        browser.picture(seen, "googlenet-jenkins-one-file")
        text, fills = facts(seen), seen.do(_FILLS)
    assert len(set(fills) - {"rgb(0, 0, 0)", "none"}) >= 4
    with visit(chromium, page.as_uri(), script=False) as seen:
        assert facts(seen) == text


_NAMES = """() => [...document.querySelectorAll('.nodes tr th[scope=row]')]
  .filter(one => one.checkVisibility()).map(one => one.textContent)"""


def test_print(pages: Pages, chromium: Browser, tmp_path: Path) -> None:
    """On paper it begins with the sentence and ends with how the numbers were made; no sheet is
    empty, every node is there, and what was folded is open."""
    import pypdfium2  # late: not everybody has it

    with visit(chromium, pages("googlenet").as_uri(), scheme="dark") as seen:
        sentence = seen.page.locator("h1").inner_text()
        names = seen.do(_NAMES)
        file = Path(os.environ.get(browser.SCREENSHOTS, tmp_path), "googlenet-print.pdf")
        seen.page.pdf(path=file, format="A4", print_background=True, prefer_css_page_size=True)
        seen.page.emulate_media(media="print")
        browser.picture(seen, "googlenet-print")
    sheets = [sheet.get_textpage().get_text_range() for sheet in pypdfium2.PdfDocument(file)]
    assert all(len(sheet) > 100 for sheet in sheets)
    assert 2 <= len(sheets) <= 20
    printed = "".join("".join(sheets).split())
    assert printed.index("".join(sentence.split())) < 200
    assert "Howthesenumbersweremade" in printed
    assert "VGGwasnoworse" in printed  # of the findings that the base had, which are folded
    assert len(names) > 50
    assert [name for name in names if "".join(name.split()) not in printed] == []


def test_hostile_names_run_nothing(pages: Pages, chromium: Browser) -> None:
    """They are text: no element, no address and no dialog comes of them."""
    with visit(chromium, pages("hostile").as_uri()) as seen:
        unfold(seen)
        assert seen.do(f"() => window.{MARK}") is None
        assert seen.do(_BROUGHT_ALONG) == []
        assert (seen.asked, seen.complaints, seen.dialogs) == ([], [], [])
        text = seen.text()
    assert f"window.{MARK}=1" in text
    assert not set(text) & set("\u202e\u2066\x1b\x07")


_BROUGHT_ALONG = """() => [...document.querySelectorAll('*')].filter(one =>
  ['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'BASE'].includes(one.tagName)
  || [...one.attributes].some(given => given.name.startsWith('on') || given.name === 'style')
  || one.tagName === 'A' && !/^(#|https:)/.test(one.getAttribute('href') || '#')
).map(one => one.outerHTML)"""


WRONG = """<!doctype html><html><title>wrong</title><body>
<p id="one">covered</p><p style="margin-top: -36px; font-size: 9px">covering</p>
<svg aria-label="chart" width="100" height="40" viewBox="0 0 200 80">
<text x="0" y="20" font-size="24">under</text><text x="9" y="24" font-size="24">over</text>
<text x="0" y="60" font-size="18">small</text><text x="190" y="60" font-size="24">cut</text></svg>
<div style="width: 1300px">wide</div><img src="nowhere.png"><script>alert(1)</script>
"""


@needs_axe
def test_what_is_wrong_is_told(chromium: Browser, tmp_path: Path) -> None:
    """Of a page that has everything that no page may have."""
    (page := tmp_path / "wrong.html").write_text(WRONG, encoding="utf-8")
    with visit(chromium, page.as_uri(), trusted=True) as seen:
        assert faults(seen) == [
            'chart: "under" over "over"',
            'chart: 9.0 px: "small"',
            'chart: outside of it: "cut"',
            "9 px: covering",
            "div .",
            "the page is 1308 px wide",
            '"covering" over "covered"',
        ]
        found = {one.partition(":")[0] for one in browser.violations(seen)}
        assert {"html-has-lang", "image-alt"} <= found
        assert seen.asked == [(tmp_path / "nowhere.png").as_uri()]
        assert seen.dialogs == ["1"]
        assert len(seen.complaints) == 1
