"""Inputs: what the user binds, what is assumed, and what is told about it."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper

from archlint.analyzer.cost import count
from archlint.analyzer.dims import SymbolicDim
from archlint.analyzer.errors import ArchlintError, ConfigError
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings, dim_names, fed_inputs
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text

Shapes = dict[str, tuple[int, ...]]


def unknown_axes(graph: Graph, name: str) -> list[int]:
    """Where a value's shape holds no number."""
    shape = graph.value(name).shape
    assert shape is not None
    return [axis for axis, dim in enumerate(shape) if isinstance(dim, SymbolicDim)]


def image(first: str = "n") -> Model:
    """A 3x3 convolution of 4 filters over an image of unknown height and width."""
    return from_text(
        f"g (float[{first}, 3, h, w] x) => (y)"
        " <float[4,3,3,3] k> { y = Conv<pads=[1,1,1,1]>(x, k) }"
    )


@pytest.mark.parametrize(
    ("dims", "shapes", "expected"),
    [
        pytest.param({"h": 8, "w": 9}, {}, (1, 3, 8, 9), id="batch-taken-as-1"),
        pytest.param({"n": 5, "h": 8, "w": 9}, {}, (5, 3, 8, 9), id="batch-bound"),
        pytest.param({}, {"x": (2, 3, 7, 6)}, (2, 3, 7, 6), id="whole-shape"),
        pytest.param({"h": 7}, {"x": (2, 3, 7, 6)}, (2, 3, 7, 6), id="both-agree"),
        pytest.param({"h": 8, "w": 9, "other": 4}, {}, (1, 3, 8, 9), id="foreign-name"),
    ],
)
def test_bound_dims_decide_shape_and_cost(
    dims: dict[str, int], shapes: Shapes, expected: tuple[int, ...]
) -> None:
    """Every bound dim is in the input's shape, and the cost is that of the formula."""
    graph = load(image(), Bindings(dims, shapes))
    batch, _, height, width = expected
    assert graph.value("x").static_shape == expected
    assert count(graph).total().macs == batch * height * width * 4 * 3 * 3 * 3


@pytest.mark.parametrize(
    ("dims", "told"),
    [
        pytest.param({}, ["leading dim 'n' taken as 1; bind it with --dim n=8"], id="assumed"),
        pytest.param({"n": 4}, [], id="bound"),
    ],
)
def test_an_assumed_batch_is_noted(dims: dict[str, int], told: list[str]) -> None:
    """Only what was assumed is told, with the option that changes it."""
    notes = load(image(), Bindings(dims)).notes
    assert [note for note in notes if "leading" in note] == told


def test_a_batch_shared_by_inputs_is_noted_once() -> None:
    """Two inputs with the same leading name give one note, and both get 1."""
    graph = load(from_text("g (float[n, 3] a, float[n, 3] b) => (y) { y = Add(a, b) }"))
    assert graph.notes == ("leading dim 'n' taken as 1; bind it with --dim n=8",)
    assert graph.value("y").static_shape == (1, 3)


def test_a_leading_name_that_stands_elsewhere_is_no_batch() -> None:
    """A sequence length that leads one input and is inner in another stays unknown."""
    text = "g (float[t, 4] x, float[1, t] mask) => (y) { y = MatMul(mask, x) }"
    graph = load(from_text(text))
    assert unknown_axes(graph, "x") == [0]
    assert graph.notes == ()
    bound = load(from_text(text), Bindings({"t": 6}))
    assert count(bound).total().macs == 1 * 6 * 4


def unnamed(shape: list[int | None]) -> Model:
    """A Relu whose input has dims without value and name."""
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", made[:1], made[1:])
    return Model("unnamed", helper.make_model(graph), 0)


def test_unnamed_dims_are_asked_for_by_shape() -> None:
    """A leading unnamed dim is 1, with a note; any other is unknown, with a remedy that fits."""
    graph = load(unnamed([None, 3, None]))
    table = count(graph)
    assert unknown_axes(graph, "x") == [2]
    assert count(load(unnamed([None, 3, 4]))).total().ops == 1 * 3 * 4
    assert len(graph.notes) == 1
    assert "--input-shape x=1,3,128" in graph.notes[0]
    (cause,) = table.uncosted[0]
    assert cause.why == "dim 2 of input 'x' is unbound"
    assert cause.remedy == "--input-shape x=1,3,128"


@pytest.mark.parametrize("dim", [pytest.param(0, id="zero"), pytest.param(-1, id="minus-one")])
def test_a_dim_that_is_no_size_is_unknown(dim: int) -> None:
    """Exporters write 0 or -1 where they know no size."""
    assert unknown_axes(load(unnamed([2, dim])), "x") == [1]


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param((1, 4, 8, 8), id="other-channels"),
        pytest.param((1, 3, 8), id="lower-rank"),
        pytest.param((1, 3, 8, 8, 8), id="higher-rank"),
        pytest.param((), id="scalar"),
    ],
)
def test_a_contradictory_shape_is_a_config_error(shape: tuple[int, ...]) -> None:
    """The error names the option as given and the shape that the file declares."""
    with pytest.raises(ConfigError) as raised:
        load(image(), Bindings(shapes={"x": shape}))
    given = ",".join(map(str, shape))
    assert str(raised.value).startswith(f"--input-shape x={given}: ")
    assert "[n,3,h,w]" in str(raised.value)
    assert isinstance(raised.value, ArchlintError)


@pytest.mark.parametrize(
    ("dims", "unbound"),
    [({}, {"h", "w"}), ({"h": 8}, {"w"}), ({"w": 8}, {"h"})],
    ids=["both", "one-bound", "other-bound"],
)
def test_an_unbound_dim_makes_the_cost_unknown(dims: dict[str, int], unbound: set[str]) -> None:
    """No number is made up: the node is uncosted for every unbound dim, with its remedy."""
    table = count(load(image(), Bindings(dims)))
    assert table.total().macs == 0
    assert set(table.uncosted) == {0}
    causes = {(cause.why, cause.remedy) for cause in table.uncosted[0]}
    assert causes == {(f"dim '{name}' is unbound", f"--dim {name}=128") for name in unbound}


def test_an_input_without_shape_asks_for_one() -> None:
    """A declared tensor without rank is unknown until its shape is given."""
    model = from_text("g (float x) => (y) { y = Relu(x) }")
    model.proto.graph.input[0].type.tensor_type.ClearField("shape")
    (cause,) = count(load(model)).uncosted[0]
    assert "declares no shape" in cause.why
    assert cause.remedy.startswith("--input-shape x=")
    assert count(load(model, Bindings(shapes={"x": (2, 3)}))).total().ops == 2 * 3


def test_an_input_that_is_no_tensor_is_unknown() -> None:
    """A sequence has no shape, and the reason says so."""
    model = from_text("g (seq(float[3]) x) => (y) { y = SequenceAt(x, x) }")
    graph = load(model)
    assert graph.value("x").shape is None
    assert [cause.why for cause in graph.value("x").causes] == ["input 'x' is no tensor"]


def test_initializers_among_the_inputs_are_not_fed() -> None:
    """Files before IR version 4 list their weights as inputs too; they are constants."""
    model = from_text("g (float[n, 2] x, float[2] w = {1, 2}) => (y) { y = Add(x, w) }")
    assert [info.name for info in model.proto.graph.input] == ["x", "w"]
    graph = load(model)
    assert graph.inputs == ("x",)
    assert graph.value("w").constant
    assert [info.name for info in fed_inputs(model.proto.graph, {"w"})] == ["x"]
    assert dim_names(model.proto.graph) == {"n"}


def test_bindings_that_contradict_each_other_are_refused() -> None:
    """A dim cannot have one size by its name and another by the shape of an input."""
    with pytest.raises(ConfigError, match="dim 'h' would be 7 here and 8 elsewhere"):
        load(image(), Bindings(dims={"h": 8}, shapes={"x": (2, 3, 7, 6)}))


def test_a_shape_binds_its_names_everywhere() -> None:
    """What one input fixes holds for the same name in another input."""
    model = from_text("agraph (float[n, s] x, float[1, s] m) => (float[n, s] y) { y = Add (x, m) }")
    graph = load(model, Bindings(shapes={"x": (2, 5)}))
    assert graph.value("m").shape == (1, 5)
    assert graph.value("y").shape == (2, 5)


@pytest.mark.parametrize(("name", "taken"), [("batch", True), ("N", True), ("seq", False)])
def test_a_batch_that_also_stands_elsewhere(name: str, taken: bool) -> None:
    """A leading dim that also stands in an inner place is 1 only under a name for a batch."""
    shapes = f"(float[{name}, 4] x, float[2, {name}] s) => (float[{name}, 4] y)"
    model = from_text(f"agraph {shapes} {{ y = Relu (x) }}")
    graph = load(model)
    assert (graph.value("x").shape == (1, 4)) is taken
    assert bool(graph.notes) is taken
    assert (graph.value("s").shape == (2, 1)) is taken


def test_a_question_mark_is_no_name() -> None:
    """Dims that an exporter calls '?' are different dims without a name."""
    proto = image().proto
    for dim in proto.graph.input[0].type.tensor_type.shape.dim:
        if dim.dim_param:
            dim.dim_param = "?"
    table = count(load(Model("text", proto, 0)))
    remedies = {cause.remedy for causes in table.uncosted.values() for cause in causes}
    assert remedies == {"--input-shape x=1,3,224,224"}


def test_more_axes_than_any_tensor_has_are_unknown() -> None:
    """A hostile rank is no number of a thousand digits but an unknown shape, with its reason."""
    dims = ",".join(["9223372036854775807"] * 65)
    model = from_text(f"agraph (float[{dims}] x) => (float y) {{ y = Relu (x) }}")
    table = count(load(model))
    assert {cause.why for cause in table.uncosted[0]} == {"'x' has a rank of 65"}
    tiled = from_text(
        "agraph (float[9223372036854775807] x) => (float y) <int64[1] r = {3}> { y = Tile (x, r) }"
    )
    (cause,) = count(load(tiled)).uncosted[0]
    assert "contradictory" in cause.why
