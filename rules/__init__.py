"""The rules: one a file, found by looking at this folder."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from archlint.analyzer.rule import Case, Rule

Rules = tuple[type[Rule], ...]


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule of archlint by its code."""
    found = (_rule_of(import_module(module)) for module in _modules())
    return tuple(sorted(found, key=lambda rule: rule.code))


def cases_of(rule: type[Rule]) -> tuple[Case, ...]:
    """The cases that stand in the rule's own file: its ``CASES``, by code where it has several
    rules; none if it has none."""
    cases: object = getattr(import_module(rule.__module__), "CASES", ())
    if isinstance(cases, dict):
        cases = cases.get(rule.code, ())
    if isinstance(cases, tuple) and all(isinstance(case, Case) for case in cases):
        return cases
    raise TypeError("CASES must be a tuple of Flags and Passes, or such tuples by code")


def rules_in(module: ModuleType) -> list[type[Rule]]:
    """The rules that a module defines, a package in any module of it.

    A class whose name begins with an underscore is a base of others.
    """
    homes = (f"{module.__name__}.",) if hasattr(module, "__path__") else ()
    found = (
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Rule)
        and (value.__module__ == module.__name__ or value.__module__.startswith(homes))
        and not value.__name__.startswith("_")
    )
    return list(dict.fromkeys(found))


def _modules() -> list[str]:
    return [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]


def _rule_of(module: ModuleType) -> type[Rule]:
    (rule,) = rules_in(module)  # a file that holds no rule, or two, is a mistake that must not pass
    return rule
