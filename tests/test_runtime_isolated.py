"""The forked copy: answers, deaths and limits; and onnx's inference of single nodes in it."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from archlint.analyzer.dims import Cause, SymbolicDim
from archlint.analyzer.graph import Value
from archlint.analyzer.runtime import isolated
from archlint.analyzer.runtime.isolated import Isolated, Refusal
from archlint.analyzer.shapes.fallback import infer_node, onnx_server

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

OPSETS = {"": 20, "ai.onnx.ml": 3}


def descriptors() -> set[str]:
    """The files that this process has open."""
    return set(os.listdir("/proc/self/fd")) if sys.platform == "linux" else set()


def fail(_: bytes) -> bytes:
    raise ValueError("what went wrong")


def spin(_: bytes) -> bytes:
    while True:
        pass


def hang(_: bytes) -> bytes:
    time.sleep(60)
    return b""


def allocate(size: bytes) -> bytes:
    return str(len(bytearray(int(size)))).encode()


def crash(request: bytes) -> bytes:
    """Dies, unless it is asked to answer."""
    return request if request == b"live" else ctypes.string_at(0)


def leave(_: bytes) -> bytes:
    os._exit(0)


DEATHS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "raises": (fail, "what went wrong"),
    "segfault": (crash, "its shape inference crashed (SIGSEGV)"),
    "abort": (lambda _: os.abort(), "its shape inference crashed (SIGABRT)"),
    "exit": (leave, "its shape inference crashed (exit code 0)"),
    "cpu": (spin, "its shape inference took more than 0.2 s"),
    "wall": (hang, "its shape inference took more than 0.2 s"),
}


@pytest.mark.parametrize("death", DEATHS)
def test_deaths(death: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is not answered says how its process died; nothing stays open."""
    monkeypatch.setattr(isolated, "CPU_SECONDS", 0.2)
    monkeypatch.setattr(isolated, "_WALL_SECONDS", 0.5 if death == "wall" else 20)
    function, why = DEATHS[death]
    before = descriptors()
    with Isolated(function) as server:
        assert server.ask(b"request") == Refusal(why)
    assert descriptors() == before


def test_it_lives_again() -> None:
    """A copy that crashed is replaced, until it has crashed too often."""
    with Isolated(crash) as server:
        answers = [server.ask(request) for request in (b"live", b"", b"live", b"", b"", b"live")]
    died = Refusal("its shape inference crashed (SIGSEGV)")
    given_up = Refusal("not tried, as 3 attempts crashed or took too long")
    assert answers == [b"live", died, b"live", died, died, given_up]


def test_long_messages() -> None:
    """Messages longer than any pipe holds go both ways."""
    message = bytes(range(256)) * 4096
    with Isolated(lambda request: request[::-1]) as server:
        assert server.ask(message) == message[::-1]
        assert server.ask(b"") == b""


def test_memory() -> None:
    """What the copy takes is limited, not what this process had already."""
    held = bytearray(1200 << 20)
    with Isolated(allocate) as server:
        assert server.ask(str(512 << 20).encode()) == str(512 << 20).encode()
        over = server.ask(str(2 << 30).encode())
    assert over == Refusal("its shape inference needs more than 1 GiB of memory")
    assert len(held) == 1200 << 20


def test_beside_threads() -> None:
    """A process whose threads hold locks can be copied: no lock of theirs is asked for."""
    lock, stop = threading.Lock(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            with lock:
                sys.stderr.flush()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            with Isolated(bytes.upper) as server:
                assert server.ask(b"text") == b"TEXT"
    finally:
        stop.set()


def one_node(node: NodeProto, *inputs: ValueInfoProto) -> bytes:
    """A model of one node."""
    model = ModelProto(ir_version=8)
    model.opset_import.extend(helper.make_opsetid(*entry) for entry in OPSETS.items())
    model.graph.node.append(node)
    model.graph.input.extend(inputs)
    model.graph.output.extend(ValueInfoProto(name=name) for name in node.output)
    return model.SerializeToString()


WHY = frozenset({Cause("because")})
BATCH = SymbolicDim("batch", frozenset({Cause("dim 'batch' is unbound")}))
RELU = helper.make_node("Relu", ["x"], ["y"])
X = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])
ENCODER: dict[str, Any] = {"domain": "ai.onnx.ml", "keys_int64s": [1], "values_int64s": [2]}
# onnx dies of the first on some releases, and of the second on all so far.
HAZARDS = {
    "EyeLike of nothing": one_node(helper.make_node("EyeLike", ["x"], ["y"])),
    "LabelEncoder of nothing": one_node(helper.make_node("LabelEncoder", ["x"], ["y"], **ENCODER)),
    "endless equation": one_node(helper.make_node("Einsum", ["x"], ["y"], equation="ij\n"), X),
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_hazards_of_onnx(hazard: str) -> None:
    """Models that make onnx crash or hang are refused, and the next one is answered."""
    with onnx_server() as server:
        assert isinstance(server.ask(HAZARDS[hazard]), (Refusal, bytes))
        assert infer_node(server, RELU, [Value("x", 1, (2, 3))], OPSETS, WHY) == [
            Value("y", 1, (2, 3))
        ]


def numbers(name: str, dtype: int, *elements: object) -> Value:
    """A vector of known elements."""
    return Value(name, dtype, (len(elements),), True, np.array(elements, dtype=object))


def fresh(label: str, *causes: Cause) -> SymbolicDim:
    """A dim that onnx leaves open."""
    return SymbolicDim(label, WHY.union(causes))


# A node, its inputs, and what onnx's documentation of the operator says of its outputs.
NODES: dict[str, tuple[NodeProto, list[Value | None], list[Value]]] = {
    "a symbolic dim stays": (RELU, [Value("x", 1, (BATCH, 3))], [Value("y", 1, (BATCH, 3))]),
    "no rank": (RELU, [Value("x", 1)], [Value("y", 1, None, causes=WHY)]),
    "no rank, said why": (
        RELU, [Value("x", 1, None, causes=BATCH.causes)],
        [Value("y", 1, None, causes=WHY | BATCH.causes)],
    ),
    "a data-dependent dim": (
        helper.make_node("NonZero", ["x"], ["y"]), [Value("x", 1, (BATCH, 3))],
        [Value("y", 7, (2, fresh("y[1]")))],
    ),
    "known elements": (
        helper.make_node("Resize", ["x", "", "", "n"], ["y"]),
        [Value("x", 1, (1, 3, 4, 4)), None, None, numbers("n", 7, 1, 3, 9, 8)],
        [Value("y", 1, (1, 3, 9, 8))],
    ),
    "symbolic elements": (
        helper.make_node("ConstantOfShape", ["n"], ["y"]), [numbers("n", 7, BATCH, 3)],
        [Value("y", 1, (fresh("y[0]"), fresh("y[1]")))],
    ),
    "an absent input, two outputs": (
        helper.make_node("LSTM", ["x", "w", "r", "", ""], ["", "h", "c"], hidden_size=3),
        [Value("x", 1, (9, BATCH, 5)), Value("w", 1, (1, 12, 5)), Value("r", 1, (1, 12, 3)), None,
         None],
        [Value("h", 1, (1, BATCH, 3)), Value("c", 1, (1, BATCH, 3))],
    ),
    "one value twice": (
        helper.make_node("MatMul", ["x", "x"], ["y"]), [Value("x", 1, (4, 4))] * 2,
        [Value("y", 1, (4, 4))],
    ),
    "ai.onnx by its name": (
        helper.make_node("Relu", ["x"], ["y"], domain="ai.onnx"), [Value("x", 1, (2, 3))],
        [Value("y", 1, (2, 3))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NODES)
def test_infer_node(name: str) -> None:
    """Outputs have the shapes that the standard gives them, and the causes of what is open."""
    node, inputs, expected = NODES[name]
    with onnx_server() as server:
        assert infer_node(server, node, inputs, OPSETS, WHY) == expected


UNKNOWN = "the installed onnx has none either"
REASONS: dict[str, tuple[NodeProto, list[Value | None], str]] = {
    "no such operator": (helper.make_node("Rollu", ["x"], ["y"]), [Value("x", 1, (2, 3))], UNKNOWN),
    "no such domain": (
        helper.make_node("Relu", ["x"], ["y"], domain="d"), [Value("x", 1, (2, 3))], UNKNOWN,
    ),
    "an operator of later sets": (
        helper.make_node("Attention", ["x", "x", "x"], ["y"]), [Value("x", 1, (2, 3))] * 3, UNKNOWN,
    ),
    "a sequence": (
        helper.make_node("SequenceLength", ["x"], ["y"]), [Value("x", element=Value("", 1))],
        "onnx's inference is asked about tensors only",
    ),
    "a result that is none": (
        helper.make_node("SequenceConstruct", ["x"], ["y"]), [Value("x", 1, (2, 3))],
        "its shape inference gives no shape ('y' is no tensor)",
    ),
    "a negative dim": (
        RELU, [Value("x", 1, (-5, 3))], "its shape inference gives no shape (a dim of -5)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_reasons(name: str) -> None:
    """What onnx cannot be asked, or does not know, has a reason."""
    node, inputs, reason = REASONS[name]
    with onnx_server() as server:
        assert infer_node(server, node, inputs, OPSETS, WHY) == reason


def test_contradictory_shapes() -> None:
    """What onnx raises is the reason, on one short line."""
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    with onnx_server() as server:
        reason = infer_node(
            server, node, [Value("x", 1, (2, 3)), Value("w", 1, (4, 5))], OPSETS, WHY
        )
    assert isinstance(reason, str)
    assert "Incompatible dimensions" in reason
    assert "\n" not in reason


def test_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot fork says so; nothing is tried in this process."""
    monkeypatch.delattr(os, "fork")
    with onnx_server() as server:
        reason = infer_node(server, RELU, [Value("x", 1, (2, 3))], OPSETS, WHY)
    assert reason == "this system cannot fork a process to try it in"
