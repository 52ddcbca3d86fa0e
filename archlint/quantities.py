"""Amounts with units, as limits have them: ``600M``, ``20MB``, ``12ms``, ``+2%``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,18})?"
_PERCENT = re.compile(rf"\s*\+?({_NUMBER})\s*%\s*")
_AMOUNT = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*")
_MOST = 10**18  # of a number without a unit


@dataclass(frozen=True, slots=True)
class Scale:
    """The units of one kind of amount, each as a multiple of that which a number alone has, and
    how an amount is written."""

    units: Mapping[str, Fraction]
    example: str
    alone: str = ""

    @property
    def pattern(self) -> str:
        """What a text with an amount matches."""
        return rf"^\s*{_NUMBER}\s*({'|'.join(self.units)})?\s*$"

    @property
    def change_pattern(self) -> str:
        """What a text with a change matches."""
        return rf"^\s*\+?{_NUMBER}\s*({'|'.join((*self.units, '%'))})?\s*$"


def _powers(base: int, *units: str) -> dict[str, Fraction]:
    return {unit: Fraction(base**power) for power, unit in enumerate(units, 1)}


COUNTS = Scale(_powers(1000, "k", "M", "G", "T"), "600M")
SIZES = Scale(
    {
        "B": Fraction(1),
        **_powers(1000, "kB", "MB", "GB", "TB"),
        **_powers(1024, "KiB", "MiB", "GiB", "TiB"),
    },
    "20MB",
    "B",
)
TIMES = Scale({"us": Fraction(1, 1000), "ms": Fraction(1), "s": Fraction(1000)}, "12ms", "ms")


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount as it was written, and its exact value: in bytes, milliseconds, or alone."""

    text: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class Change:
    """By how much something may grow, as it was written: by a share of itself, or an amount."""

    text: str
    share: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)

    def most(self, before: int) -> Fraction:
        """What it may be where it was ``before``."""
        return before + before * self.share + self.amount


def amount_of(scale: Scale, value: object) -> Amount:
    """The amount that a number or a text says; raises ValueError with what would be one."""
    if isinstance(value, str):
        found = _AMOUNT.fullmatch(value)
        if found is None:
            raise ValueError(f"'{value}' is no amount; write it as '{scale.example}'")
        return Amount(value.strip(), Fraction(found[1]) * _factor(scale, value, found[2]))
    number = _plain(scale, value)
    unit = f" {scale.alone}" if scale.alone else ""
    whole = number.denominator == 1
    return Amount(f"{int(number):,}{unit}" if whole else f"{float(number)}{unit}", number)


def change_of(scale: Scale, value: object) -> Change:
    """The growth that a number or a text says; raises ValueError with what would be one."""
    if isinstance(value, str):
        if share := share_of(value):
            return share
        text = value.strip()
        try:
            amount = amount_of(scale, text.removeprefix("+"))
        except ValueError as error:
            raise ValueError(f"{error}; a share is written as '+2%'") from error
        return Change(text, amount=amount.value)
    amount = amount_of(scale, value)
    return Change(f"+{amount.text}", amount=amount.value)


def share_of(text: str) -> Change | None:
    """The growth by percents that a text says; None where it says none."""
    found = _PERCENT.fullmatch(text)
    return None if found is None else Change(text.strip(), share=Fraction(found[1]) / 100)


def amount_schema(scale: Scale) -> dict[str, Any]:
    """The JSON Schema of an amount."""
    return _either(scale.pattern)


def change_schema(scale: Scale) -> dict[str, Any]:
    """The JSON Schema of a growth."""
    return _either(scale.change_pattern)


def share_schema() -> dict[str, Any]:
    """The JSON Schema of a growth by percents."""
    return {"type": "string", "pattern": rf"^\s*\+?{_NUMBER}\s*%\s*$"}


def _either(pattern: str) -> dict[str, Any]:
    number = {"type": "number", "minimum": 0, "maximum": _MOST}
    return {"anyOf": [number, {"type": "string", "pattern": pattern}]}


def _factor(scale: Scale, text: str, unit: str) -> Fraction:
    if not unit:
        return Fraction(1)
    if unit not in scale.units:
        known = ", ".join(scale.units)
        raise ValueError(f"there is no unit '{unit}' in '{text}'; it can be {known}")
    return scale.units[unit]


def _plain(scale: Scale, value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a number, or a text as '{scale.example}'")  # noqa: TRY004
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if not 0 <= value <= _MOST:
        raise ValueError(f"must be between 0 and {_MOST:,}")
    return Fraction(value)
