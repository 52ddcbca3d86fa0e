"""Whether a changed model is as good as before, and faster: by running both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Final

from onnx import TensorProto

from archlint.analyzer.errors import TimingError
from archlint.analyzer.fix.engine import Subject
from archlint.analyzer.fix.probes import Probe, probed
from archlint.analyzer.graph import Graph
from archlint.analyzer.proof.drift import Drift, drifts
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proposal import Proposal
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.timing.compare import CLAIM, WHOLE_MODEL, Question, compare
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.measurement import WORTHWHILE, Measured
from archlint.analyzer.timing.part import sides
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.subject import Subject as Timed
from archlint.analyzer.timing.subject import whole

# The relative error up to which two ways of computing the same are the same, by the type of what is
# computed: about a hundred roundings.
_ROUNDING: Final[Mapping[int, float]] = {TensorProto.FLOAT16: 2e-2, TensorProto.BFLOAT16: 0.2}
_FLOAT: Final = 1e-4
_PART_SECONDS: Final = 0.5  # of runs of one layer against its factors


@dataclass(frozen=True, slots=True)
class Proof:
    """What running a model before and after a change tells."""

    drifts: tuple[Drift, ...]
    probes: tuple[Probe, ...]
    error: float  # the largest relative error of the probes; NaN where none could be compared
    measured: Measured

    @property
    def is_faster(self) -> bool:
        """Whether the whole interval of the ratio is below 1."""
        comparison = self.measured.comparison
        return comparison is not None and comparison.interval.high < 1

    @property
    def is_slower(self) -> bool:
        """Whether the whole interval of the ratio is above what memory's layout may add."""
        comparison = self.measured.comparison
        return comparison is not None and comparison.interval.low > 1 / WORTHWHILE


class Trials:
    """Runs models on samples, and beside each other on an execution provider."""

    def __init__(
        self,
        samples: Samples,
        provider: Provider,
        effort: Effort,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.samples = samples
        self._provider = provider
        self._effort = effort
        self._progress = progress
        self._parts: dict[tuple[Timed, Timed], Measured] = {}

    def proof(self, before: Subject, after: Subject, values: Iterable[str] = ()) -> Proof:
        """The errors of the outputs, of the probes and of these inner values, and the times.

        Raises ModelError where one of the two cannot be run.
        """
        self._progress("comparing outputs")
        there = after.graph.values
        chosen = probed(before.graph, after.graph)
        inner = [probe.value for probe in chosen] + [name for name in values if name in there]
        try:
            found = drifts(
                before.model, before.graph, after.model, after.graph, inner, self.samples
            )
        except ExecutionError as error:
            why = f"{error.why}; fixes are proven by running the model: make it run first"
            raise ExecutionError(error.path, why) from error
        judged = {probe.value for probe in chosen}
        errors = [one.relative for one in found if one.name in judged and not one.skipped]
        self._progress("timing the whole model")
        return Proof(found, chosen, max(errors, default=nan), self._times(before, after))

    def _times(self, before: Subject, after: Subject) -> Measured:
        pair = (whole(before.model, before.graph), whole(after.model, after.graph))
        return self._measured(before.model.path, *pair, WHOLE_MODEL)

    def _measured(
        self,
        path: str,
        before: Timed,
        after: Timed,
        question: Question,
        effort: Effort | None = None,
    ) -> Measured:
        try:
            found = compare(path, before, after, self._provider, effort or self._effort, question)
        except TimingError as error:
            return Measured(self._provider, why=error.why)
        return Measured(self._provider, found)

    def slow(self, subject: Subject, proposals: Sequence[Proposal]) -> set[int]:
        """The ids of the nodes that take no longer than what is proposed in their place."""
        effort = replace(self._effort, budget=min(self._effort.budget, _PART_SECONDS))
        found: set[int] = set()
        for proposal in proposals:
            self._progress(f"timing {proposal.replaces[0].label}")
            try:
                pair = sides(subject.model.path, subject.graph, proposal)
            except TimingError:
                continue
            if pair not in self._parts:
                self._parts[pair] = self._measured(subject.model.path, *pair, CLAIM, effort)
            comparison = self._parts[pair].comparison
            if comparison is not None and comparison.ratio >= 1:
                found.update(node.id for node in proposal.replaces)
        return found


def rounding(graph: Graph) -> float:
    """The relative error up to which models that compute the same may differ."""
    names = {name for node in graph.nodes for name in node.inputs}
    return max([_ROUNDING.get(graph.value(name).dtype, _FLOAT) for name in names], default=_FLOAT)
