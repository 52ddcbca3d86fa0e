"""Texts that differ in their numbers alone, told as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Digits in names are no numbers: 'aux2', conv1.
_NUMBER = re.compile(r"(?<![\w'/.])(\d+(?:,\d{3})*(?:\.\d+)?(?:×\d+)*)(?![\w'/])")
_MOST_SIZES = 3


def merged(texts: Iterable[str]) -> str | None:
    """One text for all, with ranges where numbers differ; None where more than numbers does."""
    distinct = list(dict.fromkeys(texts))
    if len(distinct) == 1:
        return distinct[0]
    split = [_NUMBER.split(text) for text in distinct]
    columns = list(zip(*split, strict=False))
    if len(set(map(len, split))) != 1 or any(len(set(words)) > 1 for words in columns[::2]):
        return None
    return "".join(
        words[0] if place % 2 == 0 else _span(words) for place, words in enumerate(columns)
    )


def _span(numbers: Sequence[str]) -> str:
    """``16 to 64`` for numbers, ``3×3 or 5×5`` for sizes."""
    ordered = sorted(set(numbers), key=_value)
    if len(ordered) == 1:
        return ordered[0]
    if any("×" in number for number in ordered) and len(ordered) <= _MOST_SIZES:
        return " or ".join(ordered)
    return f"{ordered[0]} to {ordered[-1]}"


def _value(number: str) -> list[float]:
    return [float(part.replace(",", "")) for part in number.split("×")]


def sentence(text: str) -> str:
    """The text with a capital letter at its start."""
    return text[:1].upper() + text[1:]
