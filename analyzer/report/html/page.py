"""What a page says, in the order in which it says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from archlint.analyzer.report import ModelReport, Report
from archlint.analyzer.report.html import change, cost, findings, network, nodes, weights
from archlint.analyzer.report.html.charts import roofline, scatter
from archlint.analyzer.report.html.head import Head, head
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.index import Index, index, lead, unread
from archlint.analyzer.report.html.method import Fact, facts
from archlint.analyzer.report.html.svg import Figure
from archlint.analyzer.report.sentences import ended, failed
from archlint.analyzer.text import plural, safe

MOST_LAYERS = 10_000
"""Layers that a page of several models draws; those beyond it keep their heads and findings."""

_FOLDED = 1_000  # nodes from which on a browser lays out a section when it comes into view
_LONGEST = 300  # columns of a name
_REASON = 600  # and of a reason


@dataclass(frozen=True, slots=True)
class Times:
    """Predicted beside measured."""

    id: str
    lead: str
    scatter: Figure | None
    roofline: Figure | None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Its pictures."""
        return tuple(one for one in (self.scatter, self.roofline) if one is not None)


@dataclass(frozen=True, slots=True)
class Drawing:
    """The network."""

    id: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class ModelPage:
    """All that is said of a model; a section that has nothing to say is None."""

    id: str
    path: str
    head: Head
    findings: findings.Findings | None
    change: change.Changes | None
    costs: cost.Costs | None
    times: Times | None
    network: Drawing | None
    nodes: nodes.Nodes | None
    weights: weights.Weights | None
    undrawn: str
    method_id: str
    facts: tuple[Fact, ...]
    is_large: bool
    is_change_first: bool
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page; ``messages`` are of the run and not of a model."""

    title: str
    description: str
    version: str
    models: tuple[ModelPage, ...]
    index: Index | None
    lead: str
    messages: tuple[tuple[str, str], ...]

    @property
    def is_of_one(self) -> bool:
        """Whether it tells of one model and of nothing else."""
        return len(self.models) == 1 and self.index is None


def page(report: Report) -> Page:
    """The page of a report."""
    several = len(report.models) + len(unread(report)) > 1
    drawn = 0
    models = []
    for number, model in enumerate(report.models, start=1):
        drawn += len(model.layers)
        ids = Ids(f"m{number}-" if several else "")
        is_drawn = not several or drawn <= MOST_LAYERS
        models.append(_model(model, ids, report, is_drawn=is_drawn))
    heads = [model.head for model in models]
    first = lead(report, [head.verdict for head in heads])
    alone = heads[0] if heads and not several else None
    return Page(
        _title(report, heads, first if alone is None else alone.path),
        first if alone is None else alone.sentence,
        report.version,
        tuple(models),
        index(report, [(one.id, one.head) for one in models]) if several else None,
        first,
        tuple(_messages(report, is_listed=several)),
    )


def _title(report: Report, heads: Sequence[Head], what: str) -> str:
    verdicts = {head.verdict for head in heads}
    word = "FAIL · " if "fail" in verdicts or report.failures else ""
    if not word and "pass" in verdicts:
        word = "PASS · "
    return f"{word}{what} · archlint"


def _head(model: ModelReport, report: Report) -> Head:
    """The head of a model; what could not be done for it fails the run."""
    top = head(model)
    if not any(one.path == model.path for one in report.failures):
        return top
    reasons = ("Not all that was asked for could be done", *top.reasons)
    badge = top.badge if model.failed else "Fails"
    return replace(top, verdict="fail", badge=badge, reasons=reasons)


def _messages(report: Report, *, is_listed: bool) -> Iterator[tuple[str, str]]:
    """What is told of the run; what could not be analysed ``is_listed`` in the index."""
    lost = {one.path for one in unread(report)}
    for failure in report.failures:
        name = f"{safe(failure.path, _LONGEST)}."
        if failure.path not in lost:
            yield name, ended(f"Not all could be done: {safe(failure.why, _REASON)}")
        elif not is_listed:
            yield name, failed(failure.why)
    for path in report.removed:
        yield f"{safe(path, _LONGEST)}.", "Only the base has this model."
    for path in report.skipped:
        yield f"{safe(path, _LONGEST)}.", "It was skipped: its file is not here."


def _model(model: ModelReport, ids: Ids, report: Report, *, is_drawn: bool) -> ModelPage:
    shown = findings.section(model, ids)
    changed = change.section(model, ids)
    costs = times = drawing = table = None
    undrawn = ""
    if is_drawn:
        costs, times = cost.section(model, ids), _times(model, ids)
        drawing = _drawing(model, ids)
        figures = [*(costs.figures if costs else ()), *(times.figures if times else ())]
        figures += [drawing.figure] if drawing else []
        table = nodes.section(model, ids, _linked(model, figures, changed, ids))
    elif model.layers:
        undrawn = _undrawn(model)
    used = weights.section(model, ids)
    told = ((shown, "Findings"), (used, "Weights"))
    sections = (
        *(((changed, "Change"), *told) if report.is_difference else (*told, (changed, "Change"))),
        (costs, "Cost"),
        (times, "Times"),
        (drawing, "Network"),
        (table, "Nodes"),
    )
    method = ids.section("method")
    links = [(one.id, name) for one, name in sections if one is not None]
    return ModelPage(
        ids.section("model"),
        safe(model.path, _LONGEST),
        _head(model, report),
        shown,
        changed,
        costs,
        times,
        drawing,
        table,
        used,
        undrawn,
        method,
        facts(model, report),
        len(model.layers) > _FOLDED,
        report.is_difference,
        (*links, (method, "Method")),
    )


def _undrawn(model: ModelReport) -> str:
    return (
        f"Its {plural(len(model.layers), 'node')} are left out: a page draws {MOST_LAYERS:,} nodes "
        "in all. A report of this model alone has them."
    )


def _times(model: ModelReport, ids: Ids) -> Times | None:
    dots, roof = scatter.draw(model, ids), roofline.draw(model, ids)
    if dots is None and roof is None:
        return None
    lead = scatter.coverage(model) if dots is not None else ""
    return Times(ids.section("times"), lead, dots, roof)


def _linked(
    model: ModelReport, figures: Iterable[Figure], changed: change.Changes | None, ids: Ids
) -> set[int]:
    """The places of the layers that the other sections lead to."""
    target = re.compile(rf"{ids.node(0)[:-1]}(\d+)")
    told = (node.place for finding in model.told for node in finding.nodes)
    drawn = re.compile(rf'href="#{target.pattern}"')
    links = [place for one in figures for place in drawn.findall(one.svg)]
    listed = frozenset[int]() if changed is None else changed.linked
    return {place for place in told if place is not None} | set(map(int, links)) | listed


def _drawing(model: ModelReport, ids: Ids) -> Drawing | None:
    figure = network.draw(model, ids)
    return None if figure is None else Drawing(ids.section("network"), figure)
