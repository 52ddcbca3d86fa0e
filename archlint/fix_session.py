"""A model while it is fixed: what was tried, and what of it stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan

from archlint.analyzer.fix.approximate import Amount
from archlint.analyzer.fix.engine import Change, Refusal, Subject
from archlint.analyzer.fix.trials import Proof, Trials
from archlint.analyzer.report.fixes import FixGroup
from archlint.analyzer.targets import Target


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for beside what leaves the model's function as it is."""

    amount: Amount | None = None
    drop_outputs: tuple[str, ...] = ()
    pad_channels: bool = False
    max_error: float | None = None
    even_slower: bool = False
    target: Target | None = None


@dataclass
class Session:
    """A model while it is fixed."""

    original: Subject
    trials: Trials
    wishes: Wishes
    subject: Subject
    changes: list[Change] = field(default_factory=list)
    rejected: list[FixGroup] = field(default_factory=list)
    refused: dict[tuple[str, str], Refusal] = field(default_factory=dict)
    measured: dict[str, Proof] = field(default_factory=dict)
    whole: Proof | None = None
    notes: list[str] = field(default_factory=list)

    def note(self, refusals: Iterable[Refusal]) -> None:
        """Remember what could not be fixed, once for each place."""
        self.refused.update({(one.code, one.node): one for one in refusals})

    def try_out(
        self,
        after: Subject,
        changes: Sequence[Change],
        most: float,
        *,
        must_save: bool,
        alone: bool = True,
    ) -> bool:
        """Keep the changes if the model with them is near enough, and no slower, or faster where it
        must be; what was measured is told of changes that were tried ``alone``."""
        proof = self.trials.proof(self.subject, after, values(changes))
        why = self._objection(proof, most, must_save=must_save)
        if why:
            self.rejected += groups(changes, why, proof)
            return False
        # One step alone is the whole way.
        self.whole = proof if self.subject is self.original and not self.changes else None
        self.subject = after
        self.changes += changes
        if alone:
            self.measured |= {change.code: proof for change in changes}
        return True

    def _objection(self, proof: Proof, most: float, *, must_save: bool) -> str:
        if isnan(proof.error):
            return "none of its outputs could be compared with those before"
        if not proof.error <= most:
            return f"its error of {proof.error:.1e} is above {most:g}; --max-error sets the bound"
        if self.wishes.even_slower:
            return ""
        if proof.measured.comparison is None:
            return "its time could not be measured; --even-slower applies it all the same"
        if proof.is_slower or (must_save and not proof.is_faster):
            word = "slower" if proof.is_slower else "not faster"
            return f"it is {word} by measurement; --even-slower applies it all the same"
        return ""


def values(changes: Iterable[Change]) -> list[str]:
    """The values that changes make anew."""
    return [value for change in changes for value in change.values]


def groups(
    changes: Sequence[Change],
    why: str,
    proof: Proof | None,
    measured: Mapping[str, Proof] | None = None,
) -> list[FixGroup]:
    """The changes by rule, in the order in which they were made first."""
    by_code: dict[str, list[Change]] = {}
    for change in changes:
        by_code.setdefault(change.code, []).append(change)
    return [
        FixGroup(
            code=code,
            name=own[0].name,
            kind=str(own[0].kind),
            places=tuple(", ".join(change.nodes[:1]) for change in own),
            titles=tuple(change.title for change in own),
            why=why,
            measured=one.measured if (one := (measured or {}).get(code, proof)) else None,
        )
        for code, own in by_code.items()
    ]
