"""How the cost grows with dims: a table of polynomials, their sums, and where they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.choices import By, SortKey
from archlint.analyzer.cost import Group
from archlint.analyzer.growth import Growth, Sample, Scaling
from archlint.analyzer.polynomial import Polynomial
from archlint.analyzer.report import cost_table
from archlint.analyzer.report.full import noted, unknowns
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.text import Paint, paragraph, plural, safe, short, size, table

_LABELS = {
    "macs": "MACs",
    "ops": "other ops",
    "bytes_read": "read",
    "bytes_written": "written",
    "weight_bytes": "weights read",
}
_IN_BYTES = frozenset({"bytes_read", "bytes_written", "weight_bytes"})
_SUPERSCRIPTS = {2: "²", 3: "³", 4: "⁴"}
_SHOWN = 4  # samples of what follows no polynomial
_COLUMNS = 14  # of what stands before a polynomial


@dataclass(frozen=True, slots=True)
class Scaled:
    """A model whose dims ``names`` vary; ``model`` is counted at the last of the samples."""

    names: tuple[str, ...]
    scaling: Scaling
    model: Analysis


def rows(
    scaled: Scaled, by: By, sort: SortKey, top: int | None = None, depth: int | None = None
) -> list[tuple[Group, Growth]]:
    """The rows of the cost table with their growth, ordered by what they cost in ``model``."""
    places: dict[object, list[int]] = {}
    for place, row in enumerate(scaled.scaling.rows):
        scope = ".".join(row.scope[:depth])
        key = place if by is By.NODE else row.operator if by is By.OP else scope
        places.setdefault(key, []).append(place)
    groups = cost_table.rows(scaled.model, by, SortKey.GRAPH, depth=depth)
    growths = (scaled.scaling.total(listed) for listed in places.values())
    paired = list(zip(groups, growths, strict=True))
    if sort is not SortKey.GRAPH:
        paired.sort(key=lambda pair: cost_table.KEYS[sort](pair[0]), reverse=True)
    return paired[:top]


def render(
    scaled: Scaled,
    grown: Sequence[tuple[Group, Growth]],
    by: By,
    paint: Paint,
    width: int | None,
) -> str:
    """The table of a model, the growth of its totals, and for which sizes that holds."""
    head = (*cost_table.HEAD[by], "MACs", "other ops")
    cells = [_cells(group, growth, by, scaled.names) for group, growth in grown]
    lines = table(head, cells, left=len(head), width=width, expendable=(3, 1))
    lines[0] = paint(lines[0], "bold")
    below = [*_totals(scaled, paint, width), *_validity(scaled, paint, width)]
    return "\n".join([*lines, "", *below]) + "\n"


def _cells(group: Group, growth: Growth, by: By, names: Sequence[str]) -> tuple[str, ...]:
    if group.unknown == len(group.rows):
        return *cost_table.named(group, by), "unknown", "unknown"
    more = " + ?" if group.unknown else ""
    macs, ops = (written(growth[key], names) + more for key in ("macs", "ops"))
    return *cost_table.named(group, by), macs, ops


def written(found: Polynomial | None, names: Sequence[str], unit: str = "") -> str:
    """``85.1 M·seq + 18.4 k·seq²``, with a unit ``9.2 kB·seq``; rounded to four digits."""
    if found is None:
        return "no polynomial"
    text = ""
    for powers, factor in found.terms:
        dims = [_power(name, power) for name, power in zip(names, powers, strict=True) if power]
        number = (size if unit == "B" else short)(_rounded(abs(factor)))
        if dims and abs(factor) == 1 and not unit:
            number = ""
        sign = ("-" if factor < 0 else "") if not text else " − " if factor < 0 else " + "
        text += sign + "·".join(filter(None, [number, *dims]))
    return text or (size(0) if unit == "B" else "0")


def _rounded(factor: Fraction) -> float:
    """Four digits of what is no whole number; a float holds none that is too large for them."""
    if factor.denominator == 1 or factor > 1e9:
        return int(factor)
    return float(f"{float(factor):.4g}")


def _power(name: str, power: int) -> str:
    label = safe(name) if re.fullmatch(r"[\w.\[\]]+", name) else f"'{safe(name)}'"
    return label + _SUPERSCRIPTS.get(power, "")


def _totals(scaled: Scaled, paint: Paint, width: int | None) -> Iterable[str]:
    names = " and ".join(f"'{safe(name)}'" for name in scaled.names) or "none of these dims"
    path = f"{safe(scaled.model.path)}:"
    first, *rest = paragraph(f"{path} growth with {names}", width)
    yield paint(first[: len(path)], "bold") + first[len(path) :]
    yield from (f"  {line}" for line in rest)
    least = "at least " if scaled.scaling.unknown else ""
    total = scaled.scaling.total()
    for key, label in _LABELS.items():
        found = total[key]
        text = written(found, scaled.names, "B" if key in _IN_BYTES else "")
        yield from _labelled(label, text if found is None else least + text, paint, width)
    parameters = written(scaled.scaling.parameters, scaled.names)
    yield from _labelled("parameters", parameters, paint, width)


def _labelled(label: str, text: str, paint: Paint, width: int | None) -> Iterable[str]:
    room = None if width is None else max(20, width - _COLUMNS - 2)
    for place, line in enumerate(paragraph(text, room)):
        head = f"  {label if place == 0 else '':<{_COLUMNS}}"
        yield f"{paint(head, 'dim')}{line}"


def _validity(scaled: Scaled, paint: Paint, width: int | None) -> Iterable[str]:
    """For which sizes the polynomials hold, and what was assumed and not counted."""
    note, found = paint("note:", "blue"), scaled.scaling
    if scaled.names:
        text = _irregular(scaled) if found.gaps[1] else f"holds for {_sizes(scaled)}"
        yield from noted(note, text, width)
    if found.limit is not None:
        text = f"does not hold at {_point(scaled.names, found.limit)}"
        broken = sorted(found.limit.causes - found.samples[0].causes)
        if broken:
            text += f": {safe(str(broken[0]))}"
        yield from noted(note, text, width)
    for remark in scaled.model.costs.graph.notes:
        yield from noted(note, safe(remark), width)
    yield from unknowns(reported(scaled.model), paint, width)


def _sizes(scaled: Scaled) -> str:
    """Which sizes the polynomials are for, and where that was confirmed."""
    steps = zip(scaled.names, scaled.scaling.steps, strict=True)
    domain = " and ".join(
        f"every '{safe(name)}'" if step == 1 else f"'{safe(name)}' in multiples of {step:,}"
        for name, step in steps
    )
    samples = scaled.scaling.samples
    columns = zip(*(sample.sizes for sample in samples), strict=True)
    spans = ", ".join(
        f"'{safe(name)}' from {min(column):,} to {max(column):,}"
        for name, column in zip(scaled.names, columns, strict=True)
    )
    return f"{domain}; counted at {len(samples)} sizes, {spans}"


def _irregular(scaled: Scaled) -> str:
    """Why there is no polynomial, with some numbers that were counted."""
    found = scaled.scaling
    samples = sorted(found.samples, key=lambda sample: sample.sizes)[:_SHOWN]
    counted = ", ".join(f"{s.macs:,} MACs at {_point(scaled.names, s)}" for s in samples)
    if not found.complete:
        return f"too few sizes can be counted alike to find a polynomial: {counted}"
    rows = found.irregular
    which = f"first '{safe(rows[0].label)}'" if rows else "those of the parameters"
    return f"{plural(len(rows), 'row')} without a polynomial, {which}; {counted}"


def _point(names: Sequence[str], sample: Sample) -> str:
    pairs = zip(names, sample.sizes, strict=True)
    return ", ".join(f"{safe(name)} = {size:,}" for name, size in pairs)


def as_object(scaled: Scaled, grown: Sequence[tuple[Group, Growth]]) -> dict[str, Any]:
    """The scaling as JSON: exact coefficients, each a number or a fraction in a string."""
    found, names = scaled.scaling, scaled.names
    unique = {sample.sizes: sample for sample in found.samples}
    columns = zip(*unique, strict=True)
    return {
        "dims": [
            {"name": name, "step": step, "smallest": min(column), "largest": max(column)}
            for name, step, column in zip(names, found.steps, columns, strict=True)
        ],
        **_growth(found.total(), names),
        "parameters": _terms(found.parameters, names),
        "counted": [_counted(names, sample) for sample in unique.values()],
        "limit": None if found.limit is None else _counted(names, found.limit),
        "unknown": found.unknown,
        "rows": [
            {
                "name": group.name,
                "nodes": len(group.rows),
                **_growth(growth, names),
                "unknown": group.unknown,
            }
            for group, growth in grown
        ],
    }


def _growth(growth: Growth, names: Sequence[str]) -> dict[str, Any]:
    return {key: _terms(found, names) for key, found in growth.items()}


def _terms(found: Polynomial | None, names: Sequence[str]) -> list[dict[str, Any]] | None:
    if found is None:
        return None
    return [
        {
            "coefficient": str(factor),
            "exponents": {n: power for n, power in zip(names, powers, strict=True) if power},
        }
        for powers, factor in found.terms
    ]


def _counted(names: Sequence[str], sample: Sample) -> dict[str, Any]:
    return {
        "sizes": dict(zip(names, sample.sizes, strict=True)),
        "macs": sample.macs,
        "unknown": len(sample.unknown),
    }
