"""How the numbers of a page were made: what each word means, and where it was measured."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.report import ModelReport
from archlint.analyzer.text import milliseconds, percent, plural, safe

_DEFINITIONS = (
    ("MAC", "a multiply-accumulate of a convolution or a product, exact by the shapes; two FLOPs."),
    (
        "Parameters",
        "weights that training finds, shared ones once; running statistics are buffers.",
    ),
    (
        "Memory traffic",
        "the bytes of all inputs, outputs and weights of all nodes: exact, without any cache.",
    ),
    ("Unknown", "what cannot be counted is said to be unknown, and is in no total."),
    ("Predicted", "computed from the shapes and the measured speed of a machine; no measurement."),
    ("Measured", "timed with onnxruntime on the machine that is named, in a process of its own."),
    (
        "Savings",
        "those of a proposal that is counted as the model is. archlint looks at shapes and cost, "
        "never at accuracy: where the function changes, retrain and compare.",
    ),
)
Fact = tuple[str, str]


def facts(model: ModelReport, version: str) -> tuple[Fact, ...]:
    """What the words mean and, as far as there is any, where the times come from."""
    return (*_DEFINITIONS, *_times(model), *_run(model, version))


def _times(model: ModelReport) -> Iterator[Fact]:
    for one in model.latencies:
        low, high, middle = (
            milliseconds(1e6 * value) for value in (one.low, one.high, one.milliseconds)
        )
        quiet = "quiet" if one.quiet else "busy: other programs took part of it"
        text = f"{middle}, 95 % interval {low} to {high}; the machine was {quiet}"
        yield f"Latency on {safe(one.label)}", f"the median of runs without a profiler: {text}."
    if (kernels := model.kernels) is not None:
        apart = percent(round(kernels.apart), round(kernels.total))
        yield (
            "Times of nodes",
            f"{plural(kernels.runs, 'profiled run')} apart from these on {safe(kernels.label)}, "
            f"onnxruntime {safe(kernels.runtime)}: {milliseconds(kernels.total)} in all kernels, "
            f"of which {apart} belong to no node (changes of layout, copies); the process had "
            f"{kernels.cores:.2f} cores. A kernel that does the work of several nodes is told at "
            "the first of them.",
        )
    if (predicted := model.predicted) is not None:
        missing = ""
        if predicted.unpredicted:
            missing = f"; {plural(predicted.unpredicted, 'node')} cannot be predicted"
        yield (
            "Predictions",
            f"for {safe(predicted.label)}, onnxruntime {safe(predicted.runtime)}, {predicted.clock},"
            f" by a profile of this machine from archlint calibrate{missing}.",
        )


def _run(model: ModelReport, version: str) -> Iterator[Fact]:
    if model.rules:
        yield "Rules that ran", f"{len(model.rules):,}: {', '.join(map(safe, model.rules))}."
    if model.digest:
        yield "File", f"SHA-256 {safe(model.digest)}."
    made = f"archlint {version}"
    again = "archlint cost tells all nodes as text, archlint check --output json=FILE as JSON"
    yield "Made by", f"{made}, without running the model unless times were measured. {again}."
