"""The report of a run: plain values, all that any output format may say.

It holds no graph, so that it can be kept in a file and sent from one process to another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.cost import Cost
from archlint.analyzer.dims import Cause
from archlint.analyzer.finding import Confidence, Forecast, Severity
from archlint.analyzer.identity import Identity
from archlint.analyzer.proposal import FixKind, Step
from archlint.analyzer.report.layers import Kernels, LayerReport
from archlint.analyzer.report.weights import WeightReport
from archlint.analyzer.text import Paint, plural, safe

if TYPE_CHECKING:  # a static run times nothing
    from archlint.analyzer.timing.measurement import Measured, Whole
else:  # what is kept in a file was never timed: there are none to read
    Measured = Whole = Any


@dataclass(frozen=True, slots=True)
class NodeReport:
    """A node: ``place`` is where it stands among the operations of the model's architecture, from
    0; None where it is not among them."""

    label: str
    operator: str
    scope: tuple[str, ...] = ()
    place: int | None = None

    @property
    def module(self) -> str:
        """The module that the node belongs to, as in ``layer1.0``; empty if nothing tells it."""
        return ".".join(self.scope)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text file, from 1, and what the model says it reads."""

    file: str
    number: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class BlockReport:
    """The ``number``-th of ``count`` blocks of a kind; ``text`` is how a sentence names it."""

    kind: str
    number: int
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class ProposalReport:
    """What would stand in place of the flagged nodes, and what it costs."""

    title: str
    kind: FixKind
    caveat: str
    before: Cost
    after: Cost
    parameters_before: int
    parameters_after: int
    steps: tuple[Step, ...]
    snippet: str

    @property
    def saved_macs(self) -> int:
        """MACs that the proposal saves."""
        return self.before.macs - self.after.macs

    @property
    def saved_parameters(self) -> int:
        """Parameters that the proposal saves."""
        return self.parameters_before - self.parameters_after


@dataclass(frozen=True, slots=True)
class AlternativeReport:
    """Another rule's proposal for the same nodes."""

    code: str
    name: str
    confidence: Confidence
    proposal: ProposalReport


class State(StrEnum):
    """What a finding is beside what was there before: in a base, or in a baseline."""

    NEW = "new"
    WORSE = "worse"  # it was there, and costs more now
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FindingReport:
    """A finding (see ``Finding``), with what it is recognised by in another file of the model.

    ``source`` are the lines of Python that made the first node, innermost first, as the exporter
    wrote them into the model. ``anchor`` is the line of text that it is told at, where there is
    one. ``state`` is there where the model was compared; ``before`` are the MACs that the finding
    had then.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence | None
    nodes: tuple[NodeReport, ...]
    described: str
    message: str
    identity: Identity
    evidence: Mapping[str, str | int | float] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)
    share: float | None = None
    block: BlockReport | None = None
    proposal: ProposalReport | None = None
    alternatives: tuple[AlternativeReport, ...] = ()
    advice: str = ""
    forecast: Forecast | None = None
    measured: tuple[Measured, ...] = ()
    source: tuple[Line, ...] = ()
    anchor: Line | None = None
    state: State | None = None
    before: int | None = None

    @property
    def is_told(self) -> bool:
        """Whether it is for who made this change: it was not there before, or was less."""
        return self.state is not State.UNCHANGED

    def __repr__(self) -> str:
        where = f": {safe(self.nodes[0].label)}" if self.nodes else ""
        return f"<FindingReport {self.code} {self.name}{where}>"

    def __str__(self) -> str:
        from archlint.analyzer.report.concise import one_line  # late: most runs write no such text

        return one_line(self)


@dataclass(frozen=True, slots=True)
class IgnoredReport:
    """A finding that is accepted: ``by`` says which entry does, in the configuration or, where
    ``in_model``, at a node of the model itself."""

    finding: FindingReport
    by: str
    reason: str | None = None
    in_model: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why the cost of nodes is unknown, and their labels."""

    cause: Cause
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueReport:
    """An input or output of a model; the shape is None where the rank is unknown, a dim is a text
    where it is symbolic."""

    name: str
    shape: tuple[int | str, ...] | None


@dataclass(frozen=True, slots=True)
class Predicted:
    """Nanoseconds of a run on a machine; ``unpredicted`` nodes are in no sum.

    ``mac_ns`` is the least that a multiply-accumulate of 32-bit floats takes there, ``byte_ns`` a
    byte of many that are moved together.
    """

    label: str
    provider: str
    threads: int
    clock: str
    runtime: str
    ns: float
    unpredicted: int
    mac_ns: float = 0.0
    byte_ns: float = 0.0


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """Measured milliseconds of a run, and their 95 % interval; it was not ``quiet`` where other
    programs took part of the machine. ``label`` says where it ran. A tenth of the runs took less
    than ``tenth``; the process had so many ``cores`` of theirs."""

    label: str
    milliseconds: float
    low: float
    high: float
    quiet: bool
    tenth: float | None = None
    cores: float | None = None


@dataclass(frozen=True, slots=True)
class EffectReport:
    """The whole model now, and with every proposal spliced in and counted again."""

    macs_before: int
    macs_after: int
    parameters_before: int
    parameters_after: int
    predicted: Predicted | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A model beside its base, which is called ``base``; a model that the base lacks has none.

    There is no difference where the files are the same. ``fixed`` are the findings of the base
    that are gone. ``measured`` is the base against the model, one a provider, where both were
    timed.
    """

    base: str = ""
    difference: Difference | None = None
    fixed: tuple[FindingReport, ...] = ()
    measured: tuple[Measured, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the base has no such model."""
        return not self.base


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What was counted and found in one model (see ``Analysis``).

    ``digest`` is the SHA-256 of the file, where it was asked for. ``unknown_nodes`` counts the
    nodes that are in no total. ``least_macs`` are those if the cheapest branches run;
    ``peak_unknown`` counts the values that are not in ``peak_bytes``. ``change`` is there where the
    run has a base. ``was_checked`` is False where only a snapshot was there, so that no rule ran.
    ``layers`` are there where the run draws them; ``kernels`` says how their times were measured.
    ``rules`` are the codes of the rules that ran then. ``weights`` are there where they were read
    for it. ``failed`` says whether the run fails for
    it; None where the run judges nothing.
    """

    path: str
    file_bytes: int
    external_bytes: int
    opset: int
    inputs: tuple[ValueReport, ...]
    outputs: tuple[ValueReport, ...]
    nodes: int
    cost: Cost
    least_macs: int
    parameters: int
    buffers: int
    folded_macs: int
    peak_bytes: int
    peak_node: str | None
    peak_unknown: int
    critical_macs: int
    unknown: tuple[Unknown, ...]
    unknown_nodes: int
    notes: tuple[str, ...]
    findings: tuple[FindingReport, ...] = ()
    ignored: tuple[IgnoredReport, ...] = ()
    effect: EffectReport | None = None
    predicted: Predicted | None = None
    measured: tuple[Whole, ...] = ()
    latencies: tuple[LatencyReport, ...] = ()
    digest: str = ""
    change: Change | None = None
    was_checked: bool = True
    layers: tuple[LayerReport, ...] = ()
    kernels: Kernels | None = None
    rules: tuple[str, ...] = ()
    weights: WeightReport | None = None
    failed: bool | None = None

    @property
    def told(self) -> tuple[FindingReport, ...]:
        """The findings for who made this change: all where there is no base."""
        return tuple(finding for finding in self.findings if finding.is_told)

    def __repr__(self) -> str:
        macs = f"{self.cost.macs:,}"
        if self.unknown_nodes:
            macs = f"at least {macs}" if self.cost.macs else "unknown"
        found = plural(len(self.findings), "finding")
        return f"<ModelReport {safe(self.path)}: {macs} MACs, {found}>"


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be analysed."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """All models of a run, in the order in which they were given.

    ``base`` is what the run was compared with, ``removed`` are the models that only the base has,
    ``skipped`` the inputs that the user wanted left out where they cannot be analysed.
    ``command`` is what was asked for, as a shell reads it, but for where it is written. The report
    ``is_difference`` where the difference itself was asked for.
    """

    version: str
    models: tuple[ModelReport, ...] = ()
    failures: tuple[Failure, ...] = ()
    base: str = ""
    removed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    command: str = ""
    is_difference: bool = False

    @property
    def findings(self) -> Sequence[FindingReport]:
        """The findings of all models."""
        return [finding for model in self.models for finding in model.findings]

    def __repr__(self) -> str:
        counted = [
            plural(len(self.models), "model"),
            plural(len(self.findings), "finding"),
            plural(len(self.failures), "failure"),
        ]
        return f"<Report: {', '.join(counted if self.failures else counted[:-1])}>"

    def __str__(self) -> str:
        from archlint.analyzer.report.concise import render  # late: most runs write other formats

        return render(self, Paint()).rstrip("\n")

    def _repr_html_(self) -> str:
        """What a notebook shows: the top of the page."""
        from archlint.analyzer.report import html  # late: as above

        return html.summary(self)
