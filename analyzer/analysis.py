"""What the stages make of models, with their graphs and cost tables: what reports are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from archlint.analyzer.algorithms import CriticalPath, Peak
from archlint.analyzer.cost import CostTable
from archlint.analyzer.dims import Cause
from archlint.analyzer.finding import Finding, Ignored
from archlint.analyzer.graph import Node
from archlint.analyzer.reasons import by_cause
from archlint.analyzer.report import Failure

if TYPE_CHECKING:  # a static run times nothing
    from archlint.analyzer.timing.measurement import Whole
    from archlint.analyzer.timing.prediction.times import Prediction


@dataclass(frozen=True, slots=True)
class Effect:
    """The whole model now, and with every proposal spliced in and counted again.

    ``prediction`` is of what it takes then.
    """

    macs_before: int
    macs_after: int
    parameters_before: int
    parameters_after: int
    prediction: Prediction | None = None


@dataclass(frozen=True)
class Analysis:
    """What was counted and found in one model.

    ``prediction`` is what it takes on this machine, where that has been calibrated; ``measured`` is
    it against itself with the confirmed proposals, one a provider. ``ignored`` are findings that
    the configuration or the model itself accepts: they are counted, and in no other number.
    """

    path: str
    file_bytes: int
    external_bytes: int
    costs: CostTable
    peak: Peak
    critical: CriticalPath
    findings: tuple[Finding, ...] = ()
    effect: Effect | None = None
    prediction: Prediction | None = None
    measured: tuple[Whole, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    @property
    def parameters(self) -> int:
        """Parameters of the model, shared ones once."""
        return self.costs.parameter_count

    @cached_property
    def buffers(self) -> int:
        """Elements of running statistics."""
        return self.costs.parameters.count_buffers(self.costs.graph.nodes)

    @cached_property
    def unknown(self) -> tuple[tuple[Cause, tuple[Node, ...]], ...]:
        """Why the cost of nodes is unknown, each reason with its nodes, most nodes first."""
        return by_cause(self.costs.unknown)


@dataclass(frozen=True, slots=True)
class Analyses:
    """All models of a run, in the order in which they were given."""

    models: tuple[Analysis, ...] = ()
    failures: tuple[Failure, ...] = field(default=())

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings of all models."""
        return [finding for model in self.models for finding in model.findings]
