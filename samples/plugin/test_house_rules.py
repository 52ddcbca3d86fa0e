"""Every rule here keeps its contract and its cases: the checks of ``archlint rule --test``."""

from __future__ import annotations

from pathlib import Path

import pytest

from archlint.rule_cases import Check
from archlint.rule_test import checks_at

FOLDER = Path(__file__).parent / "house_rules"


@pytest.mark.parametrize("check", checks_at(str(FOLDER)), ids=str)
def test_rules(check: Check) -> None:
    """The check finds nothing wrong."""
    assert check.flaws() == []
