"""Folding: known elements as onnx's reference computes them, unknown dims carried to the shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from archlint.analyzer.dims import SymbolicDim, causes_of
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text

# Constants and nodes that make y out of them.
ELEMENTS: dict[str, tuple[str, str]] = {
    "add": ("int64[3] a = {1,-2,3}, int64 b = {5}", "y = Add(a, b)"),
    "subtract": ("int64[3] a = {1,-2,3}, int64 b = {5}", "y = Sub(b, a)"),
    "multiply": ("int64[3] a = {1,-2,3}, int64[3] b = {4,5,-6}", "y = Mul(a, b)"),
    "divide-integers": ("int64[4] a = {7,-7,7,-7}, int64[4] b = {2,2,-2,-2}", "y = Div(a, b)"),
    "divide-floats": ("float[2] a = {7,-7}, float b = {2}", "y = Div(a, b)"),
    "power": ("int64[2] a = {2,-3}, int64 b = {3}", "y = Pow(a, b)"),
    "modulo": ("int64[4] a = {7,-7,7,-7}, int64[4] b = {3,3,-3,-3}", "y = Mod(a, b)"),
    "modulo-of-c": ("int64[4] a = {7,-7,7,-7}, int64[4] b = {3,3,-3,-3}", "y = Mod<fmod=1>(a, b)"),
    "modulo-of-floats": ("float[2] a = {5.5,-5.5}, float b = {2}", "y = Mod<fmod=1>(a, b)"),
    "minimum": ("int64[3] a = {1,-2,3}, int64 b = {2}", "y = Min(a, b)"),
    "maximum": ("int64[2] a = {1,9}, int64[2] b = {4,5}, int64 c = {6}", "y = Max(a, b, c)"),
    "compare": ("int64[3] a = {1,2,3}, int64 b = {2}",
                ("c = Less(a, b) d = GreaterOrEqual(a, b) e = And(c, d) f = Or(c, d) y = Concat"
                "<axis=0>(c, d, e, f)")),
    "equal": ("int64[3] a = {1,-1,3}, int64 b = {-1}", "y = Equal(a, b)"),
    "not": ("bool[2] a = {1,0}", "y = Not(a)"),
    "choose": ("bool[3] c = {1,0,1}, int64[3] a = {1,2,3}, int64 b = {9}", "y = Where(c, a, b)"),
    "round-half-to-even": ("float[5] a = {0.5,1.5,2.5,-0.5,-2.6}", "y = Round(a)"),
    "floor": ("float[3] a = {0.5,-0.5,2}", "y = Floor(a)"),
    "ceil": ("float[3] a = {0.5,-0.5,2}", "y = Ceil(a)"),
    "root": ("float[2] a = {2,9}", "y = Sqrt(a)"),
    "absolute": ("int64[2] a = {-2,9}", "b = Neg(a) y = Abs(b)"),
    "cast-truncates": ("float[4] a = {0.9,-0.9,2.5,-3}", "y = Cast<to=7>(a)"),
    "cast-to-bool": ("int64[3] a = {0,-1,5}", "y = Cast<to=9>(a)"),
    # 0.1 and 10.05 are not the same number in 32 bits
    "float32-rounds": ("float a = {10.05}, float b = {0.1}", "c = Mul(a, b) y = Cast<to=11>(c)"),
    "float16-rounds": ("float a = {10.05}, float b = {0.1}",
                       "c = Cast<to=10>(a) d = Cast<to=10>(b) e = Mul(c, d) y = Cast<to=11>(e)"),
    "gather": ("int64[4] a = {5,6,7,8}, int64[2] i = {-1,0}", "y = Gather(a, i)"),
    "gather-columns": ("int64[2,3] a = {1,2,3,4,5,6}, int64 i = {1}", "y = Gather<axis=1>(a, i)"),
    "slice": ("int64[5] a = {1,2,3,4,5}, int64[1] b = {-3}, int64[1] e = {9223372036854775807}",
              "y = Slice(a, b, e)"),
    "slice-backwards": (("int64[2,3] a = {1,2,3,4,5,6}, int64[1] b = {-1}, int64[1] e = {-9},"
                        " int64[1] x = {1}, int64[1] s = {-2}"), "y = Slice(a, b, e, x, s)"),
    "concat": ("int64[2] a = {1,2}, int64[1] b = {3}", "y = Concat<axis=0>(b, a)"),
    "concat-rows": ("int64[2,1] a = {1,2}, int64[2,2] b = {3,4,5,6}", "y = Concat<axis=-1>(b, a)"),
    "reshape": ("int64[4] a = {1,2,3,4}, int64[2] n = {2,-1}", "y = Reshape(a, n)"),
    "transpose": ("int64[2,3] a = {1,2,3,4,5,6}", "y = Transpose(a)"),
    "transpose-axes": ("int64[1,2,3] a = {1,2,3,4,5,6}", "y = Transpose<perm=[2,0,1]>(a)"),
    "squeeze": ("int64[1,3] a = {1,2,3}, int64[1] n = {1}", "b = Squeeze(a) y = Unsqueeze(b, n)"),
    "expand": ("int64[2,1] a = {1,2}, int64[2] n = {1,3}", "y = Expand(a, n)"),
    "tile": ("int64[2] a = {1,2}, int64[1] n = {3}", "y = Tile(a, n)"),
    "fill": ("int64[2] n = {2,3}", "y = ConstantOfShape<value=int64[1] {7}>(n)"),
    "fill-zeros": ("int64[1] n = {3}", "y = ConstantOfShape(n)"),
    "range": ("int64 a = {1}, int64 b = {10}, int64 c = {4}", "y = Range(a, b, c)"),
    "range-down": ("int64 a = {5}, int64 b = {0}, int64 c = {-2}", "y = Range(a, b, c)"),
    "range-empty": ("int64 a = {5}, int64 b = {0}, int64 c = {2}", "y = Range(a, b, c)"),
    "shape-part": ("float[2,3,5] a", "y = Shape<start=1, end=-1>(a)"),
    "size": ("float[2,3,5] a", "y = Size(a)"),
    "product": ("int64[3] a = {2,3,5}", "y = ReduceProd<keepdims=0>(a)"),
    "sum": ("int64[3] a = {2,3,5}", "y = ReduceSum(a)"),
    "largest": ("int64[3] a = {2,7,5}", "y = ReduceMax<keepdims=0>(a)"),
    "smallest": ("int64[3] a = {2,7,-5}", "y = ReduceMin(a)"),
    "product-of-floats": ("float[3] a = {2.5,3,0.1}", "y = ReduceProd<keepdims=0>(a)"),
    "sum-of-rows": ("int64[2,3] a = {2,3,5,7,11,13}, int64[1] n = {-1}",
                    "y = ReduceSum<keepdims=0>(a, n)"),
    "largest-of-columns": ("int64[2,3] a = {2,13,5,7,11,3}, int64[1] n = {0}",
                           "y = ReduceMax(a, n)"),
    "product-of-outer-axes": ("int64[2,2,2] a = {1,2,3,4,5,6,7,8}, int64[2] n = {2,0}",
                              "y = ReduceProd<keepdims=0>(a, n)"),
    "reduced-over-no-axes": ("int64[2] a = {2,3}, int64[0] n = {}",
                             "y = ReduceSum<noop_with_empty_axes=1>(a, n)"),
    "clip": ("int64[4] a = {-5,2,9,4}, int64 l = {0}, int64 u = {4}", "y = Clip(a, l, u)"),
    "clip-below": ("int64[3] a = {-5,2,9}, int64 l = {3}", "y = Clip(a, l)"),
    "relu": ("float[3] a = {-4,3,0}", "y = Relu(a)"),
    "reciprocal": ("float[2] a = {4,3}", "y = Reciprocal(a)"),
    "either": ("bool[4] a = {0,0,1,1}, bool[4] b = {0,1,0,1}", "y = Xor(a, b)"),
    "gather-elements": ("int64[2,3] a = {1,2,3,4,5,6}, int64[2,2] i = {2,-3,0,1}",
                        "y = GatherElements<axis=1>(a, i)"),
    "gather-tuples": ("int64[2,3] a = {1,2,3,4,5,6}, int64[2,2] i = {0,2,-1,1}",
                      "y = GatherND(a, i)"),
    "gather-tuples-of-rows": ("int64[2,3] a = {1,2,3,4,5,6}, int64[2,1,1] i = {1,0}",
                              "y = GatherND(a, i)"),
    "scatter-elements": (("int64[2,3] a = {1,2,3,4,5,6}, int64[1,2] i = {1,0},"
                         " int64[1,2] u = {8,9}"), "y = ScatterElements(a, i, u)"),
    "scatter-tuples": ("int64[4] a = {1,2,3,4}, int64[2,1] i = {3,1}, int64[2] u = {8,9}",
                       "y = ScatterND(a, i, u)"),
    "running-sum": ("int64[2,3] a = {1,2,3,4,5,6}, int64 n = {1}", "y = CumSum(a, n)"),
    "running-sum-of-others": ("int64[4] a = {1,2,3,4}, int64 n = {0}",
                              "y = CumSum<exclusive=1>(a, n)"),
    "running-sum-backwards": ("int64[4] a = {1,2,3,4}, int64 n = {0}",
                              "y = CumSum<reverse=1, exclusive=1>(a, n)"),
    "upper-triangle": ("int64[2,3] a = {1,2,3,4,5,6}, int64 k = {1}", "y = Trilu(a, k)"),
    "lower-triangle": ("int64[3,3] a = {1,2,3,4,5,6,7,8,9}", "y = Trilu<upper=0>(a)"),
    "range-of-floats": ("float a = {0}, float b = {1}, float c = {0.3}", "y = Range(a, b, c)"),
    "non-zero": ("int64[2,2] a = {1,0,3,4}", "y = NonZero(a)"),
}  # fmt: skip


def evaluated(model: ModelProto) -> NDArray[Any]:
    """The output of a model without inputs."""
    results = ReferenceEvaluator(model).run(["y"], {})
    return np.asarray(next(iter(results)))


@pytest.mark.parametrize("row", ELEMENTS)
def test_elements_are_those_of_the_reference(row: str) -> None:
    """Folded elements equal what onnx's reference evaluator computes."""
    constants, nodes = ELEMENTS[row]
    model = from_text(f"g () => (y) <{constants}> {{ {nodes} }}", opset=18)
    value = load(model).value("y")
    if "[2,3,5] a" in constants:  # declared without data, which the evaluator needs
        zeros = numpy_helper.from_array(np.zeros((2, 3, 5), np.float32), "a")
        model.proto.graph.initializer.append(zeros)
    expected = evaluated(model.proto)
    assert value.data is not None
    assert value.constant
    assert value.static_shape == expected.shape
    np.testing.assert_array_equal(value.data.astype(expected.dtype), expected)
    assert value.data.tolist() == expected.tolist()  # exact, before the data type hides it


SHAPE = "int64 i0 = {0}, int64 i1 = {1}, int64 i2 = {2}, int64[1] m = {-1}, int64[1] z = {0}, \
int64[1] o = {1}, int64[1] p = {2}, int64[1] q = {9223372036854775807}, int64[2] zz = {0,-1}, \
float hf = {0.5}, int64 c8 = {8}"
PARTS = "s = Shape(x) a = Gather(s, z) b = Gather(s, o) c = Gather(s, p)"

# Nodes, and the shape of y for an x of [3, t, 8].
SYMBOLIC: dict[str, tuple[str, Callable[[int], tuple[int, ...]]]] = {
    "flatten": ("y = Flatten(x)", lambda t: (3, t * 8)),
    "reshape-zero": ("y = Reshape(x, zz)", lambda t: (3, t * 8)),
    "reshape-cancels": ("n = Concat<axis=0>(b, m) y = Reshape(x, n)", lambda t: (t, 3 * 8)),
    "reshape-splits-heads": ("n = Concat<axis=0>(a, b, p, m) y = Reshape(x, n)",
                             lambda t: (3, t, 2, 8 // 2)),
    "reshape-product": ("n = Mul(a, b) k = Concat<axis=0>(n, c) y = Reshape(x, k)",
                        lambda t: (3 * t, 8)),
    "transpose": ("y = Transpose<perm=[1,2,0]>(x)", lambda t: (t, 8, 3)),
    "concat": ("y = Concat<axis=1>(x, x)", lambda t: (3, t + t, 8)),
    "slice-tail": ("y = Slice(x, o, q, o)", lambda t: (3, t - 1, 8)),
    "slice-head": ("y = Slice(x, z, m, o)", lambda t: (3, t - 1, 8)),
    "slice-to-length": ("k = Sub(b, o) w = ConstantOfShape(s) y = Slice(w, z, k, o)",
                        lambda t: (3, t - 1, 8)),
    "fill": ("y = ConstantOfShape(s)", lambda t: (3, t, 8)),
    "range": ("n = Squeeze(b) y = Range(i0, n, i1)", lambda t: (t,)),
    "range-from": ("n = Squeeze(b) k = Add(n, i2) y = Range(i2, k, i1)", lambda t: (t,)),
    "scores": ("w = Transpose<perm=[0,2,1]>(x) y = MatMul(x, w)", lambda t: (3, t, t)),
    "broadcast": ("k = Concat<axis=0>(o, b, o) w = ConstantOfShape(k) y = Add(x, w)",
                  lambda t: (3, t, 8)),
    # torch writes expand(-1, t, 4) with an Equal and a Where
    "expand-keeping": (("k = Concat<axis=0>(m, b, m) f = Equal(k, m) h = Shape(x)"
                       " n = Where(f, h, k) y = Expand(x, n)"), lambda t: (3, t, 8)),
    "floats-and-back": (("r = Cast<to=1>(c) n = Cast<to=7>(r) k = Concat<axis=0>(b, n)"
                        " y = ConstantOfShape(k)"), lambda t: (t, 8)),
    "pad": ("k = Concat<axis=0>(z, o, z, z, p, z) y = Pad(x, k)", lambda t: (3, t + 1 + 2, 8)),
    "window": ("y = MaxPool<kernel_shape=[3], strides=[2], pads=[1,1]>(x)",
               lambda t: (3, t, (8 + 2 - 3) // 2 + 1)),
    "strides": ("w = Transpose<perm=[0,2,1]>(x) y = MaxPool<kernel_shape=[3], strides=[2]>(w)",
                lambda t: (3, 8, (t - 3) // 2 + 1)),
    "half-up": (("f = Cast<to=1>(b) g = Mul(f, hf) k = Ceil(g) n = Cast<to=7>(k)"
                " y = ConstantOfShape(n)"), lambda t: (-(-t // 2),)),
    "at-least": ("n = Max(b, c) y = ConstantOfShape(n)", lambda t: (max(t, 8),)),
    "at-most": ("n = Clip(b, , c8) y = ConstantOfShape(n)", lambda t: (min(t, 8),)),
    "smallest": ("k = Concat<axis=0>(b, c) n = ReduceMin<keepdims=1>(k) y, i = TopK<axis=2>(x, n)",
                 lambda t: (3, t, min(t, 8))),
    "slice-by-half": ("n = Div(b, p) y = Slice(x, z, n, o)", lambda t: (3, t // 2, 8)),
    "one-hot": ("n = Squeeze(b) d = CastLike(zz, n) y = OneHot(d, n, zz)", lambda t: (2, t)),
    "tile": (("n = Concat<axis=0>(b, o) w = ConstantOfShape(n) k = Concat<axis=0>(p, b)"
             " y = Tile(w, k)"), lambda t: (t * 2, t)),
    "half": ("n = Div(b, p) k = Concat<axis=0>(n, c) y = ConstantOfShape(k)",
             lambda t: (t // 2, 8)),
}  # fmt: skip


@pytest.mark.parametrize("row", SYMBOLIC)
@pytest.mark.parametrize("bound", [6, 10])
def test_a_bound_dim_reaches_the_shape(row: str, bound: int) -> None:
    """With the dim bound the shape is the formula's."""
    nodes, expected = SYMBOLIC[row]
    model = from_text(f"g (float[3, t, 8] x) => (y) <{SHAPE}> {{ {PARTS} {nodes} }}", opset=18)
    graph = load(model, Bindings(dims={"t": bound}))
    assert graph.value("y").static_shape == expected(bound)


@pytest.mark.parametrize("row", SYMBOLIC)
def test_an_unbound_dim_stays_unknown_and_says_why(row: str) -> None:
    """Unbound, exactly the dims that depend on it are unknown, and name it with its remedy."""
    nodes, expected = SYMBOLIC[row]
    model = from_text(f"g (float[3, t, 8] x) => (y) <{SHAPE}> {{ {PARTS} {nodes} }}", opset=18)
    shape = load(model).value("y").shape
    assert shape is not None
    for dim, one, other in zip(shape, expected(6), expected(10), strict=True):
        if one == other:
            assert dim == one
        else:
            assert isinstance(dim, SymbolicDim)
            assert [(cause.why, cause.remedy) for cause in dim.causes] == [
                ("dim 't' is unbound", "--dim t=128")
            ]


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param("n = ReduceMax<keepdims=1>(d) y = ConstantOfShape(n)", id="from-data"),
        pytest.param("n = Div(d, z) y = ConstantOfShape(n)", id="from-data-by-zero"),
        pytest.param("n = Div(o, z) y = ConstantOfShape(n)", id="division-by-zero"),
        pytest.param("n = Sub(z, o) y = ConstantOfShape(n)", id="negative-dim"),
        pytest.param("n = Concat<axis=0>(z, m, m) y = Reshape(x, n)", id="two-left-over"),
        pytest.param("n = Concat<axis=0>(p, p) y = Reshape(x, n)", id="wrong-element-count"),
    ],
)
def test_what_cannot_be_told_has_a_reason(nodes: str) -> None:
    """A shape that follows from nothing known, or from nonsense, is unknown with a cause."""
    model = from_text(f"g (float[3, 4] x, int64[1] d) => (y) <{SHAPE}> {{ {nodes} }}", opset=18)
    value = load(model).value("y")
    assert value.static_shape is None
    assert value.causes or causes_of(value.shape or ())


# Nodes that read d, whose two elements only a run tells, and the known dims of y.
RANKS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "reshape": ("y = Reshape(x, d)", (None, None)),
    "expand": ("y = Expand(x, d)", (3, 4)),
    "fill": ("y = ConstantOfShape(d)", (None, None)),
    "tile": ("y = Tile(x, d)", (None, None)),
    "resize": ("y = Resize<axes=[0,1]>(x, , , d)", (None, None)),
    "resize-one-axis": ("u = Unsqueeze(x, zz) n = Gather(d, o) y = Resize<axes=[2]>(u, , , n)",
                        (1, 3, None, 1)),
    "slice": ("y = Slice(x, o, d0, o)", (3, None)),
    "pick": ("y, i = TopK(x, d0)", (3, None)),
    "pad": ("k = Concat<axis=0>(d, d) y = Pad(x, k)", (None, None)),
    "range": ("n = Squeeze(d0) y = Range(i0, n, i1)", (None,)),
    "one-hot": ("n = Squeeze(d0) y = OneHot(zz, n, zz)", (2, None)),
    "window": ("n = Squeeze(d0) y = HannWindow(n)", (None,)),
    "spectrum": ("n = Squeeze(d0) u = Unsqueeze(x, zz) y = DFT(u, n)", (1, 3, None, 2)),
}  # fmt: skip


@pytest.mark.parametrize("row", RANKS)
def test_unknown_elements_leave_the_rank_known(row: str) -> None:
    """What does not depend on the data is known; the rest says what it depends on."""
    nodes, expected = RANKS[row]
    text = f"g (float[3, 4] x, int64[2] d) => (y) <{SHAPE}> {{ d0 = Slice(d, z, o) {nodes} }}"
    shape = load(from_text(text, opset=20)).value("y").shape
    assert shape is not None
    assert tuple(dim if isinstance(dim, int) else None for dim in shape) == expected
    assert all(dim.causes for dim in shape if isinstance(dim, SymbolicDim))


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param("p = Pow(n, e)", id="power-of-a-power"),
        pytest.param(" ".join(f"p{i + 1} = Mul(p{i}, p{i})" for i in range(60)), id="squares"),
    ],
)
def test_numbers_do_not_grow_without_end(nodes: str) -> None:
    """What leaves int64 is unknown at once: nobody waits for a number of a billion digits."""
    graph = load(
        from_text(
            "agraph (float[1] x) => (float[1] y) "
            "<int64[1] n = {10}, int64[1] e = {1000000000}, int64[1] p0 = {10}> {"
            f"{nodes} y = Relu(x) }}"
        )
    )
    assert graph.value(graph.nodes[-2].outputs[0]).data is None
