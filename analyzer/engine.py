"""Run rules over a counted graph: each node gets one proposal, the one that is worth most."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from traceback import walk_tb

from archlint.analyzer.describe import describe
from archlint.analyzer.finding import Alternative, Confidence, Finding, Severity
from archlint.analyzer.proposal import FixKind, Priced, Proposal, check_fit, price
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
    def rank(self) -> tuple[bool, int, str, int]:
        """What is worth most first, then by code and place; what is doubtful last."""
        first = min((node.id for node in self.match.nodes), default=0)
        return self.doubtful, -self.worth, self.rule.code, first

    @property
    def doubtful(self) -> bool:
        """Whether its rule promises less than it prices."""
        return self.rule.confidence is Confidence.LOW

    @property
    def likeness(self) -> object:
        """What it has in common with the same finding at other places."""
        priced = self.priced
        return self.rule.code, self.match.message, priced.before, priced.parameters_before


def run(
    rules: Iterable[Rule], context: RuleContext, alternatives: Iterable[Rule] = ()
) -> list[Finding]:
    """The findings: advice in the order of the rules, then proposals, what is worth most first and
    what is doubtful last.

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
        return [_finding(rule, match, context) for match in _matches(rule, context)]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - one rule must not take down the run
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
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            crashes.append(_crash(rule, error))
    return sorted(candidates, key=lambda candidate: candidate.rank)


def _matches(rule: Rule, context: RuleContext) -> Iterator[Match]:
    for match in rule.match(context):
        if not isinstance(match, Match):
            raise TypeError(f"match yields a {type(match).__name__} where a Match is wanted")
        yield match


def _candidates(rule: Rule, context: RuleContext) -> list[_Candidate]:
    """The proposals of a rule that pay, where equal faults pay by what they are together."""
    alike: dict[object, list[Match]] = {}
    for match in _matches(rule, context):
        cost = context.costs.total(match.nodes)
        alike.setdefault((match.message, cost), []).append(match)
    return [found for matches in alike.values() for found in _paying(rule, matches, context)]


def _paying(rule: Rule, alike: Sequence[Match], context: RuleContext) -> Iterator[_Candidate]:
    times = len(alike)
    known: dict[bytes, Priced] | None = {} if times > 1 else None
    for match in alike:
        proposal = rule.propose(match, context) if rule.may_pay(match, context, times) else None
        if proposal is None:
            continue
        check_fit(proposal, context.graph)
        priced = price(proposal, context.costs, known)
        if rule.pays(priced, context, times):
            yield _Candidate(rule, match, priced, rule.worth(match, priced))


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
        enumerate(accepted),
        key=lambda pair: (pair[1].doubtful, -together[pair[1].likeness], pair[1].rank),
    )
    return [
        _finding(c.rule, c.match, context, c.priced, alternatives.get(place, ()))
        for place, c in order
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
    from archlint.analyzer.blocks import block_of  # late: what is only counted has no findings

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


def _crash(rule: Rule, error: BaseException) -> Finding:
    fault = "a fault of archlint, please report it"
    if rule.origin:
        fault = f"a fault of the plugin {rule.origin}{_line(rule, error)}"
    return Finding(
        code=CRASH_CODE,
        name=CRASH_NAME,
        severity=Severity.ERROR,
        confidence=None,
        nodes=(),
        described="",
        message=f"rule {rule.code} failed: {type(error).__name__}: {error}; this is {fault}",
    )


def _line(rule: Rule, error: BaseException) -> str:
    """The last line of the rule's own file that led to the error."""
    file = getattr(sys.modules.get(rule.__module__), "__file__", None)
    lines = [n for frame, n in walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    return f", line {lines[-1]}" if lines else ""
