"""Small or cheap files that ask for much: memory, numbers without end, quadratic work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onnx import NodeProto

from hostile_build import (
    Make,
    chain,
    field,
    graph,
    info,
    model,
    node,
    one,
    tensor,
    untold,
    varint,
    wire_model,
)  # fmt: skip


def _doubling(operator: str, times: int, start: Any = (2, 3), **attributes: Any) -> Make:
    """The value, combined with itself so many times, as the shape of a fill."""

    def make() -> bytes:
        nodes = [
            node(operator, [f"k{i}", f"k{i}"], [f"k{i + 1}"], **attributes) for i in range(times)
        ]
        last = node("ConstantOfShape", [f"k{times}"])
        return chain([*nodes, last], initializers=[tensor("k0", list(start))])

    return make


def _long(operator: str, count: int, *more: str, **attributes: Any) -> Make:
    """A chain of one operator."""

    def make() -> bytes:
        names = ["x", *(f"v{i}" for i in range(1, count)), "y"]
        nodes = [
            node(operator, [names[i], *more], [names[i + 1]], **attributes) for i in range(count)
        ]
        return chain(nodes)

    return make


def _wide_wire(count: int) -> bytes:
    """A node of many inputs, all of them the same."""
    return wire_model(field(1, field(1, "x") * count + field(2, "y") + field(4, "Concat")))


def _empty_nodes() -> bytes:
    """10 MB of nodes that say nothing."""
    return wire_model(b"\x0a\x00" * 5_000_000)


def _rank(count: int) -> bytes:
    """An initializer and an input of so many dims."""
    dims = field(1, varint(1) * count)
    shape = field(2, (b"\x0a\x02\x08\x01") * count)
    declared = field(1, "x") + field(2, field(1, field(1, 1) + shape))
    relu = field(1, field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Add"))
    return wire_model(relu + field(5, dims + field(2, 1) + field(8, "w")) + field(11, declared))


def _causes() -> bytes:
    """Each node depends on one more unknown dim than the one before."""
    count = 3000
    inputs = [info(f"x{i}", [f"n{i}", 4]) for i in range(count)]
    nodes = [
        node("Concat", [f"v{i}" if i else "x0", f"x{i}"], [f"v{i + 1}"], axis=0)
        for i in range(count)
    ]
    return model(graph(nodes, inputs, [f"v{count}"]))


def _unknowns() -> bytes:
    """Operators that nobody knows, each one reading the last: a reason more at each."""
    count = 3000
    nodes = [
        node("Mystery", [f"v{i - 1}", "x"] if i else ["x"], [f"v{i}"], "d") for i in range(count)
    ]
    adds = [node("Add", [f"a{i - 1}" if i else "x", f"v{i}"], [f"a{i}"]) for i in range(count)]
    return model(graph([*nodes, *adds], [info("x", ["n", 4])], [f"a{count - 1}"]))


def _ladder() -> bytes:
    """2 ** 60 paths between the input and the output."""
    nodes = [node("Add", [f"v{i}" if i else "x"] * 2, [f"v{i + 1}"]) for i in range(60)]
    return model(graph(nodes, [info("x", [1, 3, 8, 8])], ["v60"]))


def _diamonds() -> Iterator[NodeProto]:
    """Branches that part and join, 60 times over."""
    for i in range(60):
        x = f"v{i}" if i else "x"
        yield node("Conv", [x, "w"], [f"a{i}"], pads=[1, 1, 1, 1])
        yield node("Conv", [x, "w"], [f"b{i}"], pads=[1, 1, 1, 1])
        yield node("Add", [f"a{i}", f"b{i}"], [f"v{i + 1}"])


def _outputs(count: int) -> bytes:
    """As many heads as there are nodes."""
    nodes = [node("Conv", ["x", "w"], [f"y{i}"], pads=[1, 1, 1, 1]) for i in range(count)]
    weight = untold("w", [4, 3, 3, 3])
    return chain(nodes, outputs=[f"y{i}" for i in range(count)], initializers=[weight])


def _bottlenecks(count: int) -> bytes:
    """A long chain of convolutions that every rule looks at."""
    names = [f"v{i}" for i in range(count + 1)]
    nodes = [node("Conv", [names[i], "w"], [names[i + 1]], pads=[2, 2, 2, 2]) for i in range(count)]
    weight = untold("w", [256, 256, 5, 5])
    return model(graph(nodes, [info("v0", [1, 256, 28, 28])], [names[-1]], [weight]))


def _fields() -> bytes:
    """An attribute of six million integers, each one a field of its own."""
    many = field(1, "a") + b"\x40\x01" * 6_000_000 + field(20, 7)
    return wire_model(field(1, field(1, "x") + field(2, "y") + field(4, "Relu") + field(5, many)))


def _metadata() -> bytes:
    """A million entries that nobody reads."""
    return chain([node("Relu")]) + field(14, field(1, "k") + field(2, "v")) * 1_000_000


SIZES: dict[str, Make] = {
    "concat-doubles-40-times": _doubling("Concat", 40, axis=0),
    "mul-tower": _doubling("Mul", 60),
    "pow-tower": _doubling("Pow", 12, start=(9, 9)),
    "add-tower": _doubling("Add", 4000),
    "sub-tower": _doubling("Sub", 4000),
    "div-tower": _doubling("Div", 60),
    "mod-tower": _doubling("Mod", 60, start=(0, 5)),
    "shift-tower": _doubling("BitShift", 60, direction="LEFT"),
    "gemm-tower": _doubling("MatMul", 60, start=[[9, 9], [9, 9]]),
    "outer-tower": _doubling("Einsum", 12, equation="i,j->ij"),
    "float-tower": _doubling("Mul", 60, start=(1e30, -1e30)),
    "million-to-the-million": _doubling("Pow", 2, start=(10**6, 10**6)),
    "dim-of-10-8-gathered": one("Gather", [10**8], constants=[[0]]),
    "dim-of-10-8-concatenated": one("Concat", [10**8], [10**8], axis=0),
    "dim-of-10-8-cast": one("Cast", [10**8], to=7),
    "range-of-10-8": one("Range", constants=[0, 10**8, 1]),
    "nodes-empty-10-mb": _empty_nodes,
    "rank-10-million": lambda: _rank(10_000_000),
    "rank-100-thousand-input": lambda: _rank(100_000),
    "inputs-100-thousand": lambda: _wide_wire(100_000),
    "causes-accumulate": _causes,
    "unknowns-accumulate": _unknowns,
    "paths-2-60": _ladder,
    "diamonds": lambda: chain(
        _diamonds(), initializers=[untold("w", [3, 3, 3, 3])], outputs=["v60"]
    ),
    "outputs-3000": lambda: _outputs(3000),
    "convolutions-1000": lambda: _bottlenecks(1000),
    "fields-6-million": _fields,
    "metadata-million": _metadata,
    "adds-of-one-value": _long("Add", 5000, "x"),
    "concats-of-one-value": _long("Concat", 1000, "x", axis=1),
    "symbols-grow": lambda: model(
        graph(
            [node("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=0) for i in range(400)],
            [info("v0", ["n"])],
            ["v400"],
        )
    ),
}
# Files of a size that real models have; they take seconds.
LARGE: dict[str, Make] = {
    "relus-40-thousand": _long("Relu", 40_000),
    "constants-20-thousand": lambda: chain(
        [node("Constant", [], [f"k{i}"], value_int=i) for i in range(20_000)] + [node("Relu")]
    ),
    "initializers-50-thousand": lambda: chain(
        [node("Relu")], initializers=[untold(f"w{i}", [1]) for i in range(50_000)]
    ),
}
