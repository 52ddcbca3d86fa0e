"""The cost table: a row for each node, operator or module scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.choices import By, SortKey
from archlint.analyzer.cost import Group
from archlint.analyzer.report.full import remarks, totals
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.text import Paint, percent, safe, short, size, table

if TYPE_CHECKING:  # a report without predictions does without
    from archlint.analyzer.timing.prediction.times import Prediction

KEYS: dict[SortKey, Callable[[Group], float]] = {
    SortKey.MACS: lambda group: group.cost.macs,
    SortKey.OPS: lambda group: group.cost.ops,
    SortKey.PARAMS: lambda group: group.parameters,
    SortKey.WEIGHTS: lambda group: group.cost.weight_bytes,
    SortKey.ACTIVATIONS: lambda group: group.cost.bytes_read + group.cost.bytes_written,
    SortKey.INTENSITY: lambda group: group.cost.intensity or 0.0,
}
HEAD = {
    By.NODE: ("node", "operator"),
    By.OP: ("operator", "nodes"),
    By.SCOPE: ("scope", "nodes"),
}
_NUMBERS = ("MACs", "%", "other ops", "params", "weights", "activ.", "FLOP/B")
_PREDICTED = "predicted ms"
_EXPENDABLE = (6, 4, 1)  # weights, other ops, and what a name mostly tells


def rows(
    model: Analysis, by: By, sort: SortKey, top: int | None = None, depth: int | None = None
) -> list[Group]:
    """The rows of a model's table; ``depth`` cuts module scopes to that many parts."""
    costs = model.costs
    if by is By.NODE:
        groups = costs.by_node()
    else:
        groups = costs.by_operator() if by is By.OP else costs.by_scope(depth)
    if sort is not SortKey.GRAPH:
        groups.sort(key=KEYS[sort], reverse=True)
    return groups[:top]


def render(
    model: Analysis, groups: Sequence[Group], by: By, paint: Paint, width: int | None
) -> str:
    """The table of a model, its totals, and what is unknown."""
    whole = model.costs.total().macs
    # Operators that do the same work share one cost, and so their text.
    shared: dict[tuple[int, int, int, int], tuple[str, ...]] = {}
    prediction = model.prediction
    head = (*HEAD[by], *_NUMBERS, *(() if prediction is None else (_PREDICTED,)))
    cells = []
    for group in groups:
        key = id(group.cost), group.parameters, group.unknown, len(group.rows)
        if key not in shared:
            shared[key] = _figures(group, whole)
        cells.append((*named(group, by), *shared[key], *_time(group, prediction)))
    left = 2 if by is By.NODE else 1
    lines = table(head, cells, left=left, width=width, expendable=_EXPENDABLE)
    lines[0] = paint(lines[0], "bold")
    report = reported(model)
    below = [*totals(report, paint, width), *remarks(report, paint, width)]
    return "\n".join([*lines, "", *below]) + "\n"


def named(group: Group, by: By) -> tuple[str, str]:
    """The first two cells of a row."""
    if by is By.NODE:
        return safe(group.name), safe(group.rows[0].operator)
    return safe(group.name) or ("(no scope)" if by is By.SCOPE else ""), f"{len(group.rows):,}"


def _time(group: Group, prediction: Prediction | None) -> tuple[str, ...]:
    """The cell of the predicted time, where there is one."""
    if prediction is None:
        return ()
    times = [prediction.at(row.place) for row in group.rows]
    known = [time for time in times if time is not None]
    if not known:
        return ("unknown",)
    return (f"{sum(known) / 1e6:,.3f}{'+?' if len(known) < len(times) else ''}",)


def _figures(group: Group, whole: int) -> tuple[str, ...]:
    """The other cells of a row."""
    cost = group.cost
    parameters = short(group.parameters)
    if group.unknown == len(group.rows):
        return ("unknown", "", "unknown", parameters, "", "", "")
    more = "+?" if group.unknown else ""
    moved, intensity = cost.bytes_read + cost.bytes_written, cost.intensity
    return (
        short(cost.macs) + more, percent(cost.macs, whole), short(cost.ops), parameters,
        size(cost.weight_bytes), size(moved), "" if intensity is None else f"{intensity:.1f}",
    )  # fmt: skip
