"""What a page says, in the order in which it says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import ModelReport, Report
from archlint.analyzer.report.html import change, cost, findings, network, nodes, weights
from archlint.analyzer.report.html.charts import roofline, scatter
from archlint.analyzer.report.html.head import Head, head
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.index import IndexRow, index_row
from archlint.analyzer.report.html.method import Fact, facts
from archlint.analyzer.report.html.svg import Figure
from archlint.analyzer.report.sentences import failed
from archlint.analyzer.text import plural, safe

MOST_LAYERS = 10_000
"""Layers that a page of several models draws; those beyond it keep their heads and findings."""

_FOLDED = 1_000  # nodes from which on a browser lays out a section when it comes into view
_LONGEST = 300  # columns of a name


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
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page; ``messages`` are of the run and not of a model."""

    title: str
    version: str
    models: tuple[ModelPage, ...]
    index: tuple[IndexRow, ...]
    lead: str
    messages: tuple[tuple[str, str], ...]


def page(report: Report) -> Page:
    """The page of a report."""
    several = len(report.models) != 1
    drawn = 0
    models = []
    for number, model in enumerate(report.models, start=1):
        drawn += len(model.layers)
        ids = Ids(f"m{number}-" if several else "")
        is_drawn = not several or drawn <= MOST_LAYERS
        models.append(_model(model, ids, report.version, is_drawn=is_drawn))
    heads = [model.head for model in models]
    pairs = zip(report.models, models, strict=True)
    index = tuple(index_row(model, page.id, page.head) for model, page in pairs) if several else ()
    return Page(
        _title(report, heads),
        report.version,
        tuple(models),
        index,
        _lead(report),
        tuple(_messages(report)),
    )


def _title(report: Report, heads: Sequence[Head]) -> str:
    verdicts = {head.verdict for head in heads}
    word = "FAIL · " if "fail" in verdicts or report.failures else ""
    if not word and "pass" in verdicts:
        word = "PASS · "
    if len(heads) == 1:
        return f"{word}{safe(report.models[0].path, _LONGEST)} · archlint"
    return f"{word}{plural(len(heads), 'model')} · archlint"


def _lead(report: Report) -> str:
    """How many models there are, how they do, and what was found."""
    if not report.models:
        return "No model was analysed"
    bad = sum(model.failed is True for model in report.models)
    text = plural(len(report.models), "model")
    if bad:
        text = f"{bad:,} of {text} {'fails' if bad == 1 else 'fail'}"
    elif all(model.failed is False for model in report.models):
        text += f" {'passes' if len(report.models) == 1 else 'pass'}"
    new, base = ("new or worse ", f" against {safe(report.base)}") if report.base else ("", "")
    told = sum(len(model.told) for model in report.models)
    return f"{text}{base}: {plural(told, f'{new}finding') if told else f'no {new}findings'}"


def _messages(report: Report) -> Iterator[tuple[str, str]]:
    for failure in report.failures:
        yield f"{safe(failure.path, _LONGEST)}.", failed(failure.why)
    for path in report.removed:
        yield f"{safe(path, _LONGEST)}.", "Only the base has this model."
    for path in report.skipped:
        yield f"{safe(path, _LONGEST)}.", "It was skipped: its file is not here."


def _model(model: ModelReport, ids: Ids, version: str, *, is_drawn: bool) -> ModelPage:
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
        undrawn = (
            f"Its {plural(len(model.layers), 'node')} are left out: a page draws {MOST_LAYERS:,} "
            "nodes in all. A report of this model alone has them."
        )
    used = weights.section(model, ids)
    sections = (
        (shown, "Findings"),
        (used, "Weights"),
        (changed, "Change"),
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
        head(model),
        shown,
        changed,
        costs,
        times,
        drawing,
        table,
        used,
        undrawn,
        method,
        facts(model, version),
        len(model.layers) > _FOLDED,
        (*links, (method, "Method")),
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
    rows = () if changed is None else changed.nodes
    drawn = re.compile(rf'href="#{target.pattern}"')
    links = [place for one in figures for place in drawn.findall(one.svg)]
    links += [found[1] for row in rows if (found := target.fullmatch(row.target))]
    return {place for place in told if place is not None} | set(map(int, links))


def _drawing(model: ModelReport, ids: Ids) -> Drawing | None:
    figure = network.draw(model, ids)
    return None if figure is None else Drawing(ids.section("network"), figure)
