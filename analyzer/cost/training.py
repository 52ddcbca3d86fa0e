"""Losses, optimizers and what draws numbers by chance."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import UnknownCost, View, Work, handles

_TRAINING = "ai.onnx.preview.training"
_UPDATE_OPS = {"Adagrad": 9, "Adam": 15, "Momentum": 7}
_GROUPS = {"Adagrad": 3, "Adam": 4, "Momentum": 3}  # tensors of each kind after R and T


@handles("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss", roles="xsb")
def loss(view: View) -> Work:
    """An operation a label (negate), one more for class weights, one more unless ``reduction`` is
    none; a cross entropy has 5 a score first, for the logarithm of the softmax."""
    terms = 1 + view.has(2) + (view.attribute("reduction", "mean") != "none")
    ops = {"reduction": terms * view.elements(1)}
    if view.node.op_type == "SoftmaxCrossEntropyLoss":
        ops["softmax"] = 5 * view.elements(0)
    return Work(ops=ops)


@handles(*(f"{_TRAINING}.{name}" for name in _UPDATE_OPS), roles="sswwww")
def optimizer(view: View) -> Work:
    """Operations an element of the optimised tensors: Adagrad 9, Adam 15, Momentum 7, and 9 with
    Nesterov's: every sum, product, quotient and root of the update."""
    count = (len(view.inputs) - 2) // _GROUPS[view.node.op_type]
    each = _UPDATE_OPS[view.node.op_type]
    each += 2 if view.attribute("mode") == "nesterov" else 0
    elements = sum(view.elements(2 + place) for place in range(count))
    return Work(ops={"optimizer": each * elements})


@handles(f"{_TRAINING}.Gradient")
def gradient(view: View) -> Work:
    """Unknown: it differentiates a part of the graph that it names, which no formula sees."""
    raise UnknownCost(view.because("it differentiates a part of the graph; export the gradients"))


@handles("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", roles="s")
def random(view: View) -> Work:
    """One draw an element."""
    return Work(ops={"random": view.out_elements()})


@handles("Bernoulli")
def bernoulli(view: View) -> Work:
    """A draw and a comparison an element."""
    return Work(ops={"random": 2 * view.out_elements()})


@handles("Multinomial")
def multinomial(view: View) -> Work:
    """N·(2·classes + samples · (1 + ⌈log₂ classes⌉)) operations: exponentials and their running
    sums, then a draw and a binary search a sample."""
    rows, classes = view.shape(0)
    search = 1 + (classes - 1).bit_length()
    return Work(ops={"random": rows * 2 * classes + prod(view.out()) * search})
