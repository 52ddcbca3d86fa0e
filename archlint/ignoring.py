"""Leave out findings that an entry accepts: of the configuration, or of the model itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from archlint.analyzer.finding import Finding, Ignored
from archlint.analyzer.graph import Graph
from archlint.analyzer.reader.model import IGNORE_KEY, Model
from archlint.config import Chosen
from archlint.ignore_entries import Entries, is_about
from archlint.ignore_remarks import remarks_on_model
from archlint.model_ignores import ModelIgnores, NodeIgnore, model_ignores

if TYPE_CHECKING:
    from archlint.rule_kinds import Ignore


def accept(
    findings: Iterable[Finding], chosen: Chosen, model: Model, graph: Graph
) -> tuple[tuple[Finding, ...], tuple[Ignored, ...]]:
    """The findings that stay, with remarks on the entries of the model, and those that an entry
    accepts."""
    entries = Entries(chosen.ignores)
    own = ModelIgnores()
    if chosen.model_ignores and model.may_ignore:
        own = model_ignores(model, graph.nodes, chosen.known)
    used: set[NodeIgnore] = set()
    stay: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        at_nodes = [
            entry
            for node in finding.nodes
            for entry in own.entries.get(node.id, ())
            if is_about(entry.rule, finding)
        ]
        used.update(at_nodes)
        one = _ignored(finding, entries.accepting(finding), at_nodes)
        if one is None:
            stay.append(finding)
        else:
            ignored.append(one)
    return (*stay, *remarks_on_model(own, used, chosen)), tuple(ignored)


def _ignored(
    finding: Finding, entries: Sequence[Ignore], at_nodes: Sequence[NodeIgnore]
) -> Ignored | None:
    if entries:
        return Ignored(finding, entries[0].place, entries[0].reason)
    if at_nodes:
        by = f"{IGNORE_KEY} of node '{at_nodes[0].node.label}'"
        return Ignored(finding, by, at_nodes[0].reason, in_model=True)
    return None
