"""What the parts of a model cost in a base and in the head: two dots a part, joined by a bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from archlint.analyzer.compare.parts import ScopeChange
from archlint.analyzer.report.html import svg
from archlint.analyzer.report.html.palette import Tone
from archlint.analyzer.text import percent_change, plural, safe, short

_SHOWN = 24
_WIDTH = 960.0
_NAMES = 176.0  # of it for names at most
_SIZE = 12.0
_BESIDE, _AFTER = 12.0, 16.0  # between a name and the dots, and between these and numbers
_ROW, _TOP = 24.0, 26.0
_TICKS = 5


@dataclass(frozen=True, slots=True)
class _Row:
    """A part: None is a side on which it is not there, or unknown, which ``is_unknown`` tells."""

    name: str
    before: int | None
    after: int | None
    is_unknown: bool


def draw(scopes: Sequence[ScopeChange]) -> Markup:
    """The picture of the parts that changed most, in their order; MACs, or parameters where no MACs
    differ."""
    unit = unit_of(scopes)
    rows = [_row(scope, unit) for scope in _shown(scopes, unit)]
    most = max((n for row in rows for n in (row.before, row.after) if n is not None), default=0)
    if not most:
        return Markup()
    step = _step(most)
    widest = max(svg.text_width(row.name, _SIZE) for row in rows)
    left = min(ceil(widest) + _BESIDE, _NAMES)
    wide = _WIDTH - left - _AFTER - ceil(max(svg.text_width(_told(row)[0], _SIZE) for row in rows))
    scale = wide / (step * -(-most // step))
    height = _TOP + _ROW * len(rows) + 4
    middles = [_TOP + _ROW * (place + 0.5) for place in range(len(rows))]
    placed = list(zip(rows, middles, strict=True))
    marks = [
        svg.gathered(_grid(step, most, scale, height)),
        svg.gathered(mark for row, y in placed for mark in _bar(row, scale, y)),
        svg.gathered(mark for row, y in placed for mark in _base(row, scale, y)),
        svg.gathered(mark for row, y in placed for mark in _head(row, scale, y)),
        *(mark for row, y in placed for mark in _texts(row, left, wide, y)),
    ]
    if rest := len(scopes) - len(rows):
        text = f"and {plural(rest, 'part')} that changed less"
        marks.append(svg.text(0, height + 14, text, tone=Tone.MUTED))
        height += 22
    label = f"{unit} of {plural(len(rows), 'part')} in the base and in the head"
    return svg.picture(_WIDTH, height, svg.group(*marks, x=left), label=label)


def unit_of(scopes: Sequence[ScopeChange]) -> str:
    """What a picture of the parts counts."""
    differ = any(scope.macs_before != scope.macs_after for scope in scopes)
    return "MACs" if differ else "parameters"


def _row(scope: ScopeChange, unit: str) -> _Row:
    if unit == "MACs":
        sides = (
            (scope.macs_before, scope.parameters_before),
            (scope.macs_after, scope.parameters_after),
        )
        unknown = any(macs is None and parameters is not None for macs, parameters in sides)
        return _Row(safe(scope.name), scope.macs_before, scope.macs_after, unknown)
    return _Row(safe(scope.name), scope.parameters_before, scope.parameters_after, is_unknown=False)


def _shown(scopes: Sequence[ScopeChange], unit: str) -> list[ScopeChange]:
    """Those that changed most, in their order."""

    def growth(place: int) -> int:
        row = _row(scopes[place], unit)
        return -abs((row.after or 0) - (row.before or 0))

    return [scopes[place] for place in sorted(sorted(range(len(scopes)), key=growth)[:_SHOWN])]


def _step(most: int) -> int:
    """A round distance of lines: 1, 2 or 5 of a power of ten."""
    rough = most / _TICKS
    power = 10 ** max(floor(log10(rough)), 0) if rough >= 1 else 1
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _grid(step: int, most: int, scale: float, height: float) -> Iterator[svg.Mark]:
    for number in range(0, most + step, step):
        x = number * scale
        yield svg.line(x, _TOP - 6, x, height, Tone.FAINT)
        yield svg.text(x, _TOP - 12, _round(number), tone=Tone.MUTED, size=11, anchor="middle")


def _round(number: int) -> str:
    """``50 M``: a number of the grid needs no more digits."""
    digits, _, prefix = short(number).partition(" ")
    return f"{float(digits):g} {prefix}".rstrip()


def _bar(row: _Row, scale: float, y: float) -> Iterator[svg.Mark]:
    if row.before is not None and row.after is not None and row.before != row.after:
        first, last = sorted((row.before * scale, row.after * scale))
        yield svg.rect(first, y - 2.5, last - first, 5, _told(row)[1])


def _base(row: _Row, scale: float, y: float) -> Iterator[svg.Mark]:
    if row.before is not None:
        yield svg.circle(row.before * scale, y, 5, Tone.BASE, title=f"base: {row.before:,}")


def _head(row: _Row, scale: float, y: float) -> Iterator[svg.Mark]:
    if row.after is not None:
        yield svg.circle(row.after * scale, y, 5, _told(row)[1], title=f"head: {row.after:,}")


def _texts(row: _Row, left: float, wide: float, y: float) -> Iterator[svg.Mark]:
    """The name of a part, and its numbers."""
    text, tone = _told(row)
    yield svg.text(-_BESIDE, y + 4, svg.fitted(row.name, left - _BESIDE, _SIZE), anchor="end")
    yield svg.text(wide + _AFTER, y + 4, text, tone=tone)


def _told(row: _Row) -> tuple[str, Tone]:
    """``119.1 M → 219.5 M (+84.3 %)``, and whether that is good."""
    before, after = row.before, row.after
    if row.is_unknown:
        old, new = ("unknown" if n is None else short(n) for n in (before, after))
        return f"{old} → {new}", Tone.MUTED
    if before is None or after is None:
        word, number = ("new", after) if before is None else ("gone", before)
        if not number:
            return word, Tone.MUTED
        sign, tone = ("+", Tone.BAD) if before is None else ("−", Tone.GOOD)
        return f"{word}: {sign}{short(number)}", tone
    if before == after:
        return "unchanged", Tone.MUTED
    tone = Tone.BAD if after > before else Tone.GOOD
    return f"{short(before)} → {short(after)} ({percent_change(before, after)})", tone
