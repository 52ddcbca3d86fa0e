"""What has changed since the base, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archlint.analyzer.compare.architecture import Operation, Totals
from archlint.analyzer.compare.difference import Difference, ScopeChange
from archlint.analyzer.report import Change, FindingReport
from archlint.analyzer.report.measured import change_as_object


def as_object(
    change: Change | None, finding: Callable[[FindingReport], dict[str, Any]]
) -> dict[str, Any] | None:
    """The change of a model; ``finding`` writes those that are fixed."""
    if change is None:
        return None
    return {
        "name": change.base or None,
        "difference": None if change.difference is None else _difference(change.difference),
        "fixed": [finding(one) for one in change.fixed],
        "measured": [change_as_object(one) for one in change.measured],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "before": _totals(difference.before),
        "after": _totals(difference.after),
        "matched": difference.matched,
        "share": round(difference.share, 6),
        "scopes": [_scope(scope) for scope in difference.scopes],
        "added": [_operation(one) for one in difference.added],
        "removed": [_operation(one) for one in difference.removed],
        "changed": [
            {"before": _operation(before), "after": _operation(after)}
            for before, after in difference.changed
        ],
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "macs": totals.macs,
        "parameters": totals.parameters,
        "file_bytes": totals.file_bytes,
        "weight_bytes": totals.weight_bytes,
        "peak_activation_bytes": totals.peak_activation_bytes,
        "operations": totals.operations,
        "unknown": totals.unknown,
    }


def _scope(scope: ScopeChange) -> dict[str, Any]:
    return {
        "name": scope.name,
        "macs": {"before": scope.macs_before, "after": scope.macs_after},
        "parameters": {"before": scope.parameters_before, "after": scope.parameters_after},
    }


def _operation(one: Operation) -> dict[str, Any]:
    return {
        "name": one.label or None,
        "operator": one.operator,
        "scope": list(one.scope),
        "attributes": one.attributes,
        "weights": list(one.weights),
        "shapes": list(one.shapes),
        "parameters": one.parameters,
        "macs": one.macs,
    }
