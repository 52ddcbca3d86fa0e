"""Which rules run: selectors, and which of them wins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.rule import DEFAULT_GROUPS, Rule, RuleGroup
from archlint.analyzer.text import nearest
from archlint.rules import all_rules

_EXACT = 1_000  # how specific a selector is: ALL is 1, a prefix its length, a code or name this


@dataclass(frozen=True, slots=True)
class Selection:
    """What one place says of rules: ``select`` starts afresh, the others change what is there.

    Within one place the more specific selector wins, and ``ignore`` wins a tie.
    """

    select: Sequence[str] | None = None
    extend_select: Sequence[str] = ()
    ignore: Sequence[str] = ()


def selected(
    selections: Iterable[Selection], groups: Collection[RuleGroup] = DEFAULT_GROUPS
) -> list[type[Rule]]:
    """The rules that run, by code: those of the groups as each place in turn changes it."""
    default = {rule for rule in all_rules() if rule.group in groups}
    return _after(default, selections)


def unselected_alternatives(
    selections: Sequence[Selection], groups: Collection[RuleGroup] = DEFAULT_GROUPS
) -> list[type[Rule]]:
    """The pedantic rules: they find nothing unless they are selected, but their proposals are worth
    showing beside those of others.

    None where a place selects: then those are all that is asked for.
    """
    if any(selection.select is not None for selection in selections):
        return []
    silent = {rule for rule in all_rules() if rule.group is RuleGroup.PEDANTIC}
    running = set(selected(selections, groups))
    return [rule for rule in _after(silent, selections) if rule not in running]


def _after(rules: set[type[Rule]], selections: Iterable[Selection]) -> list[type[Rule]]:
    chosen = rules
    for selection in selections:
        before = chosen if selection.select is None else set()
        chosen = {rule for rule in all_rules() if _is_chosen(rule, selection, rule in before)}
    return [rule for rule in all_rules() if rule in chosen]


def _is_chosen(rule: type[Rule], selection: Selection, before: bool) -> bool:
    wanted = most_specific((*(selection.select or ()), *selection.extend_select), rule)
    unwanted = most_specific(selection.ignore, rule)
    return wanted > unwanted if wanted or unwanted else before


def most_specific(selectors: Iterable[str], rule: type[Rule]) -> int:
    """How specific that of the selectors is which means the rule most narrowly; 0 if none does."""
    return max((specificity(selector, rule) for selector in selectors), default=0)


def specificity(selector: str, rule: type[Rule]) -> int:
    """How narrowly the selector means the rule; 0 if it does not."""
    if selector.upper() == "ALL":
        return 1
    if selector.upper() == rule.code or selector.lower() == rule.name:
        return _EXACT
    return len(selector) if rule.code.startswith(selector.upper()) else 0


def is_exact(selector: str, rule: type[Rule]) -> bool:
    """Whether the selector means this rule alone."""
    return specificity(selector, rule) == _EXACT


def split_selectors(source: str, texts: Iterable[str]) -> tuple[str, ...]:
    """The selectors of an option, separated by commas; raises ConfigError for one without rules."""
    parts = tuple(part.strip() for text in texts for part in text.split(",") if part.strip())
    for part in parts:
        check_selector(f"{source} {part}", part)
    return parts


def check_selector(source: str, selector: str) -> None:
    """Raise ConfigError, with the nearest rule, for a selector that selects nothing."""
    if not any(specificity(selector, rule) for rule in all_rules()):
        find_rule(source, selector)


def find_rule(source: str, name: str) -> type[Rule]:
    """The rule of a code or a name; raises ConfigError with the nearest one."""
    for rule in all_rules():
        if name.upper() == rule.code or name.lower() == rule.name:
            return rule
    known = [part for rule in all_rules() for part in (rule.code, rule.name)]
    near = nearest(name, known) or "; see: archlint rule --all"
    raise ConfigError(source, f"there is no rule '{name}'{near}")
