"""What the weights of a model use, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.breaks import breakable
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.merged import sentence

_TITLES = {
    "side": "the matrix that the kernel is taken as",
    "of": "directions in all",
    "effective": "effective rank: how many equal directions would be as spread out",
    "width": "how many to keep; a dash where no form of the layer would take less",
    "change": "of the MACs, if so many are kept",
}
_UNDER_THE_NAME = ("sizes", "MACs")


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; ``title`` says what is in it."""

    label: str
    title: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer, its sizes and MACs, and a row for each side of its kernel."""

    name: Markup
    about: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """The layers under their columns, of which the first is that of the names."""

    id: str
    lead: str
    columns: tuple[Column, ...]
    layers: tuple[Layer, ...]
    remarks: tuple[str, ...]


def section(model: ModelReport, ids: Ids) -> Weights | None:
    """The section; None where no weights were read for it."""
    if model.weights is None:
        return None
    from archlint.analyzer.report import weights_text  # late: few pages have it

    head = weights_text.HEAD
    kept = [place for place, name in enumerate(head) if name not in _UNDER_THE_NAME]
    columns = tuple(
        Column(
            name if name == "of" else sentence(name),
            _TITLES.get(name, f"directions that hold {name} of the energy" if "%" in name else ""),
            place >= weights_text.LEFT,
        )
        for place, name in enumerate(head)
        if place in kept
    )
    layers = []
    for kernel in model.weights.kernels:
        if rows := tuple(weights_text.rows(kernel)):
            first = dict(zip(head, rows[0], strict=True))
            about = f"{first['sizes']}, {first['MACs']} MACs"
            cells = tuple(tuple(row[place] for place in kept[1:]) for row in rows)
            layers.append(Layer(breakable(first["layer"]), about, cells))
    return Weights(
        ids.section("weights"),
        f"{sentence(weights_text.lead(model.weights))}.",
        columns,
        tuple(layers),
        tuple(weights_text.remarks(model.weights)),
    )
