"""The elements of constants that operators make, by hand; what depends on an input is refused."""

from __future__ import annotations

import numpy as np
import pytest

from archlint.analyzer.constants import constants_of
from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text

# As torch's dynamo exporter writes the bias of a convolution that has none.
NODES = """
    zero = Constant<value_int=0>()
    bias = CastLike(zero, x)
    filters = Shape<start=0, end=1>(w)
    whole = Expand(bias, filters)
    scaled = Mul(w, w)
    given = CastLike(x, zero)
    y = Add(x, w)
"""


@pytest.fixture(scope="module")
def model() -> Model:
    """A model with an input of double."""
    head = '<ir_version: 10, opset_import: ["": 23]> agraph (double[b,3] x) => (double[b,3] y)'
    return from_text(f"{head} <double[2,3] w = {{1, 2, 3, 4, 5, 6}}> {{ {NODES} }}")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("bias", 0), ("filters", [2]), ("whole", [0, 0]), ("scaled", [[1, 4, 9], [16, 25, 36]])],
)
def test_made_constants(model: Model, name: str, wanted: object) -> None:
    """CastLike takes but the type of what it is like, also where that is an input."""
    graph = load(model)
    constants = constants_of(graph)
    assert constants is not None
    found = constants(name)
    assert graph.value(name).constant
    assert found.dtype == (np.int64 if name == "filters" else np.float64)
    assert np.array_equal(found, np.asarray(wanted))


@pytest.mark.parametrize("name", ["x", "given", "y"])
def test_inputs_are_none(model: Model, name: str) -> None:
    """Nor is what is made of them."""
    graph = load(model)
    constants = constants_of(graph)
    assert constants is not None
    assert not graph.value(name).constant
    with pytest.raises(ModelReadError, match=f"constant '{name}' is not in the file"):
        constants(name)
