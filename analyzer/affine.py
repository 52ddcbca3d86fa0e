"""What operators in a row do to the channels of a value, as numbers: a scale and a shift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.constants import Constants
from archlint.analyzer.graph import Node

Doubles = NDArray[np.float64]
_EPSILON = float(np.float32(1e-5))  # of a BatchNormalization that says none: a float of ONNX


@dataclass(frozen=True, slots=True)
class Affine:
    """scale·x + shift, with one number of each for every channel."""

    scale: Doubles
    shift: Doubles

    def then(self, scale: Doubles | float, shift: Doubles | float) -> Affine:
        """It with another scale and shift behind it."""
        return Affine(self.scale * scale, self.shift * scale + shift)


def affine(constants: Constants, nodes: Iterable[Node], source: str, channels: int) -> Affine:
    """What nodes, each read by the next, make of the channels of ``source``.

    They are those of which ``linear_chains.affine_source`` says that they scale and shift.
    BatchNormalization is γ/√(σ² + ε)·x + β − μ·γ/√(σ² + ε) (Ioffe and Szegedy 2015). Raises
    ModelReadError for constants that cannot be had, ValueError for those of other sizes.
    """
    made = Affine(np.ones(channels), np.zeros(channels))
    value = source
    for node in nodes:
        made = _behind(made, constants, node, value)
        value = node.output(0)
    return made


def _behind(made: Affine, constants: Constants, node: Node, value: str) -> Affine:
    channels = made.scale.size
    if node.op_type == "Identity":
        return made
    if node.op_type == "BatchNormalization":
        gamma, beta, mean, variance = (per_channel(constants(n), channels) for n in node.inputs[1:])
        scale = gamma / np.sqrt(variance + float(node.attributes.get("epsilon", _EPSILON)))
        return made.then(scale, beta - mean * scale)
    first = node.input(0) == value
    number = per_channel(constants(node.input(1 if first else 0)), channels)
    match node.op_type:
        case "Mul":
            return made.then(number, 0)
        case "Div":
            return made.then(1 / number, 0)
        case "Add":
            return made.then(1, number)
        case "Sub":
            return made.then(1, -number) if first else made.then(-1, number)
    raise ValueError(f"{node.operator} is no scale and shift of channels")


def per_channel(numbers: NDArray[Any], channels: int) -> Doubles:
    """A constant of one number, or of one for each channel, as one for each."""
    return np.broadcast_to(np.asarray(numbers, np.float64).reshape(-1), (channels,))
