"""What a rule says of itself: the sections of its docstring, its options, its floor."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.rule import Case, Rule
from archlint.rules import cases_of
from archlint.selection import Named, is_default

REFERENCES = "References"
_TITLE = re.compile(r"^(\w[\w ]+)\n(?= )", re.MULTILINE)  # alone on its line, over what is indented


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a docstring; every source of the references is a paragraph."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a rule, with its bounds."""

    name: str
    default: float | None
    help: str
    minimum: float | None
    maximum: float | None


def summary_of(rule: Named) -> str:
    """The sentence that names the fault."""
    return _joined(_TITLE.split(cleandoc(rule.__doc__ or ""))[0])


def sections_of(rule: Named) -> tuple[Section, ...]:
    """The sections in their order."""
    _, *rest = _TITLE.split(cleandoc(rule.__doc__ or ""))
    return tuple(
        Section(title, tuple(_paragraphs(title, body)))
        for title, body in zip(rest[::2], rest[1::2], strict=True)
    )


def section_of(rule: Named, *titles: str) -> Section | None:
    """The first section with one of the titles."""
    return next((section for section in sections_of(rule) if section.title in titles), None)


def options_of(rule: Named) -> list[Option]:
    """The options, those of the base classes first."""
    return [_option(field) for field in dataclasses.fields(rule)]


def listed_cases(rule: Named) -> tuple[Case, ...]:
    """The cases of a rule; a remark has none. Raises ConfigError where they are no cases."""
    try:
        return cases_of(rule) if issubclass(rule, Rule) else ()
    except TypeError as error:
        raise ConfigError(f"rule {rule.code}", str(error)) from error


def _option(field: dataclasses.Field[Any]) -> Option:
    default: Any = field.default  # of a plugin's rule too it is a number or None
    said = field.metadata
    return Option(field.name, default, said["help"], said["minimum"], said["maximum"])


def floor_of(rule: Named) -> dict[str, float]:
    """The options below which it is silent, with their defaults."""
    return {
        option.name: option.default
        for option in options_of(rule)
        if option.name.startswith("min_") and option.default is not None
    }


def default_of(rule: Named) -> str:
    """Whether it runs unless it is left out, in words."""
    if rule.reads_weights:
        return "off by default: it reads the weights"
    return "on by default" if is_default(rule) else "off by default"


def number(value: float | None) -> str:
    """A default or a bound for a reader: ``4,000,000``, ``0.25``, ``none``."""
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def range_of(option: Option) -> str:
    """What an option can be: ``0 to 1``, ``from 2``; empty if anything."""
    if option.minimum is None:
        return "" if option.maximum is None else f"up to {number(option.maximum)}"
    low = number(option.minimum)
    return f"from {low}" if option.maximum is None else f"{low} to {number(option.maximum)}"


def _paragraphs(title: str, body: str) -> Iterable[str]:
    if title == REFERENCES:
        return [line.strip() for line in body.strip().splitlines()]
    return [_joined(part) for part in re.split(r"\n\s*\n", body.strip())]


def _joined(text: str) -> str:
    return " ".join(text.split())


def as_value(value: Any) -> str:
    """An option's value as ``--set`` and TOML take it."""
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)
