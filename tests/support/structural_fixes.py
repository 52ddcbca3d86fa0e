"""Fixes of the graph's structure, repeated until none is left, and what onnxruntime says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, helper

from archlint.analyzer.constants import constants_of
from archlint.analyzer.cost import count
from archlint.analyzer.load import load
from archlint.analyzer.proposal import Proposal, check_fit
from archlint.analyzer.reader import Model
from archlint.analyzer.realised import realise
from archlint.analyzer.rule import Rule, RuleContext
from archlint.analyzer.splicing import splice

ROUNDS = 9


def context_of(model: Model) -> RuleContext:
    """What rules look at: the graph as the file has it, nothing bound."""
    costs = count(load(model))
    return RuleContext(costs.graph, costs)


def proposals_of(model: Model, rule: Rule) -> list[Proposal]:
    """The fixes of a rule; each fits."""
    context = context_of(model)
    proposals = list(rule.fixes(context))
    for proposal in proposals:
        check_fit(proposal, context.graph)
    return proposals


def applied(model: Model, proposals: list[Proposal]) -> Model:
    """The model with all of them, their weights derived."""
    constants = constants_of(load(model))
    assert constants is not None
    return splice(model, [realise(proposal, constants) for proposal in proposals])


def fixed(model: Model, *rules: Rule) -> Model:
    """The model after the fixes of the rules, none of which has one left."""
    for _ in range(ROUNDS):
        before = model
        for rule in rules:
            if proposals := proposals_of(model, rule):
                model = applied(model, proposals)
        if model is before:
            return model
    raise AssertionError("the fixes do not end")


def operators(proto: ModelProto) -> list[str]:
    """The operators of the nodes in the file's order."""
    return [node.op_type for node in proto.graph.node]


def outputs(proto: ModelProto) -> list[NDArray[Any]]:
    """What onnxruntime makes of numbers from a seed, without optimisations."""
    random = np.random.default_rng(0)
    stored = {tensor.name for tensor in proto.graph.initializer}
    feeds: dict[str, NDArray[Any]] = {}
    for entry in proto.graph.input:
        if entry.name not in stored:
            dims = [dim.dim_value or 3 for dim in entry.type.tensor_type.shape.dim]
            numbers = random.standard_normal(dims)
            dtype = helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
            feeds[entry.name] = np.asarray(numbers > 0 if dtype == np.bool_ else numbers, dtype)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    return [np.asarray(made) for made in session.run(None, feeds)]


def check_same(before: ModelProto, after: ModelProto) -> None:
    """The file is valid, has the outputs of the one before, and the same bits come out."""
    onnx.checker.check_model(after, full_check=True)
    assert [entry.name for entry in after.graph.output] == [o.name for o in before.graph.output]
    for old, new in zip(outputs(before), outputs(after), strict=True):
        assert (old.dtype, old.shape, old.tobytes()) == (new.dtype, new.shape, new.tobytes())
