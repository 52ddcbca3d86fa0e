"""ARC205: attention of every position to every other one, over very many of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.attention import AttentionSizes, attention_sizes
from archlint.analyzer.finding import Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, option
from archlint.analyzer.text import percent, plural


@dataclass(frozen=True)
class GlobalAttention(Rule):
    """Attention of every position to every other one, over more than a thousand of them.

    Why it matters
        Scores and weighted sums of L positions of width d cost 2·L²·d multiply-accumulates, and L²
        scores a head that are written and read: twice the side of an image is four times the
        positions and sixteen times the cost. Four heads of 32 over 4,096 positions take 228 ms of
        one CPU core (onnxruntime 1.31); in windows of 64 positions they take 0.022 of that, with
        keys and values at a sixteenth of the positions 0.057. At 256 positions windows would take
        0.34.

    What to do
        Attend within windows that shift from layer to layer (Swin), reduce keys and values by a
        strided convolution (PVT), or attend at a lower resolution only.

    When not to apply
        Where any position may depend on any other one, as in language models. On GPUs with a fused
        kernel (FlashAttention), which computes the same and writes no scores: the
        bytes are gone already, the MACs are not. Windows cost accuracy unless they shift: 80.2
        instead of 81.3 % with Swin-T on ImageNet (table 4).

    Not flagged
        Up to ``min_positions`` queries or keys: windows, reduced keys, one query over a cache;
        operators with a local window of their own; attentions that together take less than
        ``min_share`` of the model's MACs, as where the layers are wide.

    Known limits
        An attention is recognised as a Softmax between two products, or as one operator, where all
        sizes are known. Masks are not looked at: a causal or block-wise mask needs fewer scores
        than are counted, which most runtimes compute all the same. Bodies of If and Loop,
        PackedMultiHeadAttention and attention without a Softmax are not seen.

    References
        Liu et al., Swin Transformer, 2021, arXiv:2103.14030, section 3.2 and table 4.
        Wang et al., Pyramid Vision Transformer, 2021, arXiv:2102.12122, section 3.3.
        Dao et al., FlashAttention, 2022, arXiv:2205.14135.
    """

    code = "ARC205"
    name = "global-attention"
    severity = Severity.NOTE
    kind = FixKind.DECISION
    advice = (
        "attend within windows, or reduce keys and values before: over 4,096 positions that took "
        "0.02 and 0.06 of the time (windows of 64, a sixteenth of the keys; onnxruntime 1.31, CPU, "
        "one thread)"
    )

    min_positions: int = option(1024, "most positions that may attend to each other", minimum=1)
    min_share: float = option(
        0.2,
        "share of the model's MACs that such attentions take together",
        minimum=0.0,
        maximum=1.0,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Attentions of equal sizes together, where those of all sizes take a share that counts."""
        by_size: dict[tuple[int, int], list[AttentionSizes]] = {}
        for one in attention_sizes(context.costs):
            windowed = any(node.attributes.get("local_window_size", -1) > 0 for node in one.nodes)
            if min(one.queries, one.keys) > self.min_positions and not windowed:
                by_size.setdefault((one.queries, one.keys), []).append(one)
        whole = context.costs.total().macs
        found = sum(one.macs for same in by_size.values() for one in same)
        if not found or found < self.min_share * whole:
            return
        for (queries, keys), same in by_size.items():
            macs = sum(one.macs for one in same)
            yield Match(
                tuple(node for one in same for node in one.nodes),
                f"{plural(len(same), 'attention')} of {queries:,} positions to {keys:,}: the cost "
                f"grows with the square of the positions and is {percent(macs, whole)} of the "
                "model's MACs",
                {"queries": queries, "keys": keys, "macs": macs},
            )


def _attention(queries: int, keys: int) -> str:
    """Attention of one head of 64 behind a projection of the queries."""
    return f"""agraph (float[1,{queries},64] x, float[1,64,{keys}] k, float[1,{keys},64] v)
        => (float[1,{queries},64] y) <float[64,64] w, float r> {{
            q = MatMul (x, w)
            [scores] s = MatMul (q, k)
            t = Mul (s, r)
            p = Softmax <axis = -1> (t)
            [context] y = MatMul (p, v)
        }}"""


_FUSED = """<ir_version: 10, opset_import: ["" : 17, "com.microsoft" : 1]>
    agraph (float[1,4096,64] q, float[1,4096,64] k, float[1,4096,64] v) => (float[1,4096,64] y) {
        [attention] y = com.microsoft.MultiHeadAttention <num_heads = 2> (q, k, v)
    }"""

CASES = (
    Flags("the map of a diffusion network, 64×64", _attention(4096, 4096), at="scores"),
    Flags("one operator of two heads", _FUSED, at="attention"),
    Passes("1,024 positions", _attention(1024, 1024)),
    Passes("reduced keys, as in SegFormer", _attention(16384, 256)),
    Passes("one query over a cache", _attention(1, 4096)),
    Passes(
        "a product without a softmax, as in linear attention",
        """agraph (float[1,4096,64] q, float[1,64,4096] k, float[1,4096,64] v)
        => (float[1,4096,64] y) {
            s = MatMul (k, v)
            y = MatMul (q, s)
        }""",
    ),
    Passes(
        "a small share: windows in the other layers are most of the cost",
        """agraph (float[1,2048,8] q, float[1,8,2048] k, float[1,2048,8] v, float[1,2048,2048] x)
        => (float[1,2048,8] y, float[1,2048,2048] z) <float[2048,2048] w> {
            s = MatMul (q, k)
            p = Softmax <axis = -1> (s)
            y = MatMul (p, v)
            z = MatMul (x, w)
        }""",
    ),
)
