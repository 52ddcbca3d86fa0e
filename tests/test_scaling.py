"""Growth with dims: the polynomials are those that a person derives by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import onnx
import pytest
from jsonschema import Draft202012Validator

from archlint.analyzer.choices import By, SortKey
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.polynomial import Interpolation, Polynomial, degree
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report.scaling import Scaled, render, rows, written
from archlint.analyzer.text import Paint
from archlint.scaling import scale_model
from command_line import Run

LINEAR = """agraph (float[1,seq,64] x) => (y) <float[64,32] w> {
    [dense] a = MatMul (x, w)
    [act] y = Relu (a)
}"""
ATTENTION = """agraph (float[batch,seq,64] x) => (y) {
    t = Transpose <perm = [0,2,1]> (x)
    s = MatMul (x, t)
    p = Softmax (s)
    y = MatMul (p, x)
}"""
SAME = "agraph (float[1,3,h,w] x) => (y) <float[8,3,3,3] k> { y = Conv <pads = [1,1,1,1]> (x, k) }"
VALID = "agraph (float[1,3,h,w] x) => (y) <float[8,3,3,3] k> { y = Conv (x, k) }"
# Halves h and w twice: ceil(h/2), then ceil of that /2.
STRIDED = """agraph (float[1,3,h,w] x) => (y) <float[8,3,3,3] a, float[16,8,3,3] b> {
    c = Conv <pads = [1,1,1,1], strides = [2,2]> (x, a)
    y = Conv <pads = [1,1,1,1], strides = [2,2]> (c, b)
}"""
# As a vision transformer: floor((h - 14)/14) + 1 patches a side.
PATCHES = """agraph (float[1,3,h,224] x) => (y) <float[8,3,14,14] k> {
    y = Conv <strides = [14,14]> (x, k)
}"""
CUBE = "agraph (float[1,n,n] x) => (y) { y = MatMul (x, x) }"
# Rows of a table of 40: a longer sequence has none.
TABLE = """agraph (float[1,seq,8] x) => (y)
<float[1,40,8] table, int64[1] zero = {0}, int64[1] one = {1}> {
    n = Shape <start = 1, end = 2> (x)
    p = Slice (table, zero, n, one)
    [position] y = Add (x, p)
}"""
# Every 11th element: no step that is tried is a multiple of 11.
ELEVENTH = """agraph (float[1,3,h] x) => (y) <float[8,3,11] k> {
    [eleventh] c = Conv <strides = [11]> (x, k)
    y = GlobalAveragePool (c)
}"""
FIXED = """agraph (float[1,seq,8] x) => (y) <int64[2] s = {128, 8}, float[8,4] w> {
    r = Reshape (x, s)
    y = MatMul (r, w)
}"""
ODD = """<ir_version: 9, opset_import: ["" : 21, "odd" : 1]>
agraph (float[1,seq,64] x) => (y, z) <float[64,32] w> {
    [dense] y = MatMul (x, w)
    [odd] z = odd.Mystery (x)
}"""


def grow(text: str, *names: str, bindings: Bindings | None = None) -> Scaled:
    """The growth of the model of a text."""
    return scale_model(from_text(text), names, bindings or Bindings())


def terms(found: Polynomial | None) -> Mapping[tuple[int, ...], Fraction]:
    """Coefficients by exponents."""
    assert found is not None
    return dict(found.terms)


@pytest.mark.parametrize(
    ("text", "names", "quantity", "expected"),
    [
        pytest.param(LINEAR, ["seq"], "macs", {(1,): 64 * 32}, id="linear"),
        pytest.param(LINEAR, ["seq"], "ops", {(1,): 32}, id="an-operation-an-element"),
        pytest.param(LINEAR, ["seq"], "bytes_read", {(1,): 4 * (64 + 32)}, id="read"),
        pytest.param(LINEAR, ["seq"], "bytes_written", {(1,): 4 * (32 + 32)}, id="written"),
        pytest.param(LINEAR, ["seq"], "weight_bytes", {(0,): 4 * 64 * 32}, id="constant"),
        pytest.param(ATTENTION, ["seq"], "macs", {(2,): 2 * 64}, id="quadratic"),
        pytest.param(ATTENTION, ["seq"], "ops", {(2,): 5}, id="softmax"),
        pytest.param(ATTENTION, ["batch", "seq"], "macs", {(1, 2): 2 * 64}, id="two-dims"),
        pytest.param(ATTENTION, ["seq", "batch"], "macs", {(2, 1): 2 * 64}, id="in-another-order"),
        # x is read four times, of seq x seq the scores once and the probabilities once.
        pytest.param(ATTENTION, ["batch", "seq"], "bytes_read",
                     {(1, 1): 4 * 64 * 4, (1, 2): 4 * 2}, id="two-terms"),
        pytest.param(SAME, ["h", "w"], "macs", {(1, 1): 8 * 27}, id="same-padding"),
        pytest.param(SAME, ["h"], "macs", {(1,): 8 * 27 * 20}, id="the-other-one-bound"),
        # (h - 2)·(w - 2) windows of 8·27
        pytest.param(VALID, ["h", "w"], "macs",
                     {(0, 0): 216 * 4, (1, 0): -216 * 2, (0, 1): -216 * 2, (1, 1): 216},
                     id="no-padding"),
        pytest.param(CUBE, ["n"], "macs", {(3,): 1}, id="cubic"),
    ],
)  # fmt: skip
def test_polynomials_hold_for_every_size(
    text: str, names: Sequence[str], quantity: str, expected: dict[tuple[int, ...], int]
) -> None:
    """Exact, and of no higher degree than they are."""
    others = {"w": 20} if names == ["h"] else {}
    found = grow(text, *names, bindings=Bindings(dims=others)).scaling
    assert terms(found.total()[quantity]) == expected
    assert set(found.steps) == {1}
    assert found.gaps == (0, 0)


@pytest.mark.parametrize(
    ("text", "names", "steps", "expected"),
    [
        # 8*27 * h/2 * w/2 + 16*72 * h/4 * w/4
        pytest.param(STRIDED, ["h", "w"], (4, 4),
                     {(1, 1): Fraction(8 * 27, 4) + Fraction(16 * 72, 16)}, id="strides"),
        # 8 * 3*14*14 * h/14 * 224/14
        pytest.param(PATCHES, ["h"], (14,), {(1,): Fraction(8 * 3 * 14 * 14 * 16, 14)},
                     id="patches"),
    ],
)  # fmt: skip
def test_rounding_leaves_the_multiples_of_a_step(
    text: str, names: Sequence[str], steps: tuple[int, ...], expected: dict[tuple[int, ...], int]
) -> None:
    """The smallest step for which it holds, with fractions as coefficients."""
    found = grow(text, *names).scaling
    assert found.steps == steps
    assert terms(found.total()["macs"]) == expected


def test_points_beside_the_fit_confirm_it() -> None:
    """More sizes than coefficients, each predicted to the last digit."""
    found = grow(LINEAR, "seq").scaling
    macs = found.total()["macs"]
    assert macs is not None
    assert len(found.samples) >= len(macs.terms) + 2
    assert len({sample.sizes for sample in found.samples}) == len(found.samples)
    for sample in found.samples:
        assert sample.macs == macs(sample.sizes) == sample.sizes[0] * 64 * 32


def test_a_table_limits_the_sizes() -> None:
    """Sizes that break the model take no part, and one of them is told with the reason."""
    scaled = grow(TABLE, "seq")
    assert terms(scaled.scaling.total()["ops"]) == {(1,): 8}
    assert max(sample.sizes[0] for sample in scaled.scaling.samples) <= 40
    assert scaled.scaling.limit is not None
    text = render(scaled, rows(scaled, By.NODE, SortKey.GRAPH), By.NODE, Paint(), None)
    assert f"does not hold at seq = {scaled.scaling.limit.sizes[0]:,}: Add node 'position'" in text
    assert "unknown" not in text


def test_what_follows_no_polynomial_says_so() -> None:
    """With numbers that were counted, and what does follow one beside it."""
    scaled = grow(ELEVENTH, "h")
    total = scaled.scaling.total()
    assert total["macs"] is None
    assert terms(total["weight_bytes"]) == {(0,): 4 * 8 * 3 * 11}
    assert scaled.scaling.irregular[0].label == "eleventh"
    text = render(scaled, rows(scaled, By.NODE, SortKey.GRAPH), By.NODE, Paint(), None)
    assert "no polynomial" in text
    assert "2 rows without a polynomial, first 'eleventh'" in text
    for sample in scaled.scaling.samples:
        assert sample.macs == 8 * 3 * 11 * (sample.sizes[0] // 11)


def test_a_single_size_gives_no_polynomial() -> None:
    """Where a shape is fixed inside, all other sizes contradict it."""
    scaled = grow(FIXED, "seq")
    assert not scaled.scaling.complete
    assert scaled.scaling.total()["macs"] is None
    text = render(scaled, rows(scaled, By.OP, SortKey.GRAPH), By.OP, Paint(), None)
    assert f"too few sizes can be counted alike to find a polynomial: {128 * 8 * 4:,} MACs" in text


def test_unknown_costs_make_it_a_lower_bound() -> None:
    """They are named as elsewhere, and in no polynomial."""
    scaled = grow(ODD, "seq")
    assert terms(scaled.scaling.total()["macs"]) == {(1,): 64 * 32}
    text = render(scaled, rows(scaled, By.NODE, SortKey.GRAPH), By.NODE, Paint(), None)
    assert "at least 2.048 k·seq\n" in text
    assert "the cost of 1 of 2 nodes is unknown and in no total:" in text
    assert ["odd", "odd.Mystery", "unknown", "unknown"] in [
        line.split() for line in text.split("\n")
    ]


def test_a_dim_without_a_name_varies_in_a_given_shape() -> None:
    """Its label is that of the input with the axis; a named one may stand in the shape too."""
    text = "agraph (float[?,seq,64] x) => (y) <float[64,32] w> { y = MatMul (x, w) }"
    bindings = Bindings(shapes={"x": (2, 7, 64)})
    assert terms(grow(text, "x[0]", bindings=bindings).scaling.total()["macs"]) == {
        (1,): 7 * 64 * 32
    }
    both = grow(text, "x[0]", "seq", bindings=bindings).scaling
    assert terms(both.total()["macs"]) == {(1, 1): 64 * 32}


def test_rows_are_sums() -> None:
    """By operator the terms of all its nodes; the dearest first, cut to the top."""
    scaled = grow(ATTENTION, "seq")
    grouped = {group.name: growth for group, growth in rows(scaled, By.OP, SortKey.GRAPH)}
    assert list(grouped) == ["Transpose", "MatMul", "Softmax"]
    assert terms(grouped["MatMul"]["macs"]) == {(2,): 2 * 64}
    assert terms(grouped["Softmax"]["ops"]) == {(2,): 5}
    ((first, growth),) = rows(scaled, By.NODE, SortKey.MACS, top=1)
    assert first.name == "s"
    assert terms(growth["macs"]) == {(2,): 64}


@pytest.mark.parametrize("width", [40, 80])
def test_lines_fit_the_terminal(width: int) -> None:
    """Columns go, then names are cut; the growth of the totals is wrapped."""
    scaled = grow(LINEAR, "seq")
    text = render(scaled, rows(scaled, By.NODE, SortKey.GRAPH), By.NODE, Paint(), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "2.048 k·seq" in text


@pytest.mark.parametrize(
    ("factors", "unit", "text"),
    [
        pytest.param({(1, 0): 85_054_464, (2, 0): 18_432}, "", "85.05 M·a + 18.43 k·a²", id="sum"),
        pytest.param({(0, 0): 864, (1, 1): -432}, "", "864 − 432·a·'b c'", id="difference"),
        pytest.param({(1, 0): -2}, "", "-2·a", id="negative-first"),
        pytest.param({(3, 0): 1}, "", "a³", id="one"),
        pytest.param({(0, 0): 1}, "", "1", id="constant-one"),
        pytest.param({(1, 0): 1}, "B", "1 B·a", id="bytes"),
        pytest.param({(1, 0): Fraction(1, 3)}, "", "0.3333·a", id="fraction"),
        pytest.param({(0, 0): Fraction(10**400, 3)}, "", "3.333e+399", id="huge"),
        pytest.param({}, "", "0", id="nothing"),
        pytest.param({}, "B", "0 B", id="no-bytes"),
    ],
)  # fmt: skip
def test_how_a_polynomial_is_written(
    factors: dict[tuple[int, int], int | Fraction], unit: str, text: str
) -> None:
    """Four digits with a prefix, by total degree; a name that is no word is quoted."""
    found = Polynomial(tuple((powers, Fraction(factor)) for powers, factor in factors.items()))
    assert written(found, ("a", "b c"), unit) == text


@pytest.mark.parametrize(
    ("places", "values", "expected"),
    [
        pytest.param([2, 5, 9], [7, 7, 7], 0, id="constant"),
        pytest.param([2, 5, 9], [0, 0, 0], 0, id="zero"),
        pytest.param([2, 5, 9], [4, 10, 18], 1, id="linear"),
        pytest.param([2, 5, 9], [4, 25, 81], None, id="quadratic-unconfirmed"),
        pytest.param([2, 5, 9, 1], [4, 25, 81, 1], 2, id="quadratic"),
        pytest.param([2, 5, 9, 1], [8, 125, 729, 1], None, id="cubic-unconfirmed"),
        pytest.param([24, 35, 46], [24 // 2, 35 // 2, 46 // 2], None, id="floor"),
    ],
)
def test_the_degree_needs_a_value_that_confirms_it(
    places: list[int], values: list[int], expected: int | None
) -> None:
    """As many values as coefficients fit anything."""
    assert degree(places, values) == expected


def test_interpolation_is_exact() -> None:
    """In fractions, on a grid of different sizes."""
    half = Fraction(1, 2)

    def source(x: int, y: int) -> Fraction:
        return 3 * x * x * y - half * y * (y + 1) + 10**30

    found = Interpolation([(2, 5, 9), (1, 4, 6)])
    values = [source(x, y) for x, y in found.points]
    assert all(value.denominator == 1 for value in values)
    assert found([int(value) for value in values]) == Polynomial((
        ((0, 0), Fraction(10**30)), ((0, 1), -half), ((0, 2), -half), ((2, 1), Fraction(3)),
    ))  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A file with a named and an unnamed dim."""
    path = tmp_path / "model.onnx"
    text = "agraph (float[?,seq,64] x) => (y) <float[64,32] w> { y = MatMul (x, w) }"
    onnx.save(from_text(text).proto, path)
    return str(path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(["--scaling", "sqe"], "--scaling sqe: no model has the dim 'sqe'; did you "
                     "mean 'seq'?", id="misspelt"),
        pytest.param(["--scaling", "width"], "its dims without a number are: seq, x[0]",
                     id="unknown"),
        pytest.param(["--scaling", "seq,n"], "--scaling n: no model has the dim 'n'",
                     id="one-of-two"),
        pytest.param(["--scaling", "seq", "--dim", "seq=7"], "--scaling seq: --dim seq=7 binds it; "
                     "leave one out", id="bound"),
        pytest.param(["--scaling", "x[0]"], "a dim without a name needs the sizes beside it; add "
                     "--input-shape x=…", id="without-a-name"),
        pytest.param(["--scaling", ","], "name one to 3 dims", id="none"),
        pytest.param(["--scaling", "a,b", "--scaling", "c,d"], "name one to 3 dims", id="four"),
    ],
)  # fmt: skip
def test_wrong_dims_are_one_line(options: list[str], told: str, model: str, run: Run) -> None:
    """With exit code 2, and a remedy."""
    ran = run("cost", model, *options)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.error


def test_the_command_prints_the_growth(model: str, run: Run) -> None:
    """Of the rows and of the totals, with what was assumed."""
    ran = run("cost", model, "--scaling", "seq", "--by", "op")
    assert (ran.code, ran.err) == (0, "")
    assert 64 * 32 == 2_048
    lines = ran.out.splitlines()
    assert lines[1].split() == ["MatMul", "1", "2.048", "k·seq", "0"]
    assert f"{model}: growth with 'seq'" in lines
    assert "  MACs          2.048 k·seq" in lines
    assert "  weights read  8.192 kB" in lines
    assert any("holds for every 'seq'; counted at " in line for line in lines)
    assert any("leading dim of input 'x' taken as 1" in line for line in lines)


def test_a_model_without_the_dim_is_constant(model: str, tmp_path: Path, run: Run) -> None:
    """Beside one that has it."""
    plain = tmp_path / "plain.onnx"
    onnx.save(from_text("agraph (float[2,8] x) => (y) { y = Relu (x) }").proto, plain)
    ran = run("cost", model, plain, "--scaling", "seq")
    assert ran.code == 0
    (after,) = ran.out.split(f"{plain}: growth with none of these dims\n")[1:]
    assert f"  other ops     {2 * 8}\n" in after


def test_json_is_exact_and_valid(model: str, run: Run) -> None:
    """By the schema that archlint prints; coefficients are numbers in strings."""
    validator = Draft202012Validator(run("schema", "report").document)
    options = ["--scaling", "seq", "--by", "op", "--output-format", "json"]
    document = run("cost", model, *options).document
    assert list(validator.iter_errors(document)) == []
    (reported,) = document["models"]
    scaling = reported["scaling"]
    assert scaling["macs"] == [{"coefficient": str(64 * 32), "exponents": {"seq": 1}}]
    assert scaling["parameters"] == [{"coefficient": str(64 * 32), "exponents": {}}]
    assert [dim["step"] for dim in scaling["dims"]] == [1]
    assert [(row["name"], row["macs"]) for row in scaling["rows"]] == [("MatMul", scaling["macs"])]
    assert all(s["macs"] == s["sizes"]["seq"] * 64 * 32 for s in scaling["counted"])
    assert scaling["limit"] is None
