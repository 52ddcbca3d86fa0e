"""The operators that archlint knows, as a table or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archlint.analyzer.operators import Operator, Status
from archlint.analyzer.text import Paint, columns, paragraph, plural, safe, table, to_json

_HEAD = ("operator", "domain", "since", "shapes", "cost")
_EXPENDABLE = (2, 3, 1)  # since, shapes, and what is one of two domains mostly
_LEAST = 24  # columns below which a formula gets lines of its own
_COLOURS = {Status.UNKNOWN: "yellow", Status.FREE: "dim"}
_IN_WORDS = {
    Status.COUNTED: "counted by a formula",
    Status.FREE: "free on purpose",
    Status.BODY: "counted through what they run",
    Status.UNKNOWN: "of unknown cost",
}


def render(operators: Sequence[Operator], paint: Paint, width: int | None) -> str:
    """A row an operator, its formula beside or below it, and how many there are of each kind."""
    cells = [_cells(operator) for operator in operators]
    lines = table(_HEAD, cells, left=len(_HEAD), width=width, expendable=_EXPENDABLE)
    used = max(map(columns, lines)) + 2
    beside = width is None or width - used >= _LEAST
    shown = [paint(lines[0], "bold")]
    for operator, line in zip(operators, lines[1:], strict=True):
        room = None if width is None else width - (used if beside else 4)
        first, *rest = paragraph(safe(operator.formula), room)
        row = paint(line, colour) if (colour := _COLOURS.get(operator.status)) else line
        shown += [row + " " * (used - columns(line)) + first] if beside else [row, f"    {first}"]
        shown += [" " * (used if beside else 4) + more for more in rest]
    counts = Counter(operator.status for operator in operators)
    summary = ", ".join(f"{counts[s]:,} {_IN_WORDS[s]}" for s in Status if counts[s])
    total = paragraph(f"{plural(len(operators), 'operator')}: {summary}.", width)
    return "\n".join([*shown, "", *(paint(line, "bold") for line in total)]) + "\n"


def _cells(operator: Operator) -> tuple[str, ...]:
    since = "" if operator.since is None else str(operator.since)
    shapes = "yes" if operator.shapes else "no"
    return safe(operator.name), safe(operator.domain), since, shapes, str(operator.status)


def as_json(operators: Sequence[Operator]) -> str:
    """A list of objects, one an operator."""
    listed = [
        {
            "name": operator.name,
            "domain": operator.domain,
            "since": operator.since,
            "shapes": operator.shapes,
            "status": str(operator.status),
            "formula": operator.formula,
        }
        for operator in operators
    ]
    return to_json(listed)
