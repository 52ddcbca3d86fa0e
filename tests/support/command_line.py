"""Runs of the command line within the test's process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archlint.cli import main


class Ran:
    """One run of archlint, by its exit code and what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> None:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
            patch.setattr(sys, "argv", ["archlint", *map(str, arguments)])
            main()
        self.code = left.value.code or 0
        self.out, self.err = capsys.readouterr()

    @property
    def error(self) -> str:
        """The only error, without what every error begins with."""
        (line,) = self.err.splitlines()
        assert line.startswith("archlint: error: ")
        return line.removeprefix("archlint: error: ")

    @property
    def document(self) -> dict[str, Any]:
        """The JSON that it printed."""
        document: dict[str, Any] = json.loads(self.out)
        return document


Run = Callable[..., Ran]
