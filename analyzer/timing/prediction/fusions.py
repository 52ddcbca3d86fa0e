"""Which nodes onnxruntime lets one kernel do the work of.

The rules are those of onnxruntime/core/optimizer (conv_bn_fusion, conv_mul_fusion, conv_add_fusion,
conv_activation_fusion, matmul_add_fusion, gelu_fusion, quick_gelu_fusion and others), as the models
that onnxruntime 1.31 saves after its optimisations show them.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from math import prod
from typing import NamedTuple

from archlint.analyzer.graph import Graph, Node

GONE = frozenset({"Identity", "Dropout"})  # of which nothing is left
# That a convolution takes in.
ACTIVATIONS = frozenset({
    "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Clip", "HardSigmoid", "HardSwish",
})  # fmt: skip
_OF_GEMM = ACTIVATIONS - {"Clip", "HardSwish"}
_TAKEN = {"Conv": ACTIVATIONS, "Gemm": _OF_GEMM}  # activations, by the kernel
_GELU = ("Add", "Mul", "Mul")  # behind the error function
# What a kernel has taken in last. One that is whole folds no constants: those are folded before
# there are layouts.
_FOLDED, _WHOLE, _ADDED, _ACTIVATED = range(4)


class _Head(NamedTuple):  # which is made in a third of the time, and there is one a node
    """The node whose kernel makes a value, which kernel it is, and what it has taken in."""

    node: Node
    kernel: str
    stage: int = _FOLDED


class Fusions:
    """The kernels of a graph, node after node in topological order.

    ``within`` leads from the id of a node without a kernel of its own to that of the node whose
    kernel does its work, or to its own where nothing is left of it.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._outputs = frozenset(graph.outputs)
        self._heads: dict[str, _Head] = {}
        self.within: dict[int, int] = {}

    def maker(self, value: str) -> Node | None:
        """The node whose kernel makes a value."""
        head = self._heads.get(value)
        return self._graph.producer(value) if head is None else head.node

    def begin(self, node: Node) -> None:
        """Let the kernel of a convolution or a matrix product take in what follows."""
        self._heads[node.output(0)] = _Head(node, node.op_type)

    def begin_depthwise(self, node: Node) -> None:
        """The same for one that became a convolution of one tap in the blocked layout."""
        self._heads[node.output(0)] = _Head(node, "Conv", _WHOLE)

    def source(self, node: Node, blocked: AbstractSet[str]) -> str | None:
        """The input of the node that the kernel before it now turns into its output; None if the
        node keeps a kernel. ``blocked`` are the values in the blocked layout."""
        kind, first = node.op_type, node.input(0)
        if kind in GONE:
            self.within[node.id] = node.id
            if first in self._heads:
                self._heads[node.output(0)] = self._heads[first]
            return first
        if kind == "Pad" and (conv := self._padded(node)) is not None:
            self.within[node.id] = conv.id
            return first
        if kind == "Erf":
            self._gelu(node)
            return None
        if kind in ACTIVATIONS or kind == "BatchNormalization":
            return self._unary(node)
        if kind in ("Add", "Mul", "Div", "Sum") and len(node.inputs) == 2:
            return self._binary(node, blocked)
        return None

    def _unary(self, node: Node) -> str | None:
        name = node.input(0)
        head = self._heads.get(name)
        if head is None or not self._single(name):
            return None
        if node.op_type == "BatchNormalization":
            fits = head.kernel == "Conv" and head.stage == _FOLDED
            return self._take(node, name, _FOLDED) if fits else None
        fits = node.op_type in _TAKEN.get(head.kernel, ()) and head.stage < _ACTIVATED
        return self._take(node, name, _ACTIVATED) if fits else None

    def _binary(self, node: Node, blocked: AbstractSet[str]) -> str | None:
        if node.op_type == "Mul" and (gate := self._gate(node)) is not None:
            return gate
        for name, other in (node.inputs, reversed(node.inputs)):
            head = self._heads.get(name)
            if head is None or head.stage > _WHOLE or not self._single(name):
                continue
            if self._graph.value(other).constant:
                stage = self._constant(node, head, self._elements(other))
            else:
                stage = None
                sums = head.kernel == "Conv" and node.op_type in ("Add", "Sum")
                if sums and (name in blocked) == (other in blocked) and self._alike(name, other):
                    stage = _ADDED
            if stage is not None:
                return self._take(node, name, stage)
        return None

    def _constant(self, node: Node, head: _Head, elements: int | None) -> int | None:
        """What a kernel takes in with a constant that is multiplied or added to its output."""
        if head.stage == _WHOLE:
            return None
        if head.kernel == "Conv":
            folds = node.op_type == "Mul" or (node.op_type == "Add" and elements != 1)
            return _FOLDED if folds else None
        if elements == 1 and node.op_type in ("Mul", "Div"):
            return _FOLDED
        weighs = head.kernel == "MatMul" and self._graph.value(head.node.input(1)).constant
        return _ADDED if weighs and node.op_type == "Add" else None

    def _gate(self, node: Node) -> str | None:
        """The sigmoid of x·sigmoid(x), whose kernel computes both."""
        for name, other in (node.inputs, reversed(node.inputs)):
            maker = self._graph.producer(name)
            if maker is None or maker.op_type != "Sigmoid" or maker.id in self.within:
                continue
            if maker.input(0) == other and self._single(name):
                self.within[node.id] = maker.id
                return name
        return None

    def _gelu(self, node: Node) -> None:
        """Let the error function take in those around it that make x·(1 + erf(x/√2))/2 with it."""
        before = self._graph.producer(node.input(0))
        if before is None or before.op_type not in ("Div", "Mul"):
            return
        around, value = [before], node.output(0)
        for kind in _GELU:
            consumers = self._graph.consumers(value)
            if len(consumers) != 1 or consumers[0].op_type != kind:
                return
            around.append(consumers[0])
            value = consumers[0].output(0)
        self.within.update((member.id, node.id) for member in around)

    def _padded(self, node: Node) -> Node | None:
        """The convolution that a padding of zeros before it becomes part of."""
        consumers = self._graph.consumers(node.output(0))
        if not self._single(node.output(0)) or consumers[0].op_type != "Conv":
            return None
        return consumers[0] if node.attributes.get("mode", "constant") == "constant" else None

    def _take(self, node: Node, name: str, stage: int) -> str:
        head = self._heads[name]
        rank = len(self._graph.value(name).shape or ())
        is_gemm = head.kernel == "MatMul" and stage == _ADDED and rank == 2  # else reshapes follow
        self.within[node.id] = head.node.id
        kernel = "Gemm" if is_gemm else head.kernel
        self._heads[node.output(0)] = _Head(head.node, kernel, stage)
        return name

    def _single(self, name: str) -> bool:
        return len(self._graph.consumers(name)) == 1 and name not in self._outputs

    def _elements(self, name: str) -> int | None:
        shape = self._graph.value(name).static_shape
        return None if shape is None else prod(shape)

    def _alike(self, left: str, right: str) -> bool:
        shape = self._graph.value(left).static_shape
        return shape is not None and shape == self._graph.value(right).static_shape
