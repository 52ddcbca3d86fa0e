"""The index of a page about several models."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.head import Head
from archlint.analyzer.text import percent_change, safe, short

_LONGEST = 300  # columns of a name


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A model of several."""

    target: str
    path: str
    verdict: str
    badge: str
    macs: str
    change: str
    tone: str
    parameters: str
    findings: str
    sentence: str


def index_row(model: ModelReport, target: str, top: Head) -> IndexRow:
    """What the index says of a model whose part of the page is at ``target``."""
    difference = None if model.change is None else model.change.difference
    text = tone = ""
    if difference is not None and difference.before.macs and difference.after.macs is not None:
        text = percent_change(difference.before.macs, difference.after.macs)
        grown = difference.after.macs - difference.before.macs
        tone = "up" if grown > 0 else "down" if grown < 0 else ""
    elif model.change is not None and model.change.is_new:
        text = "new"
    macs = f"{'≥ ' if model.unknown_nodes else ''}{short(model.cost.macs)}"
    if model.unknown_nodes and not model.cost.macs:
        macs = "unknown"
    return IndexRow(
        target,
        safe(model.path, _LONGEST),
        top.verdict,
        top.badge,
        macs if model.was_checked else "",
        text,
        tone,
        short(model.parameters),
        f"{len(model.told):,}",
        top.sentence,
    )
