"""How much a model's features move when one kernel is replaced by another."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from archlint.analyzer.fix import perturbing
from archlint.analyzer.graph import Graph
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proof.tapping import limits_for, tap
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.child import Failure, run_job
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.runtime.messages import plain

_FIRST_OVERRIDABLE = 4  # IR version: from it on an initializer that is an input has a default


def sensitivities(
    model: Model,
    graph: Graph,
    kernels: Mapping[str, Callable[[], NDArray[Any]]],
    probes: Sequence[str],
    samples: Samples,
) -> dict[str, float]:
    """The relative error of the probes together, for each weight with another kernel in its place.

    The weights are named as the layers read them; their kernels have their dims. All runs are of
    one session in one child process, which is handed the kernels as inputs. Raises ExecutionError
    where the model cannot be run.
    """
    opened = _opened(model, tuple(kernels))
    side = tap(opened, graph, probes)
    with TemporaryDirectory(prefix="archlint-", ignore_cleanup_errors=True) as scratch:
        listed = []
        for number, (name, kernel) in enumerate(kernels.items()):
            file = os.path.join(scratch, f"kernel-{number}.npy")
            dtype = helper.tensor_dtype_to_np_dtype(graph.value(name).dtype)
            np.save(file, np.ascontiguousarray(kernel(), dtype), allow_pickle=False)
            listed.append({"name": name, "file": file})
        arguments = {
            "model": {"name": "before", "model": "model.onnx", "folder": side.folder},
            "tap": "tap",
            "fetches": [side.fetched[value] for value in probes],
            "kernels": listed,
            "samples": samples.as_json(scratch),
            "scratch": scratch,
        }
        files = {"model.onnx": side.content, "tap": b"".join(side.taps.values())}
        outcome = run_job(perturbing.perturbed, arguments, files, limits_for(model))
    if isinstance(outcome, Failure):
        raise ExecutionError(model.path, f"cannot be run: {plain(outcome.why)}")
    pairs = zip(kernels, outcome.value, strict=True)
    return {name: _together(differences) for name, differences in pairs}


def _together(differences: Sequence[Mapping[str, Any]]) -> float:
    """The errors of several values as one: the root of their mean square; infinite where one is."""
    errors = [float(one["relative"]) for one in differences if not one["skipped"]]
    return math.sqrt(sum(error * error for error in errors) / len(errors)) if errors else math.inf


def _opened(model: Model, names: Sequence[str]) -> Model:
    """The model with these weights as inputs that have defaults."""
    proto = ModelProto()
    proto.CopyFrom(model.proto)
    proto.ir_version = max(proto.ir_version, _FIRST_OVERRIDABLE)
    graph = proto.graph
    _store(graph, frozenset(names))
    declared = {entry.name for entry in graph.input}
    for tensor in graph.initializer:
        if tensor.name in names and tensor.name not in declared:
            dims = list(tensor.dims)
            graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, dims))
    return replace(model, proto=proto)


def _store(graph: GraphProto, names: frozenset[str]) -> None:
    """Make initializers of the Constant nodes that make these values."""
    kept: list[NodeProto] = []
    for node in graph.node:
        tensor = _constant(node) if names.intersection(node.output) else None
        if tensor is None:
            kept.append(node)
        else:
            graph.initializer.append(tensor)
            graph.initializer[-1].name = node.output[0]
    if len(kept) < len(graph.node):
        left = GraphProto(node=kept)  # copies, before the originals go
        del graph.node[:]
        graph.node.extend(left.node)


def _constant(node: NodeProto) -> TensorProto | None:
    if node.op_type != "Constant":
        return None
    tensors = (one.t for one in node.attribute if one.type == AttributeProto.TENSOR)
    return next(tensors, None)


def stored(model: Model) -> frozenset[str]:
    """The weights that are stored as such, so that others can be handed over in their place."""
    graph = model.proto.graph
    found = {tensor.name for tensor in graph.initializer}
    makers = (node for node in graph.node if _constant(node) is not None)
    found.update(name for node in makers for name in node.output)
    return frozenset(found)
