"""The four numbers at the top of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.html.deltas import relative, tone
from archlint.analyzer.report.sentences import REGRESSION
from archlint.analyzer.text import milliseconds, plural, safe, short, size

if TYPE_CHECKING:  # a static run times nothing
    from archlint.analyzer.timing.measurement import Comparison

_UNIT = re.compile(r"(?<=\d) (?=(?:%|m?s|[kMGTPE]?B|[kMGTPE])(?!\w))|(?<=≥) ")
_LONG = 12  # characters of a value that a narrow tile has room for


@dataclass(frozen=True, slots=True)
class Number:
    """One of the numbers: ``delta`` is how it differs from the base, ``tone`` whether that is up or
    down, ``notes`` are what it holds for."""

    label: str
    value: str
    delta: str = ""
    tone: str = ""
    notes: tuple[str, ...] = ()
    is_known: bool = True

    @property
    def is_long(self) -> bool:
        """Whether the value is told in smaller letters."""
        return len(self.value) > _LONG


def tied(text: str) -> str:
    """The text, of whose numbers none is parted from its unit at the end of a line."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", text)


def numbers(model: ModelReport) -> Iterator[Number]:
    """MACs, parameters, memory traffic and latency, beside those of the base where there is one."""
    yield _macs(model)
    yield _parameters(model)
    yield _memory(model)
    yield _latency(model)


def _macs(model: ModelReport) -> Number:
    cost = model.cost
    least = "at least " if model.unknown_nodes else ""
    unknown = [f"{plural(model.unknown_nodes, 'node')} of unknown cost"] if least else []
    macs = f"{least}{short(cost.macs)}"
    if model.unknown_nodes and not cost.macs:
        macs = "unknown"
    counted = [f"{cost.macs:,} {'known' if least else 'exactly'}"] if cost.macs else []
    return Number(
        "MACs",
        macs,
        *_delta(*_both(model, "macs"), short),
        notes=(*_budget(model, "macs"), *counted, *unknown),
        is_known=macs != "unknown",
    )


def _parameters(model: ModelReport) -> Number:
    stored = size(model.file_bytes + model.external_bytes)
    buffers = [f"and {model.buffers:,} buffers"] if model.buffers else []
    return Number(
        "Parameters",
        short(model.parameters),
        *_delta(*_both(model, "parameters"), short),
        notes=(
            *_budget(model, "params"),
            *([f"{model.parameters:,} exactly"] if model.parameters else []),
            f"{stored} in files",
            *buffers,
            *_budget(model, "file-size"),
        ),
    )


def _memory(model: ModelReport) -> Number:
    cost, least = model.cost, "at least " if model.unknown_nodes else ""
    moved = f"{least}{size(cost.bytes)}" if cost.bytes or not least else "unknown"
    peak = f"{'at least ' if model.peak_unknown else ''}{size(model.peak_bytes)}"
    if model.peak_unknown and not model.peak_bytes:
        peak = "unknown"
    return Number(
        "Memory traffic of a run",
        moved,
        *_delta(*_both(model, "peak_activation_bytes"), size, "peak "),
        notes=(
            f"weights and activations, {'' if least else 'exact, '}no cache",
            f"peak of activations {peak}",
            *_budget(model, "peak-activation"),
        ),
        is_known=moved != "unknown",
    )


def _budget(model: ModelReport, quantity: str) -> Iterator[str]:
    """The limits that a quantity breaks."""
    for finding in model.told:
        if finding.evidence.get("quantity") == quantity and "found" in finding.evidence:
            limit = safe(str(finding.evidence.get("limit", "")))
            grown = finding.code == REGRESSION
            yield f"its budget lets it grow by {limit}" if grown else f"over its budget of {limit}"


def _both(model: ModelReport, total: str) -> tuple[int | None, int | None]:
    """A total in the base and in the head; None where it is unknown, and without a base."""
    change = model.change
    if change is None or change.difference is None:
        return None, None
    return getattr(change.difference.before, total), getattr(change.difference.after, total)


def _delta(
    before: int | None, after: int | None, told: Callable[[float], str], what: str = ""
) -> tuple[str, str]:
    """How a number differs from that of the base, and whether it is up or down."""
    if before is None or after is None:
        return "", ""
    one = relative(before, after, told)
    return f"{what}{one.text}", one.tone


def _latency(model: ModelReport) -> Number:
    """Measured where it was measured, else predicted, else said to be neither."""
    if (comparison := _beside_base(model)) is not None:
        delta, which, told = _timed(comparison)
        where = f"{safe(comparison.provider.label)}, {plural(comparison.threads, 'thread')}"
        notes = [*_budget(model, "latency"), told, f"in turns with the base on {where}"]
        if not all(one.quiet for one in model.latencies):
            notes.append("other programs took part of the machine")
        after = milliseconds(comparison.after)
        return Number("Latency, measured", after, delta, which, tuple(notes))
    if model.latencies:
        first, *others = model.latencies
        span = f"{_ms(first.low)} to {_ms(first.high)} (95 %), {safe(first.label)}"
        notes = [*_budget(model, "latency"), span]
        if not first.quiet:
            notes.append("other programs took part of the machine")
        notes += [f"{safe(one.label)}: {_ms(one.milliseconds)}" for one in others]
        return Number("Latency, measured", _ms(first.milliseconds), notes=tuple(notes))
    if model.predicted is not None:
        one = model.predicted
        least = "at least " if one.unpredicted else ""
        notes = [f"a prediction for {safe(one.label)}, not a measurement"]
        if one.unpredicted:
            notes.append(f"{plural(one.unpredicted, 'node')} not predicted")
        return Number("Latency, predicted", f"{least}{milliseconds(one.ns)}", notes=tuple(notes))
    return Number("Latency", "not measured", notes=("archlint check --verify",), is_known=False)


def _ms(count: float) -> str:
    return milliseconds(1e6 * count)


def _beside_base(model: ModelReport) -> Comparison | None:
    """The base against the model on the first provider: times of one run, which go together."""
    measured = model.change.measured[:1] if model.change else ()
    return measured[0].comparison if measured else None


def _timed(comparison: Comparison) -> tuple[str, str, str]:
    """The measured change of time, whether it is up or down, and what it was measured against.

    It is the ratio of paired runs, which the quotient of the medians need not be.
    """
    base = f"base {milliseconds(comparison.before)}"
    low, high = comparison.interval.low, comparison.interval.high
    span = f"{_signed(low).removesuffix(' %')} to {_signed(high)}"
    if low <= 1 <= high:
        return f"no measurable change ({span})", "", base
    delta = f"{_signed(comparison.ratio)} against the base"
    return delta, tone(1, comparison.ratio), f"{base}; {span} (95 %)"


def _signed(ratio: float) -> str:
    """By how much so many times as much is more: ``+59.3 %``."""
    return f"{100 * (ratio - 1):+.1f} %".replace("-", "−")
