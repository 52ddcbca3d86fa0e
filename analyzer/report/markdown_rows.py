"""What a table in Markdown says of a model."""

from __future__ import annotations

from archlint.analyzer.report import ModelReport, State
from archlint.analyzer.report.gfm import code, row
from archlint.analyzer.text import percent_change, plural, short, size

HEAD = ("model", "findings", "MACs", "parameters", "peak activations")
NUMBERS = 3


def is_changed(model: ModelReport) -> bool:
    """Whether there is something to say of it beside its base."""
    change = model.change
    if change is None or change.is_new or model.told or change.fixed:
        return True
    return change.difference is not None and not change.difference.is_empty


def model_row(model: ModelReport) -> str:
    """The totals, beside those of the base where there is one, and what was found."""
    difference = model.change.difference if model.change else None
    if difference is not None:
        before, after = difference.before, difference.after
        numbers = [
            _change(before.macs, after.macs, least=bool(before.unknown or after.unknown)),
            _change(before.parameters, after.parameters),
            _change(before.peak_activation_bytes, after.peak_activation_bytes, in_bytes=True),
        ]
    else:
        peak_least = "at least " if model.peak_unknown else ""
        numbers = [
            f"{'at least ' if model.unknown_nodes else ''}{_number(model.cost.macs)}",
            _number(model.parameters),
            f"{peak_least}{_number(model.peak_bytes, in_bytes=True)}",
        ]
    new = " (new)" if model.change and model.change.is_new else ""
    return row([f"{code(model.path)}{new}", counted(model), *numbers])


def counted(model: ModelReport) -> str:
    """``9 new, 2 fixed, 14 in all``; without a base how many there are."""
    if not model.was_checked:
        return "not checked"
    total = plural(len(model.findings), "finding")
    if model.change is None:
        return total
    states = [finding.state for finding in model.findings]
    counts = (
        (states.count(State.NEW), "new"),
        (states.count(State.WORSE), "worse"),
        (len(model.change.fixed), "fixed"),
    )
    told = [f"{count:,} {word}" for count, word in counts if count]
    return ", ".join([*told, f"{len(states):,} in all"])


def _change(
    before: int | None, after: int | None, *, in_bytes: bool = False, least: bool = False
) -> str:
    new = _number(after, in_bytes=in_bytes)
    at_least = "at least " if least else ""
    if before == after:
        return f"{at_least}{new}"
    told = f"{at_least}{_number(before, in_bytes=in_bytes)} → {new}"
    if before is None or after is None:
        return told
    return f"{told} (**{percent_change(before, after)}**)" if before else told


def _number(value: int | None, *, in_bytes: bool = False) -> str:
    if value is None:
        return "unknown"
    return size(value) if in_bytes else short(value)
