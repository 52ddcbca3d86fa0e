"""ARC301: a fully connected layer on a flattened map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from archlint.analyzer.finding import Confidence
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.patterns import branches
from archlint.analyzer.proposal import FixKind, Proposal, draft
from archlint.analyzer.rule import Flags, Match, ParameterRule, Passes, RuleContext, option

_MAKERS = frozenset({"Conv", "ConvTranspose", "MaxPool", "AveragePool"})


@dataclass(frozen=True)
class FlattenedClassifier(ParameterRule):
    """A fully connected layer on a flattened map instead of on the mean of each channel.

    Why it costs
        A layer of N outputs on a flattened C×H×W map has C·H·W·N weights, each read once and used
        once an image: its time is that of reading them. After global average pooling it has C·N.
        VGG-16's first fully connected layer has 25,088·4,096 = 102,760,448 weights, three quarters
        of the network's; on pooled channels it would have 512·4,096 = 2,097,152.

    What to do
        Pool each channel to its mean, connect the classifier to that, and retrain.

    When not to apply
        Where the place matters that the mean forgets: coordinates, board games, spectrograms, heads
        on regions of a detector. For accuracy alone dropout does as well: a plain network on
        CIFAR-10 had 17.56 % error, with dropout 15.99, with pooling 16.46 (Lin et al., section
        4.6). A trained layer can be factorised instead, without retraining: it saved 30 % of a
        detector's time for 0.3 points (Girshick).

    Not flagged
        Maps of 1×1 (already pooled), sequences whose features are last, small layers: under
        ``min_share`` of the model's MACs and under ``min_parameter_share`` of its parameters.

    Known limits
        It sees Flatten or Reshape, with pointwise operators or Dropout behind, in front of Gemm or
        MatMul; of channels that are last only those that a Transpose has brought there. A
        convolution with the size of the map is the same layer and is not found here. The layers
        behind stay as wide as they are, though 4,096 outputs of 512 means are more than it takes.

    References
        Lin et al., Network In Network, 2013, arXiv:1312.4400, sections 3.2 and 4.6.
        Girshick, Fast R-CNN, 2015, arXiv:1504.08083, section 4.4.
    """

    code = "ARC301"
    name = "flattened-classifier"
    confidence = Confidence.HIGH

    min_map: int = option(2, "pixels of the map from which flattening is flagged", minimum=2)

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Fully connected layers that a flattened map feeds."""
        graph = context.graph
        for node in graph.nodes:
            chain = _flattened(graph, node)
            if not chain:
                continue
            _, channels, *spatial = graph.value(chain[0].input(0)).static_shape or (0, 0)
            pixels = prod(spatial)
            if pixels >= self.min_map:
                size = "×".join(map(str, spatial))
                yield Match(
                    (*chain, node),
                    f"fully connected layer on a flattened {channels}×{size} map has {pixels} "
                    "times the weights of one on pooled channels",
                    {"channels": channels, "pixels": pixels},
                )

    def propose(self, match: Match, context: RuleContext) -> Proposal | None:
        """Global average pooling, then the layer on the channels."""
        graph, (first, *_), layer = context.graph, match.nodes, match.nodes[-1]
        shape = graph.value(first.input(0)).static_shape
        result = graph.value(layer.output(0)).static_shape
        if shape is None or result is None:
            return None
        builder, value = draft(graph, "pooled", match.nodes)
        value = builder.flatten(builder.global_average_pool(value))
        bias = layer.op_type == "Gemm" and bool(layer.input(2))
        output = layer.output(0)
        builder.linear(value, shape[1], result[-1], bias=bias, output=output)
        builder.output(output)
        title = "global average pooling before the layer"
        return Proposal(title, FixKind.RETRAIN, match.nodes, builder.graph())


def _flattened(graph: Graph, layer: Node) -> list[Node]:
    """The nodes from a flattening to a fully connected layer; empty if there is no such chain."""
    weight = graph.value(layer.input(1))
    if layer.op_type not in ("Gemm", "MatMul") or not weight.constant or layer.domain:
        return []
    sources = branches(graph).sources
    chain: list[Node] = []
    at: str | None = layer.input(0)
    while at is not None:
        node = graph.producer(at)
        if node is None or len(graph.consumers(at)) != 1 or at in graph.outputs:
            return []
        chain.append(node)
        if node.op_type in ("Flatten", "Reshape"):
            return _from_map(graph, chain[::-1]) if _flattens(graph, node) else []
        at = sources.get(at)
    return []


def _from_map(graph: Graph, chain: list[Node]) -> list[Node]:
    """The chain, from a map whose channels are the second axis: with the Transpose in front that
    makes them the last one, if there is one; empty where the axes mean something else."""
    name = at = chain[0].input(0)
    sources = branches(graph).sources
    while at in sources:
        at = sources[at]
    maker, rank = graph.producer(at), len(graph.value(name).shape or ())
    made_by = "" if maker is None or maker.domain else maker.op_type
    if maker is None or made_by != "Transpose":
        return chain if rank > 3 or made_by in _MAKERS else []
    to_the_end = list(maker.attributes.get("perm") or ()) == [0, *range(2, rank), 1]
    alone = at == name and len(graph.consumers(name)) == 1 and name not in graph.outputs
    return [maker, *chain] if to_the_end and alone else []


def _flattens(graph: Graph, node: Node) -> bool:
    """Whether a node makes rows, one an image, of a map with channels."""
    before = graph.value(node.input(0)).static_shape
    after = graph.value(node.output(0)).static_shape
    if before is None or after is None:
        return False
    return len(before) > 2 == len(after) and before[0] == after[0]


CASES = (
    Flags(
        "VGG-16's first fully connected layer",
        """agraph (float[1,512,7,7] x) => (float[1,4096] y) <float[4096,25088] w, float[4096] b> {
            f = Flatten (x)
            [fc] y = Gemm <transB = 1> (f, w, b)
        }""",
        at="fc",
        macs=(512 * 7 * 7 * 4096, 512 * 4096),
    ),
    Flags(
        "a Reshape, a Dropout and a MatMul",
        """agraph (float[1,256,6,6] x) => (float[1,1000] y) <float[9216,1000] w> {
            s = Constant <value = int64[2] {1, -1}> ()
            f = Reshape (x, s)
            d = Dropout (f)
            [fc] y = MatMul (d, w)
        }""",
        at="fc",
        macs=(256 * 6 * 6 * 1000, 256 * 1000),
    ),
    Flags(
        "a map whose channels a Transpose brings to the end, as TensorFlow has them",
        """agraph (float[1,512,7,7] x) => (float[1,1000] y) <float[25088,1000] w> {
            [last] t = Transpose <perm = [0,2,3,1]> (x)
            f = Flatten (t)
            [fc] y = MatMul (f, w)
        }""",
        at="last",
        macs=(512 * 7 * 7 * 1000, 512 * 1000),
    ),
    Flags(
        "a signal that a convolution of one axis makes",
        """agraph (float[1,64,128] x) => (float[1,256] y) <float[64,64,3] w, float[8192,256] v> {
            a = Conv <pads = [1,1]> (x, w)
            r = Relu (a)
            f = Flatten (r)
            [fc] y = MatMul (f, v)
        }""",
        at="fc",
        macs=(64 * 128 * 256, 64 * 256),
    ),
    Passes(
        "a sequence whose features are last",
        """agraph (float[1,128,64] x) => (float[1,256] y) <float[64,64] w, float[8192,256] v> {
            a = MatMul (x, w)
            f = Flatten (a)
            y = MatMul (f, v)
        }""",
    ),
    Passes(
        "axes in another order",
        """agraph (float[1,512,7,7] x) => (float[1,1000] y) <float[25088,1000] w> {
            t = Transpose <perm = [0,2,1,3]> (x)
            f = Flatten (t)
            y = MatMul (f, w)
        }""",
    ),
    Passes(
        "the map is pooled already",
        """agraph (float[1,512,7,7] x) => (float[1,1000] y) <float[1000,512] w, float[1000] b> {
            p = GlobalAveragePool (x)
            f = Flatten (p)
            y = Gemm <transB = 1> (f, w, b)
        }""",
    ),
    Passes(
        "another branch reads the flattened map",
        """agraph (float[1,64,7,7] x) => (float[1,10] y, float[1,3136] z) <float[10,3136] w> {
            f = Flatten (x)
            y = Gemm <transB = 1> (f, w)
            z = Relu (f)
        }""",
    ),
    Passes(
        "tokens, not a map: the reshape splits heads",
        """agraph (float[1,197,768] x) => (float[1,197,768] y) <float[768,768] w> {
            s = Constant <value = int64[3] {1, 197, 768}> ()
            f = Reshape (x, s)
            y = MatMul (f, w)
        }""",
    ),
)
