"""Tell of entries that serve no more, of configurations and of models."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from archlint.analyzer.finding import Finding
from archlint.analyzer.graph import Node
from archlint.analyzer.reader.model import IGNORE_KEY
from archlint.analyzer.report import FindingReport, ModelReport
from archlint.analyzer.text import plural
from archlint.config import Choose, Chosen
from archlint.ignore_entries import Entries, has_expired
from archlint.model_ignores import ModelIgnores, NodeIgnore
from archlint.remarks import (
    ExpiredIgnore,
    IgnoreWithoutReason,
    MalformedIgnore,
    Remark,
    UnusedIgnore,
    remark_finding,
    remark_report,
)
from archlint.selection import is_exact, selected, specificity

if TYPE_CHECKING:
    from archlint.rule_kinds import Ignore

ModelsIn = Callable[[str], Sequence[str]]  # those of a folder that a run over it would check


def remarks_on_model(
    own: ModelIgnores, used: Collection[NodeIgnore], chosen: Chosen
) -> Iterator[Finding]:
    """What is wrong with the entries of a model; those that are ``used`` accept a finding."""
    if own.wrong:
        more = f" (and {own.wrong - 1:,} more such entries)" if own.wrong > 1 else ""
        yield from _told(MalformedIgnore, chosen, f"{own.why}{more}", own.at)
    entries = [entry for listed in own.entries.values() for entry in listed]
    entries += own.without_node
    unreasoned = [entry for entry in entries if entry.reason is None]
    if chosen.require_reason and unreasoned:
        why = f"{_at(unreasoned)} gives no reason, and require-reason asks for one"
        yield from _told(IgnoreWithoutReason, chosen, why, _nodes(unreasoned))
    unused: dict[tuple[str, bool], list[NodeIgnore]] = {}
    for entry in entries:
        if entry not in used:
            unused.setdefault((entry.rule, entry.node is None), []).append(entry)
    for (rule, nowhere), those in unused.items():
        if _ran(rule, chosen):
            gone = ": its operation is there no more" if nowhere else ""
            why = f"{_at(those)} hides no finding of {rule}{gone}; remove it"
            yield from _told(UnusedIgnore, chosen, why, _nodes(those))


def _nodes(entries: Sequence[NodeIgnore]) -> tuple[Node, ...]:
    return tuple(dict.fromkeys(entry.node for entry in entries if entry.node is not None))


def _at(entries: Sequence[NodeIgnore]) -> str:
    """Where entries of one source stand, the first of several lines."""
    if line := entries[0].line:
        others = len({entry.line for entry in entries}) - 1
        return f"{line} (and {plural(others, 'more line')})" if others else line
    count = len(_nodes(entries))
    return IGNORE_KEY if count == 1 else f"{IGNORE_KEY} at {plural(count, 'node')}"


def _told(
    kind: type[Remark], chosen: Chosen, message: str, nodes: tuple[Node, ...] = ()
) -> Iterator[Finding]:
    """The remark, unless the configuration leaves it out."""
    if kind.code not in chosen.silent:
        yield remark_finding(kind, chosen.severity_of(kind), message, nodes)


def with_remarks(
    reports: Sequence[ModelReport], choose: Choose, models_in: ModelsIn
) -> tuple[ModelReport, ...]:
    """The reports, each with remarks on the entries of configurations of which it is the last that
    they speak of and that remarks are told of.

    That an entry hides nothing is told only where every model that it could speak of is among the
    reports, and was checked with its rule.
    """
    chosen = [choose(report.path) for report in reports]
    spoken: dict[Ignore, list[int]] = {}
    used: set[Ignore] = set()
    for place, (report, one) in enumerate(zip(reports, chosen, strict=True)):
        for ignore in one.ignores:
            spoken.setdefault(ignore, []).append(place)
        entries = Entries(one.ignores)
        used.update(entry for one in report.ignored for entry in entries.accepting(one.finding))
    seen = _Seen(frozenset(os.path.abspath(report.path) for report in reports), models_in)
    added: dict[int, list[FindingReport]] = {}
    for ignore, places in spoken.items():
        about = [chosen[place] for place in places]
        for kind, why in _judged(ignore, ignore in used, about, seen):
            told = [place for place in places if kind.code not in chosen[place].silent]
            for place in told[-1:]:
                severity = chosen[place].severity_of(kind)
                remark = remark_report(kind, severity, f"{ignore.place} {why}", about=ignore.place)
                added.setdefault(place, []).append(remark)
    return tuple(
        replace(report, findings=(*report.findings, *added[place])) if place in added else report
        for place, report in enumerate(reports)
    )


def _judged(
    ignore: Ignore, used: bool, about: Sequence[Chosen], seen: _Seen
) -> Iterator[tuple[type[Remark], str]]:
    """What is wrong with an entry of the models that are checked so."""
    if ignore.reason is None and any(chosen.require_reason for chosen in about):
        yield IgnoreWithoutReason, "gives no reason, and require-reason asks for one"
    if has_expired(ignore):
        why = f"has expired on {ignore.expires}; fix what it hid, or give it another date"
        yield ExpiredIgnore, why
    elif not used and all(_ran(ignore.rule, chosen) for chosen in about) and seen.all_of(ignore):
        models = plural(len(about), "model")
        yield UnusedIgnore, f"hides no finding of {ignore.rule} in {models}; remove it"


def _ran(selector: str, chosen: Chosen) -> bool:
    """Whether every rule that it means has run, silent ones only if it names them."""
    meant = [rule for rule in chosen.known if specificity(selector, rule)]
    default = selected(chosen.known, ())
    needed = {rule for rule in meant if rule in default or is_exact(selector, rule)}
    return needed <= {type(rule) for rule in chosen.rules}


class _Seen:
    """Which models a run has looked at, of those that it could have."""

    def __init__(self, paths: Collection[str], models_in: ModelsIn) -> None:
        self._paths = paths
        self._models_in = models_in
        self._reach: dict[str, Sequence[str]] = {}

    def all_of(self, ignore: Ignore) -> bool:
        """Whether every model in its folder that the entry speaks of is among the reports."""
        if ignore.folder not in self._reach:
            self._reach[ignore.folder] = self._models_in(ignore.folder)
        reach = self._reach[ignore.folder]
        return all(path in self._paths for path in reach if ignore.speaks_of(path))
