"""What layers could be instead, what each would cost the features, and which are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from archlint.analyzer.constants import Constants
from archlint.analyzer.factor.effort import effort, form_effort, layer_effort
from archlint.analyzer.factor.forms import Form, composed, factors
from archlint.analyzer.factor.layers import layer_of
from archlint.analyzer.fix import sensitivity
from archlint.analyzer.fix.approximate import Amount, Study, by_rule, proposed, study, weigh
from archlint.analyzer.fix.candidates import whole_effort
from archlint.analyzer.fix.engine import Source, Subject, put
from archlint.analyzer.fix.goals import TargetError, by_target
from archlint.analyzer.fix.probes import probes
from archlint.analyzer.fix.sensitivity import sensitivities
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.proof import drift
from archlint.analyzer.proof import moments as moments_module
from archlint.analyzer.proof.drift import drifts
from archlint.analyzer.proof.samples import Samples, made_up_samples
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import RuleContext
from same_process import run_here

GRID = 16
TEXT = """g (float[1,64,12,12] x) => (float[1,64,12,12] y)
<float[64,64,3,3] u, float[64,64,3,3] v, float[64] b> {
    [first] a = Conv <pads = [1,1,1,1]> (x, u, b)
    r = Relu (a)
    [second] c = Conv <pads = [1,1,1,1]> (r, v)
    y = Sigmoid (c)
}"""


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sensitivity, drift, moments_module):
        monkeypatch.setattr(module, "run_job", run_here)


def weights() -> dict[str, NDArray[Any]]:
    """Two kernels: of rank 16 with a little noise, and of full rank."""
    random = np.random.default_rng(0)
    low = random.standard_normal((64, 9 * 16)).reshape(64, 16, 3, 3)
    narrow = np.einsum("oryx,ri->oiyx", low, random.standard_normal((16, 64)))
    narrow += 0.01 * random.standard_normal(narrow.shape) * narrow.std()
    found = {"u": narrow, "v": random.standard_normal((64, 64, 3, 3)), "b": np.ones(64)}
    return {name: (array / 30).astype(np.float32) for name, array in found.items()}


def subject_of(text: str, given: Mapping[str, NDArray[Any]]) -> Subject:
    """A model with these weights."""
    model = from_text(text)
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    del proto.graph.value_info[:]
    proto.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in given.items()
    )
    return Subject(Model("text", proto, 0), Bindings())


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_of(TEXT, weights())


def samples_of(subject: Subject) -> Samples:
    return made_up_samples("text", subject.graph, 2)


def looked_at(subject: Subject, samples: Samples | None = None) -> Study:
    return study(subject, Constants(subject.graph, subject.model), samples, GRID)


@pytest.mark.parametrize(
    ("before", "after", "computed"),
    [(192, 32, 192 * 32), (200, 17, 208 * 32), (3, 8, 3 * 16), (17, 16, 32 * 16)],
)
def test_effort(before: int, after: int, computed: int) -> None:
    """Channels fill up to 16, but for an input of fewer; 12 a weight and 20 an element written."""
    taps, places = 9, 28 * 28
    wanted = computed * taps * places + 12 * before * after * taps + 20 * after * places
    assert effort(before, after, taps, places, 16) == wanted


def test_the_effort_of_a_form_is_that_of_its_layers(subject: Subject) -> None:
    layer = layer_of(subject.graph, subject.graph.nodes[0])
    assert layer is not None
    places = 12 * 12
    assert layer_effort(layer, 1, GRID) == effort(64, 64, 9, places, GRID)
    pair = effort(64, 16, 1, places, GRID) + effort(16, 64, 9, places, GRID)
    assert form_effort(layer, Form.INPUT, (16,), 1, GRID) == pair
    passes = 2 * 20 * 64 * places  # the Relu and the Sigmoid
    assert whole_effort(subject.costs, GRID) == 2 * effort(64, 64, 9, places, GRID) + passes


def test_errors_are_those_of_the_factors(subject: Subject) -> None:
    """Eckart, Young, Mirsky: what the spectra say is what the factors of that rank lose."""
    known = looked_at(subject)
    kernels = weights()
    for place, name in ((0, "u"), (2, "v")):
        for one in known.candidates[place]:
            if one.form is Form.TUCKER:
                continue
            whole = kernels[name].astype(np.float64)
            rest = whole - composed(factors(whole, one.form, one.ranks), one.form)
            error = np.linalg.norm(rest) / np.linalg.norm(whole)
            assert one.error == pytest.approx(error, rel=1e-5)


def test_macs_are_those_of_the_proposals(subject: Subject) -> None:
    known = looked_at(subject)
    for candidates in known.candidates.values():
        chosen = candidates[0]
        context = RuleContext(subject.graph, subject.costs)
        after, _, _ = put(subject, Source("ARC104", "x"), proposed(known, [chosen]), context)
        assert subject.costs.total().macs - after.costs.total().macs == chosen.macs


def test_the_error_of_a_kernel_is_that_of_the_model_with_it(subject: Subject) -> None:
    """A kernel that is handed in counts as one that is written into the file."""
    kernel = weights()["u"] * np.float32(0.9)
    given = samples_of(subject)
    values = probes(subject.graph)
    assert values == ("c",)  # in front of the Sigmoid
    found = sensitivities(subject.model, subject.graph, {"u": lambda: kernel}, values, given)
    other = subject_of(TEXT, {**weights(), "u": kernel})
    (wanted,) = (
        one
        for one in drifts(subject.model, subject.graph, other.model, other.graph, values, given)
        if one.name == "c"
    )
    assert found == {"u": pytest.approx(wanted.relative, rel=1e-6)}


def test_a_kernel_in_a_constant_node_is_handed_in_too() -> None:
    text = """g (float[1,2] x) => (float[1,2] y) {
        w = Constant <value = float[2,2] {1, 2, 3, 4}> ()
        y = MatMul (x, w)
    }"""
    subject = subject_of(text, {})
    double = np.array([[2, 4], [6, 8]], np.float32)
    found = sensitivities(
        subject.model, subject.graph, {"w": lambda: double}, ["y"], samples_of(subject)
    )
    assert found["w"] == pytest.approx(1.0)  # ‖2y − y‖ / ‖y‖


def test_energy_takes_the_narrow_kernel_alone(subject: Subject) -> None:
    """Rank 16 keeps more than 99 % of the one; of the other no form that pays does."""
    chosen = by_rule(looked_at(subject), Amount(energy=0.99), ())
    assert [one.layer.node.label for one in chosen] == ["first"]
    assert chosen[0].error <= sqrt(0.01)


@pytest.mark.parametrize(("rank", "wanted"), [(0.25, 16), (0.5, 32), (24, 16)])
def test_rank_is_a_share_or_a_number(subject: Subject, rank: float, wanted: int) -> None:
    chosen = by_rule(looked_at(subject), Amount(rank=rank), ())
    assert [one.ranks for one in chosen] == [(wanted,), (wanted,)]


def test_a_target_is_met_where_it_costs_least(subject: Subject) -> None:
    """The layer of low rank is taken, and none of full rank for as long as that suffices."""
    given = samples_of(subject)
    known = looked_at(subject, given)
    errors = weigh(known, given)
    goal = Amount(save=0.25).goal(subject.costs, subject.costs, GRID)
    assert goal is not None
    chosen = by_target("text", known.candidates, goal, errors, ())
    assert [one.layer.node.label for one in chosen] == ["first"]
    assert goal.is_met(chosen)
    others = by_target("text", known.candidates, goal, errors, set(chosen))
    assert others != chosen
    assert goal.is_met(others)


def test_a_target_that_cannot_be_met(subject: Subject) -> None:
    known = looked_at(subject)
    goal = Amount(macs=1).goal(subject.costs, subject.costs, GRID)
    assert goal is not None
    with pytest.raises(TargetError, match="text: "):
        by_target("text", known.candidates, goal, {0: 1.0, 2: 1.0}, ())


def test_data_aware_factors_err_less_on_the_data(subject: Subject) -> None:
    """The same ranks, on the samples whose moments were seen."""
    given = samples_of(subject)
    context = RuleContext(subject.graph, subject.costs)
    errors = []
    for known in (looked_at(subject), looked_at(subject, given)):
        chosen = [c for c in known.candidates[2] if (c.form, c.ranks) == (Form.INPUT, (16,))]
        after, _, _ = put(subject, Source("ARC104", "x"), proposed(known, chosen), context)
        found = drifts(subject.model, subject.graph, after.model, after.graph, ["c"], given)
        errors.append(next(one.relative for one in found if one.name == "c"))
    assert errors[1] < errors[0]
