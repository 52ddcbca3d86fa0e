"""The report for a person at a terminal or in a log: no boxes, one paragraph a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.report import (
    AlternativeReport,
    FindingReport,
    ModelReport,
    ProposalReport,
    Report,
)
from archlint.analyzer.report.changes import summary
from archlint.analyzer.report.groups import FindingGroup, grouped, grown, places, together
from archlint.analyzer.report.measured import verdict_text, whole_text
from archlint.analyzer.report.predicted import forecast_text
from archlint.analyzer.report.predicted import model_text as predicted_text
from archlint.analyzer.report.savings import in_brief, remainder, savings
from archlint.analyzer.text import (
    Paint,
    change,
    columns,
    pad,
    paragraph,
    percent,
    plural,
    safe,
    short,
    size,
)  # fmt: skip

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}
_NAMES_SHOWN = 3
_GROUPS_SHOWN = 5  # of a rule in full; a fault of the exporter is at every layer
_LABEL = 13  # columns of what stands before a value


def render(report: Report, paint: Paint, width: int | None) -> str:
    """The findings of every model, then what was counted; ``width`` columns, unlimited if None."""
    blocks = [block for model in report.models for block in _model(model, paint, width)]
    return "\n".join([*blocks, closing(report, paint)]) + "\n"


def closing(report: Report, paint: Paint) -> str:
    """The last line: how much was found in how much."""
    count = sum(len(model.told) for model in report.models)
    new = "new or worse " if report.base else ""
    found = plural(count, f"{new}finding") if count else f"No {new}findings"
    old = sum(len(model.findings) for model in report.models) - count
    text = f"{found} in {plural(len(report.models), 'model')}"
    if report.base:
        text = f"{found} against {safe(report.base)} in {plural(len(report.models), 'model')}"
    if old:
        text += f", {old:,} unchanged"
    if fixed := sum(len(model.change.fixed) for model in report.models if model.change):
        text += f", {fixed:,} fixed"
    ignored = [one for model in report.models for one in model.ignored]
    if ignored:
        text += f", {len(ignored):,} ignored"
    if by_models := sum(one.in_model for one in ignored):
        text += f" ({by_models:,} by entries in the models)"
    if report.skipped:
        text += f", {plural(len(report.skipped), 'input')} skipped"
    if report.failures:
        text += f", {plural(len(report.failures), 'input')} not analysed"
    return paint(f"{text}.", "bold")


def _model(model: ModelReport, paint: Paint, width: int | None) -> Iterable[str]:
    further: dict[str, list[FindingGroup]] = {}
    shown: Counter[str] = Counter()
    for group in grouped(model.told):
        shown[group.first.code] += 1
        if shown[group.first.code] > _GROUPS_SHOWN:
            further.setdefault(group.first.code, []).append(group)
        else:
            yield "\n".join(_finding(model, group, paint, width)) + "\n"
    for groups in further.values():
        yield "\n".join(_further(groups, paint, width)) + "\n"
    if model.weights is not None:
        from archlint.analyzer.report.weights_text import lines  # late: few runs read weights

        yield "\n".join(lines(model.weights, paint, width)) + "\n"
    yield "\n".join([*totals(model, paint, width), *remarks(model, paint, width)]) + "\n"


def _finding(
    model: ModelReport, group: FindingGroup, paint: Paint, width: int | None
) -> Iterable[str]:
    finding = group.first
    title = f"{finding.code} {finding.name} {group.times}".rstrip()
    first, *rest = paragraph(f"{title}: {safe(finding.message)}{grown(finding)}", width)
    colour = _COLOURS[finding.severity]
    yield paint(title, "bold", colour) + first.removeprefix(title)
    yield from rest
    where, *others = places(group)
    where = f"{safe(model.path)}: {where}" if where else safe(model.path)
    lines = [line for place in (where, *others) for line in paragraph(place, width and width - 6)]
    yield f"  {paint('-->', 'cyan')} {lines[0]}"
    yield from (f"      {line}" for line in lines[1:])
    if finding.advice:
        yield from _labelled("do", finding.advice, paint, width)
    if finding.proposal is None:
        return
    yield ""
    sums = together(group, finding.proposal, model.cost.macs)
    yield from _facts(finding, finding.proposal, sums, paint, width)


def _further(groups: Sequence[FindingGroup], paint: Paint, width: int | None) -> Iterable[str]:
    """A line for each of the groups of a rule that are too many to be told in full."""
    finding = groups[0].first
    title = f"{finding.code} {finding.name}"
    count = sum(len(group.findings) for group in groups)
    yield f"{paint(title, 'bold', _COLOURS[finding.severity])} at {plural(count, 'more place')}"
    for group in groups:
        where = "; ".join(places(group))
        text = " ".join(filter(None, (group.times, where and f"{where}:", in_brief(group.first))))
        first, *rest = paragraph(text, width and width - 4)
        yield f"  {first}"
        yield from (f"    {line}" for line in rest)


def _facts(
    finding: FindingReport,
    proposal: ProposalReport,
    sums: str | None,
    paint: Paint,
    width: int | None,
) -> Iterable[str]:
    share = "" if finding.share is None else f", {100 * finding.share:.1f} % of the model"
    now = safe(finding.described) if len(finding.nodes) < 6 else plural(len(finding.nodes), "node")
    yield from _labelled("now", f"{now}: {finding.cost.macs:,} MACs{share}", paint, width)
    yield from _labelled("suggested", safe(proposal.title), paint, width)
    texts = [safe(step.text) for step in proposal.steps]
    wide = max(map(columns, texts), default=0)
    for text, step in zip(texts, proposal.steps, strict=True):
        cost = f"{step.macs:>15,} MACs" if step.macs else ""
        yield f"{' ' * _LABEL}  {pad(text, wide)}{cost}".rstrip()
    for label, text in savings(proposal):
        yield from _labelled(label, text, paint, width)
    if sums is not None:
        yield from _labelled("in all", sums, paint, width)
    if finding.forecast is not None:
        yield from _labelled("predicted", forecast_text(finding.forecast), paint, width)
    for measured in finding.measured:
        yield from _labelled("measured", verdict_text(measured), paint, width)
    for other in finding.alternatives:
        yield from _labelled("or", _alternative(other), paint, width)
    yield from _labelled("caveat", safe(proposal.caveat), paint, width)
    if proposal.snippet:
        yield ""
        yield from (f"{' ' * _LABEL}{safe(line)}" for line in proposal.snippet.splitlines())


def _alternative(other: AlternativeReport) -> str:
    doubt = ", low confidence" if other.confidence is Confidence.LOW else ""
    told = f"{safe(other.proposal.title)}: {remainder(other.proposal)}"
    return f"{told}, {other.code} {other.name}{doubt}"


def _labelled(label: str, text: str, paint: Paint, width: int | None) -> Iterable[str]:
    room = None if width is None else max(20, width - _LABEL)
    for place, line in enumerate(paragraph(text, room)):
        head = f"  {label if place == 0 else '':<{_LABEL - 2}}"
        yield f"{paint(head, 'dim')}{line}".rstrip()


def totals(model: ModelReport, paint: Paint, width: int | None) -> Iterable[str]:
    """What a model costs, and with every proposal."""
    cost = model.cost
    least = "at least " if model.unknown_nodes else ""
    counted = f"{least}{cost.macs:,} MACs, {model.parameters:,} parameters"
    if model.buffers:
        counted += f" and {model.buffers:,} buffers"
    path = f"{safe(model.path)}:"
    first, *rest = paragraph(f"{path} {counted}", width)
    yield paint(first[: len(path)], "bold") + first[len(path) :]
    yield from (f"  {line}" for line in rest)
    other = (
        f"{least}{short(cost.ops)} other operations, {size(cost.weight_bytes)} of weights read, "
        f"peak activations {'at least ' if model.peak_unknown else ''}{size(model.peak_bytes)}"
    )
    yield from (f"  {line}" for line in paragraph(other, width and width - 2))
    if model.critical_macs:
        parallel = cost.macs / model.critical_macs
        path = f"{least}{short(model.critical_macs)} MACs"
        yield f"  longest path {path}" + ("" if least else f", parallelism {parallel:.2f}")
    if model.effect is not None:
        effect = model.effect
        one = len(model.findings) == 1
        head = f"  with {'the proposal' if one else 'all proposals together'}: "
        yield head + change(effect.macs_before, effect.macs_after, "MACs")
        parameters = change(effect.parameters_before, effect.parameters_after, "parameters")
        yield " " * len(head) + parameters
    if (predicted := predicted_text(model)) is not None:
        yield from (f"  {line}" for line in paragraph(predicted, width and width - 4, "  "))
    for whole in model.measured:
        yield from (f"  {line}" for line in paragraph(whole_text(whole), width and width - 4, "  "))
    yield from summary(model, paint, width)


def remarks(model: ModelReport, paint: Paint, width: int | None) -> Iterable[str]:
    """What was assumed, and what could not be counted."""
    for text in assumptions(model):
        yield from noted(paint("note:", "blue"), text, width)
    yield from unknowns(model, paint, width)


def assumptions(model: ModelReport) -> Iterator[str]:
    """What the numbers of a model take for granted."""
    yield from map(safe, model.notes)
    if model.folded_macs:
        macs = f"{model.folded_macs:,} MACs depend on no input"
        yield f"{macs}; a runtime computes them once, when it loads"
    if (least := model.least_macs) != (most := model.cost.macs):
        yield f"{least:,} to {most:,} MACs, by the branches taken; the dearest are counted"
    for bits, integers in model.cost.integer_macs:
        share = percent(integers, model.cost.macs)
        yield f"{integers:,} of the MACs ({share}) are products of {bits}-bit integers"


def unknowns(model: ModelReport, paint: Paint, width: int | None) -> Iterable[str]:
    """What could not be counted, and why."""
    unknown, whole = model.unknown_nodes, model.nodes
    if unknown:
        text = f"the cost of {unknown:,} of {plural(whole, 'node')} is unknown and in no total:"
        yield from noted(paint("unknown:", "yellow"), text, width)
    for reason in model.unknown[:_NAMES_SHOWN]:
        text = f"{plural(len(reason.nodes), 'node')}: {reason.cause}"
        yield from (f"    {line}" for line in paragraph(safe(text), width and width - 4, "  "))
    if len(model.unknown) > _NAMES_SHOWN:
        yield f"    and {plural(len(model.unknown) - _NAMES_SHOWN, 'more reason')}"


def noted(label: str, text: str, width: int | None) -> Iterable[str]:
    """A remark behind its label."""
    first, *rest = paragraph(text, width and width - 11)
    yield f"  {label} {first}"
    yield from (f"    {line}" for line in rest)
