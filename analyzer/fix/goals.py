"""The layers that reach a target together, for the least error."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from archlint.analyzer.errors import ModelError
from archlint.analyzer.fix.candidates import Candidate
from archlint.analyzer.fix.search import Option, choose

_ROUNDS: Final = 12  # of the search, where MACs fall more slowly than the effort
_STEP: Final = 1.05  # by which it then asks for more


class TargetError(ModelError):
    """No set of layers saves as much as is asked for."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be saved yet: MACs, and effort, so that time falls as they do.

    ``share`` is what that saves of the original, which takes ``whole``: both.
    """

    macs: float
    effort: float
    share: float
    whole: tuple[float, float]

    def is_met(self, chosen: Sequence[Candidate]) -> bool:
        """Whether candidates save as much together."""
        return all(left <= 0 for left in self._left(chosen))

    def reached(self, chosen: Sequence[Candidate]) -> float:
        """The share of the original that candidates save together, of MACs and effort."""
        parts = zip(self._left(chosen), self.whole, strict=True)
        return self.share - max(left / whole if whole else 0.0 for left, whole in parts)

    def _left(self, chosen: Sequence[Candidate]) -> tuple[float, float]:
        saved = sum(one.macs for one in chosen), sum(one.effort for one in chosen)
        return self.macs - saved[0], self.effort - saved[1]


def by_target(
    path: str,
    candidates: Mapping[int, Sequence[Candidate]],
    goal: Goal,
    weights: Mapping[int, float],
    excluded: Collection[Candidate],
) -> list[Candidate]:
    """The candidates that reach a goal for the least error of the probes, as ``choose`` finds them
    when it counts MACs, or effort: the better of the two.

    The squared errors that layers bring are taken to add up. Raises TargetError, with the path of
    the model, where all of them together save less.
    """
    layers = [
        [_Priced(one, weights[place] * one.error**2) for one in found if one not in excluded]
        for place, found in candidates.items()
    ]
    layers = [layer for layer in layers if layer]
    if goal.is_met([]):
        return []
    most = [_most(layers, by_macs) for by_macs in (True, False)]
    found = [_searched(layers, goal, by_macs) for by_macs in (True, False)]
    met = [chosen for chosen in (*found, *most) if goal.is_met(_candidates(chosen))]
    if not met:
        reached = max(goal.reached(_candidates(chosen)) for chosen in most)
        raise TargetError(path, _unreachable(goal, reached))
    return _candidates(min(met, key=lambda chosen: sum(one.price for one in chosen)))


@dataclass(frozen=True, slots=True)
class _Priced:
    """A candidate, and what it adds to the squared error of the probes."""

    candidate: Candidate
    price: float

    def saves(self, by_macs: bool) -> float:
        return self.candidate.macs if by_macs else self.candidate.effort


def _candidates(chosen: Sequence[_Priced]) -> list[Candidate]:
    return [one.candidate for one in chosen]


def _most(layers: Sequence[Sequence[_Priced]], by_macs: bool) -> list[_Priced]:
    """Of each layer what saves most."""
    return [max(layer, key=lambda one: one.saves(by_macs)) for layer in layers]


def _searched(layers: Sequence[Sequence[_Priced]], goal: Goal, by_macs: bool) -> list[_Priced]:
    """The cheapest candidates that save enough of one kind, and of the other if any do."""
    options = [[Option(one.saves(by_macs), one.price) for one in layer] for layer in layers]
    target = goal.macs if by_macs else goal.effort
    chosen: list[_Priced] = []
    for _ in range(_ROUNDS if target > 0 else 0):
        picks = choose(options, target)
        if picks is None:
            break
        pairs = zip(layers, picks, strict=True)
        chosen = [layer[pick] for layer, pick in pairs if pick is not None]
        if goal.is_met(_candidates(chosen)):
            break
        target *= _STEP
    return chosen


def _unreachable(goal: Goal, reached: float) -> str:
    """What can be had instead of a goal."""
    asked = f"{100 * goal.share:.3g} % of its MACs and the time that goes with them"
    why = f"--target-macs: low-rank layers cannot save {asked}"
    most = floor(100 * reached)
    return f"{why}; ask for -{most}% at most" if most > 0 else f"{why}, nor as much as 1 %"
