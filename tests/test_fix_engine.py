"""What is new in a fixed model fits in, and what cannot be fixed is told while the rest is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import onnx
import pytest
from onnx import GraphProto

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.fix.engine import Refusal, Rewritten, Source, Subject, put, rewrite
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.proposal import FixKind, Proposal
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Rule, RuleContext
from archlint.rules.duplicate_initializer import DuplicateInitializer
from archlint.rules.leftover_no_op import LeftoverNoOp
from archlint.rules.unfolded_normalization import UnfoldedNormalization

NORM = "BatchNormalization"
KERNEL = "float[2,2,1,1] w = {1, 2, 3, 4}"
VECTORS = "float[2] s = {1, 2}, float[2] b = {3, 4}, float[2] m = {5, 6}, float[2] v = {7, 8}"
LAYER = f"[conv] c = Conv (x, w) [norm] y = {NORM} (c, s, b, m, v)"
FOLD = UnfoldedNormalization()

Fixes = Callable[[RuleContext], Iterator[Proposal]]


@dataclass(frozen=True)
class Given(Rule):
    """A rule with the fixes of a function."""

    code: ClassVar[str] = "XYZ001"
    name: ClassVar[str] = "given"
    found: Fixes = field(default=lambda _: iter(()))

    def fixes(self, context: RuleContext) -> Iterator[Proposal]:
        """What the function yields."""
        return self.found(context)


def of(
    nodes: str, weights: str = f"{KERNEL}, {VECTORS}", given: str = "", header: str = ""
) -> Model:
    """A model of one small map."""
    return from_text(
        f"{header} agraph (float[1,2,3,3] x{given}) => (float[1,2,3,3] y) <{weights}> {{ {nodes} }}"
    )


def rewritten(model: Model, *rules: Rule) -> Rewritten:
    """What the rules make of a model, which is a valid file."""
    done = rewrite(Subject(model, Bindings()), rules)
    onnx.checker.check_model(done.subject.model.proto, full_check=True)
    return done


def graph_of(done: Rewritten) -> GraphProto:
    return done.subject.model.proto.graph


def operators(done: Rewritten) -> list[str]:
    return [node.op_type for node in graph_of(done).node]


def stored(done: Rewritten) -> list[str]:
    return [tensor.name for tensor in graph_of(done).initializer]


BEHIND = LAYER.replace("(x", "(t")
PREFIXES = {
    "of-the-layer": (LAYER, "conv"),
    "of-its-value": (LAYER.replace("[conv] ", ""), "c"),
    "one-is-a-weight": (f't = Mul (x, "conv/bias") {BEHIND}', "conv.2"),
    "one-is-a-value": (f'"conv/weight" = Relu (x) t = Abs ("conv/weight") {BEHIND}', "conv.2"),
    "one-is-of-a-body": (
        f"""k = Constant <value = bool {{1}}> () t = If (k) <
        then_branch = yes () => (float[1,2,3,3] p) {{
            "conv/weight" = Neg (x) p = Add (x, "conv/weight")
        }}, else_branch = no () => (float[1,2,3,3] q) {{ q = Neg (x) }}> {BEHIND}""", "conv.2"),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "prefix"), PREFIXES.values(), ids=PREFIXES)
def test_new_weights_are_named_after_their_layer(nodes: str, prefix: str) -> None:
    """After the value that it makes where it has no name, and by no name that there is."""
    more = ', float[2,1,1] "conv/bias" = {1, 2}' if "Mul" in nodes else ""
    done = rewritten(of(nodes, f"{KERNEL}, {VECTORS}{more}"), FOLD)
    assert stored(done)[-2:] == [f"{prefix}/weight", f"{prefix}/bias"]
    assert graph_of(done).node[-1].name == ("conv" if "[conv]" in nodes else "")


def test_a_fixed_model_is_fixed_again() -> None:
    """With a normalisation behind it once more: names stay apart."""
    once = rewritten(of(LAYER), FOLD).subject.model
    for tensor in of(LAYER).proto.graph.initializer[1:]:
        once.proto.graph.initializer.add().CopyFrom(tensor)
    once.proto.graph.node[0].output[0] = "c"
    once.proto.graph.node.add().CopyFrom(of(LAYER).proto.graph.node[1])
    done = rewritten(once, FOLD)
    assert stored(done) == ["conv.2/weight", "conv.2/bias"]
    assert [change.nodes for change in done.changes] == [("conv", "norm")]


def _both(context: RuleContext) -> Iterator[Proposal]:
    """Two activations at once, of which one feeds a node between them."""
    first, *_, last, _ = context.graph.nodes
    if first.op_type == "Relu":
        builder = GraphBuilder("both", reserved=(first.output(0), last.output(0)))
        for node in (first, last):
            inner = builder.input(node.input(0), (1, 2, 3, 3))
            builder.output(builder.node("Abs", inner, output=node.output(0)), (1, 2, 3, 3))
        yield Proposal("both", FixKind.EQUIVALENT, (first, last), builder.graph())


def test_nodes_are_sorted() -> None:
    """What stands at the place of the last node is moved in front of what reads it."""
    model = of("a = Relu (x) n = Neg (x) m = Add (n, a) l = Relu (n) y = Sub (m, l)", "")
    made = [node.output[0] for node in graph_of(rewritten(model, Given(found=_both))).node]
    assert made == ["n", "a", "m", "l", "y"]


def test_chains_of_constants_go_with_what_read_them() -> None:
    """Nodes that only the replaced ones needed go; what others read, or nobody did, stays."""
    nodes = f"""k = Constant <value = float[2,2,1,1] {{1, 2, 3, 4}}> ()
    w = Transpose <perm = [1,0,2,3]> (k) o = Constant <value = float[2] {{1, 1}}> ()
    s = Mul (o, e) u = Constant <value = float {{1}}> () c = Conv (x, w)
    n = {NORM} (c, s, e, m, v) t = Unsqueeze (e, i) y = Mul (n, t)"""
    weights = (
        "float[2] e = {1, 2}, float[2] m = {3, 4}, float[2] v = {5, 6}, int64[2] i = {1, 2}, "
        "float[3] unread = {1, 2, 3}"
    )
    done = rewritten(of(nodes, weights), FOLD)
    assert operators(done) == ["Constant", "Conv", "Unsqueeze", "Mul"]
    assert stored(done) == ["e", "i", "unread", "c/weight", "c/bias"]


def test_old_files_list_their_weights() -> None:
    """Before IR version 4 each initializer is an input too."""
    tensors = of(LAYER).proto.graph.initializer
    given = "".join(f", float[{','.join(map(str, t.dims))}] {t.name}" for t in tensors)
    header = '<ir_version: 3, opset_import: ["" : 8]>'
    graph = graph_of(rewritten(of(LAYER, given=given, header=header), FOLD))
    assert [entry.name for entry in graph.input] == ["x", "conv/weight", "conv/bias"]


@pytest.mark.parametrize(
    ("kernel", "why"),
    [
        ("float[2,2,1,1] k", "constant 'k' is not in the file"),
        (
            "float[2,2,1,1] k = {1e38, 1, 1, 1}",
            "the weights that the rewrite derives are not finite as float",
        ),
    ],
    ids=["left-out", "too-large"],
)
def test_what_cannot_be_derived_is_refused_once(kernel: str, why: str) -> None:
    """By its layer, and the reason; the rest is fixed."""
    nodes = f"""[odd] d = Conv (x, k) [behind] e = {NORM} (d, g, b, m, v) r = Relu (e)
    {LAYER.replace("(x", "(r")}"""
    weights = f"{kernel}, {KERNEL}, {VECTORS}, float[2] g = {{1e6, 1}}"
    done = rewrite(Subject(of(nodes, weights), Bindings()), [FOLD])
    assert done.refusals == (Refusal(FOLD.code, FOLD.name, "odd", why),)
    assert operators(done) == ["Conv", NORM, "Relu", "Conv"]


def _breaks(context: RuleContext) -> Iterator[Proposal]:
    yield Proposal("gone", FixKind.EQUIVALENT, context.graph.nodes[1:])
    raise KeyError("oh")


def _misfits(context: RuleContext) -> Iterator[Proposal]:
    yield Proposal("gone", FixKind.EQUIVALENT, context.graph.nodes[:1])


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (_breaks, "KeyError: 'oh'"),
        (_misfits, "ValueError: the proposal does not make 'y', which it replaces"),
    ],
)
def test_a_rule_that_fails_is_told(found: Fixes, error: str) -> None:
    """Nothing of it is put in place, and the other rules run."""
    model = of("i = Identity (x) d = Dropout (i) y = Relu (d)", "")
    done = rewritten(model, Given(found=found), LeftoverNoOp(), Given(found=found))
    assert done.refusals[0] == Refusal(
        "XYZ001", "given", "", f"the rule failed: {error}; please report it", crashed=True
    )
    assert operators(done) == ["Relu"]


def _wider(kernel: int) -> Fixes:
    """In place of the first layer one with so large a kernel."""

    def found(context: RuleContext) -> Iterator[Proposal]:
        node = context.graph.nodes[0]
        builder = GraphBuilder("wider", reserved=(node.output(0),))
        x = builder.input(node.input(0), (1, 2, 3, 3))
        shape = (2, 2, kernel, kernel)
        weight = builder.weight("weight", shape)
        pads = [kernel // 2] * 4
        made = builder.node("Conv", x, weight, output=node.output(0), pads=pads, group=1)
        builder.output(made, (1, 2, 3, 3))
        yield Proposal(
            "wider", FixKind.EQUIVALENT, (node,), builder.graph(),
            derive=lambda _: {weight: np.ones(shape)},
        )  # fmt: skip

    return found


def test_nothing_that_costs_more_is_put_in_place() -> None:
    """Neither MACs nor parameters may rise, unless whoever puts it there wants that."""
    subject = Subject(of("y = Conv (x, w)", KERNEL), Bindings())
    wide = Given(found=_wider(3))
    assert rewrite(subject, [wide]) == Rewritten(subject)
    context = subject.context(wide)
    after, changes, _ = put(subject, Source("XYZ001", "given"), wide.fixes(context), context)
    assert len(changes) == 1
    assert after.costs.total().macs == 9 * subject.costs.total().macs


def _pair(second: str, size: int) -> Model:
    """Two layers with one kernel of so many channels, the first of them normalised."""
    numbers = ", ".join(str(n % 7) for n in range(size * size))
    vectors = (f"float[{size}] {name} = {{{', '.join([str(place)] * size)}}}"
               for place, name in enumerate("sbmvo", 2))  # fmt: skip
    return from_text(
        f"""agraph (float[1,{size},3,3] x) => (float[1,{size},3,3] y)
        <float[{size},{size},1,1] w = {{{numbers}}}, {", ".join(vectors)}> {{
            a = Conv (x, w) n = {NORM} (a, s, b, m, v) r = Relu (n)
            c = Conv (r, w) {second}
        }}"""
    )


SHARED = {
    "another-layer-keeps-it": ("y = Relu (c)", 20, ["w"]),
    "others-behind-it": (f"y = {NORM} (c, o, b, m, v)", 20, ["w"]),
    "equal-ones": (f"y = {NORM} (c, s, b, m, v)", 20, ["a/weight"]),
    "equal-small-ones": (f"y = {NORM} (c, s, b, m, v)", 4, ["w"]),
}


@pytest.mark.parametrize(("second", "size", "kernels"), SHARED.values(), ids=SHARED)
def test_kernels_that_layers_share(second: str, size: int, kernels: list[str]) -> None:
    """They are not written out twice; only equal kernels of more than 1 kB become one again."""
    done = rewritten(_pair(second, size), FOLD, DuplicateInitializer())
    graph = graph_of(done)
    assert [t.name for t in graph.initializer if len(t.dims) > 1] == kernels
    assert bool(done.changes) == (kernels != ["w"])


def test_vectors_that_normalisations_share() -> None:
    """As those that were never trained do: all are folded."""
    done = rewritten(
        of(f"{LAYER.replace('y', 'z')} d = Conv (z, u) y = {NORM} (d, s, b, m, v)",
           f"{KERNEL}, float[2,2,1,1] u = {{4, 3, 2, 1}}, {VECTORS}"),
        FOLD,
    )  # fmt: skip
    assert operators(done) == ["Conv", "Conv"]


def test_of_fixes_that_overlap_one_is_made() -> None:
    """The other is looked for again in what the first one left."""

    def found(context: RuleContext) -> Iterator[Proposal]:
        for first, second in zip(context.graph.nodes, context.graph.nodes[1:], strict=False):
            builder = GraphBuilder("one", reserved=(second.output(0),))
            x = builder.input(first.input(0), (1, 2, 3, 3))
            builder.output(builder.node("Relu", x, output=second.output(0)), (1, 2, 3, 3))
            yield Proposal("one", FixKind.EQUIVALENT, (first, second), builder.graph())

    done = rewritten(
        of("a = Relu (x) b = Relu (a) c = Relu (b) y = Relu (c)", ""), Given(found=found)
    )
    assert [change.nodes for change in done.changes] == [("a", "b"), ("c", "y"), ("b", "y")]
    assert operators(done) == ["Relu"]
