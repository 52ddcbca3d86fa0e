"""The numbers of a card: what findings cost, what following them saves, how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.cost.base import total
from archlint.analyzer.report import FindingReport, ModelReport
from archlint.analyzer.text import milliseconds, percent, percent_change, plural, safe, short, size


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its label and what it holds for."""

    label: str
    value: str
    note: str


def figures(model: ModelReport, findings: Sequence[FindingReport]) -> Iterator[Figure]:
    """The figures of the findings of a rule, all places together."""
    yield from _work(model, findings)
    yield from _parameters(findings)
    yield from _measured(model, findings)
    yield from _predicted(findings)


def _work(model: ModelReport, findings: Sequence[FindingReport]) -> Iterator[Figure]:
    """MACs, and what changes in their place where they do not."""
    whole = model.cost.macs
    proposals = [finding.proposal for finding in findings if finding.proposal is not None]
    if not proposals:
        macs = sum(finding.cost.macs for finding in findings)
        if macs:
            least = "at least " if _has_unknown(model, findings) else ""
            yield Figure("MACs", f"{least}{short(macs)}", f"{percent(macs, whole)} of the model")
        return
    old, new = total(p.before for p in proposals), total(p.after for p in proposals)
    before, after = old.macs, new.macs
    if before != after:
        share = f"{'−' if after < before else '+'}{percent(abs(after - before), whole)}"
        yield Figure("MACs", _arrow(short, before, after), f"{share} of the whole model")
        return
    if before:
        yield Figure("MACs", short(before), "unchanged")
    if new.bytes < old.bytes:
        change = percent_change(old.bytes, new.bytes)
        yield Figure("Bytes moved", _arrow(size, old.bytes, new.bytes), change)
    if new.ops < old.ops:
        change = percent_change(old.ops, new.ops)
        yield Figure("Other operations", _arrow(short, old.ops, new.ops), change)


def _parameters(findings: Sequence[FindingReport]) -> Iterator[Figure]:
    proposals = [finding.proposal for finding in findings if finding.proposal is not None]
    before = sum(proposal.parameters_before for proposal in proposals)
    after = sum(proposal.parameters_after for proposal in proposals)
    if before != after:
        yield Figure("Parameters", _arrow(short, before, after), percent_change(before, after))


def _measured(model: ModelReport, findings: Sequence[FindingReport]) -> Iterator[Figure]:
    """What the kernels of the flagged nodes take now."""
    kernels = model.kernels
    if kernels is None:
        return
    flagged = {node.place for finding in findings for node in finding.nodes}
    times, others = 0.0, 0
    for place, layer in enumerate(model.layers):
        run = set(layer.kernel or (place,))
        if layer.measured is not None and run & flagged:
            times += layer.measured
            others += len(run - flagged)
    if times:
        share = f"{percent(round(times), round(kernels.of_layers))} of the measured time"
        fused = ", with what is fused to them" if others else ""
        busy = ", on a busy machine" if kernels.disturbed else ""
        yield Figure("Measured now", milliseconds(times), f"{share}{fused}{busy}")


def _predicted(findings: Sequence[FindingReport]) -> Iterator[Figure]:
    forecasts = [finding.forecast for finding in findings if finding.forecast is not None]
    if not forecasts:
        return
    before = sum(forecast.before for forecast in forecasts)
    after = sum(forecast.after for forecast in forecasts)
    some = ""
    if len(forecasts) < len(findings):
        some = f" at {len(forecasts):,} of {plural(len(findings), 'place')}"
    note = f"both predicted{some}, on {safe(forecasts[0].machine)}"
    yield Figure("Predicted", _arrow(milliseconds, before, after), note)


def _has_unknown(model: ModelReport, findings: Sequence[FindingReport]) -> bool:
    places = {node.place for finding in findings for node in finding.nodes}
    return any(layer.cost is None for at, layer in enumerate(model.layers) if at in places)


def _arrow(text: Callable[[float], str], before: float, after: float) -> str:
    return f"{text(before)} → {text(after)}"
