"""What an operator takes on a machine: one formula a family, in nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from onnx import TensorProto

from archlint.analyzer.cost import Cost, CostTable
from archlint.analyzer.geometry import window
from archlint.analyzer.graph import Node
from archlint.analyzer.patterns import ConvSizes, conv_sizes
from archlint.analyzer.timing.prediction.fusions import ACTIVATIONS, GONE
from archlint.analyzer.timing.prediction.lowering import Lowered
from archlint.analyzer.timing.prediction.machine import MachineProfile
from archlint.analyzer.timing.prediction.tiles import blocked_conv, depthwise, sweep, used_taps

_FLOAT_BYTES = 4
_COLUMNS = 16  # of a matrix that a kernel multiplies at least
_WIDE = 1 << 20  # a width at which no row is short
_STREAMED = 0.5  # of the time to move maps is hidden behind the kernels that read them in order
_NO_WORK = GONE | {"BatchNormalization", "Relu", "Mul", "Div", "Pad"}  # in weights or registers
_POOLS = frozenset({"MaxPool", "AveragePool"})
_PRODUCTS = frozenset({"MatMul", "Gemm", "com.microsoft.FusedMatMul", "com.microsoft.FusedGemm"})
_RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
_SAME = {
    "Sub": "Add", "Max": "Add", "Min": "Add", "Sum": "Add", "Mean": "Add", "And": "Add",
    "Or": "Add", "Xor": "Add", "Equal": "Add", "Greater": "Add", "Less": "Add",
    "GreaterOrEqual": "Add", "LessOrEqual": "Add", "Mul": "Add", "Div": "Add", "Where": "Add",
    "Neg": "Relu", "Abs": "Relu", "Not": "Relu", "Reciprocal": "Relu", "Clip": "Relu",
    "LeakyRelu": "Relu", "Sqrt": "Relu", "PRelu": "Relu", "Floor": "Relu", "Ceil": "Relu",
    "HardSigmoid": "Relu", "ThresholdedRelu": "Relu", "Softsign": "Relu", "Sign": "Relu",
    "Selu": "Elu", "Celu": "Elu", "Cos": "Sin", "Gelu": "Erf", "Swish": "Sigmoid",
    "com.microsoft.Gelu": "Erf", "com.microsoft.QuickGelu": "Sigmoid",
    "com.microsoft.FastGelu": "Tanh", "LogSoftmax": "Softmax",
    "ReduceMax": "ReduceMean", "ReduceMin": "ReduceMean", "ReduceSum": "ReduceMean",
    "ReduceL2": "ReduceMean", "ReduceSumSquare": "ReduceMean",
    "GroupNormalization": "InstanceNormalization", "RMSNormalization": "LayerNormalization",
    "SimplifiedLayerNormalization": "LayerNormalization",
    "com.microsoft.SkipLayerNormalization": "LayerNormalization", "Upsample": "Resize",
}  # fmt: skip
"""Operators that take what a measured one takes, as their kernels do the same kind of work."""


class Unpredictable(Exception):  # noqa: N818 - a control flow signal, always caught by predict()
    """Nothing measured says how long an operator takes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Nanoseconds of a node; ``by_bytes`` says that only what it moves was counted, not its
    work."""

    nanoseconds: float
    by_bytes: bool = False


class Estimator:
    """The times of the nodes of one graph on one machine."""

    def __init__(
        self, table: CostTable, profile: MachineProfile, lowered: Lowered, weight_bytes: int
    ) -> None:
        self._table = table
        self._graph = table.graph
        self._profile = profile
        self._lowered = lowered
        # All weights are read in every run: the caches hold those of a small model only.
        self._weight_byte = profile.memory.at(max(weight_bytes, 1))
        # By the cost, which operators that do the same work share, and how the node is run.
        self._alike: dict[tuple[int, bool, bool], tuple[float, bool]] = {}

    def estimate(self, node: Node) -> Estimate:
        """The time of a node that runs no bodies; raises Unpredictable where nothing tells it."""
        cost = self._table.cost(node)
        if cost is None:
            raise Unpredictable("its cost is unknown")
        joined = node.id in self._lowered.within
        beside = 0.0 if joined else self._profile.node + self._borders(node)
        key = id(cost), joined, node.id in self._lowered.blocked
        known = self._alike.get(key)
        if known is None:
            known = (self._joined(node), False) if joined else self._work(node, cost)
            self._alike[key] = known
        work, by_bytes = known
        return Estimate(beside + work, by_bytes)

    def _joined(self, node: Node) -> float:
        """What a node adds to the kernel that does its work."""
        if node.op_type in _NO_WORK:
            return 0.0
        if node.op_type in ("Add", "Sum"):  # of another branch, unless it is a constant
            others = [n for n in node.inputs if not self._graph.value(n).constant]
            return self._moved(_FLOAT_BYTES * self._elements(node.output(0)) * (len(others) - 1))
        each = self._profile.operators.get(_SAME.get(node.op_type, node.op_type), 0.0)
        if node.op_type in ACTIVATIONS:
            each += self._profile.activation
        return each * self._elements(node.output(0))

    def _borders(self, node: Node) -> float:
        """The ways into the blocked layout and out of it that the node needs."""
        tiles, total = self._profile.tiles, 0.0
        enters, leaves = self._lowered.enters.get(node.id), self._lowered.leaves.get(node.id)
        if tiles is None or not (enters or leaves):
            return total
        for names, curve in ((enters, tiles.enter), (leaves, tiles.leave)):
            for elements in map(self._elements, names or ()):
                total += self._profile.node + elements * curve.at(max(elements, 1))
        return total

    def _work(self, node: Node, cost: Cost) -> tuple[float, bool]:
        if not (cost.macs or cost.ops or cost.bytes):
            return 0.0, False
        if cost.macs:
            self._check_type(node)
        if node.operator == "Conv" and not cost.integer_macs:
            return self._conv(node, cost), False
        if node.operator in _PRODUCTS and not cost.integer_macs:
            return self._product(node, cost), False
        if node.operator in _RECURRENT:
            return self._recurrent(node, cost), False
        if node.operator in _POOLS and node.id in self._lowered.blocked:
            return self._pool(node, cost), False
        return self._general(node, cost)

    def _check_type(self, node: Node) -> None:
        value = self._graph.value(node.input(0))
        if value.is_float and value.dtype != TensorProto.FLOAT:
            kind = TensorProto.DataType.Name(value.dtype).lower()
            raise Unpredictable(f"products of {kind} were not measured")

    def _conv(self, node: Node, cost: Cost) -> float:
        sizes = conv_sizes(self._graph, node)
        if sizes is None:
            return self._general(node, cost)[0]
        batch = self._shape(node.input(0))[0]
        tiles = self._profile.tiles
        if tiles is not None and node.id in self._lowered.blocked:
            moved = _STREAMED * self._moved(cost.bytes_read + cost.bytes_written)
            work = max(blocked_conv(tiles, sizes, batch), moved)
        else:
            work = self._expanded(sizes, batch)
        nearest = self._profile.memory.points[0][1]
        read = cost.weight_bytes * used_taps(sizes)
        weights = read * max(0.0, self._weight_byte - nearest)
        return self._profile.call + work + weights

    def _expanded(self, sizes: ConvSizes, batch: int) -> float:
        """A convolution as a matrix product of filters and of patches that are laid out for it."""
        strided = prod(sizes.strides) > 1
        flat = sizes.taps == 1 and not strided and not any(sizes.pads)
        element = self._profile.expand.at(_WIDE if flat else max(1, sizes.out_map[-1]))
        element *= self._profile.strided if strided else 1.0
        patch = sizes.in_channels // sizes.groups * sizes.taps
        filters = sizes.out_channels // sizes.groups
        outputs = prod(sizes.out_map)
        products = filters * self._profile.product * -(-outputs // _COLUMNS) * _COLUMNS
        return batch * sizes.groups * patch * (outputs * element + products)

    def _product(self, node: Node, cost: Cost) -> float:
        work = cost.macs * self._profile.product + cost.weight_bytes * self._weight_byte
        right = self._graph.value(node.input(1))
        if not right.constant:  # it is packed in every run
            work += self._elements(right.name) * self._profile.expand.at(_WIDE)
        return work

    def _recurrent(self, node: Node, cost: Cost) -> float:
        """The products, and the recurrent weights, which every step reads again."""
        directions, rows, hidden = self._shape(node.input(2))
        steps = self._shape(node.input(0))[0]
        weights = _FLOAT_BYTES * directions * rows * hidden
        gates = self._profile.operators.get("Sigmoid", 0.0) * cost.ops
        return cost.macs * self._profile.product + steps * self._moved(weights) + gates

    def _pool(self, node: Node, cost: Cost) -> float:
        shape, made = self._shape(node.input(0)), self._shape(node.output(0))
        tiles = self._profile.tiles
        if tiles is None:
            return self._general(node, cost)[0]
        blocks = shape[0] * -(-shape[1] // tiles.block)
        slide = window(node.attributes, shape[2:])
        swept = depthwise(tiles, sweep(slide, shape[2:], made[2:]), blocks)
        return max(swept, _STREAMED * self._moved(cost.bytes_read + cost.bytes_written))

    def _general(self, node: Node, cost: Cost) -> tuple[float, bool]:
        """What is moved, and the work of each element where an operator like it was measured."""
        integers = sum(macs for _, macs in cost.integer_macs)
        products = (cost.macs - integers) * self._profile.product + integers * self._profile.integer
        if node.operator == "ConvTranspose":  # the patches that it adds up
            taps = prod(self._shape(node.input(1))[1:])
            pixels = self._elements(node.input(0)) // max(1, self._shape(node.input(0))[1])
            products += taps * pixels * self._profile.expand.at(_WIDE)
        measured = self._profile.operators.get(_SAME.get(node.operator, node.operator))
        moved = self._moved(cost.bytes)
        if measured is None:
            return products + moved, bool(cost.ops) and not cost.macs
        largest = max(map(self._elements, filter(None, (*node.inputs, *node.outputs[:1]))))
        return products + moved + measured * largest, False

    def _moved(self, count: float) -> float:
        """Nanoseconds to move bytes that one kernel moves together."""
        return count * self._profile.memory.at(max(count, 1))

    def _elements(self, name: str) -> int:
        shape = self._graph.value(name).static_shape
        return 0 if shape is None else prod(shape)

    def _shape(self, name: str) -> tuple[int, ...]:
        shape = self._graph.value(name).static_shape
        if shape is None:
            raise Unpredictable(f"the shape of '{name}' is unknown")
        return shape
