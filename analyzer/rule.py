"""The base of every rule: metadata, options, and the two questions that it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, ClassVar, Self

from archlint.analyzer.cost import CostTable
from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.proposal import FixKind, Priced, Proposal
from archlint.analyzer.targets import DEFAULT, Target, default_target


class RuleGroup(StrEnum):
    """The intent of a rule; those of DEFAULT_GROUPS are on by default, others are selected."""

    COST = "cost"  # needlessly expensive
    CORRECTNESS = "correctness"  # wrong
    SUSPICIOUS = "suspicious"  # most likely not meant
    TARGET = "target"  # unfit for some hardware
    PEDANTIC = "pedantic"  # true, and seldom worth the trouble
    PREVIEW = "preview"  # on trial


DEFAULT_GROUPS = frozenset({RuleGroup.COST, RuleGroup.CORRECTNESS, RuleGroup.SUSPICIOUS})
_FLOORS = frozenset({
    "min_share", "min_macs", "min_parameter_share", "min_byte_share", "min_elements", "min_bytes",
    "min_trunk", "min_saving",
})  # fmt: skip
MACS_A_PARAMETER = 12
"""MACs of a convolution that take as long as reading a weight once: of AlexNet and VGG-16 on one
core with AVX-512 (onnxruntime 1.31) fully connected layers read 12 bytes a nanosecond, 3 weights,
and convolutions do 38 to 57 MACs."""


def option(
    default: Any, text: str, *, minimum: float | None = None, maximum: float | None = None
) -> Any:
    """An option of a rule: a dataclass field with its help and its bounds."""
    return field(default=default, metadata={"help": text, "minimum": minimum, "maximum": maximum})


@dataclass(frozen=True)
class RuleContext:
    """All that a rule may look at; without a ``chosen`` target it is the default one."""

    graph: Graph
    costs: CostTable
    chosen: Target | None = None

    @property
    def target(self) -> Target:
        """The device that the model is meant for; reading a profile takes 5 ms, for some rules."""
        return self.chosen or default_target()


@dataclass(frozen=True, slots=True)
class Match:
    """Nodes where a rule holds, with the message and the facts in it.

    Raises TypeError for fields of other types: rules of plugins make them too.
    """

    nodes: tuple[Node, ...]
    message: str
    evidence: Mapping[str, str | int | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (isinstance(self.nodes, tuple) and all(isinstance(n, Node) for n in self.nodes)):
            raise TypeError("the nodes of a Match must be a tuple of nodes of the graph")
        if not isinstance(self.message, str):
            raise TypeError("the message of a Match must be a text")
        facts = self.evidence
        if not (isinstance(facts, Mapping) and all(map(_is_fact, facts.items()))):
            raise TypeError("the evidence of a Match must be texts and numbers by their names")


def _is_fact(fact: tuple[object, object]) -> bool:
    name, value = fact
    return isinstance(name, str) and isinstance(value, str | int | float)


@dataclass(frozen=True)
class Rule:
    """One fault of a model.

    The fields of a subclass are its options and its docstring is its documentation. A rule whose
    kind is ``decision`` proposes no graph: its ``advice`` says what to do. One that
    ``reads_weights`` runs on request alone, whatever its group: the files may be of many GB.
    The fixes of one that ``fixes_unbound`` hold for all dims: they are looked for without those
    that the user binds. ``origin`` is the plugin that it comes from, which whoever loads it says;
    empty for the rules of archlint.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    group: ClassVar[RuleGroup] = RuleGroup.COST
    severity: ClassVar[Severity] = Severity.WARNING
    confidence: ClassVar[Confidence] = Confidence.MEDIUM
    kind: ClassVar[FixKind] = FixKind.RETRAIN
    since: ClassVar[str] = "0.1.0"
    advice: ClassVar[str] = ""
    reads_weights: ClassVar[bool] = False
    fixes_unbound: ClassVar[bool] = False
    origin: ClassVar[str] = ""

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Every place where the fault is, in topological order."""
        raise NotImplementedError

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """What would stand there instead; None keeps the rule silent."""
        raise NotImplementedError

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """What ``archlint fix`` may put in place without changing what the model computes: the
        equivalent proposals whose weights can be derived, of all places where the fault is."""
        if self.kind is FixKind.EQUIVALENT:
            for match in self.without_floors().match(context):
                proposal = self.propose(match, context)
                if proposal is not None and (proposal.derive or _has_all_weights(proposal)):
                    yield proposal

    def without_floors(self) -> Self:
        """The rule with those options at their least that keep it silent where little is saved."""
        floors: dict[str, Any] = {
            one.name: one.metadata["minimum"] or 0 for one in fields(self) if one.name in _FLOORS
        }
        return replace(self, **floors)

    def may_pay(self, match: Match, context: RuleContext, times: int) -> bool:
        """Whether a proposal could be worth a finding if it cost nothing at all; ``times`` are the
        places with the same fault."""
        return True

    def pays(self, priced: Priced, context: RuleContext, times: int) -> bool:
        """Whether a proposal is worth a finding, if it is followed at so many places."""
        return True

    def worth(self, match: Match, priced: Priced) -> int:
        """What a proposal saves, in MACs that take as long; findings are in the order of it."""
        return priced.saved_macs + MACS_A_PARAMETER * priced.saved_parameters


@dataclass(frozen=True)
class ProblemRule(Rule):
    """A rule that tells the problems of one kind that reading the model has found."""

    group: ClassVar[RuleGroup] = RuleGroup.CORRECTNESS
    confidence: ClassVar[Confidence] = Confidence.HIGH
    kind: ClassVar[FixKind] = FixKind.DECISION
    about: ClassVar[ProblemKind]

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Every problem of the kind."""
        for problem in context.graph.problems:
            if problem.kind is self.about:
                at = () if problem.node is None else (context.graph.nodes[problem.node],)
                yield Match(at, problem.message)


def _has_all_weights(proposal: Proposal) -> bool:
    """Whether nothing in a proposal's graph stands for weights that must be derived."""
    return all(node.op_type != "ConstantOfShape" for node in proposal.graph.node)


def saved_share(default: float) -> Any:
    """The option of a floor: 3 % where a network must be retrained, 1 % where it stays the same."""
    text = "smallest share of the model's MACs that following it at all equal places must save"
    return option(default, text, minimum=0.0, maximum=1.0)


@dataclass(frozen=True)
class CostRule(Rule):
    """A rule whose proposals pay by the MACs that they save.

    ``min_share`` and ``min_macs`` are the floors below which it keeps silent: what following it
    must save, and what the flagged nodes must cost.
    """

    min_share: float = saved_share(0.03)

    min_macs: int = option(
        4_000_000,
        "MACs of the flagged nodes below which it is silent: some 0.1 ms of a CPU's core",
        minimum=0,
    )

    def may_pay(self, match: Match, context: RuleContext, times: int) -> bool:
        """Whether a proposal could be worth a finding if it cost nothing at all."""
        macs = context.costs.total(match.nodes).macs
        parameters = context.costs.parameters.count(match.nodes)
        return macs >= self.min_macs and self.saves(times * macs, times * parameters, context)

    def pays(self, priced: Priced, context: RuleContext, times: int) -> bool:
        """Whether a proposal is worth a finding."""
        return self.saves(times * priced.saved_macs, times * priced.saved_parameters, context)

    def saves(self, macs: int, parameters: int, context: RuleContext) -> bool:
        """Whether a saving is a large enough share of the model."""
        return macs > 0 and macs >= self.min_share * context.costs.total().macs


@dataclass(frozen=True)
class LayoutRule(CostRule):
    """A rule whose proposals save time with no fewer MACs: a faster kernel does them.

    What it flags must be a share of the model's MACs, for time follows them.
    """

    group: ClassVar[RuleGroup] = RuleGroup.TARGET
    kind: ClassVar[FixKind] = FixKind.EQUIVALENT

    min_share: float = option(
        0.01,
        "smallest share of the model's MACs that the flagged nodes and their equals must do",
        minimum=0.0,
        maximum=1.0,
    )

    def pays(self, priced: Priced, context: RuleContext, times: int) -> bool:
        """Always: ``may_pay`` has looked at all that the floors are about."""
        return True


@dataclass(frozen=True)
class ParameterRule(CostRule):
    """A rule whose proposals also pay by the parameters that they save."""

    min_share: float = saved_share(0.01)

    min_macs: int = option(
        1_000_000,
        "MACs of the flagged nodes below which it is silent: some 0.3 ms where each reads a weight",
        minimum=0,
    )

    min_parameter_share: float = option(
        0.05,
        "share of the model's parameters whose saving suffices",
        minimum=0.0,
        maximum=1.0,
    )

    def saves(self, macs: int, parameters: int, context: RuleContext) -> bool:
        """Whether a saving of MACs or of parameters is a large enough share of the model."""
        enough = max(1, self.min_parameter_share * context.costs.parameter_count)
        return super().saves(macs, parameters, context) or parameters >= enough


@dataclass(frozen=True, slots=True)
class Flags:
    """A case that a rule must find: at which node (none if empty), and the MACs now and then of its
    proposal; ``target`` is the device that it is meant for."""

    title: str
    onnx_text: str
    at: str
    macs: tuple[int, int] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    target: str = DEFAULT


@dataclass(frozen=True, slots=True)
class Passes:
    """A near miss: a graph in which a rule must find nothing."""

    title: str
    onnx_text: str
    options: Mapping[str, Any] = field(default_factory=dict)
    target: str = DEFAULT


Case = Flags | Passes
