"""ARC402: a batch normalisation that the layer before it could take in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.folded_layer import folded
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.linear_chains import affine_source, sole_maker
from archlint.analyzer.linear_layers import out_channels
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.text import plural

_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm"})
_MATRIX = 2  # axes of what a product makes, where its features are the channels


@dataclass(frozen=True)
class UnfoldedNormalization(Rule):
    """A BatchNormalization directly behind a layer that could take it into its weights.

    Why it matters
        At inference it multiplies each channel by a constant and adds one: the layer before it does
        that for free with weights W·γ/σ and bias (b − μ)·γ/σ + β. onnxruntime does so by itself
        when it loads the model, so its time stays the same (a ratio of 1.01 was measured with 1.31
        on a CPU). Tools that work on the file do not: a quantiser quantises the layer and leaves
        the normalisation in floats between two conversions. Six 3×3 convolutions of 64 channels on
        28×28 took 0.49 of the time of the float network when onnxruntime's quantiser was given them
        with their normalisations, and 0.35 when these were folded before.

    What to do
        Nothing for onnxruntime. Before quantising, or for a runtime that folds nothing, export in
        evaluation mode with folding, or simplify the file (onnxsim, onnxslim, or the
        preprocessing of onnxruntime's quantiser). ``archlint fix`` folds them in the file.

    When not to apply
        Where onnxruntime alone runs the float model: it folds them by itself. Keep them in a file
        that is meant to be trained further, for the statistics are lost in the weights. A quantiser
        with one scale for a whole tensor suffers from weights that γ/σ has spread: give each
        channel its own scale, which kept many networks within 2 % of their accuracy
        (Krishnamoorthi).

    Not flagged
        A layer that something else reads too, weights that are computed from the input, a
        normalisation before a layer (in front of padding it cannot be folded) or one that learns;
        layers that together do less than ``min_share`` of the model's MACs.

    Known limits
        Convolutions, transposed convolutions and Gemm are looked at; a MatMul is not, which
        ``archlint fix`` folds too. A normalisation that an exporter has taken apart into Mul and
        Add is not told, nor one with an Identity or a Pad before it. Without known shapes the
        shares are unknown, and all are told.

    References
        Jacob et al., Quantization and Training, 2017, arXiv:1712.05877, section 3.2.
        Ioffe and Szegedy, Batch Normalization, 2015, arXiv:1502.03167, section 3.1.
        Krishnamoorthi, Quantizing deep convolutional networks, 2018, arXiv:1806.08342.
        onnxruntime, Quantize ONNX models, 2025, https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """

    code = "ARC402"
    name = "unfolded-normalization"
    group = RuleGroup.PEDANTIC
    severity = Severity.NOTE
    confidence = Confidence.HIGH
    kind = FixKind.DECISION
    fixes_unbound = True
    advice = (
        "fold them into the layers before quantising; onnxruntime folds them when it loads the "
        "model, so nothing changes there (×1.01 time with onnxruntime 1.31, CPU, one thread)"
    )

    min_share: float = option(
        0.01,
        "smallest share of the model's MACs that the layers before them must do",
        minimum=0.0,
        maximum=1.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All of them in one finding."""
        graph, costs = context.graph, context.costs
        pairs = {node: layer for node in graph.operators() if (layer := _folding(graph, node))}
        nodes = tuple(pairs)
        if nodes and costs.total(pairs.values()).macs >= self.min_share * costs.total().macs:
            count = plural(len(nodes), "BatchNormalization")
            yield Match(
                nodes,
                f"{count} could be folded into the weights of the layers before",
                {"nodes": len(nodes)},
            )

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """Each layer with its normalisations in its weights, whatever share of the model it is."""
        graph = context.graph
        for layer in graph.operators():
            after = _normalised(graph, layer)
            if after:
                title = "the layer alone, the normalisation folded into its weights"
                proposal = folded(graph, layer, after, shifted=True, title=title)
                if proposal.derive:
                    yield proposal


def _normalised(graph: Graph, layer: Node) -> tuple[Node, ...]:
    """What scales and shifts the channels of a layer, up to its last normalisation; each is read by
    the next alone."""
    channels = out_channels(graph, layer)
    if channels is None or not _is_by_channel(graph, layer):
        return ()
    value, found = layer.output(0), list[Node]()
    while value not in graph.outputs and len(graph.consumers(value)) == 1:
        (consumer,) = graph.consumers(value)
        if _scaled_by(graph, consumer) != value:
            break
        found.append(consumer)
        value = consumer.output(0)
    while found and found[-1].operator != "BatchNormalization":
        found.pop()
    return tuple(found)


def _is_by_channel(graph: Graph, layer: Node) -> bool:
    """Whether the channels of what it makes are on axis 1, and its bias is one number for each."""
    if layer.operator == "MatMul":
        return len(graph.value(layer.output(0)).shape or ()) == _MATRIX
    bias = graph.value(layer.input(2))
    shape = bias.static_shape if layer.input(2) else (1,)
    return shape is not None and all(dim == 1 for dim in shape[:-1])


def _scaled_by(graph: Graph, node: Node) -> str | None:
    """The value whose channels a node scales and shifts; of a normalisation no shape is needed."""
    if node.operator != "BatchNormalization":
        return affine_source(graph, node)
    data = [name for name in node.inputs if not graph.value(name).constant]
    return node.input(0) if data == [node.input(0)] else None


def _folding(graph: Graph, node: Node) -> Node | None:
    """The layer whose weights could take in a normalisation."""
    if node.operator != "BatchNormalization" or affine_source(graph, node) is None:
        return None
    layer = sole_maker(graph, node.input(0))
    if layer is None or layer.operator not in _LAYERS:
        return None
    weights = (graph.value(name) for name in layer.inputs[1:] if name)
    return layer if all(weight.constant for weight in weights) else None


_NORM = "float[64] s, float[64] b, float[64] m, float[64] v"

CASES = (
    Flags(
        "a convolution and its normalisation",
        f"""agraph (float[1,64,28,28] x) => (float[1,64,28,28] y) <float[64,64,3,3] w, {_NORM}> {{
            a = Conv <pads = [1,1,1,1]> (x, w)
            [norm] n = BatchNormalization (a, s, b, m, v)
            y = Relu (n)
        }}""",
        at="norm",
    ),
    Flags(
        "a fully connected layer and a transposed convolution: one finding",
        f"""agraph (float[1,64] x) => (float[1,64,2,2] y)
        <float[64,64] w, float[64,64,2,2] u, {_NORM}> {{
            g = Gemm (x, w)
            [norm] n = BatchNormalization (g, s, b, m, v)
            k = Constant <value = int64[4] {{1, 64, 1, 1}}> ()
            r = Reshape (n, k)
            t = ConvTranspose (r, u)
            [other] y = BatchNormalization (t, s, b, m, v)
        }}""",
        at="other",
    ),
    Passes(
        "a normalisation before the activation and the convolution",
        f"""agraph (float[1,64,28,28] x) => (float[1,64,28,28] y) <float[64,64,3,3] w, {_NORM}> {{
            n = BatchNormalization (x, s, b, m, v)
            r = Relu (n)
            y = Conv <pads = [1,1,1,1]> (r, w)
        }}""",
    ),
    Passes(
        "something else reads the convolution",
        f"""agraph (float[1,64,28,28] x) => (float[1,64,28,28] y, float[1,64,28,28] z)
        <float[64,64,3,3] w, {_NORM}> {{
            z = Conv <pads = [1,1,1,1]> (x, w)
            y = BatchNormalization (z, s, b, m, v)
        }}""",
    ),
    Passes(
        "behind a layer that does little of the work",
        f"""agraph (float[1,64,28,28] x) => (float[1,64,28,28] y)
        <float[64,64,3,3] w, float[64,1,1,1] u, {_NORM}> {{
            a = Conv <pads = [1,1,1,1]> (x, w)
            r = Relu (a)
            d = Conv <group = 64> (r, u)
            y = BatchNormalization (d, s, b, m, v)
        }}""",
    ),
    Passes(
        "a normalisation that learns",
        f"""agraph (float[1,64,28,28] x) => (float[1,64,28,28] y) <float[64,64,3,3] w, {_NORM}> {{
            a = Conv <pads = [1,1,1,1]> (x, w)
            y, rm, rv = BatchNormalization <training_mode = 1> (a, s, b, m, v)
        }}""",
    ),
    Passes(
        "the kernel is computed from the input",
        f"""agraph (float[1,64,28,28] x, float[64,64,3,3] w) => (float[1,64,28,28] y) <{_NORM}> {{
            a = Conv <pads = [1,1,1,1]> (x, w)
            y = BatchNormalization (a, s, b, m, v)
        }}""",
    ),
)
