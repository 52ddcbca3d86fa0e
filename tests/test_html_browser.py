"""The pages of the HTML report in Chromium: all facts, for all readers, and nothing runs that a
model brought along."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from browser import JENKINS, NARROW, WIDE, Scheme, Visit, visit
from html_pages import KINDS, Pages
from page_checks import faint, faults, unfold, unsafe
from page_models import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from pypdfium2 import PdfTextPage

WHY_NOT = browser.lacking()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]
needs_axe = pytest.mark.skipif(
    browser.AXE not in os.environ, reason=f"{browser.AXE} names no axe.min.js of axe-core"
)

LOOKS: list[tuple[Scheme, int]] = [
    ("light", WIDE), ("dark", WIDE), ("dark", NARROW), ("light", NARROW),
]  # fmt: skip


@needs_axe
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(pages: Pages, chromium: Browser, kind: str) -> None:
    """By any of its rules, folded parts open; nor are texts of drawings faint, which it does not
    look at."""
    with visit(chromium, pages(kind).as_uri(), trusted=True) as seen:
        looks = LOOKS if kind != "deep" else LOOKS[:1]  # which alone takes ten seconds
        for scheme, width in looks:
            seen.look(width, scheme)
            browser.picture(seen, f"{kind}-{scheme}-{width}")
        unfold(seen)
        for scheme, width in looks:
            seen.look(width, scheme)
            assert faint(seen) == []
            assert browser.violations(seen) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_quiet_and_can_be_read(pages: Pages, chromium: Browser, kind: str) -> None:
    """It asks for nothing and complains of nothing. Text covers no text, is large enough and not
    cut off, and the page is as wide as the window: also where a reader enlarges the page (1280
    pixels are 640 at 200 %, and 320 at 400 %) or the text alone."""
    with visit(chromium, pages(kind).as_uri()) as seen:
        assert unsafe(seen) == []
        unfold(seen)
        for width in (WIDE, 640, NARROW, 320):
            seen.look(width)
            assert faults(seen) == [], width
        seen.set_font(32)
        for width in (NARROW, WIDE):
            seen.look(width)
            assert faults(seen) == [], f"{width}, large text"
        assert not re.search(r"\b20\d\d-\d\d-\d\d", seen.text())
        assert (seen.asked, seen.complaints, seen.dialogs) == ([], [], [])


def facts(seen: Visit) -> set[str]:
    """All that a page has to tell."""
    unfold(seen)
    return shown(seen)


def shown(seen: Visit) -> set[str]:
    """The texts that a page shows, but for those of what only a script makes work."""
    return set(seen.do(_SHOWN))


_SHOWN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.data.replace(/\\s+/g, ' ').trim();
    const around = walker.currentNode.parentElement;
    if (text && !around.closest('script, style, title, form, button, .bar, .skip, footer')
        && around.checkVisibility({visibilityProperty: true, opacityProperty: true}))
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
        styled = seen.do(_LOOKS), seen.do(_FILLS)
        browser.picture(seen, "googlenet-jenkins")
        text = facts(seen)
        assert faults(seen) == []
        assert {Path(one).suffix for one in seen.asked} <= {".css", ".js"}
    with visit(chromium, pages("googlenet").as_uri(), script=False) as seen:
        assert (seen.do(_LOOKS), seen.do(_FILLS)) == styled
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
        assert facts(seen) <= text


@pytest.mark.parametrize("kind", ["timed", "unknown"])
def test_print(pages: Pages, chromium: Browser, kind: str, tmp_path: Path) -> None:
    """On paper it begins with the sentence; no sheet is empty, no heading is alone at the end of
    one, and all is there that the page tells, what was folded too."""
    import pypdfium2  # late: not everybody has it

    file = Path(os.environ.get(browser.SCREENSHOTS, tmp_path), f"{kind}-print.pdf")
    with visit(chromium, pages(kind).as_uri(), scheme="dark") as seen:
        seen.page.pdf(path=file, format="A4", print_background=True, prefer_css_page_size=True)
        seen.do(_ON_PAPER)
        sentence, told, headings = (
            seen.page.locator("h1").inner_text(),
            shown(seen),
            seen.do(_HEADINGS),
        )
        seen.page.emulate_media(media="print")
        browser.picture(seen, f"{kind}-print")
    sheets = [sheet.get_textpage() for sheet in pypdfium2.PdfDocument(file)]
    texts = [_letters(sheet.get_text_range()) for sheet in sheets]
    assert all(len(text) > 100 for text in texts)
    assert 2 <= len(sheets) <= 20
    assert texts[0].index(_letters(sentence)) < 200
    assert [one for one in told if _letters(one) not in "".join(texts)] == []
    for sheet in sheets:
        lowest = min(_bottoms(sheet, 0, sheet.count_chars()))
        for heading in headings:
            search = sheet.search(heading)
            while found := search.get_next():
                assert min(_bottoms(sheet, *found)) > lowest + 3, heading


def _letters(text: str) -> str:
    """The text without spaces and hyphens, which are read otherwise at the end of a line."""
    return re.sub(r"[\s\-\x02\ufffe]", "", text)


_ON_PAPER = """() => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  document.querySelectorAll('.maps > legend, .maps > label, .brief tr:not(.p)')
    .forEach(one => { one.hidden = true; one.style.display = 'none'; });
}"""  # what is chosen there, and the rows of a long table that are left out on paper
_HEADINGS = """() => [...document.querySelectorAll('h2, h3, summary')].map(one =>
  one.textContent.replace(/\\s+/g, ' ').trim())"""


def _bottoms(sheet: PdfTextPage, first: int, count: int) -> Iterator[float]:
    """Where characters end, in points above the end of the sheet; a drawing goes on below it."""
    for place in range(first, first + count):
        bottom = sheet.get_charbox(place)[1]
        if bottom > 0:
            yield bottom


def test_hostile_names_run_nothing(pages: Pages, chromium: Browser) -> None:
    """They are text: no element, no address and no dialog comes of them."""
    with visit(chromium, pages("hostile").as_uri()) as seen:
        unfold(seen)
        assert seen.do(f"() => window.{MARK}") is None
        text = seen.text()
    assert f"window.{MARK}=1" in text
    assert not set(text) & set("\u202e\u2066\x1b\x07")
