"""All fixes together, of networks that nobody has drawn up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from math import prod
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from archlint.analyzer.cost import count
from archlint.analyzer.fix.engine import Subject, rewrite
from archlint.analyzer.inputs import Bindings, dim_names
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.rule import DEFAULT_GROUPS, Rule, RuleGroup
from archlint.fixing import _in_order
from archlint.rules import all_rules
from growing_network import Manner
from random_networks import STEPS, network

ROUNDING = {TensorProto.FLOAT: 1e-5, TensorProto.FLOAT16: 2e-2}
NOTHING = 1e-6  # a norm below which a relative error says nothing
BOUND = {"N": 1, "H": 12, "W": 11}  # what the rules see
OTHER = {"N": 3, "H": 8, "W": 16}

MANNERS = st.builds(
    Manner,
    axes=st.sampled_from([2, 2, 1, 0]),
    half=st.sampled_from([False] * 5 + [True]),
    symbolic=st.sampled_from(["", "N", "NHW"]),
    weights=st.sampled_from(["stored", "stored", "constant", "listed", "derived"]),
    opset=st.sampled_from([17, 17, 13]),
    declared=st.booleans(),
    ir_version=st.sampled_from([8, 8, 8, 3]),
    names=st.sampled_from([True, True, False]),
)
NETWORKS = st.builds(
    network,
    MANNERS,
    st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 999)), min_size=3, max_size=12
    ),
    st.integers(0, 99),
)


@cache
def rules() -> tuple[Rule, ...]:
    """What ``archlint fix`` runs unless rules are selected, in its order."""
    groups = DEFAULT_GROUPS | {RuleGroup.PEDANTIC}
    return tuple(_in_order([rule() for rule in all_rules() if rule.group in groups]))


def outputs(proto: ModelProto, fed: Mapping[str, int]) -> list[NDArray[Any]]:
    """What onnxruntime makes of seeded numbers, without optimisations."""
    random = np.random.default_rng(0)
    stored = {tensor.name for tensor in proto.graph.initializer}
    feeds: dict[str, NDArray[Any]] = {}
    for entry in proto.graph.input:
        if entry.name not in stored:
            kind = entry.type.tensor_type
            dims = [dim.dim_value or fed[dim.dim_param] for dim in kind.shape.dim]
            dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
            feeds[entry.name] = np.asarray(random.standard_normal(dims), dtype)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    return [np.asarray(made) for made in session.run(None, feeds)]


def check_numbers(before: ModelProto, after: ModelProto, fed: Mapping[str, int]) -> None:
    for old, new in zip(outputs(before, fed), outputs(after, fed), strict=True):
        assert (old.shape, old.dtype) == (new.shape, new.dtype)
        bound = ROUNDING[helper.np_dtype_to_tensor_dtype(old.dtype)]
        wide, narrow = old.astype(np.float64), new.astype(np.float64)
        assert np.linalg.norm(narrow - wide) <= bound * np.linalg.norm(wide) + NOTHING


def runs(proto: ModelProto, fed: Mapping[str, int]) -> bool:
    """Whether maps that were of one size with those bound still are."""
    try:
        outputs(proto, fed)
    except InvalidArgument:
        return False
    return True


def copied(proto: ModelProto) -> int:
    """The numbers that there were more if each node had vectors of its own.

    Normalisations may share them; the layers that take them in share none.
    """
    vectors = {
        t.name: prod(t.dims)
        for t in proto.graph.initializer
        if max(t.dims, default=0) == prod(t.dims)
    }
    read = Counter(name for node in proto.graph.node for name in node.input if name in vectors)
    return sum((times - 1) * vectors[name] for name, times in read.items())


def sizes(proto: ModelProto, bound: Bindings) -> dict[str, int]:
    """What no fix may raise: bytes are those of weights in the file."""
    costs = count(load(Model("before", proto, 0), bound))
    tensors = [*proto.graph.initializer]
    tensors += [a.t for node in proto.graph.node for a in node.attribute if a.HasField("t")]
    return {
        "MACs": costs.total().macs,
        "parameters": costs.parameter_count,
        "nodes": sum(
            node.op_type not in {"Constant", "ConstantOfShape"} for node in proto.graph.node
        ),
        "bytes": sum(len(t.raw_data) for t in tensors),
    }


def names(graph: GraphProto) -> Iterator[str]:
    """Every name that is given to a value."""
    stored = {tensor.name for tensor in graph.initializer}
    yield from stored
    yield from (entry.name for entry in graph.input if entry.name not in stored)
    for node in graph.node:
        yield from filter(None, node.output)


def check_form(before: ModelProto, after: ModelProto) -> None:
    """The file is valid, and what callers know of it is what it was."""
    onnx.checker.check_model(after, full_check=True)
    for graph in (before.graph, after.graph):
        stored = {tensor.name for tensor in graph.initializer}
        assert [entry for entry in graph.input if entry.name not in stored] == [
            entry for entry in before.graph.input if entry.name in {"x", "c"}
        ]
    assert after.graph.output == before.graph.output
    given = list(names(after.graph))
    assert len(given) == len(set(given))
    labels = [node.name for node in after.graph.node if node.name]
    assert len(labels) == len(set(labels))
    rest = [ModelProto(), ModelProto()]
    for copy, proto in zip(rest, (before, after), strict=True):
        copy.CopyFrom(proto)
        copy.ClearField("graph")
    assert rest[0] == rest[1]


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(NETWORKS)
def test_any_network_computes_what_it_did(before: ModelProto) -> None:
    """It is no larger, a valid file still, and there is nothing left to fix."""
    check(before)


@pytest.mark.slow
@settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(NETWORKS)
def test_many_networks_compute_what_they_did(before: ModelProto) -> None:
    """As above, of many more."""
    check(before)


def check(before: ModelProto) -> None:
    bound = Bindings({name: BOUND[name] for name in sorted(dim_names(before.graph))})
    done = rewrite(Subject(Model("before", before, 0), bound), rules())
    after = done.subject.model.proto
    assert not done.refusals
    check_form(before, after)
    check_numbers(before, after, BOUND)
    if bound != Bindings() and runs(before, OTHER):
        check_numbers(before, after, OTHER)
    old, new = sizes(before, bound), sizes(after, bound)
    old["parameters"] += copied(before)
    old["bytes"] += copied(before) * 4
    raised = {key: (old[key], new[key]) for key in old if new[key] > old[key]}
    assert raised == {}, raised
    again = rewrite(Subject(done.subject.model, bound), rules())
    assert not again.changes
    assert again.subject.model.proto.SerializeToString(deterministic=True) == (
        after.SerializeToString(deterministic=True)
    )
