"""What is known of the quantities that budgets limit, of a model and of its base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archlint.analyzer.compare.architecture import Totals
from archlint.analyzer.report import ModelReport
from archlint.analyzer.text import plural

BIND = "bind its dims with --dim or --input-shape"
WORDS: Mapping[str, tuple[str, str]] = {  # what a model does with so many of which unit
    "macs": ("costs", "MACs"),
    "params": ("has", "parameters"),
    "file-size": ("takes", "bytes of storage"),
    "peak-activation": ("needs", "bytes of activations at its peak"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a quantity, None if nothing is; ``lacking`` says what is unknown of it."""

    number: int | None
    lacking: str = ""

    @property
    def whole(self) -> int | None:
        """The number, where nothing is unknown of it."""
        return None if self.lacking else self.number

    @property
    def least(self) -> str:
        """The number as a sentence has it: with ``at least`` where more is unknown."""
        return f"{'at least ' if self.lacking else ''}{self.number or 0:,}"


def of_model(model: ModelReport) -> Mapping[str, Known]:
    """What is known of each quantity of a model."""
    causes = [str(unknown.cause) for unknown in model.unknown]
    remedy = f" ({causes[0]})" if causes else f"; {BIND}"
    macs = peak = ""
    if model.unknown_nodes:
        macs = f"the cost of {plural(model.unknown_nodes, 'node')} is unknown{remedy}"
    if model.peak_unknown:
        peak = f"the size of {plural(model.peak_unknown, 'value')} is unknown{remedy}"
    return {
        "macs": Known(model.cost.macs, macs),
        "params": Known(model.parameters),
        "file-size": Known(model.file_bytes + model.external_bytes),
        "peak-activation": Known(model.peak_bytes, peak),
    }


def of_totals(totals: Totals) -> Mapping[str, Known]:
    """What is known of each quantity of one side of a comparison."""
    macs = f"the cost of {plural(totals.unknown, 'node')} is unknown" if totals.unknown else ""
    return {
        "macs": _known(totals.macs, macs),
        "params": _known(totals.parameters),
        "file-size": _known(totals.file_bytes),
        "peak-activation": _known(totals.peak_activation_bytes),
    }


def _known(number: int | None, lacking: str = "") -> Known:
    return Known(number, "it is unknown" if number is None else lacking)
