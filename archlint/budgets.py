"""What models may cost, and may have grown by: which budgets are broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import (
    Change,
    FindingReport,
    LatencyReport,
    ModelReport,
    Report,
    State,
)
from archlint.analyzer.text import milliseconds, plural
from archlint.budget_kinds import LATENCY, Budget, Growth, Limit
from archlint.budget_quantities import BIND, WORDS, Known, of_model, of_totals
from archlint.configuration import Configuration
from archlint.remarks import CostRegression, OverBudget, Remark, remark_report

NOT_JUDGED = "budgets of latency are not judged: that takes --verify"  # where one is there
_LEAST_SHARE = Fraction(1, 1000)  # below it an excess is told as a number
_STATIC = "require-static-shapes"


def with_budgets(report: Report, configuration: Configuration) -> Report:
    """The report, with the budgets that its models break among their findings.

    It has been compared with the base, if there is one: they say what they are beside it.
    """
    return replace(
        report, models=tuple(_with_budgets(model, configuration) for model in report.models)
    )


def _with_budgets(model: ModelReport, configuration: Configuration) -> ModelReport:
    if not (budgets := configuration.budgets(model.path)):
        return model
    silent = configuration.chosen(model.path).silent
    found = [one for one in broken(model, budgets) if one.code not in silent]
    return replace(model, findings=(*model.findings, *found))


def limits_latency(budgets: Iterable[Budget]) -> bool:
    """Whether some budget is judged by a stopwatch alone."""
    return any(LATENCY in budget.limits for budget in budgets)


def broken(model: ModelReport, budgets: Iterable[Budget]) -> list[FindingReport]:
    """The budgets that a model breaks, and those that cannot be judged; every budget holds."""
    seen: Counter[str] = Counter()
    found = []
    for one in (finding for budget in budgets for finding in _judged(model, budget)):
        key = one.identity.structure
        identity = replace(one.identity, fingerprint=f"{key}:{seen[key]}")
        seen[key] += 1
        found.append(replace(one, identity=identity))
    return found


def _judged(model: ModelReport, budget: Budget) -> Iterator[FindingReport]:
    known = of_model(model)
    for name, limit in budget.limits.items():
        if name == LATENCY:
            found = _slow(model.latencies, limit)
        else:
            found = _over(name, known[name], limit)
        yield from (_beside_base(finding, name, limit, model.change) for finding in found)
    if model.change is not None:
        for name, growth in budget.growths.items():
            yield from _grown(name, model.change, growth)
    if budget.static_shapes is not None:
        yield from _dynamic(model, budget.static_shapes, budget.place)


def _over(name: str, known: Known, limit: Limit) -> Iterator[FindingReport]:
    """What is told of a quantity beside its limit."""
    (verb, unit), text, number = WORDS[name], limit.most.text, known.number or 0
    if number > limit.most.value:
        excess = _excess(number, limit.most.value)
        why = f"model {verb} {known.least} {unit}, {excess} over its budget of {text}"
        yield _told(OverBudget, limit, name, number, f"{why} ({limit.place})")
    elif known.lacking:
        why = f"its budget of {text} {unit} cannot be judged: {known.lacking}"
        yield _unjudged(OverBudget, limit, name, f"{why} ({limit.place})")


def _excess(number: int, most: Fraction) -> str:
    """By how much a number is over another: in percent, unless that is next to nothing."""
    if most and (share := number / most - 1) >= _LEAST_SHARE:
        return f"{float(100 * share):,.1f} %"
    over = number - most
    return f"{int(over):,}" if over.denominator == 1 else f"{float(over):,.2f}"


def _beside_base(
    finding: FindingReport, name: str, limit: Limit, change: Change | None
) -> FindingReport:
    """The finding with what it is beside the base, where the limit may have been broken too."""
    if change is None:
        return finding
    if change.difference is None:
        return replace(finding, state=State.NEW if change.is_new else State.UNCHANGED)
    if name == LATENCY:  # nobody knows what the base takes
        return replace(finding, state=State.NEW)
    before, after = of_totals(change.difference.before), of_totals(change.difference.after)
    then, now = before[name].number, after[name].number
    if then is None or now is None or not (then > limit.most.value or before[name].lacking):
        return replace(finding, state=State.NEW)
    state = State.WORSE if now > then else State.UNCHANGED
    return replace(finding, state=state, before=then if name == "macs" else None)


def _grown(name: str, change: Change, growth: Growth) -> Iterator[FindingReport]:
    """What is told of a quantity beside the base; nothing to regress from is no regression."""
    if change.difference is None:
        return
    unit, place = WORDS[name][1], f"({growth.place})"
    before = of_totals(change.difference.before)[name]
    after = of_totals(change.difference.after)[name]
    then, now = before.whole, after.number
    if then is not None and now is not None and now > growth.most.most(then):
        grown = f"+{_excess(now, Fraction(then))}"
        over = f"more than the {growth.most.text} that its budget allows"
        why = f"{then:,} → {after.least} {unit} against {change.base}: {grown}, {over} {place}"
        yield replace(_told(CostRegression, growth, name, now, why), state=State.NEW)
    elif before.lacking or after.lacking:
        side = change.base if before.lacking else "the model"
        lacking = f"{before.lacking or after.lacking} in {side}; {BIND}"
        why = f"whether it grew by more than {growth.most.text} {unit} cannot be judged: {lacking}"
        finding = _unjudged(CostRegression, growth, name, f"{why} {place}")
        yield replace(finding, state=State.NEW)


def _slow(latencies: Sequence[LatencyReport], limit: Limit) -> Iterator[FindingReport]:
    """What is told of measured times: only what lies above the limit for certain breaks it."""
    most = limit.most.value
    for latency in latencies:
        took, low, high = (
            milliseconds(1e6 * time) for time in (latency.milliseconds, latency.low, latency.high)
        )
        number = f"{took} on {latency.label}"
        if not latency.quiet:
            why = f"a run took {number}, and other programs took part of the machine"
            text = f"its budget of {limit.most.text} a run cannot be judged: {why} ({limit.place})"
            finding = _unjudged(OverBudget, limit, LATENCY, text)
            yield replace(finding, severity=Severity.NOTE)
        elif latency.low > most:
            excess = f"{100 * (latency.milliseconds / float(most) - 1):,.1f} % " if most else ""
            why = f"a run takes {number}, 95 % interval {low} to {high}"
            text = f"{why}: {excess}over its budget of {limit.most.text} ({limit.place})"
            yield _told(OverBudget, limit, LATENCY, latency.milliseconds, text)


def _dynamic(model: ModelReport, severity: Severity, place: str) -> Iterator[FindingReport]:
    """What is told of a model with shapes that are no numbers."""
    loose = [
        value.name
        for value in (*model.inputs, *model.outputs)
        if value.shape is None or not all(isinstance(dim, int) for dim in value.shape)
    ]
    if loose:
        several = f"the shapes of '{loose[0]}' and {len(loose) - 1:,} more are not static"
        why = several if loose[1:] else f"the shape of '{loose[0]}' is not static"
    elif model.peak_unknown:
        why = f"the shape of {plural(model.peak_unknown, 'value')} within it is not static"
    else:
        return
    text = f"{why}, and its budget wants static shapes ({place}.{_STATIC})"
    finding = remark_report(OverBudget, severity, text, about=_STATIC)
    change = model.change
    same = change is not None and not change.is_new and change.difference is None
    yield replace(finding, state=State.UNCHANGED) if same else finding


def _told(
    kind: type[Remark], limit: Limit | Growth, name: str, number: float, message: str
) -> FindingReport:
    evidence: dict[str, str | float] = {
        "quantity": name,
        "found": number,
        "limit": limit.most.text,
    }
    return remark_report(kind, limit.severity, message, about=name, evidence=evidence)


def _unjudged(kind: type[Remark], limit: Limit | Growth, name: str, message: str) -> FindingReport:
    """A limit that cannot be judged does not hold in silence, and is not known to be broken."""
    evidence = {"quantity": name, "limit": limit.most.text}
    return remark_report(kind, Severity.WARNING, message, about=name, evidence=evidence)
