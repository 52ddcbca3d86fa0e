"""How far models are from each other: errors that follow from what was changed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from archlint.analyzer.errors import ModelError
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.proof import drift as subject
from archlint.analyzer.proof import tapping
from archlint.analyzer.proof.drift import Drift, drifts
from archlint.analyzer.proof.samples import Samples, made_up_samples
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.runtime.inputs import ExecutionError
from archlint.analyzer.runtime.limits import Limits
from external_data import save_external
from same_process import run_here

SHIFT = "g ({type} x) => ({type} y) <{type} c = {{{c}}}> {{ h = Identity(x) y = Add(h, c) }}"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child process."""
    monkeypatch.setattr(subject, "run_job", run_here)


def between(
    before: Model | str, after: Model | str, samples: Samples, *values: str, **options: Any
) -> dict[str, Drift]:
    """The drifts by their names, in order."""
    models = [from_text(one) if isinstance(one, str) else one for one in (before, after)]
    first, second = (load(model) for model in models)
    found = drifts(models[0], first, models[1], second, values, samples, **options)
    return {drift.name: drift for drift in found}


def of(**arrays: Any) -> Samples:
    """Samples of these arrays, stacked along the first axis."""
    return Samples(max(map(len, arrays.values())), arrays=arrays)


def shift(*numbers: float, kind: str = "float") -> str:
    """A model that adds these numbers."""
    text = ", ".join(map(str, numbers))
    return SHIFT.format(type=f"{kind}[{len(numbers)}]", c=text)


def test_the_error_is_that_of_the_formula() -> None:
    """‖b − a‖ / ‖a‖ over all samples: the second adds 3 and 4 where the first adds nothing."""
    x = np.array([[6.0, 8.0], [0.0, 10.0]], np.float32)
    found = between(shift(0, 0), shift(3, 4), of(x=x), "h")
    error = math.sqrt(2 * (3**2 + 4**2)) / math.sqrt(6**2 + 8**2 + 10**2)
    y = found["y"]
    assert y.relative == pytest.approx(error)
    assert (y.is_output, y.largest, y.finite, y.elements) == (True, 4.0, True, 4)
    assert found["h"] == Drift("h", is_output=False, relative=0, largest=0, finite=True, elements=4)


@pytest.mark.usefixtures("here")
def test_large_values_are_summed_in_parts() -> None:
    """Blocks of a million elements leave no rest out."""
    size = 2**20 + 3
    text = "g (float[{0}] x, float[{0}] s) => (float[{0}] y) {{ y = {1}(x, s) }}"
    x = np.ones((1, size), np.float32)
    s = np.zeros((1, size), np.float32)
    s[0, [0, -1]] = 3, 4
    found = between(text.format(size, "Add"), text.format(size, "Sub"), of(x=x, s=s))["y"]
    assert found.relative == pytest.approx(math.hypot(6, 8) / math.sqrt(size - 2 + 4**2 + 5**2))
    assert (found.largest, found.elements) == (8, size)


ZERO = np.zeros((1, 2), np.float32)
NAN = np.array([[np.nan, 3.0]], np.float32)
LARGE = np.full((1, 2), 3e38, np.float32)
ROOT = "g (float[2] x) => (float[2] y) { y = Sqrt(x) }"
NOTHING = "g (float[2] x) => (float[2] y) { y = Identity(x) }"
EDGES: dict[str, tuple[str, str, Any, tuple[float, float, bool]]] = {
    "0/0": (NOTHING, NOTHING, ZERO, (0, 0, True)),
    "x/0": (shift(0, 0), shift(0, 2), ZERO, (math.inf, 2, True)),
    "nan-in-both": (shift(1, 0), shift(2, 0), NAN, (0, 0, True)),
    "nan-in-one": (NOTHING, ROOT, np.array([[-1.0, 1.0]], np.float32), (math.inf, math.inf, False)),
    "inf-in-both": (shift(3e38, 0), shift(3e38, 0), LARGE, (0, 0, True)),
    "inf-in-one": (shift(0, 0), shift(3e38, 0), LARGE, (math.inf, math.inf, False)),
    "signs": ("g (float[2] x) => (float[2] y) { y = Mul(x, x) }",
              "g (float[2] x) => (float[2] y) { n = Neg(x) y = Mul(x, n) }",
              LARGE, (math.inf, math.inf, False)),
    "beyond-float64": (
        "g (double[2] x) => (double[2] y) { y = Identity(x) }",
        "g (double[2] x) => (double[2] y) { y = Neg(x) }",
        np.full((1, 2), 1e200), (math.inf, 2e200, True)),
}  # fmt: skip


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str) -> None:
    before, after, x, expected = EDGES[name]
    found = between(before, after, of(x=x))["y"]
    assert (found.relative, found.largest, found.finite) == expected


@pytest.mark.usefixtures("here")
def test_what_is_no_float_differs_by_elements() -> None:
    """One of four integers, two of four truth values, and one of four strings."""
    text = (
        "g (int32[4] x, string[4] s) => (int32[4] i, bool[4] b, string[4] t)"
        "<int32[4] c = {{0, 0, 0, {0}}}, int32 l = {{{1}}}, int64[4] p = {{0, 1, 2, {2}}}>"
        "{{ i = Add(x, c) b = Less(x, l) t = Gather(s, p) }}"
    )
    samples = of(x=np.arange(4, dtype=np.int32)[None], s=np.array([["a", "b", "c", "d"]]))
    found = between(text.format(0, 1, 3), text.format(-7, 3, 2), samples)
    seen = {name: (drift.relative, drift.largest) for name, drift in found.items()}
    assert seen == {"i": (1 / 4, 7), "b": (2 / 4, 1), "t": (1 / 4, 1)}


@pytest.mark.usefixtures("here")
def test_outputs_come_first_then_the_largest_error() -> None:
    text = (
        "g (float[1] x) => (float[1] z, float[1] y) <float[1] c = {{{0}}}, float[1] d = {{{1}}}>"
        "{{ p = Identity(x) q = Add(x, c) r = Add(x, d) y = Neg(x) z = Add(q, r) {2} }}"
    )
    before, after = text.format(0, 0, "only = Neg(x)"), text.format(1, 2, "")
    values = ("p", "only", "q", "r", "x", "y", "q", "c")
    found = between(before, after, of(x=np.ones((1, 1), np.float32)), *values)
    # Of c, which is 0 before and 1 after, the error is infinite.
    assert list(found) == ["z", "y", "c", "r", "q", "p", "x", "only"]
    assert [drift.relative for drift in found.values()][:7] == [1.5, 0, math.inf, 2, 1, 0, 0]
    only = found["only"]
    assert only.skipped == "the model has no such value after the changes"
    assert math.isnan(only.relative)


@pytest.mark.usefixtures("here")
def test_outputs_that_one_model_lacks_are_not_compared() -> None:
    before = "g (float[1] x) => (float[1] y, float[1] z) { y = Neg(x) z = Abs(x) }"
    after = "g (float[1] x) => (float[1] z) { z = Abs(x) }"
    assert list(between(before, after, of(x=np.ones((1, 1), np.float32)))) == ["z"]


@pytest.mark.usefixtures("here")
def test_inputs_that_went_are_not_fed() -> None:
    before = "g (float[1] x, float[1] u) => (float[1] y) { y = Neg(x) }"
    after = "g (float[1] x) => (float[1] y) { y = Neg(x) }"
    one = np.ones((1, 1), np.float32)
    assert between(before, after, of(x=one, u=one))["y"].relative == 0


KINDS: dict[str, tuple[str, str]] = {
    "sequence": ("s = SequenceConstruct(x, x)", "it is no tensor"),
    "bits": ("f = Relu(x) s = Cast<to=16>(f)", ""),
    "half": ("s = Cast<to=10>(x)", ""),
    "wider": ("s = Cast<to=?>(x)", "its type is float64 where it was float32"),
    "longer": ("a = Constant<value_ints=[?]>() s = ConstantOfShape(a)",
               "its shape is [11] where it was [1]"),
}  # fmt: skip


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_values(name: str) -> None:
    """What cannot be compared is told; bfloat16, which numpy lacks, is cast."""
    body, why = KINDS[name]
    before, after = (
        f"g (float[2] x) => (float[2] y) {{ y = Neg(x) {body.replace('?', number)} }}"
        for number in ("1", "11")
    )
    drift = between(before, after, of(x=np.ones((1, 2), np.float32)), "s")["s"]
    assert drift.skipped == why
    assert math.isnan(drift.relative) if why else (drift.relative, drift.elements) == (0, 2)


@pytest.mark.usefixtures("here")
def test_an_output_of_another_shape_is_an_error() -> None:
    text = "g (float[1] x) => (y) {{ a = Constant<value_ints=[{}]>() y = Expand(x, a) }}"
    with pytest.raises(ExecutionError, match=r"output 'y': its shape is \[3\] where it was \[2\]"):
        between(text.format(2), text.format(3), of(x=np.ones((1, 1), np.float32)))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("steps", [1, 3])
def test_batches_of_values_tell_the_same(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are fetched in parts: where two of them fit, where one does, the numbers are equal."""
    samples = made_up_samples("m", load(from_text(shift(0, 0))))
    whole = between(shift(0, 0), shift(1, 2), samples, "h", "c", "x")
    assert whole["y"].relative > 0
    monkeypatch.setattr(tapping, "BUDGET", 16 * steps)
    assert between(shift(0, 0), shift(1, 2), samples, "h", "c", "x") == whole


def test_batches_keep_to_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapping, "BUDGET", 10)
    sizes = {"a": 4, "b": 6, "c": 1, "d": 20, "e": 10}
    assert tapping.batches(sizes) == [["a", "b"], ["c"], ["d"], ["e"]]


@pytest.mark.usefixtures("here")
def test_free_dims_take_what_samples_have() -> None:
    """The graph needs no numbers; samples of a stack share theirs."""
    text = "g (float[n, k] x) => (float[n, k] y) { y = Neg(x) }"
    found = between(text, text, of(x=np.ones((3, 5, 7), np.float32)))
    assert found["y"].elements == 3 * 5 * 7


@pytest.mark.usefixtures("here")
def test_placeholders_are_free_dims() -> None:
    model = from_text("g (float[n,2] x) => (float[n,2] y) { y = Neg(x) }")
    model.proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    graph = load(model, Bindings(shapes={"x": (4, 2)}))
    (found,) = drifts(model, graph, model, graph, (), made_up_samples("m", graph))
    assert found.elements == 2 * 4 * 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("location", ["w.bin", ""])
def test_weights_in_files(location: str, tmp_path: Path) -> None:
    """External data, and a model that is in its own file, beside what was made of it."""
    path = tmp_path / "m.onnx"
    if location:
        save_external(str(path), location)
    else:
        save_plain(path)
    before, after = read(str(path)), read(str(path))
    assert before.external_bytes if location else before.payloads
    for proto in (before.proto, after.proto):
        proto.ir_version = 8  # onnx writes newer ones than onnxruntime reads
    after.proto.graph.node[0].output[0] = "z"
    after.proto.graph.node.add(op_type="Add", input=["z", "z"], output=["y"])
    found = between(before, after, made_up_samples(str(path), load(before)), "w")
    assert found["y"].relative == pytest.approx(1)
    samples = 2
    size = math.prod(before.proto.graph.initializer[0].dims)
    assert (found["w"].relative, found["w"].elements) == (0, samples * size)


def save_plain(path: Path) -> None:
    """A product with weights that reading leaves in the file."""
    model = from_text("g (float[1,64] x) => (float[1,64] y) { y = MatMul(x, w) }")
    weight = np.ones((64, 64), np.float32)
    model.proto.graph.initializer.append(numpy_helper.from_array(weight, "w"))
    path.write_bytes(model.proto.SerializeToString())


ENDLESS = (
    "g (float[1] x) => (float[1] y) { n = Constant<value_int=1000000000000>() "
    "t = Constant<value = bool {1}>() y = Loop(n, t, x) <body = b (int64 i, bool c, float[1] v) => "
    "(bool d, float[1] w) { d = Identity(c) w = Identity(v) }> }"
)
CUSTOM = (
    '<ir_version: 8, opset_import: ["": 17, "my": 1]> '
    "g (float[1] x) => (float[1] y) { y = my.Own(x) }"
)
PLAIN = "g (float[1] x) => (float[1] y) { y = Neg(x) }"
HOLLOW = "g (float[1] x) => (float[1] y) <float[1] w> { y = Add(x, w) }"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("before", "after", "why"),
    [(CUSTOM, PLAIN, "its run before the changes failed: "),
     (PLAIN, CUSTOM, "its run after the changes failed: "),
     (HOLLOW, PLAIN, "cannot be run: its weight 'w' has no data")],
)  # fmt: skip
def test_what_cannot_be_run_is_one_line(before: str, after: str, why: str) -> None:
    """The line says which of the two it is."""
    with pytest.raises(ModelError) as caught:
        between(before, after, of(x=np.ones((1, 1), np.float32)))
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_does_not_end_is_ended() -> None:
    why = "its run after the changes failed: took more than 1 s of CPU time"
    with pytest.raises(ExecutionError, match=why):
        between(PLAIN, ENDLESS, of(x=np.ones((1, 1), np.float32)), limits=Limits(cpu_seconds=1))
