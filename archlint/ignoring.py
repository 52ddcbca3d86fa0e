"""Leave out findings that an entry accepts: of the configuration, or of the model itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from archlint.analyzer.cost import CostTable
from archlint.analyzer.finding import Finding, Ignored
from archlint.analyzer.reader.model import Model
from archlint.config import Chosen
from archlint.ignore_entries import Entries, is_about
from archlint.ignore_remarks import remarks_on_model
from archlint.model_ignores import ModelIgnores, NodeIgnore, model_ignores, selectors
from archlint.snapshot_files import has_snapshot

if TYPE_CHECKING:
    from archlint.rule_kinds import Ignore


def accept(
    findings: Iterable[Finding], chosen: Chosen, model: Model, costs: CostTable
) -> tuple[tuple[Finding, ...], tuple[Ignored, ...]]:
    """The findings that stay, with remarks on the entries of the model and of its snapshot, and
    those that an entry accepts."""
    entries = Entries(chosen.ignores)
    own = _own(chosen, model, costs)
    used: set[NodeIgnore] = set()
    stay: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        at_nodes = [
            entry
            for node in finding.nodes
            for source in own
            for entry in source.entries.get(node.id, ())
            if is_about(entry.rule, finding)
        ]
        used.update(at_nodes)
        one = _ignored(finding, entries.accepting(finding), at_nodes)
        if one is None:
            stay.append(finding)
        else:
            ignored.append(one)
    stay += (told for source in own for told in remarks_on_model(source, used, chosen))
    return tuple(stay), tuple(ignored)


def _own(chosen: Chosen, model: Model, costs: CostTable) -> list[ModelIgnores]:
    """The entries in the model, and those in the snapshot beside it."""
    found: list[ModelIgnores] = []
    if not chosen.model_ignores:
        return found
    known = selectors(chosen.known)
    if model.may_ignore:
        found.append(model_ignores(model, costs.graph.nodes, known))
    if has_snapshot(model.path):
        from archlint.snapshot_ignores import snapshot_ignores  # late: few models have one

        found.append(snapshot_ignores(model, costs, known))
    return found


def _ignored(
    finding: Finding, entries: Sequence[Ignore], at_nodes: Sequence[NodeIgnore]
) -> Ignored | None:
    if entries:
        return Ignored(finding, entries[0].place, entries[0].reason)
    if at_nodes:
        first = at_nodes[0]
        return Ignored(finding, first.by, first.reason, in_model=not first.line)
    return None
