"""The options of rules: found by name, and held to their types and bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.rule import Rule
from archlint.analyzer.text import nearest
from archlint.rules import Rules
from archlint.selection import find_rule

Options = Mapping[str, Mapping[str, Any]]  # of rules, by code and name of the option
Field = dataclasses.Field[Any]


def made(rules: Iterable[type[Rule]], options: Options) -> tuple[Rule, ...]:
    """The rules with their options; raises ConfigError where a rule of a plugin refuses them."""
    return tuple(_made(rule, options.get(rule.code, {})) for rule in rules)


def _made(rule: type[Rule], options: Mapping[str, Any]) -> Rule:
    try:
        return rule(**options)
    except Exception as error:
        said = ", ".join(f"{name}={value}" for name, value in options.items())
        why = f"cannot be made with {said}: {type(error).__name__}: {error}"
        raise ConfigError(f"rule {rule.code}", why) from error


def parse_options(settings: Iterable[str], rules: Rules) -> Options:
    """``RULE.option=value`` by the code of the rule; raises ConfigError for anything else."""
    found: dict[str, dict[str, Any]] = {}
    for setting in settings:
        source = f"--set {setting}"
        target, equals, text = setting.partition("=")
        name, dot, option = target.partition(".")
        if not (equals and dot):
            raise ConfigError(source, "write it as RULE.option=value, as in ARC101.width=20")
        rule = find_rule(source, name.strip(), rules)
        field = find_option(source, rule, option.strip())
        found.setdefault(rule.code, {})[field.name] = _parsed(source, field, text.strip())
    return found


def find_option(source: str, rule: type[Rule], name: str) -> Field:
    """The field of an option, written with dashes or underscores; raises ConfigError."""
    fields = {field.name: field for field in dataclasses.fields(rule)}
    option = name.replace("-", "_")
    if option not in fields:
        near = nearest(option, fields) or f"; it has {', '.join(sorted(fields))}"
        raise ConfigError(source, f"{rule.code} has no option '{option}'{near}")
    return fields[option]


def may_be_none(field: Field) -> bool:
    """Whether an option can be left undecided."""
    return "None" in str(field.type)


def is_whole(field: Field) -> bool:
    """Whether an option is a whole number."""
    return "int" in str(field.type)


def _parsed(source: str, field: Field, text: str) -> float | None:
    """The text as the option's type, within its bounds."""
    if may_be_none(field) and text.lower() == "none":
        return None
    number = int if is_whole(field) else float
    try:
        value = number(text)
    except ValueError as error:
        raise _no_number(source, field, text) from error
    return _bounded(source, field, value, text)


def checked(source: str, field: Field, value: object) -> float | None:
    """The value of an option, of its type and within its bounds; raises ConfigError.

    An option that can be left undecided is so by the word ``none``.
    """
    if may_be_none(field) and value == "none":
        return None
    kinds = (int,) if is_whole(field) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise _no_number(source, field, str(value))
    return _bounded(source, field, value if is_whole(field) else _as_float(value), str(value))


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return inf if value > 0 else -inf


def _no_number(source: str, field: Field, text: str) -> ConfigError:
    what = "a whole number" if is_whole(field) else "a number"
    return ConfigError(source, f"{field.name} must be {what}, not '{text}'")


def _bounded(source: str, field: Field, value: float, text: str) -> float:
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    if not (low is None or value >= low) or not (high is None or value <= high):
        bounds = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
        raise ConfigError(source, f"{field.name} must be {bounds}, not {text}")
    return value
