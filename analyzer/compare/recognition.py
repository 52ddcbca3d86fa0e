"""Which findings of now are those of before."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from archlint.analyzer.identity import Identity


class Recognisable(Protocol):
    """What has a rule and an identity: a finding, or what was noted of one."""

    @property
    def code(self) -> str:
        """The code of the rule."""
        ...

    @property
    def identity(self) -> Identity:
        """What it is recognised by."""
        ...


Witness = Callable[[Recognisable], Hashable]
"""What is equal in a finding and in what it was; None where it tells nothing."""


def recognise(before: Sequence[Recognisable], after: Sequence[Recognisable]) -> list[int | None]:
    """For each of ``after`` the index of the one of ``before`` that it was; each is used once.

    Notes
    -----
    Witnesses are heard from the best to the worst, the rule among all of them. First what says that
    the nodes are the same, wherever they are: with their name, their module, what is around them,
    or alone. Then their module, which says so of nodes that were changed. What is left of the same
    nodes is paired in order: one of several twins has come or gone, and nothing tells which.

    Last come the neighbours, the name and the operator alone. They pair no findings of different
    modules, unless modules were renamed: one that was fixed here is not one that is new there.

    A witness that equally many of both sides have pairs them in the order of their ordinals; where
    one side has more of them it pairs none.
    """
    pairing = _Pairing(before, after)
    pairing.pair(_all, _named, _same_in_module, _same_by_name, _same_far, _same_near)
    pairing.pair(_same, most=1)
    pairing.pair(_module_and_name, _module, _fingerprint)
    pairing.pair_in_order(_same)
    weak: list[Witness] = [_neighbours, _name, _operator]
    if not pairing.has_other_modules():
        weak = [*map(_where, weak)]
    pairing.pair(*weak[:-1])
    pairing.pair_in_order(weak[-1])
    return pairing.found


def _kind(one: Recognisable) -> str:
    """The rule and what the nodes are: the fingerprint without its ordinal."""
    return one.identity.structure


def _all(one: Recognisable) -> Hashable:
    return one.code, one.identity


def _named(one: Recognisable) -> Hashable:
    found = one.identity
    return (one.code, found.fingerprint, found.name) if found.name else None


def _fingerprint(one: Recognisable) -> Hashable:
    return one.code, one.identity.fingerprint


def _same(one: Recognisable) -> Hashable:
    return one.code, _kind(one)


def _same_in_module(one: Recognisable) -> Hashable:
    return (one.code, _kind(one), one.identity.module) if one.identity.module else None


def _same_by_name(one: Recognisable) -> Hashable:
    return (one.code, _kind(one), one.identity.name) if one.identity.name else None


def _same_far(one: Recognisable) -> Hashable:
    return (one.code, _kind(one), one.identity.far) if one.identity.far else None


def _same_near(one: Recognisable) -> Hashable:
    return (one.code, _kind(one), one.identity.near) if one.identity.near else None


def _module(one: Recognisable) -> Hashable:
    found = one.identity
    return (one.code, found.module, found.operator) if found.module else None


def _module_and_name(one: Recognisable) -> Hashable:
    return (_module(one), one.identity.name) if one.identity.module else None


def _neighbours(one: Recognisable) -> Hashable:
    found = one.identity
    return (one.code, found.operator, found.near) if found.near else None


def _name(one: Recognisable) -> Hashable:
    found = one.identity
    return (one.code, found.operator, found.name) if found.name else None


def _operator(one: Recognisable) -> Hashable:
    return one.code, one.identity.operator


def _where(witness: Witness) -> Witness:
    """The witness of what is in the same module, or in none."""

    def found(one: Recognisable) -> Hashable:
        told = witness(one)
        return None if told is None else (told, one.identity.module)

    return found


def _place(one: Recognisable) -> tuple[int, ...]:
    """The ordinals of a fingerprint; a fingerprint that others wrote may have none."""
    ordinals = one.identity.fingerprint.partition(":")[2].split(".")
    return tuple([int(o) for o in ordinals if o.isascii() and o.isdigit() and len(o) < _DIGITS])


_DIGITS = 19  # no model has more nodes


class _Pairing:
    """What is recognised so far: ``found`` are the indices of before, by those of after."""

    def __init__(self, before: Sequence[Recognisable], after: Sequence[Recognisable]) -> None:
        self.found: list[int | None] = [None] * len(after)
        self._before, self._after = before, after
        self._gone = sorted(range(len(before)), key=lambda index: _place(before[index]))
        self._new = sorted(range(len(after)), key=lambda index: _place(after[index]))

    def pair(self, *witnesses: Witness, most: int | None = None) -> None:
        """Pair those with an equal witness, of which both sides have equally many, and no more
        than ``most``."""
        for witness in witnesses:
            for gone, new in self._groups(witness):
                if len(gone) == len(new) and (most is None or len(new) <= most):
                    self._join(gone, new)
            self._forget()

    def pair_in_order(self, witness: Witness) -> None:
        """Pair those with an equal witness as far as both sides have some."""
        for gone, new in self._groups(witness):
            self._join(gone, new)
        self._forget()

    def has_other_modules(self) -> bool:
        """Whether most of what is recognised is in a module of another name than before."""
        same = other = 0
        for new, gone in enumerate(self.found):
            if gone is None:
                continue
            was, now = self._before[gone].identity.module, self._after[new].identity.module
            same += was == now
            other += was != now
        return other > same

    def _groups(self, witness: Witness) -> list[tuple[list[int], list[int]]]:
        groups: dict[Hashable, tuple[list[int], list[int]]] = {}
        for side, ones, left in ((0, self._before, self._gone), (1, self._after, self._new)):
            for index in left:
                told = witness(ones[index])
                if told is not None:
                    groups.setdefault(told, ([], []))[side].append(index)
        return [*groups.values()]

    def _join(self, gone: Sequence[int], new: Sequence[int]) -> None:
        for was, now in zip(gone, new, strict=False):
            self.found[now] = was

    def _forget(self) -> None:
        used = set(self.found)
        self._gone = [index for index in self._gone if index not in used]
        self._new = [index for index in self._new if self.found[index] is None]
