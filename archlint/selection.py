"""Which rules run: selectors, and which of them wins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.rule import DEFAULT_GROUPS, Rule, RuleGroup
from archlint.analyzer.text import nearest
from archlint.remarks import REMARKS, Remark, RuleCrashed
from archlint.rules import Rules

Named = type[Rule] | type[Remark]  # what selectors mean
N_ = TypeVar("N_", bound=Named)

FIX_GROUPS = DEFAULT_GROUPS | {RuleGroup.PEDANTIC}
"""Those whose rules ``archlint fix`` follows, unless others are selected."""

_DIGITS = "0123456789"
_EXACT = 1_000  # how specific a selector is: ALL is 1, a prefix its length, a code or name this


@dataclass(frozen=True, slots=True)
class Selection:
    """What one place says of rules: ``select`` starts afresh, the others change what is there.

    Within one place the more specific selector wins, and ``ignore`` wins a tie.
    """

    select: Sequence[str] | None = None
    extend_select: Sequence[str] = ()
    ignore: Sequence[str] = ()


def is_default(rule: Named, groups: Collection[RuleGroup] = DEFAULT_GROUPS) -> bool:
    """Whether it runs unless it is left out: one of the groups that reads no weights."""
    return rule.group in groups and not rule.reads_weights


def selected(
    rules: Rules,
    selections: Iterable[Selection],
    groups: Collection[RuleGroup] = DEFAULT_GROUPS,
) -> list[type[Rule]]:
    """Those of the rules that run: of the groups, as each place in turn changes it."""
    default = {rule for rule in rules if is_default(rule, groups)}
    return _after(rules, default, selections)


def weight_rules(
    rules: Rules,
    selections: Iterable[Selection],
    groups: Collection[RuleGroup] = DEFAULT_GROUPS,
) -> list[type[Rule]]:
    """Those of the groups that read weights, but for what some place ignores: what is selected
    there does not take them out."""
    reading = {rule for rule in rules if rule.group in groups and rule.reads_weights}
    return _after(rules, reading, [replace(one, select=None) for one in selections])


def unselected_alternatives(
    rules: Rules,
    selections: Sequence[Selection],
    groups: Collection[RuleGroup] = DEFAULT_GROUPS,
) -> list[type[Rule]]:
    """The pedantic rules: they find nothing unless they are selected, but their proposals are worth
    showing beside those of others.

    None where a place selects: then those are all that is asked for.
    """
    if any(selection.select is not None for selection in selections):
        return []
    silent = {rule for rule in rules if rule.group is RuleGroup.PEDANTIC}
    running = set(selected(rules, selections, groups))
    return [rule for rule in _after(rules, silent, selections) if rule not in running]


def _after(
    rules: Rules, chosen: set[type[Rule]], selections: Iterable[Selection]
) -> list[type[Rule]]:
    for selection in selections:
        before = chosen if selection.select is None else set()
        chosen = {rule for rule in rules if _is_chosen(rule, selection, rule in before)}
    return [rule for rule in rules if rule in chosen]


def left_out(selections: Iterable[Selection], ignored: Collection[str]) -> frozenset[str]:
    """The codes of the remarks that are not told: those that some place ignores, or ``ignored``
    means. ``select`` chooses among rules alone."""
    told = set(REMARKS)
    for selection in selections:
        told = {remark for remark in REMARKS if _is_chosen(remark, selection, remark in told)}
    silent = (r for r in REMARKS if r not in told or most_specific(ignored, r))
    return frozenset(remark.code for remark in silent if remark is not RuleCrashed)


def _is_chosen(rule: Named, selection: Selection, before: bool) -> bool:
    wanted = most_specific((*(selection.select or ()), *selection.extend_select), rule)
    unwanted = most_specific(selection.ignore, rule)
    return wanted > unwanted if wanted or unwanted else before


def most_specific(selectors: Iterable[str], rule: Named) -> int:
    """How specific that of the selectors is which means the rule most narrowly; 0 if none does."""
    return max((specificity(selector, rule) for selector in selectors), default=0)


def specificity(selector: str, rule: Named) -> int:
    """How narrowly the selector means the rule; 0 if it does not."""
    if selector.upper() == "ALL":
        return 1
    if selector.upper() == rule.code or selector.lower() == rule.name:
        return _EXACT
    return len(selector) if covers(selector.upper(), rule.code) else 0


def covers(prefix: str, code: str) -> bool:
    """Whether the code begins with a prefix that has all its letters: ``AB`` and ``AB1`` begin
    ``AB101``, and ``A`` does not."""
    return code.startswith(prefix) and prefix.rstrip(_DIGITS) == code.rstrip(_DIGITS)


def severities(given: Mapping[str, Severity], rules: Iterable[Named]) -> Mapping[str, Severity]:
    """Severities by the codes of rules, each by the selector that means the rule most narrowly."""
    found = {}
    for rule in rules if given else ():
        selector = max(given, key=lambda selector: specificity(selector, rule))
        if specificity(selector, rule):
            found[rule.code] = given[selector]
    return found


def is_exact(selector: str, rule: Named) -> bool:
    """Whether the selector means this rule alone."""
    return specificity(selector, rule) == _EXACT


def split_selectors(source: str, texts: Iterable[str], rules: Rules) -> tuple[str, ...]:
    """The selectors of an option, separated by commas; raises ConfigError for one without rules."""
    parts = tuple(part.strip() for text in texts for part in text.split(",") if part.strip())
    for part in parts:
        check_selector(f"{source} {part}", part, rules)
    return parts


def check_selector(source: str, selector: str, rules: Rules) -> None:
    """Raise ConfigError, with the nearest rule, for a selector that selects none of the rules and
    no remark."""
    known: Sequence[Named] = (*rules, *REMARKS)
    if not any(specificity(selector, one) for one in known):
        find_rule(source, selector, known)


def find_rule(source: str, name: str, rules: Sequence[N_]) -> N_:
    """That of the rules which has the code or name; raises ConfigError with the nearest one."""
    for rule in rules:
        if name.upper() == rule.code or name.lower() == rule.name:
            return rule
    known = [part for rule in rules for part in (rule.code, rule.name)]
    near = nearest(name, known) or "; see: archlint rule --all"
    raise ConfigError(source, f"there is no rule '{name}'{near}")
