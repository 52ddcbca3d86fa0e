"""Leave out findings that a configuration accepts, and tell of its entries that serve no more."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.finding import Finding, Severity
from archlint.analyzer.graph import Node
from archlint.analyzer.report import ModelReport
from archlint.analyzer.rule import DEFAULT_GROUPS
from archlint.analyzer.text import plural
from archlint.config import Choose, Chosen
from archlint.paths import find_models
from archlint.rules import all_rules
from archlint.selection import is_exact, specificity

if TYPE_CHECKING:
    from archlint.rule_kinds import Ignore

_UNUSED = "ARC901", "unused-ignore", Severity.WARNING
_EXPIRED = "ARC902", "expired-ignore", Severity.ERROR
_UNREASONED = "ARC903", "ignore-without-reason", Severity.WARNING


def split(
    findings: Iterable[Finding], ignores: Sequence[Ignore]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings that stay, and those that an entry hides."""
    stay: list[Finding] = []
    hidden: list[Finding] = []
    for finding in findings:
        (hidden if any(_hides(ignore, finding) for ignore in ignores) else stay).append(finding)
    return tuple(stay), tuple(hidden)


def _hides(ignore: Ignore, finding: Finding) -> bool:
    if finding.code == CRASH_CODE or _has_expired(ignore):
        return False
    meant = ignore.rule == "ALL" or finding.code.startswith(ignore.rule)
    anywhere = ignore.node is None and ignore.op is None
    return meant and (anywhere or any(_is_at(ignore, node) for node in finding.nodes))


def _is_at(ignore: Ignore, node: Node) -> bool:
    """Whether it means the node: by the node's name or module path, and by its operator."""
    names = (node.label, "/".join(node.scope))
    named = ignore.node is None or any(fnmatchcase(name, ignore.node) for name in names)
    return named and (ignore.op is None or fnmatchcase(node.operator, ignore.op))


def _has_expired(ignore: Ignore) -> bool:
    """Whether its last day is past, by the calendar of this machine."""
    return ignore.expires is not None and ignore.expires.isoformat() < time.strftime("%Y-%m-%d")


def with_remarks(reports: Sequence[ModelReport], choose: Choose) -> tuple[ModelReport, ...]:
    """The reports, each with findings on the entries of which it is the last that they speak of.

    That an entry hides nothing is told only where every model that it could speak of is among the
    reports, and was checked with its rule.
    """
    chosen = [choose(report.path) for report in reports]
    spoken: dict[Ignore, list[int]] = {}
    for place, one in enumerate(chosen):
        for ignore in one.ignores:
            spoken.setdefault(ignore, []).append(place)
    added: dict[int, list[Finding]] = {}
    reach: dict[str, list[str]] = {}
    for ignore, places in spoken.items():
        pairs = [(reports[place], chosen[place]) for place in places]
        added.setdefault(places[-1], []).extend(_remarks(ignore, pairs, reports, reach))
    return tuple(
        replace(report, findings=(*report.findings, *added[place])) if added.get(place) else report
        for place, report in enumerate(reports)
    )


def _remarks(
    ignore: Ignore,
    spoken: Sequence[tuple[ModelReport, Chosen]],
    reports: Iterable[ModelReport],
    reach: dict[str, list[str]],
) -> Iterator[Finding]:
    if ignore.reason is None and any(chosen.require_reason for _, chosen in spoken):
        yield _remark(_UNREASONED, ignore, "gives no reason, and require-reason asks for one")
    if _has_expired(ignore):
        why = f"has expired on {ignore.expires}; fix what it hid, or give it another date"
        yield _remark(_EXPIRED, ignore, why)
    elif not any(_hides(ignore, finding) for report, _ in spoken for finding in report.ignored):
        ran = all(_ran(ignore, chosen) for _, chosen in spoken)
        if ran and _all_seen(ignore, reports, reach):
            models = plural(len(spoken), "model")
            why = f"hides no finding of {ignore.rule} in {models}; remove it"
            yield _remark(_UNUSED, ignore, why)


def _remark(kind: tuple[str, str, Severity], ignore: Ignore, why: str) -> Finding:
    code, name, severity = kind
    return Finding(
        code=code,
        name=name,
        severity=severity,
        confidence=None,
        nodes=(),
        described="",
        message=f"{ignore.place} {why}",
    )


def _ran(ignore: Ignore, chosen: Chosen) -> bool:
    """Whether every rule that it means has run, silent ones only if it names them."""
    meant = [rule for rule in all_rules() if specificity(ignore.rule, rule)]
    needed = {r for r in meant if r.group in DEFAULT_GROUPS or is_exact(ignore.rule, r)}
    return needed <= {type(rule) for rule in chosen.rules}


def _all_seen(ignore: Ignore, reports: Iterable[ModelReport], reach: dict[str, list[str]]) -> bool:
    """Whether every model in its folder that it speaks of is among the reports; ``reach`` are the
    models of folders so far."""
    if ignore.folder not in reach:
        reach[ignore.folder] = find_models([ignore.folder])[0]
    seen = {os.path.abspath(report.path) for report in reports}
    return all(path in seen for path in reach[ignore.folder] if ignore.speaks_of(path))
