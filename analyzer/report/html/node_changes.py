"""What of the table of nodes is new or differs from the base."""

from __future__ import annotations

from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html import deltas
from archlint.analyzer.report.html.change_rows import places_of_layers
from archlint.analyzer.report.html.node_numbers import BLANK, Cell, CellOf, Scale


def changes(model: ModelReport, difference: Difference, scale: Scale) -> CellOf:
    """By how many MACs a node differs from the one of the base that it is matched with."""
    at = places_of_layers(model)
    cells: dict[int | None, Cell] = {}
    for one in difference.added:
        cells[at.get((one.label, one.operator))] = Cell("new", str(one.macs or 0))
    for old, new in difference.changed:
        cells[at.get((new.label, new.operator))] = _changed(old.macs, new.macs, scale)
    return lambda place: cells.get(place, BLANK)


def _changed(before: int | None, after: int | None, scale: Scale) -> Cell:
    """More or fewer MACs; of a node that is changed all the same, that it is."""
    if before is None or after is None or before == after:
        return Cell("changed", "0")
    told = deltas.difference(before, after, scale.text, percent=False)
    return Cell(told.text, str(after - before), told.tone)
