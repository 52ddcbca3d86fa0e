"""The cost table: a row for each node, operator or module scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from archlint.analyzer.cost import Group
from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.full import remarks, totals
from archlint.analyzer.report.text import Paint, percent, safe, short, size, table


class By(StrEnum):
    """What a row of the table stands for."""

    NODE = "node"
    OP = "op"
    SCOPE = "scope"


class SortKey(StrEnum):
    """The order of the rows: as in the graph, or largest first."""

    GRAPH = "graph"
    MACS = "macs"
    OPS = "ops"
    PARAMS = "params"
    WEIGHTS = "weights"
    ACTIVATIONS = "activations"
    INTENSITY = "intensity"


_KEYS: dict[SortKey, Callable[[Group], float]] = {
    SortKey.MACS: lambda group: group.cost.macs,
    SortKey.OPS: lambda group: group.cost.ops,
    SortKey.PARAMS: lambda group: group.parameters,
    SortKey.WEIGHTS: lambda group: group.cost.weight_bytes,
    SortKey.ACTIVATIONS: lambda group: group.cost.bytes_read + group.cost.bytes_written,
    SortKey.INTENSITY: lambda group: group.cost.intensity or 0.0,
}
_HEAD = ("MACs", "%", "other ops", "params", "weights", "activ.", "FLOP/B")
_NUMBERS = 66  # columns that the numbers take at most


def rows(model: ModelReport, by: By, sort: SortKey, top: int | None) -> list[Group]:
    """The rows of a model's table; nodes that only make constants are left out."""
    costs = model.costs
    if by is By.NODE:
        graph = costs.graph
        groups = [costs.group(node.label, [node]) for node in graph.operators()]
    else:
        groups = costs.by_operator() if by is By.OP else costs.by_scope()
    if sort is not SortKey.GRAPH:
        groups.sort(key=_KEYS[sort], reverse=True)
    return groups[:top]


def render(
    model: ModelReport, groups: Sequence[Group], by: By, paint: Paint, width: int | None
) -> str:
    """The table of a model, its totals, and what is unknown."""
    whole = model.costs.total().macs
    head = {By.NODE: ("node", "operator"), By.OP: ("operator", "nodes"), By.SCOPE: ("scope", "nodes")}
    cells = [_cells(group, by, whole) for group in groups]
    room = None if width is None else max(16, width - _NUMBERS - 12)
    lines = table((*head[by], *_HEAD), cells, {0: room, 1: None} if by is By.NODE else {0: room})
    lines[0] = paint(lines[0], "bold")
    return "\n".join([*lines, "", *totals(model, paint), *remarks(model, paint, width)]) + "\n"


def _cells(group: Group, by: By, whole: int) -> tuple[str, ...]:
    cost = group.cost
    name = safe(group.name) or ("(no scope)" if by is By.SCOPE else "")
    kind = group.nodes[0].operator if by is By.NODE else f"{len(group.nodes):,}"
    parameters = short(group.parameters)
    if group.unknown == len(group.nodes):
        return (name, kind, "unknown", "", "unknown", parameters, "", "", "")
    more = "+?" if group.unknown else ""
    moved = cost.bytes_read + cost.bytes_written
    intensity = "" if cost.intensity is None else f"{cost.intensity:.1f}"
    return (
        name, kind, short(cost.macs) + more, percent(cost.macs, whole), short(cost.ops), parameters,
        size(cost.weight_bytes), size(moved), intensity,
    )  # fmt: skip
