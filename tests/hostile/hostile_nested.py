"""Subgraphs and functions: nested too deep, calling themselves, capturing what is nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from onnx import FunctionProto, GraphProto, NodeProto

from hostile_build import (
    LEAST,
    MOST,
    OPSET,
    Make,
    attribute,
    field,
    graph,
    info,
    model,
    node,
    tensor,
    wire_model,
)  # fmt: skip

_WIDE = [1, 3, 8, 8]


def _nested(depth: int, operator: str = "If", name: str = "then_branch") -> Make:
    """A subgraph in a subgraph in …; encoded by hand, as protobuf refuses to write the deepest."""

    def make() -> bytes:
        inner = _wire_node("Conv", ["x", "x"], "v0")
        for level in range(1, depth + 1):
            body = inner + field(12, field(1, f"v{level - 1}"))
            branch = field(5, field(1, name) + field(6, body) + field(20, 5))
            inner = _wire_node(operator, ["x"], f"v{level}", branch)
        return wire_model(inner + field(11, field(1, "x")) + field(12, field(1, f"v{depth}")))

    return make


def _wire_node(operator: str, inputs: Sequence[str], output: str, rest: bytes = b"") -> bytes:
    names = b"".join(field(1, name) for name in inputs)
    return field(1, names + field(2, output) + field(4, operator) + rest)


def _loop(trips: object, body: GraphProto, x: Sequence[int | str] = (1, 3, 8, 8)) -> Make:
    """A Loop over a body that takes the trip, the condition and one state."""

    def make() -> bytes:
        loop = node("Loop", ["trips", "go", "x"], ["y"], body=body)
        known = [tensor("trips", trips), tensor("go", 1)]
        return model(graph([loop], [info("x", x)], initializers=known))

    return make


def _body(nodes: Iterable[NodeProto], outputs: Sequence[str] = ("go_in", "state")) -> GraphProto:
    given = [info("trip", [], 7), info("go_in", [], 9), info("state_in", None)]
    return graph(nodes, given, list(outputs))


def _growing() -> GraphProto:
    """The state doubles at each trip."""
    return _body([node("Concat", ["state_in", "state_in"], ["state"], axis=0)])


def _loops(depth: int) -> GraphProto:
    inner = _body([node("Relu", ["state_in"], ["state"])])
    for _ in range(depth):
        loop = node("Loop", ["trip", "go_in", "state_in"], ["state"], body=inner)
        inner = _body([loop])
    return inner


def _scan(inputs: Sequence[str], outputs: int, **attributes: Any) -> Make:
    body = graph([node("Add", ["a", "b"], ["c"])], [info("a", None), info("b", None)], ["c", "c"])
    made = [f"y{place}" for place in range(outputs)]
    scan = node("Scan", inputs, made, body=body, **attributes)
    return lambda: model(graph([scan], [info("x", [5, 7])], made))


def _if(*branches: tuple[str, GraphProto]) -> Make:
    """An If on a condition that is known."""
    given: dict[str, Any] = dict(branches)
    choice = node("If", ["go"], ["y"], **given)
    return lambda: model(graph([choice], [info("x", _WIDE)], initializers=[tensor("go", 1)]))


def _function(name: str, calls: Iterable[NodeProto], domain: str = "f") -> FunctionProto:
    made = FunctionProto(name=name, domain=domain, input=["x"], output=["y"], node=calls)
    made.opset_import.add(domain="", version=OPSET)
    made.opset_import.add(domain="f", version=1)
    return made


def _called(functions: Iterable[FunctionProto], first: str = "f0", domain: str = "f") -> bytes:
    call = node(first, domain=domain)
    opsets = (("", OPSET), ("f", 1))
    return model(graph([call], [info("x", _WIDE)]), opsets=opsets, functions=functions)


def _laughs(depth: int) -> bytes:
    """Every function calls the next one twice: 2 ** depth calls."""
    functions = [
        _function(
            f"f{i}", [node(f"f{i + 1}", ["x"], ["a"], "f"), node(f"f{i + 1}", ["a"], ["y"], "f")]
        )
        for i in range(depth)
    ]
    return _called([*functions, _function(f"f{depth}", [node("Relu")])])


def _calls(depth: int, last: str) -> bytes:
    """A chain of functions, the last one calling ``last``."""
    functions = [_function(f"f{i}", [node(f"f{i + 1}", domain="f")]) for i in range(depth)]
    return _called([*functions, _function(f"f{depth}", [node(last, domain="f")])])


def _relu(given: str, made: str = "y") -> GraphProto:
    return graph([node("Relu", [given], [made])], outputs=[made])


def _constant(made: str) -> GraphProto:
    return graph([node("Constant", [], [made], value_float=1.0)], outputs=[made])


def _unused_laughs() -> bytes:
    """As many calls through subgraphs of functions: each branch calls the next function."""
    functions = [
        _function(
            f"f{i}",
            [node("If", ["x"], ["y"], then_branch=_call(i + 1), else_branch=_call(i + 1))],
        )
        for i in range(40)
    ]
    return _called([*functions, _function("f40", [node("Relu")])])


def _call(index: int) -> GraphProto:
    return graph([node(f"f{index}", ["x"], ["z"], "f")], outputs=["z"])


def _wide_captures() -> bytes:
    """A nest of 15 subgraphs, each with 200 nodes that read outer values."""
    inner = _relu("x", "z0")
    for level in range(1, 16):
        nodes = [node("Add", ["x", f"v{i}"], [f"u{level}_{i}"]) for i in range(200)]
        branch: dict[str, Any] = {"then_branch": inner, "else_branch": _relu("x", f"z{level - 1}")}
        choice = node("If", ["x"], [f"z{level}"], **branch)
        inner = graph([*nodes, choice], outputs=[f"z{level}"])
    values = [node("Relu", ["x"], [f"v{i}"]) for i in range(200)]
    return model(graph([*values, *inner.node], [info("x", _WIDE)], ["z15"]))


NESTED: dict[str, Make] = {
    **{f"if-nested-{depth}": _nested(depth) for depth in (8, 31, 32, 33, 64, 99, 200, 5000)},
    "loop-nested-40-in-wire": _nested(40, "Loop", "body"),
    "scan-nested-24-in-wire": _nested(24, "Scan", "body"),
    "subgraph-of-no-control-flow": _nested(3, "Relu", "anything"),
    "if-with-one-branch": _if(("then_branch", _relu("x"))),
    "if-without-branches": _if(),
    "if-branches-differ": _if(
        ("then_branch", _relu("x")), ("else_branch", graph([node("Shape", ["x"], ["y"])]))
    ),
    "if-branch-without-outputs": _if(
        ("then_branch", graph([], outputs=[])), ("else_branch", graph([], outputs=["x", "x"]))
    ),
    "subgraph-captures-nothing": _if(("then_branch", _relu("nowhere")), ("else_branch", _relu(""))),
    "subgraph-shadows-outer-names": _if(
        ("then_branch", _constant("x")), ("else_branch", _relu("x", "go"))
    ),
    "subgraph-reads-its-own-result": _if(("then_branch", _relu("y")), ("else_branch", _relu("y"))),
    "subgraph-captures-many": _wide_captures,
    "loop-of-2-60-trips": _loop(2**60, _body([node("Relu", ["state_in"], ["state"])])),
    "loop-of-most-trips": _loop(MOST, _growing()),
    "loop-of-negative-trips": _loop(LEAST, _growing()),
    "loop-of-a-vector-of-trips": _loop([1, 2, 3], _growing()),
    "loop-of-nan-trips": _loop(float("nan"), _growing()),
    "loops-in-loops": _loop(10**6, _loops(8)),
    "loop-without-states": _loop(5, graph([], outputs=[])),
    "loop-with-too-many-results": _loop(5, _body([], ["go_in"] + ["state_in"] * 5000)),
    "scan-of-bad-counts": _scan(["x", "x"], 2, num_scan_inputs=-5),
    "scan-of-more-than-inputs": _scan(["x", "x"], 2, num_scan_inputs=MOST),
    "scan-of-none": _scan(["x", "x"], 2, num_scan_inputs=0),
    "scan-of-text": _scan(["x", "x"], 2, num_scan_inputs="one"),
    "scan-axes-out-of-range": _scan(
        ["x", "x"],
        2,
        num_scan_inputs=1,
        scan_input_axes=[99],
        scan_output_axes=[-99],
        scan_input_directions=[7, 7, 7],
    ),
    "scan-without-inputs": _scan([], 40, num_scan_inputs=1),
    "function-laughs": lambda: _laughs(40),
    "function-laughs-in-branches": _unused_laughs,
    "function-calls-itself": lambda: _called([_function("f0", [node("f0", domain="f")])]),
    "functions-call-each-other": lambda: _calls(3, "f0"),
    "function-chain": lambda: _calls(20_000, "Relu"),
    "function-shadows-an-operator": lambda: _called(
        [_function("Relu", [node("Relu")], ""), _function("Conv", [node("Relu")], "ai.onnx")],
        "Relu",
        "",
    ),
    "function-twice": lambda: _called(
        [_function("f0", [node("Relu")]), _function("f0", [node("f0", domain="f")])]
    ),
    "function-with-too-many-inputs": lambda: _called(
        [FunctionProto(name="f0", domain="f", input=["x", "x", "q"], output=["y", "z", "w"])]
    ),
    "function-refers-to-no-attribute": lambda: _called(
        [_function("f0", [node("Cast", to=attribute("to", _reference()))])]
    ),
    "reference-outside-a-function": lambda: model(
        graph([node("Cast", to=attribute("to", _reference()))], [info("x", _WIDE)])
    ),
}


def _reference() -> object:
    made = attribute("to", 1)
    made.ref_attr_name = "nowhere"
    return made
