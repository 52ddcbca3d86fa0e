"""A line of a snapshot: an operation, in cells between two blanks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archlint.analyzer.compare.architecture import Operation
from archlint.analyzer.compare.snapshot_text import (
    NONE,
    count,
    counted,
    items,
    listing,
    parts,
    path,
    phrase,
    plain,
    whole_number,
    word,
)

_NO_INPUTS = "no inputs"
_NOT_FLOAT = " (not float)"
_SHOWN = 60  # characters of a cell that an error repeats
_INPUT = re.compile(r"([$^])(0|[1-9]\d{0,9})", re.ASCII)
_OPERATOR = re.compile(r"([^\s()]+)(?:\((.+)\))?")
_CELLS = {  # what a line tells behind its operator, in this order
    "inputs": re.compile(rf"({_NO_INPUTS}|[$^].*)"),
    "weights": re.compile(r"weights (.+)"),
    "bodies": re.compile(r"runs (.+)"),
    "shapes": re.compile(r"-> (.+)"),
    "parameters": re.compile(r"(\S+) parameters"),
    "macs": re.compile(r"(\S+) MACs"),
}


def cells_of(place: int, operation: Operation) -> list[str]:
    """What a line tells, without what goes without saying."""
    attributes = f"({phrase(operation.attributes)})" if operation.attributes else ""
    cells = [path(operation.scope), f"{word(operation.operator)}{attributes}"]
    if operation.inputs != (place - 1,) or not place:
        made = (f"^{place - made}" if made >= 0 else f"${-1 - made}" for made in operation.inputs)
        cells.append(",".join(made) or _NO_INPUTS)
    if operation.weights:
        cells.append(f"weights {listing(operation.weights)}")
    if operation.bodies:
        cells.append(f"runs {listing(operation.bodies)}")
    if operation.shapes or not operation.floats:
        cells.append(f"-> {listing(operation.shapes)}{'' if operation.floats else _NOT_FLOAT}")
    if operation.parameters:
        cells.append(f"{count(operation.parameters)} parameters")
    if operation.macs != 0:
        cells.append(f"{count(operation.macs)} MACs")
    return cells


def operation_of(cells: Sequence[str], place: int) -> Operation:
    """The operation that the cells of a line tell; raises ValueError where none could."""
    if len(cells) < 2 or (named := _OPERATOR.fullmatch(cells[1])) is None:
        raise ValueError("it begins with a scope and an operator, two blanks between them")
    told: dict[str, str] = {}
    kinds = iter(_CELLS.items())
    for cell in cells[2:]:
        for kind, pattern in kinds:
            if found := pattern.fullmatch(cell):
                told[kind] = found[1]
                break
        else:
            raise ValueError(f"'{cell[:_SHOWN]}' has no meaning there")
    shapes = told.get("shapes", NONE)
    return Operation(
        operator=plain(named[1]),
        attributes=plain(named[2] or ""),
        weights=items(told.get("weights", NONE)),
        shapes=items(shapes.removesuffix(_NOT_FLOAT)),
        inputs=_inputs(told.get("inputs", "^1"), place),
        parameters=whole_number(told.get("parameters", "0")),
        macs=counted(told.get("macs", "0")),
        scope=parts(cells[0]),
        floats=not shapes.endswith(_NOT_FLOAT),
        bodies=items(told.get("bodies", NONE)),
    )


def _inputs(text: str, place: int) -> tuple[int, ...]:
    """The places that are ``^1,$0``; raises ValueError for an operation that is not there.

    What a body reads of the graph around it are inputs behind its own, so there may be more.
    """
    if text == _NO_INPUTS:
        return ()
    found = []
    for item in text.split(","):
        if (match := _INPUT.fullmatch(item)) is None:
            raise ValueError(f"'{item[:_SHOWN]}' is no input such as ^1 or $0")
        number = int(match[2])
        if match[1] == "^" and not 0 < number <= place:
            raise ValueError(f"there is no '{item}'")
        found.append(-1 - number if match[1] == "$" else place - number)
    return tuple(found)
