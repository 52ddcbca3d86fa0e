"""How a number differs from that of the base, in the same words wherever it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archlint.analyzer.text import percent_change


@dataclass(frozen=True, slots=True)
class Delta:
    """The difference as it is told; ``tone`` is ``up`` for what costs more, ``down`` for less."""

    text: str
    tone: str = ""


UNKNOWN = Delta("unknown")
UNCHANGED = Delta("unchanged")


def difference(
    before: int | None, after: int | None, told: Callable[[float], str], *, percent: bool = True
) -> Delta:
    """``+1,234 (+5.6 %)``; without percent where the base has nothing."""
    if before is None or after is None:
        return UNKNOWN
    if before == after:
        return UNCHANGED
    text = f"{'+' if after > before else '−'}{told(abs(after - before))}"
    if percent and before:
        text += f" ({percent_change(before, after)})"
    return Delta(text, tone(before, after))


def relative(before: int | None, after: int | None, told: Callable[[float], str]) -> Delta:
    """``+5.6 % from 22,036``."""
    if before is None or after is None:
        return UNKNOWN
    if before == after:
        return UNCHANGED
    text = f"{percent_change(before, after)} from {told(before)}" if before else "from nothing"
    return Delta(text, tone(before, after))


def tone(before: float, after: float) -> str:
    """Whether more or less is spent than before."""
    return "up" if after > before else "down" if after < before else ""
