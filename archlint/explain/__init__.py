"""Explain rules from their docstrings, fields, metadata and cases."""

from __future__ import annotations

from collections.abc import Sequence

from archlint.choices import RuleFormat
from archlint.selection import Named


def explain(rules: Sequence[Named], output_format: RuleFormat) -> str:
    """What a reader should know of the rules, one after the other."""
    if output_format is RuleFormat.JSON:
        from archlint.explain.as_json import as_json

        return as_json(rules)
    if output_format is RuleFormat.MARKDOWN:
        from archlint.explain.page import page  # late: it runs archlint over the rules' cases

        return "\n".join(map(page, rules))
    from archlint.explain.text import as_text
    from archlint.output import terminal

    _, columns = terminal(None)
    return as_text(rules, columns)
