"""A finding as a PyTorch module that does what it suggests, and the file that it starts from."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.constants import constants_of, is_one_number
from archlint.analyzer.cost import count
from archlint.analyzer.engine import CRASH_CODE, run
from archlint.analyzer.errors import ConfigError, ModelReadError
from archlint.analyzer.finding import Finding
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.inputs import dim_names
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind, Priced, Proposal, as_graph
from archlint.analyzer.reader import read
from archlint.analyzer.realised import realise
from archlint.analyzer.rule import Rule, RuleContext
from archlint.analyzer.text import change, nearest, safe
from archlint.analyzer.torch_module import Module, torch_module
from archlint.analyzer.truncation import truncated
from archlint.config import check_used
from archlint.configuration import Configuration
from archlint.options import made
from archlint.output import remark, replace_file, write
from archlint.plugins import load_plugins_for
from archlint.selection import Named, find_rule

_LISTED = 5  # nodes that an error lists
_NAME = 80  # columns of a name in a docstring
_NO_START = "Its layers start from torch's initial values."
_TRUNCATED = (
    "pretrained() starts from the truncated decomposition of the kernel that is replaced: without "
    "the activations between the layers it computes the nearest that their widths allow."
)
_DERIVED = "pretrained() has weights that are derived from those of the model."


@dataclass(frozen=True, slots=True)
class Sketch:
    """The suggestion of one finding of a model, as a graph and as a module."""

    finding: Finding
    priced: Priced
    graph: Graph
    part: Graph
    module: Module

    def source(self, start: str = "") -> str:
        """The module's file; ``start`` says what its loader loads, empty where it has none."""
        told = (*_described(self), start or _NO_START if self.module.weights else "")
        return self.module.source([line for line in told if line], has_start=bool(start))


def sketched(path: str, wanted: str, configuration: Configuration) -> Sketch:
    """What is suggested for the finding ``RULE`` or ``RULE:NODE`` of a model.

    Raises ConfigError where there is no such finding, for one that suggests no graph, and for an
    operator that cannot be written; ModelError for a model that cannot be analysed.
    """
    code, _, node = wanted.partition(":")
    rule_class = find_rule(wanted, code, configuration.rules(path))
    if rule_class.kind is FixKind.DECISION:
        raise ConfigError(wanted, _no_module(rule_class, "only gives advice"))
    chosen = configuration.chosen(path)
    (rule,) = made([rule_class], configuration.settings(path).rules)
    model = read(path)
    load_plugins_for(model.proto)
    inputs = frozenset(info.name for info in model.proto.graph.input)
    check_used(configuration.bindings, dim_names(model.proto.graph), inputs)
    costs = count(load(model, chosen.bindings))
    found = run([rule], RuleContext(costs.graph, costs, chosen.target))
    finding = _chosen(found, wanted, rule, node)
    priced = finding.priced
    if priced is None or not priced.proposal.graph.node:
        raise ConfigError(wanted, _no_module(rule_class, "takes nodes away and adds none"))
    part = as_graph(priced.proposal, costs.graph.opset)
    return Sketch(finding, priced, costs.graph, part, torch_module(part))


def _no_module(rule: Named, what: str) -> str:
    return f"{rule.code} {rule.name} {what}: there is no module to write"


def write_sketch(sketch: Sketch, file: str | None, *, force: bool) -> None:
    """Write the module to stdout, or to a file with its start beside it.

    Raises ConfigError for files that cannot be written, or that are there already.
    """
    if file is None:
        write(sketch.source(), None)
        return
    stem, ending = os.path.splitext(file)
    if ending != ".py":
        raise ConfigError(f"--torch {file}", "must be the name of a Python file, as in block.py")
    for target in () if force else (file, f"{stem}.npz"):
        if os.path.lexists(target):
            raise ConfigError(target, "is there already; give --force to overwrite it")
    start, state = _start(sketch)
    try:
        if state:
            replace_file(f"{stem}.npz", _packed(state))
        replace_file(file, sketch.source(start))
    except OSError as error:
        raise ConfigError(f"--torch {file}", f"cannot be written: {error.strerror}") from error


def _chosen(found: Sequence[Finding], wanted: str, rule: Rule, node: str) -> Finding:
    """The finding that is meant; raises ConfigError with those that there are."""
    for one in found:
        if one.code == CRASH_CODE:
            raise ConfigError(wanted, one.message)
    title = f"{rule.code} {rule.name}"
    if not found:
        raise ConfigError(wanted, f"{title} finds nothing in this model")
    meant = [one for one in found if not node or any(_is_called(n, node) for n in one.nodes)]
    if len(meant) == 1:
        return meant[0]
    names = [next((n.label for n in one.nodes), "") for one in meant or found]
    listed = ", ".join(f"'{safe(name, _NAME)}'" for name in names[:_LISTED])
    if len(names) > _LISTED:
        listed += f" and at {len(names) - _LISTED} more"
    if not meant:
        near = nearest(node, names)
        raise ConfigError(wanted, f"{title} finds nothing there, only at {listed}{near}")
    why = f"{title} finds {len(names)} places: say which, as {rule.code}:NODE, of {listed}"
    raise ConfigError(wanted, why)


def _is_called(node: Node, name: str) -> bool:
    """Whether a node has the name, or makes the value of it."""
    return name == node.name or name in node.outputs


def _start(sketch: Sketch) -> tuple[str, Mapping[str, NDArray[Any]]]:
    """What the start is, and the state; both empty where there is none. A model without weights is
    told on stderr."""
    proposal, said = sketch.priced.proposal, _DERIVED
    if proposal.derive is None and any(n.op_type == "ConstantOfShape" for n in proposal.graph.node):
        proposal, said = replace(proposal, derive=truncated(proposal, sketch.graph)), _TRUNCATED
        if proposal.derive is None:
            return "", {}
    try:
        if _are_placeholders(proposal, sketch.graph):
            remark("the module has no start, for the model has placeholders in place of weights")
            return "", {}
        state = _state(sketch.module, proposal, sketch.graph)
    except ModelReadError as error:
        remark(f"the module has no start, for weights cannot be had: {error.why}")
        return "", {}
    return (said, state) if state else ("", {})


def _are_placeholders(proposal: Proposal, graph: Graph) -> bool:
    """Whether every matrix that the replaced nodes read is one number over and over."""
    constants = constants_of(graph)
    values = (graph.value(name) for node in proposal.replaces for name in node.inputs if name)
    names = [v.name for v in values if v.constant and v.is_float and len(v.shape or ()) > 1]
    if constants is None or not names:
        return False
    return all(is_one_number(one) for one in map(constants, names) if one.size > 1)


def _state(module: Module, proposal: Proposal, graph: Graph) -> Mapping[str, NDArray[Any]]:
    constants = constants_of(graph)
    if not module.weights or constants is None:
        return {}
    part = constants_of(as_graph(realise(proposal, constants), graph.opset))
    return {} if part is None else module.state(part)


def _packed(state: Mapping[str, NDArray[Any]]) -> bytes:
    """The arrays as numpy.load reads them without pickle."""
    file = io.BytesIO()
    arrays: dict[str, Any] = dict(state)
    np.savez(file, **arrays)
    return file.getvalue()


def _described(sketch: Sketch) -> tuple[str, ...]:
    """What stands in the docstring before what the module starts from."""
    priced, proposal = sketch.priced, sketch.priced.proposal
    title = proposal.title[:1].upper() + proposal.title[1:]
    nodes = [f"{safe(n.operator, _NAME)} '{safe(n.label, _NAME)}'" for n in proposal.replaces]
    listed = ", ".join(nodes[:_LISTED])
    if len(nodes) > _LISTED:
        listed += f" and {len(nodes) - _LISTED} more"
    before, after = (
        " and ".join(_shape(sketch.graph, entry.name) for entry in entries)
        for entries in (proposal.graph.input, proposal.graph.output)
    )
    macs = change(priced.before.macs, priced.after.macs, "MACs")
    parameters = change(priced.parameters_before, priced.parameters_after, "parameters")
    return (
        f"{title}, as {sketch.finding.code} {sketch.finding.name} suggests.",
        f"In place of {listed}, {before} to {after}.",
        f"{macs}; {parameters}.",
        proposal.caveat,
    )


def _shape(graph: Graph, name: str) -> str:
    shape = graph.value(name).shape
    return "an unknown shape" if shape is None else "x".join(map(str, shape)) or "a scalar"
