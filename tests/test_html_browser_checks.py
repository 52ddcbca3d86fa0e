"""The checks of pages in Chromium find what is wrong with a page."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from browser import visit
from page_checks import faint, faults, unsafe

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WHY_NOT = browser.lacking()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

WRONG = """<!doctype html><html><title>wrong</title><body onclick="0">
<p id="one">covered</p><p id="one" style="margin-top: -36px; font-size: 9px">covering</p>
<svg aria-label="chart" width="100" height="40" viewBox="0 0 200 80">
<text x="0" y="20" font-size="24">under</text><text x="9" y="24" font-size="24">over</text>
<text x="0" y="60" font-size="18">small</text><text x="190" y="60" font-size="24">cut</text>
<rect x="96" y="40" width="30" height="30" fill="#444"/>
<text x="80" y="62" font-size="24">box</text></svg>
<a href="#nowhere" style="display: block; width: 9px; overflow: hidden">hidden</a>
<div style="width: 1300px">wide</div><img src="nowhere.png"><script>alert(1)</script>
"""


@pytest.mark.skipif(browser.AXE not in os.environ, reason=f"{browser.AXE} names no axe.min.js")
def test_what_is_wrong_is_told(chromium: Browser, tmp_path: Path) -> None:
    """Of a page that has everything that no page may have."""
    (page := tmp_path / "wrong.html").write_text(WRONG, encoding="utf-8")
    with visit(chromium, page.as_uri(), trusted=True) as seen:
        assert faults(seen) == [
            'chart: "under" over "over"',
            'chart: 9.0 px: "small"',
            'chart: wider than its box: "box"',
            'chart: outside of it: "cut"',
            "9 px: covering",
            "div .",
            "the page is 1308 px wide",
            'cut off: "hidden"',
            '"covering" over "covered"',
        ]
        assert faint(seen) == ['chart: contrast 2.2: "box"']
        assert [re.split(" style|>", one)[0] for one in unsafe(seen)] == [
            "nothing is called #nowhere",
            "two are called #one",
            'could run: <body onclick="0"',
            'could run: <p id="one"',
            'could run: <a href="#nowhere"',
            "could run: <div",
            'could run: <img src="nowhere.png"',
        ]
        found = {one.partition(":")[0] for one in browser.violations(seen)}
        assert {"html-has-lang", "image-alt"} <= found
        assert seen.asked == [(tmp_path / "nowhere.png").as_uri()]
        assert seen.dialogs == ["1"]
        assert len(seen.complaints) == 1
