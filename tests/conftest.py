"""samples/, docs/ and tests/hostile/ hold scripts, not packages: put their folders on the path."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command_line import Run

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
