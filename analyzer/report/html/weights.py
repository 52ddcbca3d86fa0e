"""What the weights of a model use, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.ids import Ids


@dataclass(frozen=True, slots=True)
class Weights:
    """The rows of each layer under columns, of which it is said whether they are of numbers."""

    id: str
    lead: str
    columns: tuple[tuple[str, bool], ...]
    layers: tuple[tuple[tuple[str, ...], ...], ...]
    remarks: tuple[str, ...]


def section(model: ModelReport, ids: Ids) -> Weights | None:
    """The section; None where no weights were read for it."""
    if model.weights is None:
        return None
    from archlint.analyzer.report import weights_text  # late: few pages have it

    lead = weights_text.lead(model.weights)
    head = tuple((name, place >= weights_text.LEFT) for place, name in enumerate(weights_text.HEAD))
    rows = (tuple(weights_text.rows(kernel)) for kernel in model.weights.kernels)
    return Weights(
        ids.section("weights"),
        f"{lead[0].upper()}{lead[1:]}.",
        head,
        tuple(filter(None, rows)),
        tuple(weights_text.remarks(model.weights)),
    )
