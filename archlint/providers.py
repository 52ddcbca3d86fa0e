"""Tell which execution providers work here."""

from __future__ import annotations

from collections.abc import Sequence

from archlint.analyzer.report.providers import as_json, render
from archlint.analyzer.timing.inventory import require, take_inventory
from archlint.analyzer.timing.providers import Provider, parse_providers
from archlint.choices import TableFormat
from archlint.output import EXIT_USAGE, terminal


def providers_text(
    asked: Sequence[str], output_format: TableFormat, output_file: str | None
) -> tuple[str, int]:
    """The providers of ``--ep``, or all that there are, and the exit code: 2 where one that was
    asked for does not work, as a run on it would have."""
    inventory = take_inventory(asked)
    failed = asked and not all(one.works for one in inventory.standings)
    code = EXIT_USAGE if failed else 0
    if output_format is TableFormat.JSON:
        return as_json(inventory), code
    return render(inventory, *terminal(output_file)), code


def working_providers(texts: Sequence[str]) -> tuple[Provider, ...]:
    """The providers of ``--ep``; raises ConfigError for one that does not exist or takes no node
    here, with what would help."""
    found = parse_providers(texts)
    require(found)
    return found
