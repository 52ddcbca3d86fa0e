"""What fixing a model changed, and how that was proven: plain values, and their text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archlint.analyzer.report.measured import change_text
from archlint.analyzer.text import (
    Paint,
    change,
    pad,
    paragraph,
    percent_change,
    plural,
    safe,
    size,
)  # fmt: skip

if TYPE_CHECKING:  # a renderer is given what was timed
    from archlint.analyzer.fix.probes import Probe
    from archlint.analyzer.proof.drift import Drift
    from archlint.analyzer.timing.measurement import Measured

_PLACES_SHOWN = 3
_OUTPUTS_SHOWN = 10
_DRIFTS_SHOWN = 5
_LABEL = 10  # columns of what stands before a value
_INDENT = 4


@dataclass(frozen=True, slots=True)
class FixGroup:
    """The fixes of one rule: ``titles`` say what was put at each of the ``places``.

    ``why`` says why they were not applied, ``measured`` the model with them beside that without, if
    that was measured of them alone.
    """

    code: str
    name: str
    kind: str
    places: tuple[str, ...]
    titles: tuple[str, ...]
    why: str = ""
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """What a model takes: MACs over what is known, parameters, nodes, and bytes in all files;
    ``uncosted`` nodes have unknown costs."""

    macs: int
    uncosted: int
    parameters: int
    nodes: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class FixReport:
    """A model before and after its fixes; ``output`` is the file that was written, if any.

    ``probes`` say where the error of each output is judged, ``samples`` how many ``drifts`` are
    over, of ``samples_file`` or made up. With ``placeholders`` every weight is one number over and
    over.
    """

    path: str
    output: str | None
    applied: tuple[FixGroup, ...]
    rejected: tuple[FixGroup, ...]
    refused: tuple[tuple[str, str, str], ...]  # code, node, why
    before: Size
    after: Size
    samples: int
    samples_file: str | None = None
    placeholders: bool = False
    drifts: tuple[Drift, ...] = ()
    probes: tuple[Probe, ...] = ()
    measured: Measured | None = None
    diff: str = ""
    notes: tuple[str, ...] = ()
    crashed: bool = False  # one of the rules


def render(report: FixReport, paint: Paint, width: int | None) -> str:
    """The report for a person at a terminal."""
    return "".join(f"{line}\n" for line in _lines(report, paint, width))


def _lines(report: FixReport, paint: Paint, width: int | None) -> Iterator[str]:
    target = f" → {safe(report.output)}" if report.output else ""
    yield paint(f"{safe(report.path)}{target}", "bold")
    for group in report.applied:
        yield from _group(group, report, paint, width)
    for group in report.rejected:
        yield from _group(group, report, paint, width)
    for code, node, why in report.refused:
        place = f" at {safe(node)}" if node else ""
        yield from _indented(f"cannot fix {code}{place}: {safe(why)}", width)
    if report.applied:
        yield ""
        yield from _proof(report, width)
    else:
        what = "nothing was applied" if report.rejected or report.refused else "nothing to fix"
        yield f"  {what}: the file is a copy" if report.output else f"  {what}"
    for number, note in enumerate(report.notes):
        yield from _labelled("" if number else "note", safe(note, 600), width)


def _group(group: FixGroup, report: FixReport, paint: Paint, width: int | None) -> Iterator[str]:
    count = plural(len(group.places), "place")
    word, colour = ("not applied", "yellow") if group.why else ("applied", "green")
    yield f"  {paint(group.code, colour)} {group.name} [{group.kind}]: {word} at {count}"
    shown = list(zip(group.places, group.titles, strict=True))
    for place, title in shown[:_PLACES_SHOWN]:
        yield from _indented(f"{safe(place)}: {safe(title)}" if title else safe(place), width)
    if len(shown) > _PLACES_SHOWN:
        yield f"    and {len(shown) - _PLACES_SHOWN:,} more"
    if group.why:
        yield from _indented(safe(group.why, 600), width)
    if group.measured is not None and group.measured != report.measured:  # told once
        yield from _indented(f"the model with it: {change_text(group.measured)}", width)


def _indented(text: str, width: int | None) -> Iterator[str]:
    for line in paragraph(text, None if width is None else width - _INDENT, "  "):
        yield " " * _INDENT + line


def _proof(report: FixReport, width: int | None) -> Iterator[str]:
    before, after = report.before, report.after
    over = ""
    if before.uncosted or after.uncosted:
        over = f", without {plural(max(before.uncosted, after.uncosted), 'node')} of unknown cost"
    yield _line("MACs", change(before.macs, after.macs, "MACs") + over)
    yield _line("", change(before.parameters, after.parameters, "parameters"))
    yield _line("", change(before.nodes, after.nodes, "nodes"))
    if before.bytes is not None and after.bytes is not None:
        bytes_ = f"{size(before.bytes)} → {size(after.bytes)}"
        yield _line("", f"{bytes_} in files ({percent_change(before.bytes, after.bytes)})")
    if report.measured is not None:
        yield from _labelled("time", change_text(report.measured), width)
    label = "error"
    for text in _errors(report):
        yield from _labelled(label, text, width)
        label = ""
    made_up = "made-up inputs; give real ones by --inputs"
    source = made_up if report.samples_file is None else safe(report.samples_file)
    yield from _labelled("on", f"{plural(report.samples, 'sample')} of {source}", width)


def _errors(report: FixReport) -> Iterator[str]:
    """The errors of outputs, with those in front of what squeezes them, and of other values."""
    by_name = {drift.name: drift for drift in report.drifts}
    before = {probe.output: probe for probe in report.probes if probe.operator}
    outputs = [drift for drift in report.drifts if drift.is_output]
    for drift in outputs[:_OUTPUTS_SHOWN]:
        yield f"output {safe(drift.name)}: {_numbers(drift)}"
        probe = before.get(drift.name)
        if probe is not None and (judged := by_name.get(probe.value)):
            yield f"  before its {safe(probe.operator)}: {_numbers(judged)}"
    if len(outputs) > _OUTPUTS_SHOWN:
        yield f"and {plural(len(outputs) - _OUTPUTS_SHOWN, 'output')} more; JSON has them all"
    told = {probe.value for probe in before.values()}
    inner = [drift for drift in report.drifts if not drift.is_output and drift.name not in told]
    for drift in inner[:_DRIFTS_SHOWN]:
        yield f"layer {safe(drift.name)}: {_numbers(drift)}"
    if len(inner) > _DRIFTS_SHOWN:
        yield f"{plural(len(inner) - _DRIFTS_SHOWN, 'layer')} with smaller errors"


def _numbers(drift: Drift) -> str:
    if drift.skipped:
        return f"not compared, {safe(drift.skipped)}"
    if not drift.finite:
        return "NaN or infinite on one side alone"
    return f"{drift.relative:.1e} relative, at most {drift.largest:.1e}"


def _line(label: str, text: str) -> str:
    return f"  {pad(label, _LABEL)}{text}"


def _labelled(label: str, text: str, width: int | None) -> Iterator[str]:
    first, *others = paragraph(text, None if width is None else width - _LABEL - 2)
    yield _line(label, first)
    for line in others:
        yield _line("", line)
