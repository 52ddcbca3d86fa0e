"""What a reader does with a page of the HTML report in Chromium: filter, sort, follow links, change
the theme, with a mouse or with keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import browser
from archlint.analyzer.report.html.nodes import DEAREST
from browser import Visit, visit
from html_pages import Pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame

WHY_NOT = browser.lacking()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]
FIRST_ROWS = 200  # of a long table
WIDE_CONVOLUTIONS = 9  # of GoogLeNet without reductions: one in each Inception module


@pytest.fixture
def seen(pages: Pages, chromium: Browser) -> Iterator[Visit]:
    """The page of GoogLeNet against its base."""
    with visit(chromium, pages("googlenet").as_uri()) as opened:
        yield opened
        assert (opened.asked, opened.complaints, opened.dialogs) == ([], [], [])


_ROWS = """place => [...document.querySelectorAll('.nodes tbody tr')]
  .filter(row => row.checkVisibility())
  .map(row => row.cells[place].textContent.trim())"""


def column(seen: Visit | Frame, place: int) -> list[str]:
    """The texts of a column of the rows of nodes that are seen."""
    view = seen.page if isinstance(seen, Visit) else seen
    found: list[str] = view.evaluate(_ROWS, place)
    return found


def head(seen: Visit, name: str) -> int:
    """The place of the column of this name."""
    heads = seen.page.locator(".nodes thead th").all_inner_texts()
    return [text.strip() for text in heads].index(name)


def numbers(texts: list[str]) -> list[float]:
    """The numbers of cells that are not empty; less than a number is taken as zero."""
    plain = (text.replace(",", "").replace("−", "-") for text in texts if text)
    return [0.0 if text.startswith("<") else float(text) for text in plain]


def test_filter_by_words(seen: Visit) -> None:
    """Rows with all words are left, in any case; the count and the address say so."""
    total = len(column(seen, 1))
    seen.page.get_by_label("Filter").fill("BRANCH5x5 conv")
    left = column(seen, 1)
    assert len(left) == WIDE_CONVOLUTIONS
    assert all("branch5x5/conv" in name for name in left)
    assert seen.page.locator(".nodes output").inner_text().startswith(f"{WIDE_CONVOLUTIONS} of ")
    assert seen.page.url.endswith("#nodes?q=BRANCH5x5+conv")
    seen.page.keyboard.press("Escape")
    assert len(column(seen, 1)) == total


def test_filter_by_operator_and_findings(seen: Visit) -> None:
    """GoogLeNet has two normalisations; only what is new against the base is flagged."""
    seen.page.get_by_label("Operator").select_option("LRN")
    assert [name.rpartition("/")[2] for name in column(seen, 1)] == ["LRN", "LRN"]
    seen.page.get_by_label("Operator").select_option("")
    seen.page.get_by_label("with findings").check()
    assert len(column(seen, 1)) == WIDE_CONVOLUTIONS


def test_sort(seen: Visit) -> None:
    """By numbers the largest comes first, then the smallest; by names as a reader expects."""
    place = head(seen, "M MACs")
    button = seen.page.locator(".nodes thead th").nth(place).get_by_role("button")
    button.click()
    largest = numbers(column(seen, place))
    assert largest == sorted(largest, reverse=True)
    assert largest[0] == pytest.approx(481.69, abs=0.01)  # 28 * 28 * 256 * 25 * 96
    assert seen.page.url.endswith(f"#nodes?sort=-{place + 1}")
    button.focus()
    seen.page.keyboard.press("Enter")
    smallest = numbers(column(seen, place))
    assert smallest == largest[::-1]
    assert seen.page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    seen.page.get_by_role("button", name="Node").click()
    names = column(seen, 1)
    assert names == sorted(names, key=lambda name: name.lower().replace("_", "!"))


def test_a_long_table(pages: Pages, chromium: Browser) -> None:
    """Its first rows are seen, and that there are others; its dearest rows are printed."""
    with visit(chromium, pages("deep").as_uri()) as seen:
        assert len(column(seen, 1)) == FIRST_ROWS
        seen.page.get_by_label("Filter").fill("stem conv")
        seen.page.locator(".nodes output", has_text="1 of ").wait_for()
        assert column(seen, 1) == ["/stem/conv/Conv"]
        seen.page.get_by_label("Filter").fill("")
        seen.page.get_by_role("button", name="Show the other").wait_for()
        seen.page.emulate_media(media="print")
        assert len(column(seen, 1)) == DEAREST
        assert seen.page.locator(".printed").inner_text().startswith("Printed are the nodes with")


def test_a_link_restores_what_was_filtered_and_sorted(pages: Pages, chromium: Browser) -> None:
    """In any order of the address; what it does not know is left out."""
    address = pages("googlenet").as_uri()
    with visit(chromium, address) as seen:
        place = head(seen, "M MACs")
    with visit(chromium, f"{address}#nodes?sort=-{place + 1}&q=5x5&op=Conv&more=1") as seen:
        found = numbers(column(seen, place))
        assert len(found) == WIDE_CONVOLUTIONS
        assert found == sorted(found, reverse=True)
        assert seen.page.get_by_label("Filter").input_value() == "5x5"
    for wrong in ("sort=-99", "sort=x", "op=%3Cscript%3E", "q=%22%3E%3Cimg src=x%3E"):
        with visit(chromium, f"{address}#nodes?{wrong}") as seen:
            assert len(column(seen, 1)) != 0 or wrong.startswith("q")
            assert (seen.asked, seen.complaints) == ([], [])


def test_a_mark_tells_and_leads_to_its_row(seen: Visit) -> None:
    """What the row says is in its tooltip; it is shown also where a filter has hidden it."""
    mark = seen.page.locator(".map a title").first
    name = mark.text_content()
    mark.dispatch_event("pointerover")
    mark.dispatch_event("pointerover")
    told = mark.text_content()
    assert name is not None
    assert told is not None
    assert told.startswith(f"{name}\n")
    assert told.count("M MACs: ") == 1
    seen.page.get_by_label("Filter").fill("nothing has this name")
    assert column(seen, 1) == []
    target = seen.do("() => document.querySelector('.network a').getAttribute('href')")
    seen.do("hash => { location.hash = hash; }", target)
    seen.page.locator(f"{target}").wait_for(state="visible")


def test_theme(seen: Visit) -> None:
    """As the system has it, light or dark; what was chosen is still so when the page is opened
    again."""
    button = seen.page.get_by_role("button", name="Theme")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    ink = seen.do("() => getComputedStyle(document.body).color")
    found: dict[str, str] = {}
    for _ in range(3):
        found[button.inner_text()] = seen.do(ground)
        button.click()
    assert len(found) == 3
    system, light, dark = (found[f"Theme: {name}"] for name in ("system", "light", "dark"))
    assert system == light != dark
    button.click()
    button.click()
    assert seen.do(ground) == dark
    seen.page.wait_for_timeout(300)  # Chromium's next process hears of what is kept by and by
    seen.page.reload()
    assert seen.do(ground) == dark
    seen.page.emulate_media(media="print")
    assert seen.do(ground) in {light, "rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    assert seen.do("() => getComputedStyle(document.body).color") == ink


def test_a_sandboxed_frame_without_storage(pages: Pages, chromium: Browser) -> None:
    """The filter works, the theme can be changed, and nothing is complained of."""
    page = pages("googlenet")
    outer = page.parent / "outer.html"
    outer.write_text(f'<!doctype html><iframe sandbox="allow-scripts" src="{page.name}"></iframe>')
    with (
        browser.served(page.parent, {}) as address,
        visit(chromium, f"{address}/{outer.name}") as seen,
    ):
        frame = seen.page.frames[1]
        frame.wait_for_load_state()
        frame.get_by_label("Filter").fill("branch5x5 conv")
        assert len(column(frame, 1)) == WIDE_CONVOLUTIONS
        frame.get_by_role("button", name="Theme").click()
        assert frame.get_by_role("button", name="Theme").inner_text() == "Theme: light"
        assert seen.complaints == []
