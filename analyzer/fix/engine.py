"""Put what rules fix into a model, again and again until nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from archlint.analyzer.constants import constants_of
from archlint.analyzer.cost import Cost, CostTable, count
from archlint.analyzer.errors import ModelError, ModelReadError
from archlint.analyzer.fix.sharing import Offer, without_copies
from archlint.analyzer.fix.tidy import declared, in_place, named, prefixes, without_orphans
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind, Priced, Proposal, check_fit, price
from archlint.analyzer.reader import Model
from archlint.analyzer.realised import realise
from archlint.analyzer.rule import Rule, RuleContext
from archlint.analyzer.splicing import splice

_MOST_PASSES = 100  # over all rules: each pass removes something, and networks are finite


@dataclass(frozen=True, slots=True)
class Change:
    """A fix at one place: its rule, what it replaces, the values that it makes anew."""

    code: str
    name: str
    kind: FixKind
    title: str
    nodes: tuple[str, ...]
    values: tuple[str, ...]
    before: Cost
    after: Cost


class Source(NamedTuple):
    """The rule that a fix comes from."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fix that cannot be made, and why: most often weights that are not there, else its rule has
    ``crashed``."""

    code: str
    name: str
    node: str
    why: str
    crashed: bool = False


@dataclass(frozen=True)
class Subject:
    """A model, with its graphs with and without the dims that the user binds."""

    model: Model
    bindings: Bindings

    @cached_property
    def graph(self) -> Graph:
        """The graph with the user's dims."""
        return load(self.model, self.bindings)

    @cached_property
    def unbound(self) -> Graph:
        """The graph as it holds for all dims."""
        return load(self.model) if self.bindings != Bindings() else self.graph

    @cached_property
    def costs(self) -> CostTable:
        """What its nodes cost."""
        return count(self.graph)

    def context(self, rule: Rule) -> RuleContext:
        """What the rule looks at."""
        if rule.fixes_unbound and self.unbound is not self.graph:
            return RuleContext(self.unbound, count(self.unbound))
        return RuleContext(self.graph, self.costs)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A model after fixes: what was changed, in order, and what could not be."""

    subject: Subject
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def rewrite(
    subject: Subject, rules: Sequence[Rule], progress: Callable[[str], None] = lambda _: None
) -> Rewritten:
    """The model with the fixes of all rules in it, one rule after the other until none finds more.

    A fix is made where it raises neither MACs nor parameters. Raises ModelError for a model whose
    nodes make no graph any more, which would be a fault of a rule.
    """
    changes: list[Change] = []
    refusals: dict[tuple[str, str], Refusal] = {}
    for _ in range(_MOST_PASSES):
        before = subject
        for rule in rules:
            progress(f"looking for {rule.code} {rule.name}")
            subject, made, refused = once(subject, rule)
            changes += made
            refusals |= {(one.code, one.node): one for one in refused}
        if subject is before:
            break
    return Rewritten(subject, tuple(changes), tuple(refusals.values()))


def once(subject: Subject, rule: Rule) -> tuple[Subject, list[Change], list[Refusal]]:
    """The model with those fixes of a rule that do not overlap; the same one where there are
    none."""
    source = Source(rule.code, rule.name)
    try:
        context = subject.context(rule)
        return put(subject, source, rule.fixes(context), context, must_pay=True)
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - one rule must not take down the run
        fault = f"a fault of the plugin {rule.origin}" if rule.origin else "please report it"
        why = f"the rule failed: {type(error).__name__}: {error}; {fault}"
        return subject, [], [Refusal(*source, "", why, crashed=True)]


def put(
    subject: Subject,
    source: Source,
    proposals: Iterable[Proposal],
    context: RuleContext,
    *,
    must_pay: bool = False,
) -> tuple[Subject, list[Change], list[Refusal]]:
    """As ``once``, of proposals that are made already; of all that fit unless they ``must_pay``."""
    refused: list[Refusal] = []
    offers: list[Offer] = []
    for proposal in _apart(proposals):
        check_fit(proposal, context.graph)
        priced = price(proposal, context.costs) if proposal.graph.node else None
        if must_pay and priced is not None and not _pays(priced):
            continue
        constants = constants_of(context.graph)
        try:
            realised = proposal if constants is None else realise(proposal, constants)
        except ModelReadError as error:
            refused.append(Refusal(*source, label(proposal), error.why))
            continue
        offers.append(Offer(proposal, realised, priced))
    if must_pay:
        offers = without_copies(offers, context.costs)
    if not offers:
        return subject, [], refused
    model = _with(subject.model, context.graph, [one.realised for one in offers])
    changes = [_change(source, one.proposal, one.priced) for one in offers]
    return replace(subject, model=model), changes, refused


def _apart(proposals: Iterable[Proposal]) -> Iterator[Proposal]:
    """Those that replace nodes, and rename values, that none before does."""
    nodes: set[int] = set()
    values: set[str] = set()
    for proposal in proposals:
        ids = {node.id for node in proposal.replaces}
        names = {*proposal.renames, *proposal.renames.values()}
        if nodes.isdisjoint(ids) and (not proposal.renames or values.isdisjoint(names)):
            nodes |= ids
            values |= set(proposal.renames)
            yield proposal


def _pays(priced: Priced) -> bool:
    """Whether nothing that is counted rises."""
    return priced.saved_macs >= 0 and priced.saved_parameters >= 0


def _change(source: Source, proposal: Proposal, priced: Priced | None) -> Change:
    return Change(
        code=source.code,
        name=source.name,
        kind=proposal.kind,
        title=proposal.title,
        nodes=tuple(node.label for node in proposal.replaces),
        values=tuple(output.name for output in proposal.graph.output),
        before=Cost() if priced is None else priced.before,
        after=Cost() if priced is None else priced.after,
    )


def label(proposal: Proposal) -> str:
    """What a person calls the place of a proposal."""
    if proposal.replaces:
        return proposal.replaces[0].label
    return next(iter((*proposal.renames, *proposal.discards, *proposal.closes)), "")


def _with(model: Model, graph: Graph, proposals: Sequence[Proposal]) -> Model:
    """The model with realised proposals in it, sorted, without what only the replaced nodes
    read."""
    chosen = prefixes(model, graph, proposals)
    spliced = splice(model, proposals, chosen)
    named(model, spliced, graph, proposals, chosen)
    return declared(in_place(without_orphans(model, spliced)))
