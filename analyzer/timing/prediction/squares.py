"""Nonlinear least squares, for constants that are positive."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_STEPS = 15
_HUBER = 0.15  # what deviates more counts less: some of the measurements were disturbed
_MOST = 1.0  # that a number changes by in one step
_SMALL = 1e-5  # changes of a number, to find slopes; gains that are none
_DAMPING = 1e-2


def least_squares(errors: Callable[[Vector], Vector], begin: Vector) -> Vector:
    """The vector near ``begin`` where the errors are smallest.

    Levenberg's and Marquardt's steps (Nocedal and Wright, Numerical Optimization, 2006, section
    10.3) with Huber's weights (Robust Statistics, 1981, chapter 7). Costs an evaluation a number
    and one more in each of at most 15 steps.
    """
    vector, damping = begin, _DAMPING
    now = errors(vector)
    for _ in range(_STEPS):
        after = errors(vector + (step := _step(errors, vector, now, damping)))
        gained = _loss(now) - _loss(after)
        if gained > 0:
            vector, now, damping = vector + step, after, damping / 3
            if gained < _SMALL:
                break
        else:
            damping *= 4
    return vector


def _step(
    errors: Callable[[Vector], Vector], vector: Vector, now: Vector, damping: float
) -> Vector:
    slopes = np.stack(
        [(errors(vector + move) - now) / _SMALL for move in _SMALL * np.eye(len(vector))], axis=1
    )
    weights = np.minimum(1.0, _HUBER / np.maximum(np.abs(now), _SMALL))
    normal = slopes.T @ (weights[:, None] * slopes)
    damped = normal + np.diag(damping * np.diag(normal) + 1e-9)
    step = np.linalg.solve(damped, -slopes.T @ (weights * now))
    return np.clip(np.asarray(step, np.float64), -_MOST, _MOST)


def _loss(errors: Vector) -> float:
    size = np.abs(errors)
    return float(np.where(size < _HUBER, size**2 / 2, _HUBER * (size - _HUBER / 2)).sum())
