"""Run rules over a counted graph: each node gets one proposal, the one that is worth most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archlint.analyzer.blocks import block_of
from archlint.analyzer.describe import describe
from archlint.analyzer.finding import Alternative, Finding, Severity
from archlint.analyzer.proposal import FixKind, Priced, Proposal, price
from archlint.analyzer.rule import Match, Rule, RuleContext

CRASH_CODE = "ARC900"
CRASH_NAME = "rule-crashed"


@dataclass(frozen=True, slots=True)
class _Candidate:
    rule: Rule
    match: Match
    priced: Priced
    worth: int

    @property
    def nodes(self) -> frozenset[int]:
        return frozenset(node.id for node in self.priced.proposal.replaces)

    @property
    def rank(self) -> tuple[int, str, int]:
        """What is worth most first, then by code and place."""
        first = min((node.id for node in self.match.nodes), default=0)
        return -self.worth, self.rule.code, first

    @property
    def likeness(self) -> object:
        """What it has in common with the same finding at other places."""
        priced = self.priced
        return self.rule.code, self.match.message, priced.before, priced.parameters_before


def run(
    rules: Iterable[Rule], context: RuleContext, alternatives: Iterable[Rule] = ()
) -> list[Finding]:
    """The findings: advice in the order of the rules, then proposals, what is worth most first.

    Those that are alike at several places are worth what they are together. A rule that crashes
    becomes a finding of its own.

    ``alternatives`` are rules that find nothing by themselves: their proposals are listed with the
    findings of the others.
    """
    crashes: list[Finding] = []
    advices: list[Finding] = []
    proposing = []
    for rule in rules:
        if rule.kind is FixKind.DECISION:
            advices += _advices(rule, context, crashes)
        else:
            proposing.append(rule)
    offering = [rule for rule in alternatives if rule.kind is not FixKind.DECISION]
    found, others = (_ranked(group, context, crashes) for group in (proposing, offering))
    return [*crashes, *advices, *_findings(found, others, context)]


def accepted(findings: Iterable[Finding]) -> list[Proposal]:
    """The proposals of findings; they replace disjoint nodes, so all of them fit together."""
    return [finding.priced.proposal for finding in findings if finding.priced is not None]


def _advices(rule: Rule, context: RuleContext, crashes: list[Finding]) -> list[Finding]:
    """The findings of a rule that proposes no graph."""
    try:
        return [_finding(rule, match, context) for match in rule.match(context)]
    except Exception as error:  # noqa: BLE001 - one rule must not take down the run
        crashes.append(_crash(rule, error))
        return []


def _ranked(
    rules: Iterable[Rule], context: RuleContext, crashes: list[Finding]
) -> list[_Candidate]:
    """The candidates of rules, by their rank; crashes are added to the list of them."""
    candidates: list[_Candidate] = []
    for rule in rules:
        try:
            candidates += _candidates(rule, context)
        except Exception as error:  # noqa: BLE001 - one rule must not take down the run
            crashes.append(_crash(rule, error))
    return sorted(candidates, key=lambda candidate: candidate.rank)


def _candidates(rule: Rule, context: RuleContext) -> list[_Candidate]:
    found = []
    for match in rule.match(context):
        proposal = rule.propose(match, context) if rule.may_pay(match, context) else None
        if proposal is None:
            continue
        priced = price(proposal, context.costs)
        if rule.pays(priced, context):
            found.append(_Candidate(rule, match, priced, rule.worth(match, priced)))
    return found


def _findings(
    ranked: Iterable[_Candidate], others: Iterable[_Candidate], context: RuleContext
) -> list[Finding]:
    """Greedy by rank: what overlaps an accepted candidate becomes its alternative."""
    owner: dict[int, int] = {}
    accepted: list[_Candidate] = []
    alternatives: dict[int, list[_Candidate]] = {}
    for candidates, may_lead in ((ranked, True), (others, False)):
        for candidate in candidates:
            if owners := {owner[node] for node in candidate.nodes if node in owner}:
                alternatives.setdefault(min(owners), []).append(candidate)
            elif may_lead:
                owner.update(dict.fromkeys(candidate.nodes, len(accepted)))
                accepted.append(candidate)
    together: Counter[object] = Counter()
    for candidate in accepted:
        together[candidate.likeness] += candidate.worth
    order = sorted(
        range(len(accepted)),
        key=lambda place: (-together[accepted[place].likeness], accepted[place].rank),
    )
    return [
        _finding(c.rule, c.match, context, c.priced, alternatives.get(place, ()))
        for place in order
        for c in [accepted[place]]
    ]


def _alternative(candidate: _Candidate) -> Alternative:
    rule = candidate.rule
    return Alternative(rule.code, rule.name, rule.confidence, candidate.priced)


def _finding(
    rule: Rule,
    match: Match,
    context: RuleContext,
    priced: Priced | None = None,
    alternatives: Sequence[_Candidate] = (),
) -> Finding:
    cost = priced.before if priced else context.costs.total(match.nodes)
    whole = context.costs.total().macs
    texts = dict.fromkeys(describe(context.graph, node) for node in match.nodes)
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        confidence=rule.confidence,
        nodes=match.nodes,
        described=" · ".join(texts),
        message=match.message,
        evidence=match.evidence,
        cost=cost,
        share=cost.macs / whole if whole and match.nodes else None,
        block=block_of(context.graph, match.nodes),
        priced=priced,
        alternatives=tuple(map(_alternative, alternatives)),
        advice=rule.advice,
    )


def _crash(rule: Rule, error: Exception) -> Finding:
    why = f"rule {rule.code} failed: {type(error).__name__}: {error}"
    return Finding(
        code=CRASH_CODE,
        name=CRASH_NAME,
        severity=Severity.ERROR,
        confidence=None,
        nodes=(),
        described="",
        message=f"{why}; this is a fault of archlint, please report it",
    )
