"""Times of the stopwatch in words and in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archlint.analyzer.text import milliseconds, plural, safe

if TYPE_CHECKING:  # a static run times nothing
    from archlint.analyzer.timing.measurement import Comparison, Measured, Whole


def verdict_text(measured: Measured) -> str:
    """A verdict with its numbers, and what they hold for."""
    if measured.comparison is None:
        return f"not measured: {safe(measured.why)}"
    where = safe(measured.provider.label)
    return f"{measured.comparison.verdict} on {where}: {_numbers(measured.comparison)}"


def whole_text(whole: Whole) -> str:
    """A whole model with the proposals that were confirmed."""
    comparison = whole.measured.comparison
    followed = plural(whole.proposals, "confirmed proposal")
    if comparison is None:
        return f"the whole model with its {followed}: {safe(whole.measured.why)}"
    where = safe(whole.measured.provider.label)
    what = f"{_direction(comparison)} with its {followed} on {where}"
    return f"{what}: {_numbers(comparison)}"


def change_text(measured: Measured) -> str:
    """A model beside its base."""
    if measured.comparison is None:
        return f"not measured: {safe(measured.why)}"
    where = safe(measured.provider.label)
    return f"{_direction(measured.comparison)} on {where}: {_numbers(measured.comparison)}"


def brief(measured: Measured) -> str:
    """A verdict in a few words."""
    where = safe(measured.provider.label)
    if measured.comparison is None:
        return f"not measured on {where}"
    return f"{measured.comparison.verdict} on {where}: ×{measured.comparison.ratio:.2f} time"


def _direction(comparison: Comparison) -> str:
    if comparison.interval.high < 1:
        return "faster"
    return "slower" if comparison.interval.low > 1 else "neither faster nor slower"


def _numbers(comparison: Comparison) -> str:
    before, after = milliseconds(comparison.before), milliseconds(comparison.after)
    interval = f"{comparison.interval.low:.3f} to {comparison.interval.high:.3f}"
    text = f"{before} → {after}, ratio {comparison.ratio:.3f} [{interval}]"
    conditions = [
        plural(comparison.threads, "thread"),
        str(comparison.clock),
        f"{comparison.rounds} rounds",
        f"onnxruntime {comparison.runtime}",
        *comparison.provider.notes,
        *_elsewhere(comparison),
    ]
    return f"{text}; {', '.join(conditions)}"


def _elsewhere(comparison: Comparison) -> list[str]:
    """What did not run on the provider itself, and which runs do not count."""
    said = []
    own = comparison.provider.full_name
    for side, kernels in (
        ("now", comparison.kernels_before),
        ("suggested", comparison.kernels_after),
    ):
        for provider, count in kernels.items():
            if provider != own:
                kernels_of = f"{count} of {plural(sum(kernels.values()), 'kernel')}"
                said.append(f"{side}: {kernels_of} on {provider}")
    if comparison.copies:
        said.append(f"{comparison.copies} copies between devices")
    if comparison.disturbed:
        said.append(f"{comparison.disturbed} disturbed rounds left out")
    return said


def as_object(measured: Measured) -> dict[str, Any]:
    """A verdict as JSON."""
    comparison = measured.comparison
    return {
        "provider": measured.provider.full_name,
        "options": dict(sorted(measured.provider.options.items())),
        "verdict": None if comparison is None else str(comparison.verdict),
        "why": measured.why or None,
        "times": None if comparison is None else _times(comparison),
    }


def whole_as_object(whole: Whole) -> dict[str, Any]:
    """A whole model's times as JSON."""
    return {**change_as_object(whole.measured), "proposals": whole.proposals}


def change_as_object(measured: Measured) -> dict[str, Any]:
    """A model's times beside those of another, of which nothing was claimed, as JSON."""
    found = as_object(measured)
    del found["verdict"]
    return found


def _times(comparison: Comparison) -> dict[str, Any]:
    return {
        "before_ns": round(comparison.before),
        "after_ns": round(comparison.after),
        "ratio": round(comparison.ratio, 6),
        "interval": [round(comparison.interval.low, 6), round(comparison.interval.high, 6)],
        "clock": str(comparison.clock),
        "threads": comparison.threads,
        "rounds": comparison.rounds,
        "disturbed_rounds": comparison.disturbed,
        "onnxruntime": comparison.runtime,
        "kernels_before": _sorted(comparison.kernels_before),
        "kernels_after": _sorted(comparison.kernels_after),
        "copies": comparison.copies,
    }


def _sorted(kernels: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(kernels.items()))
