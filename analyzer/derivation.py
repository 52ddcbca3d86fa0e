"""When the weights of a proposal can be derived from those of the model, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, helper

from archlint.analyzer.constants import Constants
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.pinned import fed, pinned
from archlint.analyzer.proposal import Derivation, Proposal

Compute = Callable[[Constants], Sequence[NDArray[Any]]]

_DEQUANTISING = frozenset({"DequantizeLinear", "QuantizeLinear", "DynamicQuantizeLinear"})
_TYPES = frozenset({
    TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16,
})  # fmt: skip
_BROADCASTS = 7  # the opset from which operands broadcast as NumPy's, and one output never learns


def derived(
    proposal: Proposal, graph: Graph, compute: Compute, *, keeps_padding: bool = False
) -> Proposal:
    """A proposal with what derives its weights, if that can be done for whatever is fed.

    ``compute`` gives them in double precision, in the order of the placeholders of its graph; those
    behind the last placeholder are left out. ``keeps_padding`` says that the graph has the padding
    of the nodes as it is written in the file. What derives them raises ModelReadError for weights
    that the type of the model does not hold.
    """
    nodes = proposal.replaces
    if not (derivable(graph, nodes) and (keeps_padding or _is_padded_alike(nodes))):
        return proposal
    return replace(proposal, derive=_derivation(graph, proposal.graph, compute))


def _derivation(graph: Graph, part: GraphProto, compute: Compute) -> Derivation:
    fills = {
        node.output[0]: node.attribute[0].t.data_type
        for node in part.node
        if node.op_type == "ConstantOfShape"
    }
    path = "" if graph.tallies is None else graph.tallies.model.path

    def derive(constants: Constants) -> Mapping[str, NDArray[Any]]:
        with np.errstate(all="ignore"):  # what is not finite is told below
            try:
                weights = compute(constants)
            except (
                ArithmeticError,
                TypeError,
                ValueError,
            ) as error:  # of attributes, of other sizes
                why = "the weights that the rewrite would join do not fit together"
                raise ModelReadError(path, why) from error
            made = {
                name: np.asarray(numbers).astype(helper.tensor_dtype_to_np_dtype(data_type))
                for (name, data_type), numbers in zip(fills.items(), weights, strict=False)
            }
            finite = all(np.isfinite(numbers).all() for numbers in made.values())
        if not finite:
            types = sorted({TensorProto.DataType.Name(one).lower() for one in fills.values()})
            why = f"the weights that the rewrite derives are not finite as {', '.join(types)}"
            raise ModelReadError(path, why)
        return made

    return derive


def derivable(graph: Graph, nodes: Iterable[Node]) -> bool:
    """Whether all constants that nodes read are the model's own floats, which no feed changes and
    nothing else knows by name, and their normalisations do not learn."""
    return graph.opset >= _BROADCASTS and all(
        _has_own_constants(graph, node) and _is_frozen(node) for node in nodes
    )


def _has_own_constants(graph: Graph, node: Node) -> bool:
    constants = [name for name in node.inputs if name and graph.value(name).constant]
    if any(graph.value(name).dtype not in _TYPES for name in constants):
        return False
    return is_unfed(graph, (node,)) and not any(
        _is_dequantised(graph, name) or name in pinned(graph) for name in constants
    )


def is_unfed(graph: Graph, nodes: Iterable[Node]) -> bool:
    """Whether no constant that nodes read can be fed instead."""
    changing = fed(graph)
    names = (name for node in nodes for name in node.inputs if name in changing)
    return not any(graph.value(name).constant for name in names)


def _is_dequantised(graph: Graph, name: str) -> bool:
    """Whether integers lead to a constant."""
    waiting, seen = [name], {name}
    while waiting:
        maker = graph.producer(waiting.pop())
        if maker is None:
            continue
        if maker.op_type in _DEQUANTISING or maker.domain:
            return True
        new = [read for read in maker.inputs if read and read not in seen]
        seen.update(new)
        waiting += new
    return False


def _is_frozen(node: Node) -> bool:
    """Whether a normalisation uses stored statistics of whole channels; so does any other node."""
    if node.operator != "BatchNormalization":
        return True
    learns = bool(node.attributes.get("training_mode", 0)) or any(node.outputs[1:])
    whole = bool(node.attributes.get("spatial", 1))
    return whole and not learns


def _is_padded_alike(nodes: Iterable[Node]) -> bool:
    """Whether the padding of convolutions does not depend on the size of their maps, which another
    feed may change."""
    return not any(
        str(node.attributes.get("auto_pad", "")).startswith("SAME")
        and any(stride != 1 for stride in node.attributes.get("strides") or ())
        for node in nodes
    )
