"""How the numbers of a page were made: what each word means, and where it was measured."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.layers import Kernels
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
        (
            "those of a proposal that is counted as the model is. archlint looks at shapes and "
            "cost, never at accuracy: where the function changes, retrain and compare."
        ),
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
    if model.kernels is not None:
        yield "Times of nodes", " ".join(_profiled(model.kernels))
    if (predicted := model.predicted) is not None:
        where = f"for {safe(predicted.label)}, onnxruntime {safe(predicted.runtime)}"
        missing = ""
        if predicted.unpredicted:
            missing = f"; {plural(predicted.unpredicted, 'node')} cannot be predicted"
        how = "by the profile of a machine from archlint calibrate"
        yield "Predictions", f"{where}, {safe(predicted.clock)}, {how}{missing}."


def _profiled(kernels: Kernels) -> Iterator[str]:
    """How the times of nodes were measured, and what is in none of them."""
    where = f"{safe(kernels.label)}, onnxruntime {safe(kernels.runtime)}"
    whole = f"{milliseconds(kernels.total)} in all kernels of a run"
    yield f"{plural(kernels.runs, 'profiled run')} on {where}, apart from those: {whole}."
    apart = percent(round(kernels.apart), round(kernels.total))
    yield f"{apart} of it belongs to no node: changes of layout, copies."
    yield f"The process had {kernels.cores:.2f} cores."
    yield "A kernel that does the work of several nodes is told at the first of them."


def _run(model: ModelReport, version: str) -> Iterator[Fact]:
    if model.rules:
        yield "Rules that ran", f"{len(model.rules):,}: {', '.join(map(safe, model.rules))}."
    if model.digest:
        yield "File", f"SHA-256 {safe(model.digest)}."
    yield "To run it again", " ".join(_command(model))
    yield "The same as text", "archlint cost tells all nodes; --output json=FILE writes JSON."
    yield "Made by", f"archlint {safe(version)}."


def _command(model: ModelReport) -> Iterator[str]:
    """The command that makes such a page, as a shell reads it."""
    yield f"archlint check {quote(safe(model.path))}"
    if model.change is not None and model.change.base:
        yield "--base …"
    if model.latencies or model.measured or model.kernels is not None:
        yield "--verify"
    yield "--html report.html"
