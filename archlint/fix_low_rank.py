"""Make layers low-rank as far as the user asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

from archlint.analyzer.constants import Constants
from archlint.analyzer.fix.approximate import Amount, Study, by_rule, proposed, study, weigh
from archlint.analyzer.fix.candidates import Candidate
from archlint.analyzer.fix.engine import Change, Source, put
from archlint.analyzer.fix.goals import by_target
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proposal import Proposal
from archlint.analyzer.rule import RuleContext
from archlint.fix_session import Session
from archlint.rules.low_rank_weights import LowRankWeights

MAX_ERROR = 0.1  # unless the user says another
_SEARCHES = 8  # for layers that are faster, each without those that were not
_NONE = "No layer becomes low-rank: none has a form that saves time and is as near as asked for."
_NONE_FASTER = "No layer becomes low-rank: none that is as near as asked for was faster in a trial."
_MISSED = "The target is missed: layers whose factors were no faster in a trial stay as they are."
_MET = "The MACs are as few as asked for: no layer need be low-rank."


def make_low_rank(
    now: Session, amount: Amount, samples: Samples | None, progress: Callable[[str], None]
) -> None:
    """Low-rank layers as far as is asked for, each of them faster than what it stands for."""
    subject = now.subject
    source = Source(LowRankWeights.code, LowRankWeights.name)
    context = RuleContext(subject.graph, subject.costs, now.wishes.target)
    grid = max(1, context.target.block)
    progress("looking at the weights")
    known = study(subject, Constants(subject.graph, subject.model), samples, grid)
    goal = amount.goal(now.original.costs, subject.costs, grid)
    if goal is not None and goal.is_met([]):
        now.notes.append(_MET)
        return
    if goal is None:
        choose = partial(by_rule, known, amount)
    else:
        progress("trying layers out")
        weights = weigh(known, now.trials.samples)
        choose = partial(by_target, subject.model.path, known.candidates, goal, weights)
    proposals, some_are_slow = _faster(now, known, choose)
    if not proposals:
        now.notes.append(_NONE_FASTER if some_are_slow else _NONE)
        return
    if goal is not None and not goal.is_met(list(proposals)):
        now.notes.append(_MISSED)
    after, changes, refusals = put(subject, source, proposals.values(), context)
    now.note(refusals)
    if changes:
        most = MAX_ERROR if now.wishes.max_error is None else now.wishes.max_error
        now.try_out(after, _with_errors(changes, proposals), most, must_save=True)


def _faster(
    now: Session, known: Study, choose: Callable[[Collection[Candidate]], list[Candidate]]
) -> tuple[dict[Candidate, Proposal], bool]:
    """What is chosen again and again, each time without candidates that are slow; and whether some
    are."""
    slow: set[Candidate] = set()
    kept: dict[Candidate, Proposal] = {}
    for _ in range(_SEARCHES):
        chosen = {one.layer.node.id: one for one in choose(slow)}
        proposals = proposed(known, list(chosen.values()))
        found = set() if now.wishes.even_slower else now.trials.slow(now.subject, proposals)
        slow |= {chosen[place] for place in found}
        pairs = ((chosen[one.replaces[0].id], one) for one in proposals)
        kept = {one: proposal for one, proposal in pairs if one not in slow}
        if not found:
            break
    return kept, bool(slow)


def _with_errors(changes: Sequence[Change], taken: Iterable[Candidate]) -> list[Change]:
    """The changes, with what each does to its layer in their titles."""
    errors = {one.layer.node.label: one.error for one in taken}
    return [
        replace(change, title=f"{change.title}; relative error {errors[change.nodes[0]]:.2g}")
        for change in changes
    ]
