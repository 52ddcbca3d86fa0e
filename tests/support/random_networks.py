"""Small networks of all that fixes look at, made of a list of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from growing_network import Manner, Network

SIZES = (12, 11)  # of the axes of a map

Step = Callable[[Network, Random, str], str]


def _normalised(net: Network, random: Random, x: str) -> str:
    return net.node("BatchNormalization", x, *net.vectors(random, net.shapes[x][0]))


def _convolved(
    net: Network, random: Random, x: str, made: int = 0, kernel: int = 0, stride: int = 1
) -> str:
    """A convolution that keeps the size of the map, up to its stride."""
    channels, *sizes = net.shapes[x]
    if not sizes:
        return _product(net, random, x, made)
    groups = 1 if made else random.choice([1, 1, 2, channels])
    made = made or random.choice([4, 8])
    groups = groups if channels % groups == made % groups == 0 else 1
    kernel = kernel or random.choice([1, 3])
    dilation = random.choice([1, 1, 2]) if kernel > 1 else 1
    axes = len(sizes)
    pad = dilation * (kernel // 2)
    pads = random.choice([[pad] * 2 * axes] * 3 + [[2 * pad] * axes + [0] * axes])
    attributes: dict[str, Any] = {"pads": pads, "strides": [stride] * axes}
    if dilation == 1 and random.random() < 0.1:
        attributes["auto_pad"] = "SAME_LOWER"
        del attributes["pads"]
    if dilation > 1:
        attributes["dilations"] = [dilation] * axes
    inputs = [net.normal(random, made, channels // groups, *[kernel] * axes)]
    inputs += [net.normal(random, made)] if random.random() < 0.5 else []
    y = net.node("Conv", x, *inputs, group=groups, **attributes)
    net.shapes[y] = (made, *((size + stride - 1) // stride for size in sizes))
    return y


def _strided(net: Network, random: Random, x: str) -> str:
    return _convolved(net, random, x, stride=2)


def _transposed_convolution(net: Network, random: Random, x: str) -> str:
    channels, *sizes = net.shapes[x]
    if not sizes or sizes[0] > SIZES[0]:
        return x
    weight = net.normal(random, channels, 4, *[2] * len(sizes))
    y = net.node("ConvTranspose", x, weight, strides=[2] * len(sizes))
    net.shapes[y] = (4, *(2 * size for size in sizes))
    return y


def _product(net: Network, random: Random, x: str, made: int = 0) -> str:
    channels, *sizes = net.shapes[x]
    if sizes:
        return _convolved(net, random, x, made)
    made = made or random.choice([4, 8])
    how = random.choice(["MatMul", "MatMul and Add", "Gemm", "Gemm", "transposed"])
    if how.startswith("MatMul"):
        y = net.node("MatMul", x, net.normal(random, channels, made))
        net.shapes[y] = (made,)
        return net.node("Add", y, net.normal(random, made)) if "Add" in how else y
    turned = how == "transposed"
    weight = net.normal(random, *(made, channels) if turned else (channels, made))
    factors: dict[str, Any] = {"alpha": 0.5, "beta": 2.0} if random.random() < 0.3 else {}
    y = net.node("Gemm", x, weight, net.normal(random, made), transB=int(turned), **factors)
    net.shapes[y] = (made,)
    return y


def _scaled(net: Network, random: Random, x: str) -> str:
    channels, *sizes = net.shapes[x]
    op_type = random.choice(["Mul", "Add", "Sub", "Div"])
    row = (channels, *[1] * len(sizes))
    shape = random.choice([(), (1,), row, (1, *row)])
    numbers = np.random.default_rng(random.randrange(1 << 30)).uniform(0.5, 1.5, shape)
    operands = [x, net.weight(np.asarray(numbers))]
    if op_type != "Div" and random.random() < 0.5:
        operands.reverse()
    return net.node(op_type, *operands, like=x)


def _activated(net: Network, random: Random, x: str) -> str:
    kind = random.choice(["Relu", "HardSwish", "gate", "steps", "Sigmoid", "Clip", "Relu"])
    if kind == "HardSwish" and net.manner.opset < 14:
        kind = "steps"
    if kind == "gate":
        return net.node("Mul", x, net.node("HardSigmoid", x, alpha=1 / 6))
    if kind == "Sigmoid":
        return net.node("Mul", net.node("Sigmoid", x), x)
    if kind == "Clip":
        return net.node("Clip", x, net.weight(np.array(0.0)), net.weight(np.array(6.0)))
    if kind == "steps":
        three, zero, six = (net.weight(np.array(number)) for number in (3.0, 0.0, 6.0))
        bounded = net.node("Clip", net.node("Add", x, three), zero, six)
        return net.node("Div", net.node("Mul", x, bounded), six)
    return net.node(kind, x)


def _idle(net: Network, random: Random, x: str) -> str:
    axes = 1 + len(net.shapes[x])
    kind = random.choice(["Identity", "Dropout", "Cast", "Pad", "Slice", "Concat", "Transpose"])
    if kind == "Cast":
        return net.node(kind, x, to=TensorProto.FLOAT16 if net.manner.half else TensorProto.FLOAT)
    if kind == "Pad":
        return net.node(kind, x, net.weight(np.zeros(2 * axes, np.int64)))
    if kind == "Slice":
        ends = net.weight(np.array([(1 << 63) - 1]))
        return net.node(kind, x, net.weight(np.zeros(1, np.int64)), ends)
    if kind == "Transpose":
        order = [0, *range(2, axes), 1]
        back = [order.index(axis) for axis in range(axes)]
        turned = net.node(kind, x, perm=order)
        y = net.node(kind, turned, like=x, perm=back)
        del net.shapes[turned]
        return y
    return net.node(kind, x, axis=1) if kind == "Concat" else net.node(kind, x)


def _siblings(net: Network, random: Random, x: str) -> str:
    """Equal layers of one map, joined."""
    after = random.choice(["", "Relu", "Sigmoid", "normalised"])
    made = [_convolved(net, random, x, 4, 1) for _ in range(2)]
    if after == "normalised":
        made = [_normalised(net, random, one) for one in made]
    elif after:
        made = [net.node(after, one) for one in made]
    y = net.node("Concat", *made, axis=1)
    net.shapes[y] = (sum(net.shapes[one][0] for one in made), *net.shapes[x][1:])
    return y


def _branches(net: Network, random: Random, x: str) -> str:
    """A sum of layers of one map, as of RepVGG."""
    channels = net.shapes[x][0]
    made = [_convolved(net, random, x, channels, kernel) for kernel in (3, 1)]
    made = [_normalised(net, random, one) for one in made]
    if random.random() < 0.5:
        made.append(random.choice([x, _normalised(net, random, x)]))
    if random.random() < 0.5:
        return net.node("Sum", *made)
    y = made[0]
    for one in made[1:]:
        y = net.node("Add", y, one)
    return y


def _twins(net: Network, random: Random, x: str) -> str:
    """One normalised layer of two values; the layer at least has the same weights for both."""
    channels, *sizes = net.shapes[x]
    weight = net.normal(random, 40, channels, *[3] * len(sizes))
    vectors = net.vectors(random, 40)
    made = []
    for value in (x, net.node("Relu", x)):
        if sizes:
            y = net.node("Conv", value, weight, pads=[1] * 2 * len(sizes))
        else:
            y = net.node("Gemm", value, weight, transB=1)
        net.shapes[y] = (40, *sizes)
        if random.random() < 0.2:
            vectors = net.vectors(random, 40)
        made.append(net.node("BatchNormalization", y, *vectors))
    return _product(net, random, net.node("Add", *made), 4)


def _pair(net: Network, random: Random, x: str) -> str:
    """A wide layer and a narrow one, with nothing that bends between them."""
    wide = _product(net, random, x, 40)
    if random.random() < 0.5:
        wide = random.choice([_normalised, _scaled, _idle])(net, random, wide)
    return _product(net, random, wide, 4)


def _residual(net: Network, random: Random, x: str) -> str:
    equal = [one for one, shape in net.shapes.items() if shape == net.shapes[x]]
    return net.node("Add", *random.sample([x, random.choice(equal)], 2))


def _unread(net: Network, random: Random, x: str) -> str:
    """Weights that nothing reads, and nodes that no output needs."""
    net.normal(random, 6, 5)
    net.node("Neg", _scaled(net, random, x))
    return x


def _branching(net: Network, random: Random, x: str) -> str:
    """Bodies that read values around them, and one of their own."""
    net.asks = True
    other = random.choice([one for one, shape in net.shapes.items() if shape == net.shapes[x]])
    dtype = TensorProto.FLOAT16 if net.manner.half else TensorProto.FLOAT
    place = len(net.nodes)
    bodies = []
    for name, reads in (("then", [x, other]), ("else", [x, x])):
        made = helper.make_tensor_value_info(f"{name}{place}", dtype, None)
        node = helper.make_node("Add", reads, [made.name])
        bodies.append(helper.make_graph([node], name, [], [made]))
    return net.node("If", "c", like=x, then_branch=bodies[0], else_branch=bodies[1])


def _pooled(net: Network, random: Random, x: str) -> str:
    """From a map to a vector."""
    if not net.shapes[x][1:]:
        return _product(net, random, x)
    flat = net.node("Flatten", net.node("GlobalAveragePool", x))
    channels = net.shapes[x][0]
    net.shapes[net.nodes[-2].output[0]] = (channels, *[1] * (len(net.shapes[x]) - 1))
    net.shapes[flat] = (channels,)
    return flat


STEPS: dict[str, Step] = {
    "layer": _convolved, "normalisation": _normalised, "scale": _scaled, "activation": _activated,
    "idle": _idle, "siblings": _siblings, "branches": _branches, "pair": _pair,
    "residual": _residual, "unread": _unread, "strided": _strided, "bodies": _branching,
    "transposed": _transposed_convolution, "pooled": _pooled,
    "twins": _twins,
}  # fmt: skip


def network(manner: Manner, steps: Sequence[tuple[str, int]], seed: int) -> ModelProto:
    """The network of these steps, each with a seed of its own."""
    net = Network(manner)
    net.shapes["x"] = (4, *SIZES[: manner.axes])
    current = "x"
    for name, own in steps:
        random = Random(own)  # noqa: S311 - a seeded generator is meant
        if random.random() < 0.1:
            current = random.choice(sorted(net.shapes))
        current = STEPS[name](net, random, current)
    if current == "x":
        current = net.node("Relu", "x")
    return net.model(Random(seed), current)  # noqa: S311 - a seeded generator is meant
