"""The multiply-accumulates of kernels that ran, from their shapes and the operators' definitions.

Independent of archlint's formulas: it sees what onnxruntime's profiler wrote, and nothing inferred.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from onnx import helper

from archlint.analyzer.cost import count
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime import execute as execution
from archlint.analyzer.runtime.child import Done, Failure, Kind, Outcome
from archlint.analyzer.runtime.execute import Execution, Kernel, execute
from archlint.analyzer.runtime.limits import Limits

Shape = tuple[int, ...]


class Run:
    """A kernel with its inputs at their places, and the attributes of its node."""

    def __init__(self, kernel: Kernel) -> None:
        node = kernel.node
        names = node.input if node is not None else [str(n) for n in range(len(kernel.inputs))]
        present = [place for place, name in enumerate(names) if name]
        self.inputs = dict(zip(present, kernel.inputs, strict=True))
        self.outputs = kernel.outputs
        self.attributes: dict[str, Any] = {}
        if node is not None:
            self.attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}

    def out(self) -> int:
        """Elements of the first output."""
        return prod(self.outputs[0])


def convolution(weight: int) -> Callable[[Run], int]:
    """Every output element is a sum over one filter [M, C/group, k…]."""
    return lambda run: run.out() * prod(run.inputs[weight][1:])


def transposed(run: Run) -> int:
    """Every input element is multiplied with a filter of W [C, M/group, k…]."""
    return prod(run.inputs[0]) * prod(run.inputs[1][1:])


def product(run: Run) -> int:
    """Every output element is a sum over the last dim of A."""
    return run.out() * run.inputs[0][-1]


def fused_product(run: Run) -> int:
    """As a matrix product, A perhaps transposed."""
    a = run.inputs[0]
    return run.out() * (a[-2] if run.attributes.get("transA") else a[-1])


def gemm(run: Run) -> int:
    """A' [M, K] holds K elements for every row of the output."""
    return run.out() * (prod(run.inputs[0]) // run.outputs[0][0])


def einsum(run: Run) -> int:
    """One multiplication for each combination of all labels, two operands at a time."""
    left, _, right = run.attributes["equation"].decode().replace(" ", "").partition("->")
    terms = left.split(",")
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, run.inputs.values(), strict=True):
        assert "..." not in term
        sizes.update((label, dim) for label, dim in zip(term, shape, strict=True) if dim != 1)
    macs, have = 0, set(terms[0])
    for place, term in enumerate(terms[1:], start=2):
        joint = have | set(term)
        macs += prod(sizes.get(label, 1) for label in joint)
        have = joint & set("".join(terms[place:]) + right)
    return macs


def recurrent(run: Run) -> int:
    """Each step of each sequence in X [T, N, I] multiplies with all of W and of R."""
    return prod(run.inputs[0][:2]) * (prod(run.inputs[1]) + prod(run.inputs[2]))


def attention(run: Run) -> int:
    """Q·Kᵀ and the weighted sum of V, over past keys too."""
    q, k, v = (run.inputs[place] for place in range(3))
    if len(q) == 3:
        heads, shared = run.attributes["q_num_heads"], run.attributes["kv_num_heads"]
        q = (q[0], heads, q[1], q[2] // heads)
        k, v = ((x[0], shared, x[1], x[2] // shared) for x in (k, v))
    keys = k[2] + (run.inputs[4][2] if 4 in run.inputs else 0)
    return prod(q[:3]) * keys * (q[3] + v[3])


def projected_attention(run: Run) -> int:
    """com.microsoft's Attention: X [N, S, I] times W [I, 3·H], then attention over S of width H."""
    (batch, length, _), (width, columns) = run.inputs[0], run.inputs[1]
    return batch * length * (width * columns + 2 * length * columns // 3)


def multi_head(run: Run) -> int:
    """com.microsoft's MultiHeadAttention of projected q [N, L, H], k [N, S, H] and v [N, S, V]."""
    (batch, length, width), keys, values = (run.inputs[place] for place in range(3))
    return batch * length * keys[1] * (width + values[2])


def packed(run: Run) -> int:
    """MatMulNBits: every row of A with N columns of K numbers, whatever their packing."""
    return prod(run.inputs[0]) * int(run.attributes["N"])


KERNELS: Mapping[str, Callable[[Run], int]] = {
    "Conv": convolution(1), "ConvInteger": convolution(1), "QLinearConv": convolution(3),
    "DeformConv": convolution(1), "FusedConv": convolution(1), "ConvTranspose": transposed,
    "MatMul": product, "MatMulInteger": product, "QLinearMatMul": product, "Gemm": gemm,
    "DynamicQuantizeMatMul": product, "MatMulIntegerToFloat": product, "MatMulNBits": packed,
    "FusedMatMul": fused_product, "FusedGemm": gemm, "QGemm": gemm, "Einsum": einsum,
    "LSTM": recurrent, "GRU": recurrent, "RNN": recurrent, "DynamicQuantizeLSTM": recurrent,
    "Attention": attention, "com.microsoft.Attention": projected_attention,
    "QAttention": projected_attention, "MultiHeadAttention": multi_head,
}  # fmt: skip


def macs_of(kernel: Kernel) -> int:
    """Multiply-accumulates of one run of a kernel; none of an operator that has none."""
    domain = kernel.node.domain if kernel.node is not None else ""
    formula = KERNELS.get(f"{domain}.{kernel.op_type}") or KERNELS.get(kernel.op_type)
    return formula(Run(kernel)) if formula is not None else 0


FEW = 20  # values, below which a model is none to take shares of


def run_here(
    job: Callable[..., Any], arguments: Mapping[str, Any], files: Mapping[str, bytes], _: Limits
) -> Outcome:
    """In place of a child process, for models that can be trusted: forty times as fast."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, content in files.items():
            Path(name).write_bytes(content)
        try:
            return Done(job(**arguments))
        except Exception as error:  # noqa: BLE001 - as the child answers
            return Failure(Kind.ERROR, str(error))


def executed(model: Model, bindings: Bindings | None = None) -> tuple[Graph, Execution]:
    """The graph of a model, and what occurs when this process runs it."""
    graph = load(model, bindings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "run_job", run_here)
        return graph, execute(model, graph)


def check(model: Model, bindings: Bindings | None = None) -> int:
    """The multiply-accumulates of a run, which are those that archlint counts; no shape that it
    tells is another one in the run, and of a whole model it tells at least 97 %."""
    graph, execution = executed(model, bindings)
    wrong = {
        name: (value.static_shape, execution.shapes[name])
        for name, value in graph.values.items()
        if value.static_shape is not None and name in execution.shapes
        if value.static_shape != execution.shapes[name]
    }
    assert not wrong, f"inferred and real shapes: {wrong}"
    told = [graph.value(name).static_shape is not None for name in execution.shapes]
    assert len(told) < FEW or sum(told) >= 0.97 * len(told), "too few shapes are known"
    table = count(graph)
    counted, ran = table.total().macs, sum(map(macs_of, execution.kernels))
    causes = sorted({str(cause) for _, why in table.unknown for cause in why})
    assert counted == ran, f"{counted:,} counted, {ran:,} ran; uncosted: {causes}"
    return ran


def models_folder() -> Path | None:
    """Where the packages that carry real models are installed: ARCHLINT_MODELS."""
    folder = os.environ.get("ARCHLINT_MODELS", "")
    return Path(folder) if folder else None
