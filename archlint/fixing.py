"""Fix a model: which fixes are tried, in which order, and which of them stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archlint.analyzer.cost import Cost
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.fix.engine import Change, Refusal, Rewritten, Source, Subject, put, rewrite
from archlint.analyzer.fix.trials import Proof, Trials, rounding
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.report.fixes import FixGroup
from archlint.analyzer.rule import Rule, RuleContext
from archlint.analyzer.text import nearest, safe
from archlint.fix_low_rank import make_low_rank
from archlint.fix_session import Session, Wishes, groups, values
from archlint.rules.dead_node import DeadNode
from archlint.rules.misaligned_channels import MisalignedChannels

_NO_FIXES = "No rule that is selected has fixes; see: archlint rule CODE"
_NONE_PADDED = "No convolution has channels that are worth filling up."

# One fix opens the next: what nothing reads is found when all else is done.
_ORDER = ("ARC710", "ARC404", "ARC402", "ARC403", "ARC401", "ARC406", "ARC408", "ARC409", "ARC708",
          "ARC709", "ARC707")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fixed:
    """A model after its fixes, and how that came about."""

    subject: Subject
    applied: tuple[FixGroup, ...]
    rejected: tuple[FixGroup, ...]
    refused: tuple[Refusal, ...]
    proof: Proof | None
    notes: tuple[str, ...]


def fixed(
    original: Subject,
    rules: Sequence[Rule],
    trials: Trials,
    wishes: Wishes,
    samples: Samples | None,
    progress: Callable[[str], None],
) -> Fixed:
    """The model with all fixes that hold what they promise.

    ``samples`` are the user's, with which low-rank layers are made. Raises ModelError where the
    model cannot be run, ConfigError for an output that there is not.
    """
    now = Session(original, trials, wishes, original)
    if wishes.drop_outputs:
        _drop(now, wishes.drop_outputs)
    followed = _in_order([rule for rule in rules if _has_fixes(rule)])
    if not (followed or wishes.drop_outputs or wishes.amount or wishes.pad_channels):
        now.notes.append(_NO_FIXES)
    _equivalents(now, followed, progress)
    if wishes.amount is not None:
        make_low_rank(now, wishes.amount, samples, progress)
    if wishes.pad_channels:
        _pad(now)
    proof = now.whole
    if now.changes and proof is None:
        proof = trials.proof(original, now.subject, values(now.changes))
    return Fixed(
        now.subject,
        tuple(groups(now.changes, "", None, now.measured)),
        tuple(now.rejected),
        tuple(now.refused.values()),
        proof,
        tuple(now.notes),
    )


def _has_fixes(rule: Rule) -> bool:
    """Whether there is any use in looking for its fixes, which takes as long as its findings."""
    return rule.kind is FixKind.EQUIVALENT or type(rule).fixes is not Rule.fixes


def _in_order(rules: Sequence[Rule]) -> list[Rule]:
    """Rules of plugins go before those that clear up."""
    place = {code: number for number, code in enumerate(_ORDER)}
    return sorted(rules, key=lambda rule: place.get(rule.code, _ORDER.index("ARC708") - 0.5))


def _drop(now: Session, names: Sequence[str]) -> None:
    """Take out outputs, and what only they need."""
    outputs = now.subject.graph.outputs
    path = now.original.model.path
    for name in names:
        if name not in outputs:
            known = ", ".join(f"'{safe(one, 80)}'" for one in outputs)
            hint = nearest(name, outputs) or f"; its outputs are {known}"
            raise ConfigError(path, f"--drop-output: there is no output '{safe(name, 80)}'{hint}")
    if set(names) == set(outputs):
        raise ConfigError(path, "--drop-output: all outputs would go; leave one")
    dropping = Proposal("the output is gone", FixKind.DECISION, (), drops=tuple(names))
    context = RuleContext(now.subject.graph, now.subject.costs)
    source = Source("ARC302", "auxiliary-classifier")
    now.subject, _, _ = put(now.subject, source, [dropping], context)
    now.subject = rewrite(now.subject, [DeadNode()]).subject
    title = "the output goes, with what only it needs"
    now.changes += [
        Change(*source, FixKind.DECISION, title, (name,), (), Cost(), Cost()) for name in names
    ]


def _equivalents(now: Session, rules: Sequence[Rule], progress: Callable[[str], None]) -> None:
    """All rules one after the other, those that only clear up together; again while one of them
    finds more."""
    clearing = [rule for rule in rules if _clears(rule)]
    claiming = [rule for rule in rules if not _clears(rule)]
    hopeless: set[str] = set()
    most = now.wishes.max_error
    most = rounding(now.subject.graph) if most is None else most
    cleared = rewrite(now.subject, clearing, progress)
    now.note(cleared.refusals)
    if cleared.changes and not now.try_out(
        cleared.subject, cleared.changes, most, must_save=False, alone=False
    ):
        return
    found = True
    while found:
        found = False
        for rule in claiming:
            if rule.code in hopeless:
                continue
            after = rewrite(now.subject, (rule, *clearing), progress)
            now.note(after.refusals)
            if any(change.code == rule.code for change in after.changes):
                if _claim(now, rule, after, most):
                    found = True
                else:
                    hopeless.add(rule.code)


def _claim(now: Session, rule: Rule, after: Rewritten, most: float) -> bool:
    own = [change for change in after.changes if change.code == rule.code]
    others = [change for change in after.changes if change.code != rule.code]
    if not now.try_out(after.subject, own, most, must_save=False):
        return False
    now.changes += others
    return True


def _clears(rule: Rule) -> bool:
    """Whether a rule's fixes only clear up: what they take out runtimes pass over by themselves."""
    return rule.kind is FixKind.DECISION or rule.code == DeadNode.code


def _pad(now: Session) -> None:
    """Channels filled up with zeros to what kernels compute at once."""
    subject = now.subject
    context = RuleContext(subject.graph, subject.costs, now.wishes.target)
    rule = MisalignedChannels()
    after, changes, refusals = put(
        subject, Source(rule.code, rule.name), rule.padded(context), context
    )
    now.note(refusals)
    if changes:
        now.try_out(after, changes, rounding(subject.graph), must_save=True)
    else:
        now.notes.append(_NONE_PADDED)
