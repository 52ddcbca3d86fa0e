"""Time a whole model on a provider: run it in a child process, and tell its kernels' nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from onnx import ModelProto

from archlint.analyzer.cost import CostTable
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.external import refuse_unsafe
from archlint.analyzer.runtime.child import Failure, run_job
from archlint.analyzer.timing.attribution.marking import Marked, mark
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.nodes import profiling
from archlint.analyzer.timing.nodes.answer import Answer
from archlint.analyzer.timing.nodes.latency import Latency, Profile, Spread
from archlint.analyzer.timing.nodes.node_times import node_times
from archlint.analyzer.timing.nodes.spread import median_interval
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.refusals import GARBLED, check_used, explained, refused
from archlint.analyzer.timing.statistics import Clock, is_undisturbed, median, quantile
from archlint.analyzer.timing.subject import Subject, whole

_MODEL = "model.onnx"


def measure(
    model: Model, costs: CostTable, provider: Provider, effort: Effort, runs: int | None = None
) -> Latency:
    """Time a model as it is loaded and counted, in ``runs`` runs or as many as the budget allows.

    What the provider leaves is run by the CPU's. Raises TimingError where a session cannot be made
    or run within the limits, and where the provider took no node; ExecutionError where an input's
    shape is unknown.
    """
    refuse_unsafe(model)
    subject = whole(model, costs.graph)
    marked = mark(ModelProto.FromString(subject.model), costs.graph)
    answer = _run(model.path, subject, marked, provider, effort, runs)
    kernels = answer.kernels_by_provider()
    check_used(model.path, provider, kernels)
    profile, why = _profile(answer, provider, effort, marked, costs)
    return _latency(answer, provider, effort, subject.is_synthetic, kernels, profile, why)


def _run(
    path: str,
    subject: Subject,
    marked: Marked,
    provider: Provider,
    effort: Effort,
    runs: int | None,
) -> Answer:
    """What the child process says of a marked model."""
    setup = provider.setup(threads=effort.threads, synthetic=subject.is_synthetic)
    outcome = run_job(
        profiling.profile,
        {
            "subject": subject.as_json(_MODEL),
            "setup": asdict(setup),
            "warm_ups": provider.warm_ups,
            "kernels": not _without_nodes(provider),
            "runs": runs,
            "clock": effort.clock(provider),
            "budget": effort.budget,
        },
        {_MODEL: marked.proto.SerializeToString()},
        effort.limits(provider, subject.tensor_bytes),
    )
    if isinstance(outcome, Failure):
        raise refused(path, provider, explained(outcome))
    try:
        return Answer.of(outcome.value)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise refused(path, provider, GARBLED) from error


def _without_nodes(provider: Provider) -> str:
    """Why the nodes of a provider have no times; empty for one whose nodes do."""
    if provider.compiles:
        return f"{provider.full_name} compiles sub-graphs: each is one kernel, whatever its nodes"
    if not provider.host:
        return "a device works on when the launch of a kernel, which is what is profiled, is over"
    return ""


def _profile(
    answer: Answer, provider: Provider, effort: Effort, marked: Marked, costs: CostTable
) -> tuple[Profile | None, str]:
    """The times of nodes, or why there are none."""
    if why := _without_nodes(provider):
        return None, why
    if not (answer.complete and answer.profiled):
        return None, "it runs more kernels than onnxruntime's profiler records"
    try:
        return node_times(answer, marked, costs, effort.threads), ""
    except ValueError as error:
        return None, str(error)


def _latency(
    answer: Answer,
    provider: Provider,
    effort: Effort,
    synthetic: bool,
    kernels: Mapping[str, int],
    profile: Profile | None,
    why: str,
) -> Latency:
    clock = effort.clock(provider)
    cores = effort.cores(provider)
    counted = list(answer.samples)
    if clock is Clock.WALL and cores:
        counted = [sample for sample in counted if is_undisturbed(sample, cores)]
    times = [s.cpu if clock is Clock.CPU else s.wall for s in counted or answer.samples]
    spread = Spread(
        median(times), median_interval(times), quantile(times, 0.1), quantile(times, 0.9)
    )
    return Latency(
        provider=provider,
        threads=effort.threads,
        clock=clock,
        runtime=answer.runtime,
        spread=spread,
        runs=len(answer.samples),
        disturbed=len(answer.samples) - len(counted),
        wall=median([sample.wall for sample in answer.samples]),
        cores=median([sample.cpu / sample.wall for sample in answer.samples]),
        kernels=kernels,
        copies=answer.copies,
        synthetic=synthetic,
        profile=profile,
        why=why,
    )
