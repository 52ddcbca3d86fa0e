"""One model against another: which is faster, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from archlint.analyzer.runtime.child import Failure, run_job
from archlint.analyzer.timing import comparing
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.measurement import WORTHWHILE, Comparison
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.refusals import GARBLED, check_used, explained, refused
from archlint.analyzer.timing.statistics import (
    LEAST_BLOCKS,
    Clock,
    Sample,
    block_ratio,
    median,
    ratio_of,
    times,
)  # fmt: skip
from archlint.analyzer.timing.subject import Subject

_DISTURBED = (
    "its runs did not keep {} cores, as other programs took them or as it cannot use so many; use "
    "one thread, or try when it is quiet"
)


@dataclass(frozen=True, slots=True)
class Question:
    """How precisely a ratio is asked for, to either side as a share of it, and which it must be
    told from."""

    precision: float
    threshold: float


CLAIM = Question(0.03, WORTHWHILE)  # is it worth following?
WHOLE_MODEL = Question(0.03, 1.0)  # is the whole any faster?


def compare(
    path: str,
    before: Subject,
    after: Subject,
    provider: Provider,
    effort: Effort,
    question: Question = CLAIM,
) -> Comparison:
    """Time two models with the same inputs and outputs, side by side in one child process.

    Raises TimingError where a session cannot be made or run within the limits, and where the
    provider took no node of one of them.
    """
    synthetic = before.is_synthetic or after.is_synthetic
    setup = provider.setup(
        threads=effort.threads,
        fallback=effort.fallback or provider.host,
        synthetic=synthetic,
    )
    clock = effort.clock(provider)
    outcome = run_job(
        comparing.compare,
        {
            "subjects": [before.as_json("before.onnx"), after.as_json("after.onnx")],
            "setup": asdict(setup),
            "warm_ups": provider.warm_ups,
            "clock": clock,
            "cores": effort.cores(provider),
            "precision": question.precision,
            "threshold": question.threshold,
            "budget": effort.budget,
        },
        {"before.onnx": before.model, "after.onnx": after.model},
        effort.limits(provider, before.tensor_bytes + after.tensor_bytes),
    )
    if isinstance(outcome, Failure):
        raise refused(path, provider, explained(outcome))
    try:
        return _comparison(path, provider, effort, clock, outcome.value)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise refused(path, provider, GARBLED) from error


def _comparison(
    path: str, provider: Provider, effort: Effort, clock: Clock, answer: Mapping[str, Any]
) -> Comparison:
    kernels_before, kernels_after = answer["placements"]
    for kernels in (kernels_before, kernels_after):
        check_used(path, provider, kernels)
    blocks = [
        [(Sample(*before), Sample(*after)) for before, after in block] for block in answer["blocks"]
    ]
    counted = [times(block, clock, effort.cores(provider)) for block in blocks]
    ratios = [block_ratio(block) for block in counted if block]
    if len(ratios) < LEAST_BLOCKS:
        raise refused(path, provider, _DISTURBED.format(effort.threads))
    ratio, interval = ratio_of(ratios)
    return Comparison(
        provider=provider,
        threads=effort.threads,
        clock=clock,
        runtime=answer["runtime"],
        before=median([before for block in counted for before, _ in block]),
        after=median([after for block in counted for _, after in block]),
        ratio=ratio,
        interval=interval,
        rounds=sum(map(len, counted)),
        disturbed=sum(map(len, blocks)) - sum(map(len, counted)),
        kernels_before=kernels_before,
        kernels_after=kernels_after,
        copies=sum(answer["copies"]),
    )
