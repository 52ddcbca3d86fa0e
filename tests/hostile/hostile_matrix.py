"""Every operator that is known, with inputs and attributes that none of them can take.

The operators are those of the installed onnx and those that archlint has a rule for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial
from typing import Any, Final

from onnx import (
    AttributeProto,
    NodeProto,
    SparseTensorProto,
    TensorProto,
    TypeProto,
    ValueInfoProto,
    defs,
    helper,
)  # fmt: skip

from archlint.analyzer.shapes.context import SHAPE_RULES
from hostile_build import LEAST, MOST, Make, attribute, graph, info, model, node, tensor

_NAN, _INF = float("nan"), float("inf")
_MICROSOFT: Final = "com.microsoft"
# Names of attributes that operators outside ONNX's own domains take.
_FOREIGN: Final = ("num_heads", "kv_num_heads", "K", "N", "bits", "block_size", "axis", "group")


@cache
def _operators() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Domain, name and names of attributes of each."""
    known = {(s.domain, s.name): tuple(sorted(s.attributes)) for s in defs.get_all_schemas()}
    for operator in SHAPE_RULES:
        domain, _, name = operator.rpartition(".")
        known.setdefault((domain, name), _FOREIGN)
    return tuple((domain, name, names) for (domain, name), names in sorted(known.items()))


def _wrong_attributes() -> dict[str, Any]:
    """One attribute of each type, and some that are of none, by what they are."""
    sparse = SparseTensorProto(values=tensor("v", [1.0]), indices=tensor("i", [0]), dims=[4])
    kind = TypeProto(tensor_type=TypeProto.Tensor(elem_type=1))
    lies = AttributeProto(name="a", type=AttributeProto.INTS, s=b"not integers", f=1.5)
    return {
        "float": _NAN,
        "int": -7,
        "string": b"\xff not \x00 text",
        "tensor": tensor("t", [[1, 2], [3, 4]]),
        "graph": graph([node("Relu", ["nowhere"], ["y"])]),
        "sparse": attribute("a", sparse),
        "type": attribute("a", kind),
        "floats": [_NAN, _INF, -1.5],
        "ints": [LEAST, MOST, 0, -1],
        "strings": ["NOTSET", "\x1b[31m"],
        "graphs": [graph([]), graph([])],
        "no-ints": [],
        "undefined": AttributeProto(name="a", i=3, s=b"x"),
        "contradictory": lies,
        "empty-tensor": TensorProto(),
        "many-ints": [1] * 500,
    }


# An integer for all attributes of a node at once; a list for those that take lists.
_NUMBERS: Final = {
    "zero": 0, "minus-one": -1, "most": MOST, "least": LEAST, "thousand": 1000, "2-31": 2**31,
}  # fmt: skip

_INPUTS: Final[dict[str, list[ValueInfoProto]]] = {
    "scalar": [info("x", [])],
    "empty": [info("x", [0, 0, 0, 0])],
    "most": [info("x", [MOST] * 4)],
    "million": [info("x", [10**6] * 4)],
    "symbolic": [info("x", ["n", "n", "m", "m"])],
    "rank-unknown": [info("x", None)],
    "rank-9": [info("x", [1, 2, 3, 4, 5, 6, 7, 8, 9])],
    "vector": [info("x", [7])],
    "matrix": [info("x", [8, 8])],
    "map": [ValueInfoProto(name="x", type=helper.make_map_type_proto(7, TypeProto()))],
    "nothing": [ValueInfoProto(name="x")],
}
_CONSTANTS: Final[dict[str, Any]] = {
    "zero": 0, "zeros": [0, 0, 0, 0], "ones": [1, 1, 1, 1], "minus-ones": [-1, -1, -1, -1],
    "most": [MOST] * 4, "least": [LEAST] * 4, "2-40": [2**40] * 4, "matrix": [[1, 2], [3, 4]],
    "none": [0] * 0, "nan": [_NAN] * 4, "infinite": [_INF, -_INF, 1e38, -1e38], "half": 0.5,
}  # fmt: skip


def _each(variant: Iterable[tuple[str, int]] = (("x", 3),), **common: Any) -> Iterator[NodeProto]:
    """A node of each operator; its inputs are the named values, so many times."""
    inputs = [name for name, count in variant for _ in range(count)]
    for place, (domain, name, _) in enumerate(_operators()):
        yield node(name, inputs, [f"y{place}", f"z{place}"], domain, **common)


def _whole(nodes: Iterable[NodeProto], inputs: list[ValueInfoProto], **known: Any) -> bytes:
    listed = list(nodes)
    constants = [tensor(name, numbers) for name, numbers in known.items()]
    domains = {domain: 4 for domain, _, _ in _operators()} | {"": 21}
    made = graph(listed, inputs, [o for n in listed[:9] for o in n.output], constants)
    return model(made, opsets=domains.items())


def _attributed(kind: str) -> bytes:
    """Every attribute of every operator holds the same wrong thing."""
    value = _wrong_attributes()[kind]
    nodes = [
        node(name, ["x", "x", "x"], [f"y{place}"], domain, **dict.fromkeys(names, value))
        for place, (domain, name, names) in enumerate(_operators())
        if names
    ]
    return _whole(nodes, [info("x", [2, 4, 8, 8])])


def _numbered(number: int) -> bytes:
    """Every attribute of every operator is the number, or a list of it where it takes lists."""
    nodes = []
    for place, schema in enumerate(defs.get_all_schemas()):
        lists = defs.OpSchema.AttrType.INTS
        given = {
            name: [number] * 4 if formal.type == lists else number
            for name, formal in schema.attributes.items()
            if formal.type in (lists, defs.OpSchema.AttrType.INT)
        }
        nodes.append(node(schema.name, ["x", "x", "x"], [f"y{place}"], schema.domain, **given))
    return _whole(nodes, [info("x", [2, 4, 8, 8])])


def _of_input(given: list[ValueInfoProto]) -> bytes:
    return _whole(_each(), given)


def _of_constant(numbers: Any) -> bytes:
    return _whole(_each([("k", 4)]), [], k=numbers)


def _by_constant(numbers: Any) -> bytes:
    return _whole(_each([("x", 1), ("k", 4)]), [info("x", [2, 4, 8, 8])], k=numbers)


def _many_outputs() -> bytes:
    nodes = [
        node(name, ["x"] * 2, [f"y{place}_{i}" for i in range(50)], domain)
        for place, (domain, name, _) in enumerate(_operators())
    ]
    return _whole(nodes, [info("x", [2, 4, 8, 8])])


def _no_outputs() -> bytes:
    nodes = [node(name, ["x"], [], domain) for domain, name, _ in _operators()]
    return _whole(nodes, [info("x", [2, 4])])


MATRIX: dict[str, Make] = {
    "all-without-inputs": lambda: _whole(_each([]), []),
    "all-with-empty-inputs": lambda: _whole(_each([("", 9)]), []),
    "all-with-20-inputs": lambda: _whole(_each([("x", 20)]), [info("x", [2, 4, 8, 8])]),
    "all-without-outputs": _no_outputs,
    "all-with-50-outputs": _many_outputs,
    **{f"all-with-attribute-{kind}": partial(_attributed, kind) for kind in _wrong_attributes()},
    **{f"all-with-number-{name}": partial(_numbered, n) for name, n in _NUMBERS.items()},
    **{f"all-of-input-{name}": partial(_of_input, given) for name, given in _INPUTS.items()},
    **{f"all-of-constant-{name}": partial(_of_constant, n) for name, n in _CONSTANTS.items()},
    **{f"all-by-constant-{name}": partial(_by_constant, n) for name, n in _CONSTANTS.items()},
}
