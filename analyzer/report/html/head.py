"""The top of a page: the sentence, whether the run fails, four numbers, and what to beware of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.full import assumptions
from archlint.analyzer.report.html.headline import sentence
from archlint.analyzer.report.html.numbers import Number, numbers
from archlint.analyzer.report.sentences import BUDGETS
from archlint.analyzer.text import plural, safe

_BUSY = 0.9  # of a core: with less of it other programs had their part
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
    reasons = [safe(finding.message, _LONGEST) for finding in over]
    if model.told or model.change is not None:
        reasons.append(_counts(model))
    return Head(
        " · ".join(_eyebrow(model)),
        sentence(model),
        verdict,
        badge,
        tuple(reasons),
        tuple(numbers(model)),
        tuple(_caveats(model)),
    )


def _eyebrow(model: ModelReport) -> Iterator[str]:
    yield safe(model.path, _LONGEST)
    if model.change is not None and model.change.base:
        yield f"against {safe(model.change.base, _LONGEST)}"
    shown = [
        f"{safe(one.name)} {_shape(one.shape)}".strip() for one in model.inputs[:_INPUTS_SHOWN]
    ]
    if shown:
        more = len(model.inputs) - len(shown)
        yield ", ".join([*shown, *([plural(more, "more input")] if more else [])])
    if model.opset:
        yield f"opset {model.opset}"


def _shape(shape: tuple[int | str, ...] | None) -> str:
    return "of unknown rank" if shape is None else "×".join(safe(str(dim)) for dim in shape)


def _counts(model: ModelReport) -> str:
    """``1 error, 2 warnings``, of what is new where there is a base."""
    found = Counter(finding.severity for finding in model.told)
    counts = [plural(found[one], str(one)) for one in sorted(Severity, reverse=True) if found[one]]
    new = " new or worse" if model.change is not None else ""
    return f"{', '.join(counts)}{new}" if counts else f"no{new} findings"


def _caveats(model: ModelReport) -> Iterator[Caveat]:
    if not model.was_checked:
        yield Caveat("Only a snapshot was here.", "No rule ran, and no node is drawn.")
    if text := _busy(model):
        again = "Measure again on a quiet machine before deciding on milliseconds"
        yield Caveat(text, f"{again}; MACs, parameters and bytes are exact.")
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
        yield _listed("What the numbers take for granted", assumed)


def _listed(title: str, texts: Sequence[str]) -> Caveat:
    """One thing in a sentence, several as a list."""
    if len(texts) == 1:
        return Caveat(f"{title}:", f"{texts[0]}.")
    return Caveat(f"{title}:", more=tuple(texts))


def _busy(model: ModelReport) -> str:
    """Which times other programs had a part in."""
    kernels = model.kernels
    share = ""
    if kernels is not None and kernels.cores < _BUSY:
        share = f": the runs had {100 * kernels.cores:.0f} % of a core"
    if not all(one.quiet for one in model.latencies):
        return f"The machine was busy while it was measured{share}."
    if kernels is not None and kernels.disturbed:
        return f"The machine was busy while the times of nodes were measured{share}."
    return ""
