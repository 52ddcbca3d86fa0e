"""The rules whose fixes ``archlint fix`` applies where none are selected."""

from __future__ import annotations

from collections.abc import Sequence

from archlint import fixing
from archlint.analyzer.rule import Rule
from archlint.configuration import configure
from archlint.selection import FIX_GROUPS


def fixing_rules() -> Sequence[Rule]:
    """The rules in the order in which their fixes are applied."""
    configuration = configure(
        [], isolated=True, select=["ALL"], extend_select=[], ignore=[], options=[], dims=[],
        shapes=[],
    )  # fmt: skip
    chosen = configuration.chosen("model.onnx").rules
    return fixing._in_order([rule for rule in chosen if rule.group in FIX_GROUPS])
