"""What has changed between two architectures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from archlint.analyzer.compare.architecture import Architecture, Operation, Totals
from archlint.analyzer.compare.parts import ScopeChange, scope_changes

__all__ = ["Difference", "ScopeChange", "compare"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A base and a head, operation by operation.

    ``matched`` pairs of operations are recognised as the same, those of ``changed`` among them:
    their attributes, weights, bodies or what leads to them differ, not the sizes alone.
    ``scopes`` are the parts whose cost differs. ``pairs`` are the places of what is matched.
    """

    before: Totals
    after: Totals
    matched: int
    scopes: tuple[ScopeChange, ...] = ()
    added: tuple[Operation, ...] = ()
    removed: tuple[Operation, ...] = ()
    changed: tuple[tuple[Operation, Operation], ...] = ()
    pairs: tuple[tuple[int, int], ...] = field(default=(), compare=False, repr=False)

    @property
    def share(self) -> float:
        """The part of the operations of the larger side that is matched; 1 where there are none."""
        most = max(self.before.operations, self.after.operations)
        return self.matched / most if most else 1.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs but, perhaps, names, weights and the size of the file."""
        same = replace(self.before, file_bytes=None) == replace(self.after, file_bytes=None)
        return same and not (self.added or self.removed or self.changed)


def compare(before: Architecture, after: Architecture) -> Difference:
    """The difference between two architectures; names take no part in it, but where all else is
    alike."""
    from archlint.analyzer.compare.matching import matched  # late: without a base nothing is

    found = matched(before, after)
    gone, new = before.operations, after.operations
    kept, taken = ({pair[side] for pair in found.pairs} for side in (0, 1))
    both = [(gone[place], new[other]) for place, other in found.pairs]
    removed = tuple(o for place, o in enumerate(gone) if place not in kept)
    added = tuple(o for place, o in enumerate(new) if place not in taken)
    return Difference(
        before.totals,
        after.totals,
        len(both),
        scope_changes(both, removed, added),
        added,
        removed,
        tuple((gone[place], new[other]) for place, other in found.changed),
        tuple(found.pairs),
    )
