"""What a rule found, with the price of the alternative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from archlint.analyzer.cost import Cost
from archlint.analyzer.graph import Node
from archlint.analyzer.proposal import Priced

if TYPE_CHECKING:  # a static run times nothing, and what is only counted has no findings
    from archlint.analyzer.blocks import Block
    from archlint.analyzer.timing.measurement import Measured


class Severity(IntEnum):
    """How serious a finding is; the order is that of ``--fail-on``."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Confidence(StrEnum):
    """How sure a rule is that following it pays."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another rule's proposal for the same nodes."""

    code: str
    name: str
    confidence: Confidence
    priced: Priced


@dataclass(frozen=True, slots=True)
class Forecast:
    """Predicted nanoseconds of the flagged nodes and of what is proposed; ``machine`` says on which
    provider and how many threads."""

    machine: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at some nodes.

    ``evidence`` are the facts that the message is made of; ``share`` is the part of the model's
    counted MACs that the nodes take; ``block`` is the residual, Inception or attention block that
    all of them are in. A finding without a proposal has ``advice`` instead. ``forecast`` is there
    where this machine has been calibrated, ``measured`` are the verdicts of the stopwatch, one a
    provider, where it was asked.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence | None
    nodes: tuple[Node, ...]
    described: str
    message: str
    evidence: Mapping[str, str | int | float] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)
    share: float | None = None
    block: Block | None = None
    priced: Priced | None = None
    alternatives: tuple[Alternative, ...] = ()
    advice: str = ""
    forecast: Forecast | None = None
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that is accepted: ``by`` says which entry does, in the configuration or, where
    ``in_model``, at a node of the model itself."""

    finding: Finding
    by: str
    reason: str | None = None
    in_model: bool = False
