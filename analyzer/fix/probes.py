"""The values at which the error of a changed model is told."""

from __future__ import annotations

from collections.abc import Container
from typing import Final, NamedTuple

from archlint.analyzer.graph import Graph

# They squeeze what they read, so that a large error before them may be none behind them.
_SATURATING: Final = frozenset({"Sigmoid", "Softmax", "LogSoftmax", "Tanh", "HardSigmoid"})
# They choose from what they read.
_CHOOSING: Final = frozenset({"ArgMax", "Clip", "TopK"})
# They say what they read in another form.
_PASSING: Final = frozenset({
    "Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze",
})  # fmt: skip


class Probe(NamedTuple):
    """The value at which the error of an output is judged; ``operator`` is what squeezes it, or
    chooses from it, empty where it is the output itself."""

    output: str
    value: str
    operator: str = ""


def probed(before: Graph, after: Graph) -> tuple[Probe, ...]:
    """For each output of both graphs the value, in both too, that is in front of the last squeezing
    or choosing operators that make it.

    The relative error of a saturated Softmax, or of a map of probabilities near 0, says nothing of
    the features that it is made of.
    """
    outputs = dict.fromkeys(name for name in before.outputs if name in after.outputs)
    return tuple(_probe(before, name, after.values) for name in outputs)


def probes(graph: Graph) -> tuple[str, ...]:
    """The values at which the errors of all outputs are judged."""
    return tuple(dict.fromkeys(probe.value for probe in probed(graph, graph)))


def _probe(graph: Graph, output: str, there: Container[str]) -> Probe:
    found = Probe(output, output)
    name, squeezing = output, ""  # by an operator whose input is yet to be found
    while (maker := graph.producer(name)) is not None and not maker.domain:
        if maker.op_type in _SATURATING | _CHOOSING:
            squeezing = maker.op_type
        elif maker.op_type not in _PASSING:
            break
        name = maker.input(0)
        if squeezing and name in there:
            found, squeezing = Probe(output, name, squeezing), ""
    return found
