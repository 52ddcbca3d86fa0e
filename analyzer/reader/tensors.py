"""Every tensor of a model, wherever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto

from archlint.analyzer.dims import MAX_RANK
from archlint.analyzer.reader.schema import MAX_NODES
from archlint.analyzer.text import safe

_NAME = 80  # characters of a name that a message shows
_PLAIN = frozenset({
    AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING,
    AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS,
})  # fmt: skip


class TooLargeError(ValueError):
    """A model holds more nodes, or a tensor more dims, than are read."""

    @property
    def reason(self) -> str:
        """What there is too much of, and what to do."""
        return f"holds {self}; archlint reads no larger models"


class Held(NamedTuple):
    """A tensor, and the node whose attribute holds it; None for an initializer."""

    tensor: TensorProto
    node: NodeProto | None

    @property
    def label(self) -> str:
        """Its name in quotes, or that of the node."""
        if self.tensor.name or self.node is None:
            return f"'{safe(self.tensor.name, _NAME)}'"
        return f"of node '{safe(self.node.name or self.node.op_type, _NAME)}'"


def tensors(model: ModelProto, *, mistyped: bool = False) -> Iterator[Held]:
    """The tensors of the graph, its bodies, the functions and the training information.

    Attributes are believed to hold what their type says, unless ``mistyped`` asks for what they
    hold beside it. Raises TooLargeError for more than MAX_NODES nodes in all, or MAX_RANK dims.
    """
    walk = _Walk(frozenset() if mistyped else _PLAIN)
    yield from walk.graph(model.graph)
    for training in model.training_info:
        yield from walk.graph(training.initialization)
        yield from walk.graph(training.algorithm)
    for function in model.functions:
        for attribute in function.attribute_proto:
            yield from walk.attribute(attribute, None)
        yield from walk.nodes(function.node)


class _Walk:
    def __init__(self, plain: frozenset[int]) -> None:
        self._plain = plain
        self._nodes = 0

    def graph(self, graph: GraphProto) -> Iterator[Held]:
        for tensor in chain(graph.initializer, *map(_parts, graph.sparse_initializer)):
            yield _held(tensor, None)
        yield from self.nodes(graph.node)

    def nodes(self, nodes: Sequence[NodeProto]) -> Iterator[Held]:
        self._nodes += len(nodes)
        if self._nodes > MAX_NODES:
            raise TooLargeError(f"more than {MAX_NODES:,} nodes")
        plain = self._plain
        for node in nodes:
            for attribute in node.attribute:
                if attribute.type not in plain:
                    yield from self.attribute(attribute, node)

    def attribute(self, attribute: AttributeProto, node: NodeProto | None) -> Iterator[Held]:
        if attribute.HasField("t"):
            yield _held(attribute.t, node)
        for tensor in attribute.tensors:
            yield _held(tensor, node)
        if attribute.HasField("g"):
            yield from self.graph(attribute.g)
        for graph in attribute.graphs:
            yield from self.graph(graph)
        sparse = (attribute.sparse_tensor,) if attribute.HasField("sparse_tensor") else ()
        for part in chain.from_iterable(map(_parts, chain(sparse, attribute.sparse_tensors))):
            yield _held(part, node)


def is_plain(attribute: AttributeProto) -> bool:
    """Whether an attribute is of a type that holds no tensor."""
    return attribute.type in _PLAIN


def _held(tensor: TensorProto, node: NodeProto | None) -> Held:
    held = Held(tensor, node)
    if len(tensor.dims) > MAX_RANK:
        raise TooLargeError(f"the tensor {held.label} of {len(tensor.dims):,} dims")
    return held


def _parts(sparse: SparseTensorProto) -> tuple[TensorProto, TensorProto]:
    return sparse.values, sparse.indices
