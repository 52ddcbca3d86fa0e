"""In the child process: a model with one kernel at a time in place of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archlint.analyzer.proof.reductions import Difference
from archlint.analyzer.proof.runs import sample_inputs, tapped_session


def perturbed(
    model: Mapping[str, Any],
    tap: str,
    fetches: Sequence[str],
    kernels: Sequence[Mapping[str, str]],
    samples: Mapping[str, Any],
    scratch: str,
) -> list[list[dict[str, Any]]]:
    """For each kernel how far each fetched value is from that of the model as it is.

    A kernel is the ``name`` of the input that takes it, and the ``file`` that holds it.
    """
    session = tapped_session(model, tap, scratch)
    found = [[Difference() for _ in fetches] for _ in kernels]
    for inputs in sample_inputs(samples):
        before = session.run(list(fetches), inputs)
        for kernel, differences in zip(kernels, found, strict=True):
            numbers = np.load(kernel["file"], allow_pickle=False)
            after = session.run(list(fetches), {**inputs, kernel["name"]: numbers})
            for difference, one, other in zip(differences, before, after, strict=True):
                difference.add(one, other)
    return [[difference.as_json() for difference in differences] for differences in found]
