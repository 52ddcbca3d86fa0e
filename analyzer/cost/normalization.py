"""Normalisations and softmax: operations an element, none of them a multiply-accumulate."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import View, Work, elementwise, handles


@handles("BatchNormalization", roles="xwwbb")
def batch_normalization(view: View) -> Work:
    """2 operations an element: at inference the statistics are constants, which leaves one factor
    and one addend a channel; 7 in training, as of InstanceNormalization."""
    each = 7 if view.attribute("training_mode", 0) else 2
    return Work(ops={"normalization": each * view.elements(0)})


@handles("LayerNormalization", "GroupNormalization", "InstanceNormalization", roles="xww")
def mean_variance(view: View) -> Work:
    """5 operations an element (mean, centre, square, variance, divide), one more for each of scale
    and bias."""
    return Work(ops={"normalization": (5 + view.has(1) + view.has(2)) * view.elements(0)})


@handles("RMSNormalization", "SimplifiedLayerNormalization", roles="xw")
def root_mean_square(view: View) -> Work:
    """4 operations an element (square, mean, divide, scale)."""
    return Work(ops={"normalization": 4 * view.elements(0)})


@handles("LpNormalization", "MeanVarianceNormalization")
def norm(view: View) -> Work:
    """3 operations an element of a norm (power, sum, divide), 5 of mean and variance."""
    times = 3 if view.node.op_type == "LpNormalization" else 5
    return Work(ops={"normalization": times * view.elements(0)})


@handles("LRN")
def local_response(view: View) -> Work:
    """size + 5 operations an element: a square, size - 1 additions over the channels beside it,
    then alpha/size, bias, power, divide, and one more to square the centre."""
    size = int(view.attribute("size"))
    if size < 1:
        raise ValueError(f"a size of {size}")
    return Work(ops={"normalization": (size + 5) * view.elements(0)})


@handles("Hardmax")
def hardmax(view: View) -> Work:
    """One comparison an element."""
    return Work(ops={"softmax": prod(view.out())})


handles("Softmax", "LogSoftmax")(elementwise("softmax", 5))
