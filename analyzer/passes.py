"""Rules whose proposals save passes over maps: operators on each element, which have no MACs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.proposal import Priced
from archlint.analyzer.rule import Match, Rule, RuleContext, option

MACS_A_PASS = 20
"""MACs of a convolution that take as long as one more operator on an element: with onnxruntime 1.31
on one core with AVX-512 a pass took 0.4 to 0.8 ns an element on 64 channels of 80×80, and
convolutions do 38 to 57 MACs in a nanosecond."""


@dataclass(frozen=True)
class PassRule(Rule):
    """A rule whose proposals leave out operators on each element.

    The evidence of its matches has the ``elements`` that they need not touch: those of the map
    times the operators left out. A pass over one map is seldom much of a model's time, so
    ``min_share`` is about all places together.
    """

    min_share: float = option(
        0.01,
        "smallest share of the model's time that all places together must save, an element of a "
        "pass counted as 20 of its MACs",
        minimum=0.0,
        maximum=1.0,
    )
    min_elements: int = option(
        20_000,
        "elements of the passes of a place below which it is left out: some 0.01 ms of a core",
        minimum=1,
    )

    def match(self, context: RuleContext) -> Iterator[Match]:
        """All places that save enough, if they do together."""
        found = [m for m in self.places(context) if _elements(m) >= self.min_elements]
        saved = MACS_A_PASS * sum(map(_elements, found))
        if saved >= self.min_share * (saved + context.costs.total().macs):
            yield from found

    def places(self, context: RuleContext) -> Iterator[Match]:
        """Every place where operators can be left out, in topological order."""
        raise NotImplementedError

    def worth(self, match: Match, priced: Priced) -> int:
        """By the elements that are not touched, beside what is saved otherwise."""
        return super().worth(match, priced) + MACS_A_PASS * _elements(match)


def _elements(match: Match) -> int:
    return int(match.evidence["elements"])


def elements_of(graph: Graph, nodes: Iterable[Node]) -> int:
    """Elements that nodes make in all; 0 where one of their maps has an unknown size."""
    shapes = [graph.value(node.output(0)).static_shape for node in nodes]
    return sum(prod(shape) for shape in shapes if shape is not None) if None not in shapes else 0
