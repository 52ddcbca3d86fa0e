"""Shapes of losses, optimizers and gradients."""

from __future__ import annotations

from archlint.analyzer.dims import Shape
from archlint.analyzer.shapes.context import Context, Outputs, shapes

_TRAINING = "ai.onnx.preview.training"
_GROUPS = {"Adagrad": 3, "Adam": 4, "Momentum": 3}  # tensors of each kind after R and T


@shapes("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def loss(context: Context) -> Outputs:
    """A number, or one a label; a cross entropy may also give the logarithms of all scores."""
    scores, labels = context.shape(0), context.shape(1)
    if len(scores) < 2 or len(labels) != len(scores) - 1:
        raise ValueError(f"labels of rank {len(labels)} for scores of rank {len(scores)}")
    each = context.attribute("reduction", "mean") == "none"
    shape: Shape = (scores[0], *scores[2:]) if each else ()
    return [(shape, context.dtype(0)), (scores, context.dtype(0))]


@shapes(*(f"{_TRAINING}.{name}" for name in _GROUPS))
def optimizer(context: Context) -> Outputs:
    """The tensors, then their statistics; the gradients between both are not given back."""
    groups = _GROUPS[context.node.op_type]
    count, left = divmod(len(context.inputs) - 2, groups)
    if left or count < 1:
        raise ValueError(f"{len(context.inputs) - 2} tensors in {groups} groups")
    places = [2 + place for place in range(count * groups) if not count <= place < 2 * count]
    return [(context.shape(place), context.dtype(place)) for place in places]


@shapes(f"{_TRAINING}.Gradient")
def gradient(context: Context) -> Outputs:
    """Each gradient is shaped as the input that it is taken with respect to."""
    count = len(context.attribute("xs") or ())
    return [(context.shape(place), context.dtype(place)) for place in range(count)]
