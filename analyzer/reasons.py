"""Why something about nodes is unknown: the reasons, ranked by how many nodes share each."""

from __future__ import annotations

from collections.abc import Iterable

from archlint.analyzer.dims import Cause
from archlint.analyzer.graph import Node
from archlint.analyzer.text import plural

_SHOWN = 3

Reason = tuple[Cause, tuple[Node, ...]]


def by_cause(unknown: Iterable[tuple[Node, frozenset[Cause]]]) -> tuple[Reason, ...]:
    """Each reason with its nodes, most nodes first."""
    grouped: dict[Cause, list[Node]] = {}
    for node, causes in unknown:
        for cause in sorted(causes):
            grouped.setdefault(cause, []).append(node)
    ranked = sorted(grouped.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return tuple((cause, tuple(nodes)) for cause, nodes in ranked)


def told(reasons: tuple[Reason, ...]) -> str:
    """The first reasons in one line, with what the user can do about each."""
    shown = "; ".join(f"{plural(len(nodes), 'node')}: {cause}" for cause, nodes in reasons[:_SHOWN])
    more = len(reasons) - _SHOWN
    return f"{shown}; and {plural(more, 'more reason')}" if more > 0 else shown
