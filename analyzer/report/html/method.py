"""How the numbers of a page were made: what each word means, and where it was measured."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.report import ModelReport, Report
from archlint.analyzer.report.html.doubt import sum_of_kernels
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
_LONGEST = 2_000  # columns of a command
Fact = tuple[str, str]


def facts(model: ModelReport, report: Report) -> tuple[Fact, ...]:
    """What the words mean and, as far as there is any, where the times come from."""
    return (*_DEFINITIONS, *_times(model), *_run(model, report))


def _times(model: ModelReport) -> Iterator[Fact]:
    for one in model.latencies:
        low, high, middle = (
            milliseconds(1e6 * value) for value in (one.low, one.high, one.milliseconds)
        )
        quiet = "quiet" if one.quiet else "busy: other programs took part of it"
        text = f"{middle}, 95 % interval {low} to {high}"
        if one.tenth is not None:
            text += f"; a tenth of the runs took less than {milliseconds(1e6 * one.tenth)}"
        cores = "" if one.cores is None else f", the process had {one.cores:.2f} cores"
        text += f"; the machine was {quiet}{cores}"
        yield f"Latency on {safe(one.label)}", f"the median of runs without a profiler: {text}."
    if model.kernels is not None:
        yield "Times of nodes", " ".join(_profiled(model, model.kernels))
    if (predicted := model.predicted) is not None:
        where = f"for {safe(predicted.label)}, onnxruntime {safe(predicted.runtime)}"
        missing = ""
        if predicted.unpredicted:
            missing = f"; {plural(predicted.unpredicted, 'node')} cannot be predicted"
        how = "by the profile of a machine from archlint calibrate"
        yield "Predictions", f"{where}, {safe(predicted.clock)}, {how}{missing}."


def _profiled(model: ModelReport, kernels: Kernels) -> Iterator[str]:
    """How the times of nodes were measured, and what is in none of them."""
    where = f"{safe(kernels.label)}, onnxruntime {safe(kernels.runtime)}"
    whole = f"{milliseconds(kernels.total)} in all kernels of a run"
    yield f"{plural(kernels.runs, 'profiled run')} on {where}, apart from those: {whole}."
    if told := sum_of_kernels(model):
        yield told
    apart = percent(round(kernels.apart), round(kernels.total))
    yield f"{apart} of it belongs to no node: changes of layout, copies."
    yield f"The process had {kernels.cores:.2f} of {plural(kernels.threads, 'core')}."
    yield "A kernel that does the work of several nodes is told at the first of them."


def _run(model: ModelReport, report: Report) -> Iterator[Fact]:
    if model.rules:
        yield "Rules that ran", f"{len(model.rules):,}: {', '.join(map(safe, model.rules))}."
    if model.digest:
        yield "File", f"SHA-256 {safe(model.digest)}."
    if report.command:
        yield "To run it again", safe(f"{report.command} --html report.html", _LONGEST)
    yield "The same as text", "archlint cost tells all nodes; --output json=FILE writes JSON."
    yield "Made by", f"archlint {safe(report.version)}."
