"""Proposals with their weights: what stands in their graphs as placeholders is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from archlint.analyzer.constants import Constants, is_one_number
from archlint.analyzer.proposal import Proposal

_FEW = 64  # elements up to which equal numbers are written one by one


def realise(proposal: Proposal, constants: Constants) -> Proposal:
    """The proposal with its weights in place of placeholders, derived from those of the model.

    Weights that are one number again and again, as those that a model itself leaves out are, stay
    placeholders, of that number. Raises ModelReadError where a constant of the model cannot be had,
    ValueError for weights that do not fit the graph.
    """
    if proposal.derive is None:
        return proposal
    derived = dict(proposal.derive(constants))
    graph = GraphProto()
    graph.CopyFrom(proposal.graph)
    fills = {node.output[0]: node for node in graph.node if node.op_type == "ConstantOfShape"}
    if odd := sorted(derived.keys() ^ fills.keys()):
        raise ValueError(f"'{odd[0]}' is derived or in the graph, not both")
    dims = {tensor.name: numpy_helper.to_array(tensor).tolist() for tensor in graph.initializer}
    gone: set[str] = set()
    for name, fill in fills.items():
        tensor = fill.attribute[0].t
        numbers = _fitting(name, derived[name], tensor.data_type, dims[fill.input[0]])
        if numbers.size > _FEW and is_one_number(numbers):
            value = numbers.reshape(-1)[:1]
            tensor.CopyFrom(numpy_helper.from_array(value, "value"))
        else:
            gone.add(name)
            graph.initializer.append(numpy_helper.from_array(numbers, name))
    _without(graph, gone)
    return replace(proposal, graph=graph, derive=None)


def _fitting(name: str, numbers: NDArray[Any], data_type: int, dims: list[int]) -> NDArray[Any]:
    """The numbers in the type of their placeholder; raises ValueError for other dims."""
    if list(numbers.shape) != dims:
        raise ValueError(f"'{name}' is derived as {list(numbers.shape)}, its graph has {dims}")
    return np.ascontiguousarray(numbers, helper.tensor_dtype_to_np_dtype(data_type))


def _without(graph: GraphProto, names: set[str]) -> None:
    """Take out the placeholders of these names, with the dims that only they read."""
    kept: list[NodeProto] = [n for n in graph.node if not names.intersection(n.output)]
    read = {name for node in kept for name in node.input}
    tensors: list[TensorProto] = [t for t in graph.initializer if t.name in read]
    left = GraphProto(node=kept, initializer=tensors)  # copies, before the originals go
    del graph.node[:], graph.initializer[:]
    graph.node.extend(left.node)
    graph.initializer.extend(left.initializer)
