"""The rules: one a file, found by looking at this folder."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from archlint.analyzer.rule import Case, Rule


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule by its code."""
    found = (rule for module in _modules() for rule in [_rule_of(module)])
    return tuple(sorted(found, key=lambda rule: rule.code))


def cases_of(rule: type[Rule]) -> tuple[Case, ...]:
    """The cases that stand in the rule's own file."""
    cases: tuple[Case, ...] = import_module(rule.__module__).CASES
    return cases


def _modules() -> list[str]:
    return [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]


def _rule_of(module: str) -> type[Rule]:
    own = [
        value
        for value in vars(import_module(module)).values()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module
    ]
    (rule,) = own  # a file that holds no rule, or two, is a mistake that must not pass
    return rule
