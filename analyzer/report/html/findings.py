"""What was found: a card for each rule, what to do first at the top."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archlint.analyzer.report import FindingReport, IgnoredReport, ModelReport, State
from archlint.analyzer.report.groups import names
from archlint.analyzer.report.html.cards import Card, card, rules_of
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.sentences import ended, none_found, title
from archlint.analyzer.text import percent_change, plural, safe, short

_WHOLE = 4  # cards that are not folded
_SHOWN = 50  # of what is folded
_LONGEST = 300  # columns of a sentence
_LIMIT = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)\s*([kMGT]?)")  # as budgets write MACs
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class Folded:
    """A list that is opened by who wants it."""

    summary: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """The section: ``lead`` are sentences, ``folded`` what needs no action."""

    id: str
    lead: tuple[str, ...]
    cards: tuple[Card, ...]
    folded: tuple[Folded, ...]
    silent: Folded | None

    @property
    def linked(self) -> frozenset[int]:
        """The places of the layers that links lead to."""
        rows = [row for one in self.cards if one.places is not None for row in one.places.rows]
        places = {link.place for row in rows for link in row.links}
        return frozenset(place for place in places if place is not None)


def section(model: ModelReport, ids: Ids) -> Findings:
    """The findings of a model, or that there are none."""
    rules = rules_of(model)
    return Findings(
        ids.section("findings"),
        tuple(_lead(model, rules)),
        tuple(
            card(model, group, number, ids, is_brief=number > _WHOLE and len(rules) > _WHOLE + 1)
            for number, group in enumerate(rules, start=1)
        ),
        tuple(_folded(model)),
        _silent(model),
    )


def _lead(model: ModelReport, rules: Sequence[Sequence[FindingReport]]) -> Iterator[str]:
    if not rules:
        yield _calm(model)
        return
    alone, least, effect = _first_alone(model, rules), _least(model), model.effect
    yield from alone
    if effect is not None and effect.macs_before != effect.macs_after:
        sums = f"{least}{short(effect.macs_before)} → {least}{short(effect.macs_after)} MACs"
        share = percent_change(effect.macs_before, effect.macs_after)
        if not any(f"{short(effect.macs_after)} MACs" in text for text in alone):
            yield f"All together: {sums} ({share})."


def _least(model: ModelReport) -> str:
    return "at least " if model.unknown_nodes else ""


def _first_alone(model: ModelReport, rules: Sequence[Sequence[FindingReport]]) -> list[str]:
    """What following the first finding that saves MACs would make of the model."""
    before, least = model.cost.macs, _least(model)
    for group in rules:
        saved = sum(one.proposal.saved_macs for one in group if one.proposal is not None)
        if saved <= 0:
            continue
        which = "the first finding" if group is rules[0] else safe(group[0].code)
        where = f" at its {len(group):,} places" if len(group) > 1 else ""
        alone = " alone" if len(rules) > 1 else ""
        to = f"from {least}{short(before)} to {least}{short(before - saved)} MACs"
        share = percent_change(before, before - saved)
        within = _within(model, before - saved)
        return [f"Following {which}{where}{alone} would bring the model {to} ({share}){within}."]
    return []


def _within(model: ModelReport, macs: int) -> str:
    """That so many MACs are within the budget that the model breaks now."""
    for finding in model.told:
        if finding.evidence.get("quantity") == "macs" and "found" in finding.evidence:
            text = str(finding.evidence.get("limit", ""))
            found = _LIMIT.fullmatch(text)
            if found is None or model.unknown_nodes:
                continue
            limit = float(found[1].replace(",", "")) * _FACTORS[found[2]]
            return f", {'within' if macs <= limit else 'still over'} its budget of {safe(text)}"
    return ""


def _calm(model: ModelReport) -> str:
    """That there is nothing to tell, and where that was looked for."""
    what = none_found(model)
    if not model.was_checked:
        return ended(what)
    looked = f", {plural(len(model.rules), 'rule')}" if model.rules else ""
    return f"{what} in {plural(model.nodes, 'node')}{looked}."


def _folded(model: ModelReport) -> Iterator[Folded]:
    old = [finding for finding in model.findings if finding.state is State.UNCHANGED]
    if old:
        summary = f"Already in the base: {plural(len(old), 'finding')}"
        yield Folded(summary, tuple(_capped([_line(finding) for finding in old])))
    if model.ignored:
        summary = f"{plural(len(model.ignored), 'finding')} ignored"
        yield Folded(summary, tuple(_capped([_ignored(one) for one in model.ignored])))


def _silent(model: ModelReport) -> Folded | None:
    """The rules that ran and found nothing."""
    found = {finding.code for finding in model.findings}
    found.update(one.finding.code for one in model.ignored)
    quiet = [safe(code) for code in sorted(model.rules) if code not in found]
    if not quiet or not model.was_checked:
        return None
    return Folded(f"{plural(len(quiet), 'rule')} found nothing", tuple(quiet))


def _line(finding: FindingReport) -> str:
    where = f"{names(finding)}: " if finding.nodes else ""
    return f"{where}{safe(title(finding))}: {safe(finding.message, _LONGEST)}"


def _ignored(one: IgnoredReport) -> str:
    reason = f"reason: {safe(one.reason, _LONGEST)}" if one.reason else "no reason given"
    return f"{_line(one.finding)} ({reason}; by {safe(one.by)})"


def _capped(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"and {rest:,} more"] if rest > 0 else list(lines)
