"""The index of a page about several models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import Failure, ModelReport, Report
from archlint.analyzer.report.html.breaks import breakable
from archlint.analyzer.report.html.deltas import tone
from archlint.analyzer.report.html.head import Head, by_severity
from archlint.analyzer.report.sentences import ended
from archlint.analyzer.text import percent_change, plural, safe, short

_LONGEST = 300  # columns of a name
_REASON = 600  # and of a reason
_BASE = 60  # columns of what the run is compared with, in a headline


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A model of several; one that could not be analysed has a ``sentence`` alone, and leads
    nowhere. ``how`` says how the latency is known."""

    target: str
    path: str
    verdict: str
    badge: str
    macs: str = ""
    change: str = ""
    tone: str = ""
    parameters: str = ""
    latency: str = ""
    how: str = ""
    findings: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """The models in the order of the run, then what could not be analysed, and all together."""

    rows: tuple[IndexRow, ...]
    unread: tuple[IndexRow, ...]
    total: IndexRow

    @property
    def is_judged(self) -> bool:
        """Whether there is a verdict on any of them."""
        return any(row.verdict for row in (*self.rows, *self.unread))

    @property
    def is_compared(self) -> bool:
        """Whether any of them has a base."""
        return any(row.change for row in self.rows)

    @property
    def is_timed(self) -> bool:
        """Whether the latency of any of them is known."""
        return any(row.latency for row in self.rows)

    @property
    def columns(self) -> int:
        """The columns behind those of names and verdicts."""
        return 4 + self.is_compared + self.is_timed


def unread(report: Report) -> list[Failure]:
    """What could not be analysed at all, each path once."""
    known = {model.path for model in report.models}
    return list({one.path: one for one in report.failures if one.path not in known}.values())


def index(report: Report, pages: Iterable[tuple[str, Head]]) -> Index:
    """The index of the models, whose parts of the page are at so many targets and have such
    heads."""
    pairs = zip(report.models, pages, strict=True)
    rows = tuple(_row(model, target, top) for model, (target, top) in pairs)
    lost = tuple(
        IndexRow(
            "", breakable(safe(one.path, _LONGEST)), "fail", "Not analysed",
            sentence=ended(safe(one.why, _REASON)),
        )
        for one in unread(report)
    )  # fmt: skip
    return Index(rows, lost, _total(report.models, (*rows, *lost)))


def _row(model: ModelReport, target: str, top: Head) -> IndexRow:
    difference = None if model.change is None else model.change.difference
    text = which = ""
    if difference is not None and difference.before.macs and difference.after.macs is not None:
        text = percent_change(difference.before.macs, difference.after.macs)
        which = tone(difference.before.macs, difference.after.macs)
    elif model.change is not None and difference is None:
        text = "new" if model.change.is_new else "same file"
    *_, time = top.numbers
    how = "measured" if model.latencies or (model.change and model.change.measured) else "predicted"
    return IndexRow(
        target,
        breakable(safe(model.path, _LONGEST)),
        top.verdict,
        top.badge,
        _macs([model]) if model.was_checked else "",
        text,
        which,
        short(model.parameters),
        time.value.replace("at least", "≥") if time.is_known else "",
        how if time.is_known else "",
        by_severity(model.told) or ("none",),
        top.sentence,
    )


def _macs(models: Sequence[ModelReport]) -> str:
    macs, unknown = sum(one.cost.macs for one in models), any(one.unknown_nodes for one in models)
    return "unknown" if unknown and not macs else f"{'≥ ' if unknown else ''}{short(macs)}"


def _total(models: Sequence[ModelReport], rows: Sequence[IndexRow]) -> IndexRow:
    verdicts = Counter(row.verdict for row in rows)
    counts = ((verdicts["fail"], "fails", "fail"), (verdicts["pass"], "passes", "pass"))
    words = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
    return IndexRow(
        "",
        plural(len(rows), "model"),
        "",
        ", ".join(words),
        _macs(models),
        parameters=short(sum(one.parameters for one in models)),
        findings=by_severity([finding for one in models for finding in one.told]) or ("none",),
    )


def lead(report: Report, verdicts: Sequence[str]) -> str:
    """How the run went: how many models fail, and why; the ``verdicts`` are those of the models."""
    lost = unread(report)
    total = len(report.models) + len(lost)
    if not report.models:
        return "No model was analysed"
    text = plural(total, "model")
    if bad := verdicts.count("fail") + len(lost):
        text = f"{bad:,} of {text} {'fails' if bad == 1 else 'fail'}"
    elif set(verdicts) == {"pass"}:
        text = f"All {text} pass"
    return f"{text}: {', '.join(_found(report, len(lost)))}"


def _found(report: Report, lost: int) -> Iterator[str]:
    if lost:
        yield f"{lost:,} could not be analysed"
    new, base = "", ""
    if report.base:
        new, base = "new or worse ", f" against {safe(report.base, _BASE)}"
    told = sum(len(model.told) for model in report.models)
    yield f"{plural(told, f'{new}finding') if told else f'no {new}findings'}{base}"
