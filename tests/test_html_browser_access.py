"""The pages of the HTML report in Chromium for who has no mouse, wants no motion, has colours of
their own, follows a link, or sees the head of a page in a notebook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from archlint.analyzer.report import html
from browser import NARROW, WIDE, visit
from html_pages import Pages
from page_checks import faults, unfold
from reports import REPORTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WHY_NOT = browser.lacking()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.mark.parametrize(("width", "script"), [(WIDE, True), (NARROW, False)])
def test_a_link_leads_to_what_can_be_seen(
    pages: Pages, chromium: Browser, width: int, script: bool
) -> None:
    """Neither the bar nor the head of a table covers it, with a script and without."""
    address = pages("googlenet").as_uri()
    with visit(chromium, address, width=width, script=script, still=True) as seen:
        targets = seen.do(_TARGETS)
        assert len(targets) > 5
        for target in targets:
            if "node" in target:
                seen.page.goto("about:blank")  # of a new page the jump comes after the script
            seen.page.goto(f"{address}#{target}")
            seen.page.wait_for_timeout(50)  # one of them can still scroll
            assert seen.do(_COVERED, target) is None


_TARGETS = """() => [...document.querySelectorAll('section[id], .card[id]')].map(one => one.id)
  .concat([...document.querySelectorAll('.nodes tr[id]')].map(one => one.id)
    .filter((id, at, all) => at === 3 || at === all.length >> 1))"""
_COVERED = """id => {
  const box = document.getElementById(id).getBoundingClientRect();
  const [x, y] = [box.left + Math.min(box.width, innerWidth) / 2, box.top + 3];
  if (y < 0 || y > innerHeight) return `${id} is ${y} px below the upper edge`;
  const cover = document.elementsFromPoint(x, y).find(one => one.matches('.bar, .bar *, thead *'));
  return cover ? `${cover.tagName} covers ${id}` : null;
}"""


_FOCUSED = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const drawn = one.matches('.maps input') ? one.nextElementSibling : one;
  const style = getComputedStyle(drawn), box = drawn.getBoundingClientRect();
  const above = one.closest('.bar, .skip') ? 0 : document.querySelector('.bar').offsetHeight;
  return {
    name: `${one.tagName} ${one.textContent.trim().slice(0, 30)}`,
    ring: style.opacity > 0 && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1,
    shown: box.width > 0 && box.right > 0 && box.left < innerWidth
      && (box.height > innerHeight / 2 ? box.bottom : box.top + 2) > above && box.top < innerHeight,
    kind: one.matches('th button') ? 'sorter' : one.tagName,
  };
}"""


@pytest.mark.parametrize(("kind", "width"), [("timed", WIDE), ("unknown", NARROW)])
def test_keys_reach_everything(pages: Pages, chromium: Browser, kind: str, width: int) -> None:
    """Each stop of the tab key is seen and has a ring; skipping, filtering, sorting and scrolling
    are among them. The first stop skips what is before the report."""
    kinds, wrong = set(), []
    with visit(chromium, pages(kind).as_uri(), width=width, still=True) as seen:
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        assert seen.do("() => document.activeElement.id") == "main"
        seen.do("() => document.activeElement.blur()")
        seen.page.reload()
        unfold(seen)
        for _ in range(1_000):
            seen.page.keyboard.press("Tab")
            focused = seen.do(_FOCUSED)
            if focused is None:
                break
            kinds.add(focused["kind"])
            if not (focused["ring"] and focused["shown"]):
                wrong.append(focused)
    assert wrong == []
    assert {"A", "BUTTON", "INPUT", "SELECT", "SUMMARY", "DIV", "sorter"} <= kinds


def test_less_motion(pages: Pages, chromium: Browser) -> None:
    """Nothing moves for who wants less of it; where a scroller begins is no motion."""
    with visit(chromium, pages("googlenet").as_uri(), still=True) as seen:
        assert seen.do(_MOVING) == []


_MOVING = """() => {
  const rules = [...document.styleSheets].flatMap(sheet => [...sheet.cssRules]);
  const moves = name => name !== 'none' && rules.filter(rule => rule.name === name)
    .flatMap(rule => [...rule.cssRules].flatMap(frame => [...frame.style]))
    .some(property => !property.startsWith('scroll-snap'));
  return [...document.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one);
    return moves(style.animationName) || parseFloat(style.transitionDuration) > 0.01
      || style.scrollBehavior === 'smooth';
  }).map(one => one.tagName);
}"""


def test_forced_colours(pages: Pages, chromium: Browser) -> None:
    """Where the system gives its own colours, what is chosen is still told apart, and no theme
    can be chosen: pictures would have its ink on the ground of the system."""
    with visit(chromium, pages("timed").as_uri()) as seen:
        seen.page.locator("#theme").click()
        assert seen.page.locator("html[data-theme]").count() == 1
        seen.page.emulate_media(forced_colors="active")
        seen.page.reload()
        assert seen.page.locator("html[data-theme]").count() == 0
        assert not seen.page.locator("#theme").is_visible()
        seen.page.locator("#cost").scroll_into_view_if_needed()
        seen.page.locator("nav a[aria-current]").wait_for()
        for chosen, other in (
            ("nav a[aria-current]", "nav a:not([aria-current])"),
            (".maps :checked + label", ".maps :not(:checked) + label"),
        ):
            assert seen.do(_LINES, chosen) != seen.do(_LINES, other)


_LINES = """name => {
  const style = getComputedStyle(document.querySelector(name));
  return [style.borderBottomColor, style.outlineStyle];
}"""


NOTEBOOK = """<!doctype html><html lang="en"><title>notebook</title><style>
body { background: GROUND; color: INK; font: 13px/1.3 serif; }
dt { float: left; width: 20%; clear: both; } dd { width: 80%; margin-left: 20%; float: right; }
h3 { font-size: 3em; position: relative; } ul { list-style: square inside; } p { text-indent: 2em; }
</style><main><h1>Cells</h1><h2>One</h2>
<dl class="own"><dt>term<dd>what it is</dl><ul class="own"><li>one</ul>
<p class="own">text</p>HERE<h3 class="own">after</h3></main></html>"""


@pytest.mark.skipif(browser.AXE not in os.environ, reason=f"{browser.AXE} names no axe.min.js")
@pytest.mark.parametrize(("ground", "ink"), [("#fff", "#000"), ("#111", "#ddd")])
def test_a_head_in_a_notebook(chromium: Browser, tmp_path: Path, ground: str, ink: str) -> None:
    """It can be read in its colours, whatever its style is, and leaves what is around it alone."""
    page = NOTEBOOK.replace("GROUND", ground).replace("INK", ink)
    heads = "".join(html.summary(REPORTS[name]) for name in ("compared", "hostile"))
    looks = []
    for name, cells in (("without", ""), ("with", heads)):
        (file := tmp_path / f"{name}.html").write_text(page.replace("HERE", cells), "utf-8")
        with visit(chromium, file.as_uri(), trusted=True) as seen:
            looks.append(seen.do(_OWN_LOOK))
            assert faults(seen) == []
            seen.look(NARROW)
            assert faults(seen) == []
            assert browser.violations(seen) == []
            assert (seen.asked, seen.complaints, seen.dialogs) == ([], [], [])
    assert looks[0] == looks[1]


_OWN_LOOK = """() => [...document.querySelectorAll('.own, .own *')].map(one => {
  const style = getComputedStyle(one);
  return [...style].filter(name => !/block-size|height|origin/.test(name))
    .map(name => `${name}: ${style.getPropertyValue(name)}`).join('; ');
})"""
