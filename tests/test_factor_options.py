"""Which layers can be factorised, how that is called, and which ranks are worth a try."""

from __future__ import annotations

import pytest

from archlint.analyzer.factor.forms import Form
from archlint.analyzer.factor.proposals import factorised, options
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.reader.text import from_text


def the_layer(graph: Graph) -> Node:
    return next(node for node in graph.nodes if node.name == "layer")


def proposed(text: str, form: Form, ranks: tuple[int, ...]) -> Proposal | None:
    graph = load(from_text(text))
    return factorised(graph, the_layer(graph), form, ranks)


CONV = """agraph (float[1,64,28,28] x) => (float[1,96,28,28] y) <float[96,64,3,3] w, float[96] b> {
    [layer] y = Conv <pads = [1,1,1,1]> (x, w, b)
}"""
GEMM = """agraph (float[1,1024] x) => (float[1,2048] y) <float[2048,1024] w> {
    [layer] y = Gemm <transB = 1> (x, w)
}"""


@pytest.mark.parametrize(
    ("text", "form", "ranks", "title"),
    [
        (CONV, Form.INPUT, (48,), "a rank-48 factorisation: 1×1 to 48 channels, then 3×3"),
        (CONV, Form.OUTPUT, (48,), "a rank-48 factorisation: 3×3 to 48 channels, then 1×1"),
        (CONV, Form.SPATIAL, (80,), "a rank-80 factorisation: 3×1 to 80 channels, then 1×3"),
        (CONV, Form.TUCKER, (32, 48),
         "a rank-(32, 48) factorisation: 1×1 to 32 channels, 3×3 to 48, then 1×1"),
        (GEMM, Form.MATRIX, (256,), "a rank-256 factorisation: 1,024→256, then 256→2,048"),
    ],
)  # fmt: skip
def test_titles(text: str, form: Form, ranks: tuple[int, ...], title: str) -> None:
    """Each says the layers in their order."""
    proposal = proposed(text, form, ranks)
    assert proposal is not None
    assert (proposal.title, proposal.kind) == (title, FixKind.APPROXIMATE)


@pytest.mark.parametrize(
    ("text", "form", "ranks"),
    [
        pytest.param(CONV, Form.INPUT, (65,), id="above-full-rank"),
        pytest.param(CONV, Form.INPUT, (0,), id="no-rank"),
        pytest.param(CONV, Form.TUCKER, (32,), id="one-rank-for-two"),
        pytest.param(CONV, Form.MATRIX, (32,), id="a-product's-form"),
        pytest.param(GEMM, Form.INPUT, (32,), id="a-convolution's-form"),
        pytest.param(CONV.replace("pads", "group = 2, pads").replace("64,3,3]", "32,3,3]"),
                     Form.INPUT, (16,), id="groups"),
        pytest.param(GEMM.replace("transB", "transA = 1, transB"), Form.MATRIX, (32,),
                     id="transposed-data"),
        pytest.param(GEMM.replace("Gemm <transB = 1>", "Sub"), Form.MATRIX, (32,), id="Sub"),
        pytest.param(
            """agraph (float[1,64,28,28] x, float[96] b) => (float[1,96,26,26] y)
            <float[96,64,3,3] w> { [layer] y = Conv (x, w, b) }""",
            Form.INPUT, (32,), id="a-bias-that-is-fed",
        ),
        pytest.param(
            """agraph (float[1,64,28,28] x) => (float[1,96,26,26] y)
            <int8[96,64,3,3] q, float s> {
                w = DequantizeLinear (q, s)
                [layer] y = Conv (x, w)
            }""",
            Form.INPUT, (32,), id="quantised",
        ),
        pytest.param(
            """agraph (int32[4,64] x) => (int32[4,96] y) <int32[64,96] w> {
                [layer] y = MatMul (x, w)
            }""",
            Form.MATRIX, (32,), id="integers",
        ),
    ],
)  # fmt: skip
def test_what_is_not_factorised(text: str, form: Form, ranks: tuple[int, ...]) -> None:
    """There is no proposal."""
    assert proposed(text, form, ranks) is None


def ranks_of(text: str) -> dict[Form, list[tuple[int, ...]]]:
    graph = load(from_text(text))
    found: dict[Form, list[tuple[int, ...]]] = {}
    for form, ranks in options(graph, the_layer(graph)):
        found.setdefault(form, []).append(ranks)
    return found


def test_the_options_of_a_convolution() -> None:
    """3×3 64→96 at stride 1: 576·96 MACs a pixel. The 1×1 first saves below 576·96 / (64 + 864) =
    59.6, last below 576·96 / (576 + 96) = 82.3; 3×1 and 1×3 below 576·96 / (192 + 288) = 115.2."""
    found = ranks_of(CONV)
    assert found[Form.INPUT] == [(16,), (32,), (48,)]
    assert found[Form.OUTPUT] == [(16,), (32,), (48,), (64,), (80,)]
    assert found[Form.SPATIAL] == [(16 * n,) for n in range(1, 8)]
    assert found[Form.TUCKER] == [(16, 32), (32, 48), (48, 80)]


def test_options_of_other_layers() -> None:
    """On a grid of 8 where they are narrow; one form for 1×1, the one that strides first."""
    pointwise = """agraph (float[1,48,28,28] x) => (y) <float[96,48,1,1] w> {{
        [layer] y = Conv <strides = [{0},{0}]> (x, w)
    }}"""
    assert ranks_of(pointwise.format(1)) == {Form.INPUT: [(8,), (16,), (24,)]}  # 48·96/144 = 32
    assert ranks_of(pointwise.format(2)) == {Form.OUTPUT: [(8,), (16,), (24,)]}
    assert ranks_of(GEMM) == {Form.MATRIX: [(16 * n,) for n in range(1, 43)]}  # 2048/3 = 682.7


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            CONV.replace("pads", "group = 2, pads").replace("64,3,3]", "32,3,3]"), id="groups"
        ),
        pytest.param(GEMM.replace("transB", "transA = 1, transB"), id="transposed-data"),
        pytest.param("agraph (float[1,8] x) => (y) { [layer] y = Relu (x) }", id="Relu"),
        pytest.param(
            "agraph (float[1,8] x) => (y) <float[8,8] w> { [layer] y = MatMul (x, w) }",
            id="one-step-of-the-grid",
        ),
    ],
)
def test_no_options(text: str) -> None:
    """For what is no layer that is factorised, and for what is narrow."""
    assert not ranks_of(text)
