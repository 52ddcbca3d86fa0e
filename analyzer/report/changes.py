"""What has changed since the base, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from archlint.analyzer.compare.architecture import Operation, Totals
from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.report import ModelReport, State
from archlint.analyzer.report.measured import change_text
from archlint.analyzer.text import Paint, paragraph, percent, percent_change, plural, safe, size

_SHOWN = 8  # operations of a kind, and parts of the model


def summary(model: ModelReport, paint: Paint, width: int | None) -> Iterator[str]:
    """The lines about the base that stand below the totals of a model; none without a base."""
    change = model.change
    if change is None:
        return
    if change.is_new:
        yield "  there is no such model in the base"
        return
    head = f"against {safe(change.base)}"
    if change.difference is None:
        yield from _indented(f"{head}: the same file", 2, width)
    else:
        yield from _indented(head, 2, width)
        for line in _totals(change.difference):
            yield from _indented(line, 4, width)
        for measured in change.measured:
            yield from _indented(f"measured   {change_text(measured)}", 4, width)
        inner = _operations(change.difference, paint, width and width - 2, _SHOWN)
        yield from (f"  {line}" for line in inner)
    yield from _indented(found(model), 2, width)


def _indented(text: str, indent: int, width: int | None) -> Iterator[str]:
    for line in paragraph(text, width and width - indent, "  "):
        yield f"{' ' * indent}{line}"


def headline(model: ModelReport) -> str:
    """What the MACs of a model, and what else costs, were and are; empty where nothing differs."""
    if model.change is None or model.change.difference is None:
        return ""
    if model.change.difference.is_empty:
        return ""
    totals = ", ".join(_totals(model.change.difference))
    return f"{totals} against {safe(model.change.base)}"


def found(model: ModelReport) -> str:
    """How many findings are new, worse, unchanged and fixed, in a sentence."""
    states = [finding.state for finding in model.findings]
    fixed = 0 if model.change is None else len(model.change.fixed)
    counts = (
        (states.count(State.NEW), "new"),
        (states.count(State.WORSE), "worse"),
        (states.count(State.UNCHANGED), "unchanged"),
        (fixed, "fixed"),
    )
    told = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    return f"findings: {told or 'none'}"


def in_full(model: ModelReport, paint: Paint, width: int | None) -> Iterator[str]:
    """All that differs: totals, parts of the model, operations, findings."""
    change = model.change
    if change is None or change.difference is None:
        yield "The files are the same."
        return
    difference = change.difference
    yield from _totals(difference)
    most = max(difference.before.operations, difference.after.operations)
    matched = f"{difference.matched:,} of {plural(most, 'operation')}"
    yield f"{matched} recognised ({100 * difference.share:.1f} %)"
    if difference.scopes:
        yield ""
        yield from _scopes(difference, paint, width)
    yield from _operations(difference, paint, width, None)
    yield ""
    yield found(model)
    for finding in (*model.told, *change.fixed):
        word = "fixed" if finding.state is None else str(finding.state)
        where = f"{safe(finding.nodes[0].label)}: " if finding.nodes else ""
        text = f"{word}: {where}{finding.code} {finding.name}: {safe(finding.message)}"
        yield from _indented(text, 2, width)


def _totals(difference: Difference) -> list[str]:
    """A line for each total that differs, the MACs always."""
    before, after = difference.before, difference.after
    lines = [delta(before.macs, after.macs, "MACs", least=_is_least(before, after))]
    if before.parameters != after.parameters:
        lines.append(delta(before.parameters, after.parameters, "parameters"))
    for name, unit in (
        ("file_bytes", "in files"),
        ("peak_activation_bytes", "of activations at the peak"),
    ):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            lines.append(delta(old, new, unit, in_bytes=True))
    if before.operations != after.operations:
        lines.append(delta(before.operations, after.operations, "operations"))
    return lines


def _is_least(before: Totals, after: Totals) -> bool:
    return bool(before.unknown or after.unknown)


def delta(
    before: int | None, after: int | None, unit: str, *, in_bytes: bool = False, least: bool = False
) -> str:
    """``330,000,000 → 37,800,000 MACs (−88.5 %)``; an unknown side is told as such."""
    old, new = (_number(value, in_bytes=in_bytes) for value in (before, after))
    said = f"{'at least ' if least else ''}{old} → {new} {unit}"
    if before is None or after is None:
        return said
    return f"{said} (unchanged)" if before == after else f"{said} ({_percent(before, after)})"


def _percent(before: int, after: int) -> str:
    return percent_change(before, after) if before else "from nothing"


def _number(value: int | None, *, in_bytes: bool) -> str:
    if value is None:
        return "unknown"
    return size(value) if in_bytes else f"{value:,}"


def _scopes(difference: Difference, paint: Paint, width: int | None) -> Iterator[str]:
    yield paint("parts that differ:", "bold")
    for scope in difference.scopes:
        macs = delta(scope.macs_before, scope.macs_after, "MACs")
        parameters = delta(scope.parameters_before, scope.parameters_after, "parameters")
        yield from _indented(f"{safe(scope.name)}: {macs}, {parameters}", 2, width)


def _operations(
    difference: Difference, paint: Paint, width: int | None, most: int | None
) -> Iterator[str]:
    """What is added, removed and changed, what costs most first where not all is shown."""
    for word, sign, colour, listed, whole in (
        ("removed", "-", "red", difference.removed, difference.before.macs),
        ("added", "+", "green", difference.added, difference.after.macs),
    ):
        rows = [_operation(one, whole or 0) for one in _first(listed, most)]
        yield from _listed(word, sign, colour, rows, len(listed), paint, width)
    pairs = sorted(difference.changed, key=_growth, reverse=True) if most else difference.changed
    rows = [_changed(before, after) for before, after in pairs[:most]]
    yield from _listed("changed", "~", "yellow", rows, len(difference.changed), paint, width)


def _growth(pair: tuple[Operation, Operation]) -> int:
    before, after = pair
    return abs((after.macs or 0) - (before.macs or 0))


def _first(listed: Sequence[Operation], most: int | None) -> Sequence[Operation]:
    costly = attrgetter("parameters")
    if most is None or len(listed) <= most:
        return listed
    return sorted(listed, key=lambda one: (one.macs or 0, costly(one)), reverse=True)[:most]


def _listed(
    word: str,
    sign: str,
    colour: str,
    rows: Iterable[str],
    count: int,
    paint: Paint,
    width: int | None,
) -> Iterator[str]:
    if not count:
        return
    rows = list(rows)
    yield f"{word}: {plural(count, 'operation')}"
    for row in rows:
        first, *rest = paragraph(row, width and width - 4)
        yield f"  {paint(sign, colour)} {first}"
        yield from (f"    {line}" for line in rest)
    if count > len(rows):
        yield f"    and {count - len(rows):,} more"


def _operation(one: Operation, whole: int) -> str:
    macs = "unknown MACs" if one.macs is None else f"{one.macs:,} MACs"
    share = f" ({percent(one.macs, whole)})" if one.macs and whole else ""
    parameters = f", {one.parameters:,} parameters" if one.parameters else ""
    return f"{_named(one)}: {macs}{share}{parameters}"


def _changed(before: Operation, after: Operation) -> str:
    """What differs between the two, and what that costs."""
    differs = [
        f"{old} → {new}"
        for old, new in (
            (before.operator, after.operator),
            (" ".join(before.weights), " ".join(after.weights)),
            (before.attributes, after.attributes),
        )
        if old != new
    ] or ["it reads another value"]
    costs = delta(before.macs, after.macs, "MACs")
    return f"{_name(after) or _name(before)}: {safe('; '.join(differs))}; {costs}"


def _named(one: Operation) -> str:
    facts = " ".join(filter(None, (one.operator, " ".join(one.weights), one.attributes)))
    return " ".join(filter(None, (_name(one), safe(facts))))


def _name(one: Operation) -> str:
    return safe(one.label or "/".join(one.scope))
