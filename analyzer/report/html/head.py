"""The top of a page: the sentence, whether the run fails, four numbers, and what to beware of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import FindingReport, ModelReport
from archlint.analyzer.report.full import assumptions
from archlint.analyzer.report.html.doubt import disturbance, is_apart, sum_of_kernels
from archlint.analyzer.report.html.headline import sentence
from archlint.analyzer.report.html.layer_names import value_shape
from archlint.analyzer.report.html.merged import sentence as begun
from archlint.analyzer.report.html.numbers import Number, numbers
from archlint.analyzer.report.sentences import BUDGETS
from archlint.analyzer.text import plural, safe

_INPUTS_SHOWN = 3
_CAUSES_SHOWN = 4
_LONGEST = 300  # columns of a sentence from elsewhere


@dataclass(frozen=True, slots=True)
class Caveat:
    """What a reader must know before believing a number; ``more`` are several things."""

    title: str
    text: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """The top of a page; ``verdict`` is ``fail``, ``pass`` or, where nothing was judged, empty."""

    path: str
    eyebrow: str
    sentence: str
    verdict: str
    badge: str
    reasons: tuple[str, ...]
    numbers: tuple[Number, ...]
    caveats: tuple[Caveat, ...]


def head(model: ModelReport) -> Head:
    """The top of the page of a model."""
    verdict = "" if model.failed is None else "fail" if model.failed else "pass"
    badge = {"": "", "fail": "Fails", "pass": "Passes"}[verdict]
    over = [finding for finding in model.told if finding.code in BUDGETS]
    if model.failed and any("found" in finding.evidence for finding in over):
        badge = "Fails the budget"
    reasons = [begun(safe(finding.message, _LONGEST)) for finding in over]
    if model.told or model.change is not None:
        reasons.append(begun(_counts(model)))
    return Head(
        safe(model.path, _LONGEST),
        " · ".join(_eyebrow(model)),
        sentence(model),
        verdict,
        badge,
        tuple(reasons),
        tuple(numbers(model)),
        tuple(_caveats(model)),
    )


def _eyebrow(model: ModelReport) -> Iterator[str]:
    """What it is beside, what goes in, and its opset."""
    if model.change is not None and model.change.base:
        yield f"against {safe(model.change.base, _LONGEST)}"
    shown = [f"{safe(one.name)} {value_shape(one.shape)}" for one in model.inputs[:_INPUTS_SHOWN]]
    if shown:
        more = len(model.inputs) - len(shown)
        yield ", ".join([*shown, *([plural(more, "more input")] if more else [])])
    if model.opset:
        yield f"opset {model.opset}"


def _counts(model: ModelReport) -> str:
    """``1 error, 2 warnings``, of what is new where there is a base."""
    found = ", ".join(by_severity(model.told))
    new = " new or worse" if model.change is not None else ""
    return f"{found}{new}" if found else f"no{new} findings"


def by_severity(findings: Iterable[FindingReport]) -> tuple[str, ...]:
    """``1 error``, ``2 warnings``."""
    found = Counter(finding.severity for finding in findings)
    ordered = sorted(found, reverse=True)
    return tuple(plural(found[severity], str(severity)) for severity in ordered)


def _caveats(model: ModelReport) -> Iterator[Caveat]:
    if not model.was_checked:
        yield Caveat("Only a snapshot was here.", "No rule ran, and no node is drawn.")
    if text := disturbance(model):
        again = "Measure again on a quiet machine before deciding on milliseconds"
        yield Caveat(text, f"{again}; MACs, parameters and bytes are exact.")
    if is_apart(model):
        yield Caveat(sum_of_kernels(model), "Read the times of nodes as shares.")
    if model.unknown_nodes:
        causes = [
            f"{plural(len(one.nodes), 'node')}: {safe(str(one.cause), _LONGEST)}"
            for one in model.unknown[:_CAUSES_SHOWN]
        ]
        if (rest := len(model.unknown) - _CAUSES_SHOWN) > 0:
            causes.append(f"and {plural(rest, 'more reason')}")
        of = f"The cost of {model.unknown_nodes:,} of {plural(model.nodes, 'node')} is unknown"
        yield _listed(f"{of} and in no total", causes)
    if assumed := list(assumptions(model)):
        yield _listed("About these numbers", assumed)


def _listed(title: str, texts: Sequence[str]) -> Caveat:
    """One thing in a sentence, several as a list."""
    if len(texts) == 1:
        return Caveat(f"{title}:", f"{texts[0]}.")
    return Caveat(f"{title}:", more=tuple(texts))
