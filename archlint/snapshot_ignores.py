"""What the snapshot beside a model accepts: ``# archlint: ignore[ARC101] reason`` behind lines.

Several selectors are separated by commas; what follows the bracket is the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from archlint.analyzer.algorithms import peak_memory
from archlint.analyzer.compare.building import architecture, places
from archlint.analyzer.compare.snapshot import Snapshot, parse
from archlint.analyzer.cost import CostTable
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Node
from archlint.analyzer.reader.model import Model
from archlint.model_ignores import ModelIgnores
from archlint.snapshot_carrying import places_after
from archlint.snapshot_files import read_snapshot, snapshot_of

_MEANT = re.compile(r"archlint\b", re.IGNORECASE)  # what speaks to archlint
_PARTS = re.compile(r"#(?=\s*archlint\b)", re.IGNORECASE)
_ENTRY = re.compile(r"archlint:\s*ignore\s*\[([^\[\]]*)\](.*)", re.IGNORECASE | re.DOTALL)
_LONGEST = 1_000  # characters of a comment: a person writes a sentence
_IN_BODY = "stands in a body, where no findings are told; write it at the line that runs the body"
_FORM = "cannot be followed; write it as '# archlint: ignore[ARC101] reason'"


def snapshot_ignores(model: Model, costs: CostTable, known: Mapping[str, str]) -> ModelIgnores:
    """The entries in the snapshot beside a model; what selectors mean is ``known``.

    One of an earlier state of the model counts where its operations are still recognised.
    """
    found = ModelIgnores()
    path = snapshot_of(model.path)
    try:
        text = read_snapshot(model.path)
        if text is None or _MEANT.search(text.partition("\n")[2]) is None:
            return found
        snapshot = parse(text, path)
    except ConfigError as error:
        found.fault(error.why, line=error.source)
        return found
    nodes = _nodes(snapshot, model, costs) if snapshot.comments else {}
    for place, comment in snapshot.comments.items():
        _read(comment, f"{path}:{snapshot.lines[place]}", nodes.get(place), known, found)
    for number, line in snapshot.gone.items():
        _read(line.partition("#")[2], f"{path}:{number}", None, known, found)
    for number, line in snapshot.strays.items():
        if any(_entries(line.partition("#")[2])):
            found.fault(_IN_BODY, line=f"{path}:{number}")
    return found


def _nodes(snapshot: Snapshot, model: Model, costs: CostTable) -> Mapping[int, Node]:
    """The nodes of a model that lines are about, by the places of the lines."""
    graph = costs.graph
    now = architecture(costs, peak_memory(graph), model.file_bytes + model.external_bytes)
    after = places_after(snapshot, now)
    ids = {place: node for node, place in places(graph).items()}
    return {before: graph.nodes[ids[place]] for before, place in after.items()}


def _read(
    comment: str, line: str, node: Node | None, known: Mapping[str, str], found: ModelIgnores
) -> None:
    """Add the entries of one comment; what does not speak to archlint is for people."""
    at = () if node is None else (node,)
    for text in _entries(comment):
        entry = _ENTRY.fullmatch(text)
        if len(text) > _LONGEST:
            found.fault(f"is longer than {_LONGEST:,} characters", *at, line=line)
        elif entry is None:
            found.fault(_FORM, *at, line=line)
        else:
            found.add(entry[1], entry[2], known, node, line)


def _entries(comment: str) -> Iterator[str]:
    """The parts of a comment that speak to archlint."""
    return (text.strip() for text in _PARTS.split(comment) if _MEANT.match(text.strip()))
