"""Choose which layers become low-rank, and how far."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from numpy.typing import NDArray

from archlint.analyzer.constants import Constants
from archlint.analyzer.cost import CostTable
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.factor.forms import Form, composed, factors
from archlint.analyzer.factor.proposals import factorised
from archlint.analyzer.fix.candidates import (
    Candidate,
    Measured,
    layers_of,
    moments_of,
    wanted,
    whole_effort,
)  # fmt: skip
from archlint.analyzer.fix.engine import Subject
from archlint.analyzer.fix.goals import Goal
from archlint.analyzer.fix.probes import probes
from archlint.analyzer.fix.sensitivity import sensitivities, stored
from archlint.analyzer.proof.moments import moments
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proposal import Proposal


@dataclass(frozen=True, slots=True)
class Amount:
    """How far to go: one of the share of each kernel's ``energy`` to keep, a ``rank`` (a share of
    the full one below 1), the share of the whole model's MACs to ``save``, or its ``macs`` then."""

    energy: float | None = None
    rank: float | None = None
    save: float | None = None
    macs: int | None = None

    def goal(self, original: CostTable, now: CostTable, grid: int) -> Goal | None:
        """What a model is still to save after what was done to it; None where no target is set."""
        macs, share = original.total().macs, self.save
        if self.macs is not None:
            share = 1 - self.macs / macs if macs else 0.0
        if share is None:
            return None
        whole = whole_effort(original, grid)
        left = whole_effort(now, grid) - (1 - share) * whole
        return Goal(now.total().macs - (1 - share) * macs, left, share, (macs, whole))


@dataclass(frozen=True)
class Study:
    """The layers of a model that could become low-rank, by the ids of their nodes."""

    subject: Subject
    constants: Constants
    layers: Mapping[int, Measured]
    candidates: Mapping[int, Sequence[Candidate]]


def study(subject: Subject, constants: Constants, samples: Samples | None, grid: int) -> Study:
    """Look at all layers, with the data that flows through them where samples are given.

    Raises ModelError where the model cannot be run on them.
    """
    graph = subject.graph
    weights = stored(subject.model)
    layers = [one for one in layers_of(graph) if one.node.input(1) in weights]
    known = moments(subject.model, graph, wanted(layers), samples) if samples else {}
    measured: dict[int, Measured] = {}
    candidates: dict[int, Sequence[Candidate]] = {}
    for layer in layers:
        one = Measured(graph, layer, constants, moments_of(layer, known), grid)
        try:
            found = one.candidates()
        except (ModelReadError, ValueError):  # no weights, or none that can be factorised
            continue
        measured[layer.node.id] = one
        if found:
            candidates[layer.node.id] = found
    return Study(subject, constants, measured, candidates)


def proposed(study: Study, chosen: Sequence[Candidate]) -> list[Proposal]:
    """The proposals of a choice."""
    found = []
    for candidate in chosen:
        node = candidate.layer.node
        known = study.layers[node.id].moments
        proposal = factorised(
            study.subject.graph, node, candidate.form, candidate.ranks,
            inputs=known.inputs, outputs=known.outputs, mean=known.mean,
        )  # fmt: skip
        if proposal is not None:
            found.append(proposal)
    return found


def by_rule(study: Study, amount: Amount, excluded: Collection[Candidate]) -> list[Candidate]:
    """For each layer alone the form that takes least among those that keep the energy, or that have
    the rank: the same measure for every layer."""
    chosen = []
    for candidates in study.candidates.values():
        fit = [one for one in candidates if one not in excluded and _fits(one, amount)]
        if fit and amount.rank is not None:
            most = max(one.ranks[0] for one in fit)
            fit = [one for one in fit if one.ranks[0] == most]
            chosen.append(min(fit, key=lambda one: (one.error, -one.effort)))
        elif fit:
            chosen.append(max(fit, key=lambda one: (one.effort, -one.error)))
    return chosen


def _fits(candidate: Candidate, amount: Amount) -> bool:
    if amount.energy is not None:
        return candidate.error <= sqrt(max(0.0, 1 - amount.energy))
    if amount.rank is None or candidate.form not in (Form.INPUT, Form.OUTPUT, Form.MATRIX):
        return False
    most = amount.rank
    if most < 1:
        most *= min(candidate.layer.shape[:2])
    return candidate.ranks[0] <= most


def weigh(study: Study, samples: Samples) -> dict[int, float]:
    """How much the squared error of the probes grows with that of each layer.

    A kernel of about half of the rank that the layer's options have stands in its place for that.
    Raises ExecutionError where the model cannot be run.
    """
    subject = study.subject
    tried = {place: _middle(found) for place, found in study.candidates.items()}
    kernels = {one.layer.node.input(1): _kernel(study, one) for one in tried.values()}
    errors = sensitivities(subject.model, subject.graph, kernels, probes(subject.graph), samples)
    return {
        place: (errors[one.layer.node.input(1)] / one.error) ** 2 if one.error else 0.0
        for place, one in tried.items()
    }


def _middle(candidates: Sequence[Candidate]) -> Candidate:
    """One form of whole kernels, of a rank in the middle."""
    plain = [one for one in candidates if one.form is candidates[0].form]
    return plain[len(plain) // 2]


def _kernel(study: Study, one: Candidate) -> Callable[[], NDArray[Any]]:
    """The weight as it is stored, of the rank of a candidate."""
    layer, known = one.layer, study.layers[one.layer.node.id].moments

    def kernel() -> NDArray[Any]:
        parts = factors(
            layer.weights(study.constants)[0], one.form, one.ranks,
            inputs=known.inputs, outputs=known.outputs,
        )  # fmt: skip
        whole = composed(parts, one.form)
        if layer.conv is not None:
            return whole
        whole = whole / float(layer.node.attributes.get("alpha", 1.0))
        return whole if layer.node.attributes.get("transB", 0) else whole.T

    return kernel
