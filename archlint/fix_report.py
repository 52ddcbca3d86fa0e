"""What is told of a model that was fixed."""

from __future__ import annotations

from archlint.analyzer.constants import constants_of, is_one_number
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.fix.engine import Subject
from archlint.analyzer.graph import Graph
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.report.fixes import FixReport, Size
from archlint.analyzer.weighted import is_weighted
from archlint.fixing import Fixed

_RETRAIN = "The function is another one: check the accuracy on real data, and fine-tune."
_PLACEHOLDERS = "The weights are placeholders, one number each: errors say little."


def report_of(subject: Subject, done: Fixed, samples: Samples, inputs: str | None) -> FixReport:
    """The report of a model that is written nowhere yet; ``inputs`` is the file of the samples."""
    bytes_ = subject.model.file_bytes + subject.model.external_bytes
    touched = bool(done.applied or done.rejected)
    placeholders = touched and _are_placeholders(subject.graph)
    notes = list(done.notes)
    if any(group.kind == FixKind.APPROXIMATE for group in done.applied):
        notes.append(_RETRAIN)
    if placeholders:
        notes.append(_PLACEHOLDERS)
    return FixReport(
        path=subject.model.path,
        output=None,
        applied=done.applied,
        rejected=done.rejected,
        refused=tuple((one.code, one.node, one.why) for one in done.refused),
        before=_size(subject, bytes_),
        after=_size(done.subject, None if done.applied else bytes_),
        samples=samples.count,
        samples_file=inputs,
        placeholders=placeholders,
        drifts=() if done.proof is None else done.proof.drifts,
        probes=() if done.proof is None else done.proof.probes,
        measured=None if done.proof is None else done.proof.measured,
        notes=tuple(notes),
        crashed=any(one.crashed for one in done.refused),
    )


def _size(subject: Subject, bytes_: int | None) -> Size:
    costs = subject.costs
    return Size(
        macs=costs.total().macs,
        uncosted=len(costs.uncosted),
        parameters=costs.parameter_count,
        nodes=len(subject.graph.nodes),
        bytes=bytes_,
    )


def _are_placeholders(graph: Graph) -> bool:
    """Whether every weight of a layer, of which there are some, is one number over and over."""
    layers = [node for node in graph.operators() if is_weighted(graph, node)]
    names = dict.fromkeys(name for node in layers for name in node.inputs if name)
    weights = [
        value.name
        for value in map(graph.value, names)
        if value.constant and value.is_float and len(value.shape or ()) > 1 and value.elements != 1
    ]
    return bool(weights) and all(_is_placeholder(graph, name) for name in weights)


def _is_placeholder(graph: Graph, name: str) -> bool:
    maker = graph.producer(name)
    if maker is not None and maker.op_type == "ConstantOfShape":
        return True
    constants = constants_of(graph)
    if constants is None:
        return False
    try:
        return is_one_number(constants(name))
    except ModelReadError:
        return False
