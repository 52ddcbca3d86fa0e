"""Which operations of two architectures are the same, by what they are and what is around them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from archlint.analyzer.compare.architecture import Architecture, Operation
from archlint.analyzer.compare.pairing import Keys, Pairing
from archlint.analyzer.compare.sides import Interned, Side

Pairs = tuple[tuple[int, int], ...]

_RADIUS = 3  # of the neighbourhoods that are compared


@dataclass(frozen=True, slots=True)
class Matched:
    """The places of operations that are the same, by the place in the first architecture.

    Those of ``changed`` have other attributes, weights or bodies, or what leads to them is matched
    and is something else.
    """

    pairs: Pairs
    changed: Pairs


def match(before: Architecture, after: Architecture) -> Pairs:
    """The places of the operations that are the same in both."""
    return matched(before, after).pairs


def matched(before: Architecture, after: Architecture) -> Matched:
    """The places of the operations that are the same in both, and of those that were changed.

    Returns
    -------
    Matched
        Each place is in one pair at most. Paired operations have the same operator; their
        attributes and weights may differ.

    Notes
    -----
    What is upward of an operation, up to the inputs, and downward, down to the outputs, is compared
    first: a change leaves all that is before and behind it alike, and other widths all around it.
    Then come neighbourhoods, from the widest to the narrowest (colour refinement, Weisfeiler and
    Leman 1968), and from each pair its neighbours. The same again without numbers of channels, and
    by operators alone, finds what was changed between the same. Where equally many are alike, they
    are paired in order. Modules tell apart what is alike otherwise; nothing is paired by a name
    alone. All of it looks through casts and quantisation, which are paired last. A step takes time
    linear in the edges, but for sorting.

    """
    interned = Interned()
    matching = _Matching(Side(before, interned), Side(after, interned), interned)
    matching.by_ends()
    matching.by_neighbourhoods()
    matching.by_neighbours()
    matching.by_modules()
    pairs = matching.pairing.pairs()
    return Matched(tuple(pairs), tuple(pair for pair in pairs if matching.is_changed(pair)))


def _operator(operation: Operation) -> Hashable:
    return "operator", operation.operator


def _form(operation: Operation) -> Hashable:
    """An operator with attributes and kernels, but without numbers of channels."""
    kernels = tuple([tuple(weight.split("x")[2:]) for weight in operation.weights])
    return "form", operation.operator, operation.attributes, kernels


def _layer(operation: Operation) -> Hashable:
    """An operator with its weights, but without attributes."""
    return "layer", operation.operator, operation.weights


def _has_weights(side: Side, place: int) -> bool:
    return bool(side.operations[place].weights)


def _has_module(side: Side, place: int) -> bool:
    return bool(side.operations[place].scope) and not side.transparent[place]


def _is_opaque(side: Side, place: int) -> bool:
    return not side.transparent[place]


class _Matching:
    """The steps of matching; each pairs what those before it have left."""

    def __init__(self, before: Side, after: Side, interned: Interned) -> None:
        self.pairing = Pairing(before, after)
        self._interned = interned
        self._keys: Keys = before.keys, after.keys
        self._modules: Keys = before.scopes, after.scopes
        self._forms = before.numbered(_form), after.numbered(_form)
        self._around = [self._keys]

    def by_ends(self) -> None:
        """Pair what has the same way to the inputs and to the outputs, then to one of them; before
        the latter, what has the same neighbourhood in the same module."""
        up, down, both = self._ends(self._keys)
        self._pair(self._joined(both, self._modules), _has_module)
        self._pair(both)
        if self.pairing.is_done:
            return
        # Of a network that is half as wide the layers of one stage are those of the next.
        self._pair(self._ends(self._forms)[2])
        before, after = self.pairing.sides
        for _ in range(_RADIUS):
            inner = self._around[-1]
            self._around.append((before.wider(inner[0]), after.wider(inner[1])))
        self._pair(self._joined(self._around[-1], self._modules), _has_module)
        self._pair(up)
        self._pair(down)

    def by_neighbourhoods(self) -> None:
        """Pair what has the same neighbourhood, then the same layers, and the same next to them."""
        self.pairing.spread([self._keys])
        for keys in self._around[:0:-1]:
            self._pair(self._joined(keys, self._modules), _has_module)
            self._pair(keys)
            self.pairing.spread([self._keys])
        self._pair(self._joined(self._keys, self._modules), _has_weights)
        self._pair(self._keys, _has_weights)

    def by_neighbours(self) -> None:
        """Pair what stands between the same and was changed, then what is transparent."""
        if self.pairing.is_done:
            return
        forms = self._forms
        self._pair_by_ends(forms)
        before, after = self.pairing.sides
        beyond = before.with_readers(forms[0]), after.with_readers(forms[1])
        self.pairing.spread([self._keys, forms], beyond=beyond)
        layers = self._numbered(_layer)
        self._pair(self._joined(layers, self._modules), _has_weights)
        self._pair(layers, _has_weights)
        operators = self._numbered(_operator)
        self._pair_by_ends(operators)
        levels = [self._keys, forms, operators]
        self.pairing.spread(levels)
        self.pairing.spread(levels, through=False)

    def by_modules(self) -> None:
        """Pair what is left in one module and has the same operator, and what is transparent."""
        for keys in (self._keys, self._numbered(_operator)):
            self._pair(self._joined(keys, self._modules), _has_module)
        self._pair(self._keys, lambda side, place: side.transparent[place])

    def is_changed(self, pair: tuple[int, int]) -> bool:
        """Whether the operations of a pair are something else, or read something else."""
        place, other = pair
        if self._keys[0][place] != self._keys[1][other]:
            return True
        before, after = self.pairing.sides
        if not before.operations[place].floats:
            return False  # exporters share the arithmetic on shapes in several ways
        partners, others = self.pairing.partners
        above, below = before.through.sources[place], after.through.sources[other]
        is_known = all(s < 0 or partners[s] >= 0 for s in above) and all(
            s < 0 or others[s] >= 0 for s in below
        )
        return is_known and sorted(partners[s] if s >= 0 else s for s in above) != sorted(below)

    def _pair(self, keys: Keys, wanted: Callable[[Side, int], bool] = _is_opaque) -> None:
        if not self.pairing.is_done:
            self.pairing.pair(keys, wanted)

    def _pair_by_ends(self, kinds: Keys) -> None:
        if not self.pairing.is_done:
            up, down, both = self._ends(kinds)
            for keys in (both, up, down):
                self._pair(keys)

    def _ends(self, kinds: Keys) -> tuple[Keys, Keys, Keys]:
        """The ways to the inputs, those to the outputs, and both."""
        before, after = self.pairing.sides
        up = before.upward(kinds[0]), after.upward(kinds[1])
        down = before.downward(kinds[0]), after.downward(kinds[1])
        return up, down, self._joined(up, down)

    def _numbered(self, what: Callable[[Operation], Hashable]) -> Keys:
        before, after = self.pairing.sides
        return before.numbered(what), after.numbered(what)

    def _joined(self, some: Keys, others: Keys) -> Keys:
        """Numbers of pairs of numbers."""
        before, after = (
            [self._interned["both", *pair] for pair in zip(one, other, strict=True)]
            for one, other in zip(some, others, strict=True)
        )
        return before, after
