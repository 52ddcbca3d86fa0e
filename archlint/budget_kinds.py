"""The kinds of settings that are limits: budgets, and what a baseline tolerates."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from archlint.analyzer.finding import Severity
from archlint.kinds import Kind, Place, choice, expect, flag, text, unknown
from archlint.patterns import Pattern
from archlint.quantities import (
    COUNTS,
    SIZES,
    TIMES,
    Amount,
    Change,
    Scale,
    amount_of,
    amount_schema,
    change_of,
    change_schema,
    share_of,
    share_schema,
)
from archlint.rule_kinds import PATTERN

T = TypeVar("T", Amount, Change)

LATENCY = "latency"
_SCALES: Mapping[str, Scale] = {
    "macs": COUNTS,
    "params": COUNTS,
    "file-size": SIZES,
    "peak-activation": SIZES,
    LATENCY: TIMES,
}
_STATIC = "require-static-shapes"
_REGRESSION = "regression"


class Level(StrEnum):
    """How serious it is to break a limit."""

    ERROR = "error"
    WARNING = "warning"

    @property
    def severity(self) -> Severity:
        """That of the finding."""
        return Severity[self.name]


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that something may be, and where that is said."""

    most: Amount
    severity: Severity
    place: str


@dataclass(frozen=True, slots=True)
class Growth:
    """By how much something may grow, and where that is said."""

    most: Change
    severity: Severity
    place: str


@dataclass(frozen=True, slots=True)
class Budget:
    """What models may cost, by quantity; ``entries`` is its table as it was written."""

    entries: Mapping[str, object]
    path: Pattern | None
    limits: Mapping[str, Limit]
    growths: Mapping[str, Growth]
    static_shapes: Severity | None
    place: str

    def speaks_of(self, path: str) -> bool:
        """Whether it is about the model of the path."""
        return self.path is None or self.path.matches(path)

    def said(self) -> Mapping[str, object]:
        """What its table says, by key."""
        return self.entries


@dataclass(frozen=True, slots=True)
class Located:
    """A path as it was written, relative to a folder."""

    text: str
    folder: str

    def __str__(self) -> str:
        return self.text

    @property
    def path(self) -> str:
        """The whole path."""
        return os.path.normpath(os.path.join(self.folder, os.path.expanduser(self.text)))


_LEVEL = choice(Level)


def _budget(place: Place, value: object) -> Budget:
    entries = expect(place, value, dict)
    for name in entries:
        if name not in _BUDGET:
            raise unknown(place, name, list(_BUDGET))
    level = _level(place, entries, Level.ERROR)
    limits = {
        name: Limit(amount, own.severity, place.inside(name).whole)
        for name in _SCALES
        if name in entries
        for amount, own in [_limit(place.inside(name), name, entries[name], amount_of, level)]
    }
    growths = _growths(place.inside(_REGRESSION), entries.get(_REGRESSION, {}), level)
    static = _STATIC in entries and flag().read(place.inside(_STATIC), entries[_STATIC])
    if not (limits or growths or static):
        raise place.wrong('limits nothing, as macs = "600M" does')
    path = PATTERN.read(place.inside("path"), entries["path"]) if "path" in entries else None
    return Budget(entries, path, limits, growths, level.severity if static else None, place.whole)


def _growths(place: Place, value: object, level: Level) -> Mapping[str, Growth]:
    entries = expect(place, value, dict)
    for name in entries:
        if name not in _CHANGES:
            raise unknown(place, name, list(_CHANGES))
    level = _level(place, entries, level)
    return {
        name: Growth(change, own.severity, place.inside(name).whole)
        for name in _SCALES
        if name in entries
        for change, own in [_limit(place.inside(name), name, entries[name], change_of, level)]
    }


def _level(place: Place, entries: Mapping[str, object], level: Level) -> Level:
    return _LEVEL.read(place.inside("level"), entries["level"]) if "level" in entries else level


def _limit(
    place: Place, name: str, value: object, read: Callable[[Scale, object], T], level: Level
) -> tuple[T, Level]:
    """A limit with its level: a value, or a table of both."""
    if isinstance(value, dict):
        for key in value:
            if key not in ("max", "level"):
                raise unknown(place, key, ["max", "level"])
        if "max" not in value:
            raise place.wrong(f'says no max, as in {{ max = "{_SCALES[name].example}" }}')
        level = _level(place, value, level)
        place, value = place.inside("max"), value["max"]
    try:
        return read(_SCALES[name], value), level
    except ValueError as error:
        raise place.wrong(str(error)) from error


def _limit_schema(amount: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "anyOf": [
            amount,
            {
                "type": "object",
                "properties": {"max": amount, "level": _LEVEL.schema()},
                "required": ["max"],
                "additionalProperties": False,
            },
        ]
    }


_CHANGES: Mapping[str, Mapping[str, Any]] = {
    **{
        name: _limit_schema(change_schema(scale))
        for name, scale in _SCALES.items()
        if name != LATENCY
    },
    "level": _LEVEL.schema(),
}
_BUDGET: Mapping[str, Mapping[str, Any]] = {
    "path": PATTERN.schema(),
    **{name: _limit_schema(amount_schema(scale)) for name, scale in _SCALES.items()},
    _REGRESSION: {"type": "object", "properties": _CHANGES, "additionalProperties": False},
    _STATIC: flag().schema(),
    "level": _LEVEL.schema(),
}


def _budget_schema() -> dict[str, Any]:
    limits = (*_SCALES, _REGRESSION, _STATIC)
    return {
        "type": "object",
        "properties": _BUDGET,
        "anyOf": [{"required": [name]} for name in limits],
        "additionalProperties": False,
    }


def _located(place: Place, value: object) -> Located:
    return Located(text().read(place, value), place.folder)


def _tolerance(place: Place, value: object) -> str:
    found = share_of(expect(place, value, str))
    if found is None:
        raise place.wrong(f"'{value}' is no share; write it as '2%'")
    return found.text


BUDGET = Kind(_budget, _budget_schema)
LOCATED = Kind(_located, text().schema)
TOLERANCE = Kind(_tolerance, share_schema)
