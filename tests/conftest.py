"""samples/, docs/ and tests/hostile/ hold scripts, not packages: put their folders on the path."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from command_line import Run
    from html_pages import Pages

sys.path.insert(0, str(Path(__file__).parent.parent / "samples"))
sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
sys.path.insert(0, str(Path(__file__).parent / "hostile"))
sys.path.insert(0, str(Path(__file__).parent / "support"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test, and no process that it starts, sees the machine profiles or the settings of whoever
    runs it, or what an earlier run has kept."""
    monkeypatch.setenv("ARCHLINT_NO_CACHE", "1")
    monkeypatch.setenv("ARCHLINT_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "no-cache"))
    for name in ("ARCHLINT_CONFIG", "ARCHLINT_OUTPUT_FORMAT", "ARCHLINT_OUTPUT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line with these arguments."""
    from command_line import Ran

    return partial(Ran, capsys)


@pytest.fixture(scope="module")  # as it keeps an event loop running, which others may not want
def chromium() -> Iterator[Browser]:
    """The browser."""
    import browser  # late: few tests need one

    with browser.chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """Pages of the HTML report, for all tests."""
    from html_pages import Pages

    return Pages(tmp_path_factory.mktemp("pages"))
