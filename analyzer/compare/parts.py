"""Which parts of a model cost more or less than before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archlint.analyzer.compare.architecture import Operation

OUTSIDE = "(elsewhere)"
"""The part of operations that are in no module, or in no block."""

_DEEPEST = 16  # parts of a module path

Pair = tuple[Operation, Operation]


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """What a part of the model costs in the base and in the head; None where it is not there, or
    where something of it is unknown."""

    name: str
    macs_before: int | None
    macs_after: int | None
    parameters_before: int | None
    parameters_after: int | None


@dataclass(slots=True)
class _Sum:
    """The cost of operations so far; ``macs`` is None where that of one is unknown."""

    macs: int | None = 0
    parameters: int = 0

    def add(self, operation: Operation) -> None:
        known = self.macs is not None and operation.macs is not None
        self.macs = (self.macs or 0) + (operation.macs or 0) if known else None
        self.parameters += operation.parameters


def scope_changes(
    both: Sequence[Pair], removed: Iterable[Operation], added: Iterable[Operation]
) -> tuple[ScopeChange, ...]:
    """The modules whose cost differs, at the first level where these are several or one is new or
    gone; the last level where it is the same one at all.

    What is the same operation counts for the module that it is in now: renaming modules changes no
    cost. Where no operation has a module, blocks stand in their place.
    """
    gone, new = tuple(removed), tuple(added)
    everything = (*(one for pair in both for one in pair), *gone, *new)
    part = _module if any(one.scope for one in everything) else _block
    if not any(map(part, everything)):
        return ()
    before = [(was, part(now) or part(was)) for was, now in both]
    before += [(was, part(was)) for was in gone]
    after = [(now, part(now) or part(was)) for was, now in both]
    after += [(now, part(now)) for now in new]
    found: tuple[ScopeChange, ...] = ()
    for depth in range(1, _DEEPEST + 1):
        changes = _at(depth, before, after)
        names = [change.name for change in changes]
        if not changes or names == [change.name for change in found]:
            break
        found = changes
        first, *others = changes
        if others or None in (first.parameters_before, first.parameters_after):
            break
    return found


def _module(operation: Operation) -> tuple[str, ...]:
    return operation.scope


def _block(operation: Operation) -> tuple[str, ...]:
    return (operation.block,) if operation.block else ()


def _at(
    depth: int,
    before: Iterable[tuple[Operation, tuple[str, ...]]],
    after: Iterable[tuple[Operation, tuple[str, ...]]],
) -> tuple[ScopeChange, ...]:
    """The modules of at most this depth whose cost differs, in the order of the head."""
    was, now = _summed(depth, before), _summed(depth, after)
    changes = []
    for name in dict.fromkeys((*now, *was)):
        old, new = was.get(name), now.get(name)
        if (old or _Sum()) != (new or _Sum()):
            changes.append(
                ScopeChange(
                    name,
                    None if old is None else old.macs,
                    None if new is None else new.macs,
                    None if old is None else old.parameters,
                    None if new is None else new.parameters,
                )
            )
    return tuple(changes)


def _summed(depth: int, operations: Iterable[tuple[Operation, tuple[str, ...]]]) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for operation, scope in operations:
        sums.setdefault(".".join(scope[:depth]) or OUTSIDE, _Sum()).add(operation)
    return sums
