"""ARC303: a table of embeddings that is a large part of the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Flags, Match, Passes, Rule, RuleContext, RuleGroup, option
from archlint.analyzer.text import percent, size


@dataclass(frozen=True)
class DominatingEmbedding(Rule):
    """A table of embeddings that holds a large part of the model's parameters.

    Why it matters
        A table of V rows of width H has V·H parameters, of which an inference reads a row a token:
        it costs no time, but the size of the file, the download and the memory. ALBERT's table of
        30,000 rows of 768 would hold 23.0 million parameters; at a width of 128, with a projection
        128→768 behind, it holds 3.9 million, for an average score of 80.1 instead of 79.8.

    What to do
        Keep the table in half precision or in eight bits and convert the rows that were read: an
        unmeasurable loss of time for a half or a quarter of the bytes. Or factorise it and
        fine-tune, or make the vocabulary smaller.

    When not to apply
        Where nobody downloads the model or shares the memory: it saves no time. Factorising needs
        training, and without shared layers it costs a little: an average score of 81.7 against 82.3
        (table 3). Eight bits need scales for each row, and a test of the rare words.

    Not flagged
        Tables under ``min_share`` of the parameters or under ``min_parameters``; tables in eight
        bits or fewer; tables that the output layer shares, which that reads as a whole.

    Known limits
        Only tables that Gather reads directly are seen, not those in EmbedLayerNormalization or
        GatherBlockQuantized, and not a table with other than two axes. Every table is judged by
        itself: ten of 10 % each are not found. How often a row is used is unknown.

    References
        Lan et al., ALBERT, 2019, arXiv:1909.11942, section 3.1 and table 3.
    """

    code = "ARC303"
    name = "dominating-embedding"
    group = RuleGroup.PEDANTIC
    severity = Severity.NOTE
    kind = FixKind.DECISION
    advice = (
        "keep the table in half precision or in eight bits and convert the rows behind the Gather, "
        "which cost 0.01 ms for 128 tokens (onnxruntime 1.31, CPU, one thread), or factorise it to "
        "a width of 128 and a projection"
    )

    min_share: float = option(
        0.3,
        "share of the model's parameters from which a table dominates",
        minimum=0.0,
        maximum=1.0,
    )
    min_parameters: int = option(
        1_000_000, "parameters below which a table is small: 4 MB in single precision", minimum=1
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """Tables from which only Gather reads, at their first one."""
        graph, parameters = context.graph, context.costs.parameters
        whole = context.costs.parameter_count
        seen: set[str] = set()
        for node in graph.operators():
            table = graph.value(node.input(0)).static_shape
            if node.operator != "Gather" or table is None or len(table) != 2:
                continue
            names = parameters.of_node.get(node.id, frozenset())
            count, stored = parameters.elements(names), parameters.stored_bytes(node.input(0))
            large = count >= self.min_parameters and count >= self.min_share * whole
            if large and stored > count and not names & seen and not _is_shared(context, names):
                seen |= names
                rows, width = table
                yield Match(
                    (node,),
                    f"table of {rows:,} embeddings of width {width:,} holds "
                    f"{percent(count, whole)} of the parameters: {size(stored)}, of which a token "
                    "reads one row",
                    {"rows": rows, "width": width, "bytes": stored},
                )


def _is_shared(context: RuleContext, names: frozenset[str]) -> bool:
    """Whether something else than a Gather reads these tensors."""
    of_node, nodes = context.costs.parameters.of_node, context.graph.nodes
    return any(names & own and nodes[at].op_type != "Gather" for at, own in of_node.items())


def _model(table: str, head: str = "float[512,1000] w", layer: str = "y = MatMul (e, w)") -> str:
    return f"""agraph (int64[1,16] x) => (float[1,16,N] y) <{table} t, {head}> {{
        [table] e = Gather (t, x)
        {layer}
    }}"""


CASES = (
    Flags("a vocabulary of 30,000 words", _model("float[30000,512]"), at="table"),
    Flags("in half precision", _model("float16[30000,512]", "float16[512,1000] w"), at="table"),
    Passes("a small table", _model("float[1000,512]", "float[512,8] w")),
    Passes(
        "a table beside larger layers",
        _model("float[3000,512]", "float[512,9000] w"),
    ),
    Passes(
        "the output layer shares it",
        _model(
            "float[30000,512]",
            "float s",
            "u = Transpose <perm = [1,0]> (t)  y = MatMul (e, u)",
        ),
    ),
    Passes(
        "in eight bits",
        """agraph (int64[1,16] x) => (float[1,16,1000] y)
        <int8[30000,512] t, float s, float[512,1000] w> {
            d = DequantizeLinear (t, s)
            e = Gather (d, x)
            y = MatMul (e, w)
        }""",
    ),
)
