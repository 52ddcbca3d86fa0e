"""What models take, as a table for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archlint.analyzer.choices import By
from archlint.analyzer.report.full import noted, unknowns
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.report.time_rows import Timed, TimeRow, by_node
from archlint.analyzer.text import (
    Paint,
    milliseconds,
    paragraph,
    plural,
    safe,
    short,
    size,
    table,
)  # fmt: skip
from archlint.analyzer.timing.attribution.regions import Kind
from archlint.analyzer.timing.nodes.latency import Latency, Profile
from archlint.analyzer.timing.statistics import Clock

_HEAD = {
    By.NODE: ("node", "operator"),
    By.OP: ("operator", "kernels"),
    By.SCOPE: ("scope", "kernels"),
}
_NUMBERS = ("time", "%", "% MACs", "% bytes", "MAC/s", "B/s")
_EXPENDABLE = (7, 6, 1)  # the rates, and what a name mostly tells
_SHOWN = 5  # nodes that are out of proportion
_APART = 0.2  # share by which kernels take more or less than a run, above which it is said
_BUSY = 0.9  # of the cores that a run would use; with less of them other programs had their part
_KINDS = {
    Kind.EXACT: "one node",
    Kind.FUSED: "nodes fused in one kernel",
    Kind.GROUP: "nodes of several kernels",
    Kind.LAYOUT: "changes of layout that onnxruntime added",
    Kind.COPY: "copies between devices",
    Kind.NONE: "kernels of no node",
}


def render(
    timed: Timed, tables: Sequence[Sequence[TimeRow]], by: By, paint: Paint, width: int | None
) -> str:
    """A table for each provider with what the whole model takes, and what was assumed."""
    blocks = []
    for latency, found in zip(timed.latencies, tables, strict=True):
        lines = []
        if latency.profile is not None:
            lines += [*_table(found, by, paint, width), ""]
        lines += [*_totals(timed, latency, paint, width), *_remarks(timed, latency, paint, width)]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _table(found: Sequence[TimeRow], by: By, paint: Paint, width: int | None) -> list[str]:
    cells = [(*_named(row, by), *_figures(row)) for row in found]
    left = 2 if by is By.NODE else 1
    head, *lines = table(
        (*_HEAD[by], *_NUMBERS), cells, left=left, width=width, expendable=_EXPENDABLE
    )
    coloured = [
        paint(line, "yellow") if row.shares is not None and row.shares.out_of_proportion else line
        for row, line in zip(found, lines, strict=True)
    ]
    return [paint(head, "bold"), *coloured]


def _named(row: TimeRow, by: By) -> tuple[str, str]:
    if by is By.NODE:
        return safe(row.name), safe(row.operator)
    return safe(row.name) or ("(no scope)" if by is By.SCOPE else ""), f"{row.kernels:,}"


def _figures(row: TimeRow) -> tuple[str, ...]:
    share = row.shares
    if share is None:
        unknown = "unknown" if row.unknown else "-"
        return milliseconds(row.time), _percent(row.time_share), unknown, unknown, unknown, unknown
    return (
        milliseconds(row.time),
        _percent(row.time_share),
        _percent(share.macs),
        _percent(share.bytes),
        short(row.macs_per_second or 0),
        size(row.bytes_per_second or 0),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _totals(timed: Timed, latency: Latency, paint: Paint, width: int | None) -> Iterable[str]:
    """What the model takes, how that was measured, and what the kernels took."""
    spread, clock = latency.spread, latency.clock
    counted = latency.runs - latency.disturbed or latency.runs
    path = f"{safe(timed.model.path)}:"
    text = (
        f"{path} {milliseconds(spread.median)} of {clock} a run on {safe(latency.provider.label)}, "
        f"{plural(latency.threads, 'thread')}"
    )
    first, *rest = paragraph(text, width)
    yield paint(first[: len(path)], "bold") + first[len(path) :]
    yield from (f"  {line}" for line in rest)
    low, high = (milliseconds(end) for end in (spread.interval.low, spread.interval.high))
    tenths = f"below {milliseconds(spread.low)}, a tenth above {milliseconds(spread.high)}"
    wall = f"wall time {milliseconds(latency.wall)}, of which the process had {latency.cores:.2f}"
    runtime = f"onnxruntime {safe(latency.runtime)}{_conditions(latency)}"
    median = f"measured: median of {plural(counted, 'run')}, 95 % interval {low} to {high}"
    texts = [
        f"{median}; a tenth of them {tenths}",
        f"{wall} cores; {runtime}",
        _rates(timed, latency),
    ]
    if latency.profile is not None:
        texts += _profiled(latency.profile)
    for text in texts:
        yield from (f"  {line}" for line in paragraph(text, width and width - 4, "  "))


def _conditions(latency: Latency) -> str:
    kernels = "".join(
        f", {plural(count, 'kernel')} on {safe(name)}" for name, count in latency.kernels.items()
    )
    return kernels + "".join(f", {note}" for note in latency.provider.notes)


def _rates(timed: Timed, latency: Latency) -> str:
    cost = timed.model.costs.total()
    seconds = latency.spread.median / 1e9
    least = "at least " if timed.model.costs.unknown else ""
    return (
        f"{least}{cost.macs:,} MACs at {short(cost.macs / seconds)} MAC/s, "
        f"{size(cost.bytes)} moved at {size(cost.bytes / seconds)}/s"
    )


def _profiled(profile: Profile) -> list[str]:
    """Where the times of nodes come from, and how much of them is known."""
    kinds = [
        f"{_percent(profile.share(kind))} {text}"
        for kind, text in _KINDS.items()
        if profile.share(kind) > 0 or kind is Kind.NONE
    ]
    runs = f"times of nodes: {plural(profile.runs, 'profiled run')} apart from these"
    added = f"less {milliseconds(profile.overhead)} a kernel, which profiling adds"
    kernels = sum(len(node.kernels) for node in profile.nodes)
    together = f"{milliseconds(profile.time)} in {kernels:,} kernels"
    return [
        f"{runs}, of {milliseconds(profile.took)} of wall time; {together}, {added}",
        f"kernels by what they stand for: {', '.join(kinds)}",
    ]


def _remarks(timed: Timed, latency: Latency, paint: Paint, width: int | None) -> Iterable[str]:
    """What is out of proportion, what disturbed the runs, and what was assumed."""
    if latency.profile is not None:
        yield from _out_of_proportion(latency.profile, paint, width)
    else:
        yield from noted(paint("note:", "blue"), f"nodes have no times: {latency.why}", width)
    for text in _warnings(latency):
        yield from noted(paint("warning:", "yellow"), text, width)
    note = paint("note:", "blue")
    if latency.synthetic:
        text = "weights that the file lacks, or fills with one number, are made up"
        yield from noted(note, text, width)
    for text in timed.model.costs.graph.notes:
        yield from noted(note, safe(text), width)
    if latency.profile is not None:
        yield from _without_time(latency.profile, note, width)
    yield from unknowns(reported(timed.model), paint, width)


def _warnings(latency: Latency) -> Iterable[str]:
    """What keeps the times from being those of the provider alone, on a quiet machine."""
    profile = latency.profile
    elsewhere = sum(latency.kernels.values()) - latency.kernels[latency.provider.full_name]
    if elsewhere:
        text = f"{plural(elsewhere, 'kernel')} ran on another provider"
        copies = f", and {plural(latency.copies, 'kernel')} only copy" if latency.copies else ""
        yield f"{text}{copies}"
    if latency.disturbed:
        yield _disturbed(latency)
    elif latency.clock is Clock.CPU and latency.cores < _BUSY * latency.threads:
        text = f"other programs took part of the core: {latency.cores:.2f} of one was left"
        yield f"{text}; CPU time hardly changes by that, wall time does"
    if profile is None or latency.clock is not Clock.CPU:
        return
    apart = profile.time / latency.spread.median - 1
    if profile.disturbed:
        yield "other programs interrupted the profiled runs: the times of nodes are rough"
    elif abs(apart) > _APART:
        text = f"{_percent(abs(apart))} {'more' if apart > 0 else 'less'} than a measured run"
        why = "the machine's speed changed in between, or time passed between kernels"
        yield f"kernels took {text}: {why}"


def _disturbed(latency: Latency) -> str:
    """What is said of runs whose threads had less than all of their cores."""
    if kept := latency.runs - latency.disturbed:
        which = f"the {plural(kept, 'run')} of {latency.runs:,} that kept their cores count"
        return f"other programs disturbed the machine: only {which}"
    threads = f"its {plural(latency.threads, 'thread')} had {latency.cores:.2f} cores in all runs"
    return f"{threads}: its kernels use no more, or other programs took the rest"


def _out_of_proportion(profile: Profile, paint: Paint, width: int | None) -> Iterable[str]:
    """The nodes that take far more of the time than of the MACs and of the bytes."""
    found = [
        (row, row.shares)
        for row in by_node(profile)
        if row.shares is not None and row.shares.out_of_proportion
    ]
    found.sort(key=lambda pair: pair[0].time, reverse=True)
    label = paint("slow:", "yellow", "bold")
    for row, share in found[:_SHOWN]:
        text = (
            f"{safe(row.operator)} '{safe(row.name)}' takes {_percent(share.time)} of the time "
            f"({milliseconds(row.time)}) for {_percent(share.macs)} of the MACs and "
            f"{_percent(share.bytes)} of the bytes"
        )
        yield from noted(label, text, width)
    if len(found) > _SHOWN:
        rest = found[_SHOWN:]
        together = _percent(sum(share.time for _, share in rest))
        text = f"and {plural(len(rest), 'more node')} out of proportion, {together} in all"
        yield from noted(label, text, width)


def _without_time(profile: Profile, note: str, width: int | None) -> Iterable[str]:
    """The nodes that have no time, and why."""
    if profile.lacking:
        text = f"kernels are known by their names alone, not the optimised model: {profile.lacking}"
        yield from noted(note, safe(text, 600), width)
    for labels, why in (
        (profile.idle, "did not run: branches that were not taken, or loops without a trip"),
        (profile.removed, "have no kernel: onnxruntime folded, merged or removed them"),
    ):
        if labels:
            shown = ", ".join(f"'{safe(label)}'" for label in labels[:3])
            more = f" and {len(labels) - 3:,} more" if len(labels) > 3 else ""
            yield from noted(note, f"{plural(len(labels), 'node')} {why}: {shown}{more}", width)
