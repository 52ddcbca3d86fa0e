"""Write ONNX graphs by hand: the proposals of the rules and the samples are made with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod, sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

Attribute = int | float | str | Sequence[int] | Sequence[float]
WeightKind = Literal["structure", "random"]

OPSET = 17
IR_VERSION = 8  # the first that carries opset 17; every onnxruntime since 1.12 reads it


class GraphBuilder:
    """One call an operator; each returns the name of the value that it makes.

    Weights are ``structure`` (a ConstantOfShape, a few bytes in the file) or ``random`` (He-scaled
    normal numbers from a seeded generator). The channel count of every value is kept, so that a
    convolution only says how many it makes. ``reserved`` are names that only the caller gives,
    ``dtype`` is that of weights and of what flows between the operators.
    """

    def __init__(
        self,
        name: str,
        *,
        weights: WeightKind = "structure",
        seed: int = 0,
        reserved: Iterable[str] = (),
        dtype: int = TensorProto.FLOAT,
    ) -> None:
        self._name = name
        self._weights = weights
        self._dtype = dtype
        self._random = np.random.default_rng(seed)
        self._nodes: list[NodeProto] = []
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []
        self._initializers: list[TensorProto] = []
        self._channels: dict[str, int] = {}
        self._used: set[str] = set(reserved)

    def input(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare a graph input; axis 1 is taken as its channels."""
        self._inputs.append(helper.make_tensor_value_info(name, self._dtype, list(shape)))
        if len(shape) > 1 and isinstance(channels := shape[1], int):
            self._channels[name] = channels
        self._used.add(name)
        return name

    def output(self, value: str, shape: Sequence[int | str] | None = None) -> None:
        """Declare an existing value as a graph output; without a shape it is left to inference."""
        self._outputs.append(helper.make_tensor_value_info(value, self._dtype, shape))

    def channels(self, value: str) -> int:
        """Channels (axis 1) of a value made by this builder."""
        return self._channels[value]

    def node(
        self,
        op_type: str,
        *inputs: str,
        name: str | None = None,
        output: str | None = None,
        domain: str = "",
        channels: int | None = None,
        **attributes: Attribute,
    ) -> str:
        """Add any one-output operator; unless they are given, its channels are taken from its first
        input."""
        name = self._unique(name or op_type.lower())
        output = output or self._unique(f"{name}_out")
        node = helper.make_node(op_type, list(inputs), [output], name=name, domain=domain)
        node.attribute.extend(
            helper.make_attribute(key, value) for key, value in sorted(attributes.items())
        )
        self._nodes.append(node)
        if channels is None and inputs:
            channels = self._channels.get(inputs[0])
        if channels is not None:
            self._channels[output] = channels
        return output

    def weight(self, name: str, shape: Sequence[int], *, fan_in: int | None = None) -> str:
        """A tensor of weights; ``fan_in`` scales the random kind (He et al. 2015)."""
        if self._weights == "structure":
            return self._fill(name, shape, 0.02)
        scale = sqrt(2 / (fan_in or max(1, prod(shape[1:]))))
        return self._initializer(name, self._random.standard_normal(tuple(shape)) * scale)

    def constant(self, name: str, numbers: float | Sequence[int] | Sequence[float]) -> str:
        """An initializer that is no weight, a scalar or 1-D: int64 if all is int, else floats."""
        return self._initializer(name, np.array(numbers))

    def _initializer(self, name: str, numbers: NDArray[Any]) -> str:
        name = self._unique(name)
        whole = np.issubdtype(numbers.dtype, np.integer)
        dtype = np.int64 if whole else helper.tensor_dtype_to_np_dtype(self._dtype)
        self._initializers.append(numpy_helper.from_array(numbers.astype(dtype), name))
        return name

    def _fill(self, name: str, shape: Sequence[int], number: float) -> str:
        name = self._unique(name)
        dims = self.constant(f"{name}_shape", shape)
        value = helper.make_tensor("value", self._dtype, [1], [number])
        self._nodes.append(
            helper.make_node("ConstantOfShape", [dims], [name], name=f"{name}_fill", value=value)
        )
        return name

    def conv(
        self,
        x: str,
        out_channels: int,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        pads: int | Sequence[int] | None = None,
        dilations: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        name: str | None = None,
        output: str | None = None,
    ) -> str:
        """A convolution, 2-D unless the kernel lists its axes.

        ``pads=None`` keeps the map's size at stride 1 (odd kernels), an int pads every side, a list
        is ONNX's: all begins, then all ends.
        """
        sizes = [kernel] * 2 if isinstance(kernel, int) else list(kernel)
        spread = _each_axis(dilations, len(sizes))
        if pads is None:
            half = [d * (k - 1) // 2 for d, k in zip(spread, sizes, strict=True)]
            pads = [*half, *half]
        name = name or f"conv{'x'.join(map(str, sizes))}"
        in_channels = self._channels[x] // groups
        weights = [self.weight(f"{name}.weight", (out_channels, in_channels, *sizes))]
        if bias:
            weights.append(self.weight(f"{name}.bias", (out_channels,), fan_in=2 * in_channels))
        value = self.node(
            "Conv",
            x,
            *weights,
            name=name,
            output=output,
            kernel_shape=sizes,
            strides=_each_axis(stride, len(sizes)),
            pads=_each_axis(pads, 2 * len(sizes)),
            dilations=spread,
            group=groups,
        )
        self._channels[value] = out_channels
        return value

    def batch_norm(self, x: str, *, epsilon: float = 1e-5, name: str | None = None) -> str:
        """Inference-mode BatchNormalization with scale, bias, running mean and running variance."""
        name = name or "bn"
        parts = [
            self.weight(f"{name}.{part}", (self._channels[x],), fan_in=2)
            for part in ("weight", "bias", "running_mean")
        ]
        # A variance is positive: a fill in either kind of weights.
        variance = self._fill(f"{name}.running_var", (self._channels[x],), 1.0)
        return self.node("BatchNormalization", x, *parts, variance, name=name, epsilon=epsilon)

    def relu(self, x: str, *, name: str | None = None) -> str:
        """Rectified linear unit."""
        return self.node("Relu", x, name=name)

    def pool(
        self,
        op_type: Literal["MaxPool", "AveragePool"],
        x: str,
        kernel: int,
        *,
        stride: int,
        pads: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> str:
        """A square 2-D pooling."""
        sides = [pads] * 4 if isinstance(pads, int) else list(pads)
        return self.node(
            op_type, x, name=name, kernel_shape=[kernel] * 2, strides=[stride] * 2,
            pads=sides, ceil_mode=int(ceil_mode),
        )  # fmt: skip

    def concat(self, values: Iterable[str], *, name: str | None = None) -> str:
        """Concatenation along the channels."""
        parts = list(values)
        value = self.node("Concat", *parts, name=name, axis=1)
        self._channels[value] = sum(self._channels[part] for part in parts)
        return value

    def global_average_pool(self, x: str, *, name: str | None = None) -> str:
        """Mean of each channel: [N, C, H, W] to [N, C, 1, 1]."""
        return self.node("GlobalAveragePool", x, name=name)

    def flatten(self, x: str, *, name: str | None = None, output: str | None = None) -> str:
        """[N, C, H, W] to [N, C*H*W]."""
        return self.node("Flatten", x, name=name, output=output, axis=1)

    def linear(
        self,
        x: str,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        name: str | None = None,
        output: str | None = None,
    ) -> str:
        """A fully connected layer as Gemm with the weight as [out, in]."""
        name = name or "fc"
        weights = [self.weight(f"{name}.weight", (out_features, in_features))]
        if bias:
            weights.append(self.weight(f"{name}.bias", (out_features,), fan_in=2 * in_features))
        value = self.node("Gemm", x, *weights, name=name, output=output, transB=1)
        self._channels[value] = out_features
        return value

    def graph(self) -> GraphProto:
        """The graph so far, nodes in the order of the calls."""
        return helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._initializers
        )

    def model(self) -> ModelProto:
        """The graph as a model of opset 17."""
        return helper.make_model(
            self.graph(),
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="archlint",
        )

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._used:
            count += 1
            candidate = f"{name}_{count}"
        self._used.add(candidate)
        return candidate


def _each_axis(size: int | Sequence[int], axes: int) -> list[int]:
    return [size] * axes if isinstance(size, int) else list(size)
