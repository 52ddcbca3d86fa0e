"""Pages of the HTML report are small, and the same model always has the same one."""

from __future__ import annotations

from pathlib import Path

import pytest

from html_pages import Pages

KB = 1_000
LIMITS = {"timed": 240 * KB, "resnet50": 400 * KB, "deep": 3_000 * KB}
"""Bytes: GoogLeNet with its base and with times both measured and predicted, which has all charts
that there are; ResNet-50; and 5,000 nodes."""


@pytest.mark.parametrize("kind", LIMITS)
def test_a_page_is_small(pages: Pages, kind: str) -> None:
    """Also in a file alone, with its style and its script."""
    assert pages(kind).stat().st_size <= LIMITS[kind]


def test_two_processes_write_the_same(pages: Pages, tmp_path: Path) -> None:
    """Byte by byte."""
    pages.write(tmp_path / "again.html", "several")
    assert (tmp_path / "again.html").read_bytes() == pages("several").read_bytes()


def test_files_beside_a_page(pages: Pages) -> None:
    """Style and script are out of it, and all else is the same."""
    beside, within = pages("quantised", "--assets", "external"), pages("quantised")
    names = {file.name for file in beside.parent.iterdir()}
    assert names == {"page.html", "page.css", "page.js"}
    text = beside.read_text(encoding="utf-8")
    assert "<style" not in text
    assert (
        text.partition("<body")[2].partition("<script")[0]
        == (within.read_text(encoding="utf-8").partition("<body")[2].partition("<script")[0])
    )
