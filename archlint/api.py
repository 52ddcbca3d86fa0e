"""What the command ``archlint check`` does, as functions: models in, a report out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from onnx import ModelProto

from archlint import arguments
from archlint.analyzer.choices import DEFAULT_BUDGET, DEFAULT_TIMEOUT
from archlint.analyzer.errors import ConfigError, ModelError
from archlint.analyzer.reader.memory import InMemory
from archlint.analyzer.report import Report
from archlint.analyzer.timing.prediction.cache import stored
from archlint.arguments import Path, Texts, items, setting, shape, size
from archlint.batch import Effort
from archlint.caller import SELDOM_COLLECTED, WITHOUT_MAIN
from archlint.check_run import Ends, judged
from archlint.checking import Wanted, check
from archlint.choices import FailOn, Format
from archlint.pipeline import Stopwatch
from archlint.run import with_outcomes
from archlint.work import Prepared, Request


def lint(
    model: Path | Iterable[Path] | ModelProto | InMemory,
    *,
    name: Path | None = None,
    config: Path | Sequence[Path] = (),
    isolated: bool = False,
    select: Texts = (),
    ignore: Texts = (),
    extend_select: Texts = (),
    set: Mapping[str, float | None] | None = None,  # noqa: A002 - as the option is called
    dims: Mapping[str, int] | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    target: Path | None = None,
    execute: bool = False,
    verify: bool = False,
    ep: Texts = (),
    threads: int = 1,
    budget: float = DEFAULT_BUDGET,
    timeout: float = DEFAULT_TIMEOUT,
    memory: float | None = None,
    cpu_fallback: bool = False,
    weights: bool = False,
    fail_on: str | None = None,
    base: Path | ModelProto | None = None,
    baseline: Path | None = None,
    jobs: int = 1,
    cache: bool = True,
) -> Report:
    """Find what is needlessly expensive in models, and what would be cheaper.

    The options are those of ``archlint check`` and mean the same. Settings are found as there:
    each model has those of the nearest configuration file above it, a model in memory those of the
    working directory. A report has all that can be said, ``report.models[0].layers`` what each node
    costs.

    Parameters
    ----------
    model
        A path, which may be a folder that holds ``*.onnx`` files, a glob or a URL; several of
        these; or a ModelProto. That is not changed, and its weights are not copied as a whole, so
        that it may take more than 2 GB; those of its tensors that are external data are looked for
        in the folder of ``name``.
    name
        What the report calls a ModelProto. Where it is a path, settings that speak of this path
        hold, and ``base`` compares it with what is there; no file of this name needs to exist.
    config
        A configuration file for all models, or settings as ``KEY=VALUE`` in TOML; several of them.
    isolated
        Whether no configuration file is looked for.
    select, ignore, extend_select
        Codes, prefixes or names of rules.
    set
        Options of rules, as in ``{"ARC101.width": 20}``.
    dims
        Sizes of symbolic dims, in elements.
    input_shapes
        Sizes of all dims of inputs, by the inputs' names.
    target
        The device that the models are meant for: a name, or a ``.toml`` file with a profile.
    execute
        Whether each model is run once, on made-up inputs in a limited process, to learn the shapes
        that depend on data.
    verify
        Whether what is flagged is timed against what is suggested, with onnxruntime.
    ep, threads, budget, timeout, memory, cpu_fallback
        On which execution providers and with how many threads it is timed; the most seconds of
        runs; the seconds after which a process is ended, and the most GiB that it takes; whether a
        device may leave nodes to the CPU.
    weights
        Whether the weights are read: the rules about them run too, and ``report.models[0].weights``
        has how many directions the layers use.
    fail_on
        The lowest severity at which a model has ``failed``: error, warning, note or never.
    base
        What the models are compared with: a git revision, a folder, a file, or a ModelProto.
    baseline
        The file of accepted findings.
    jobs
        Processes to look at models in, 0 for one a core. They import nothing of the caller's.
    cache
        Whether answers are kept from run to run, and used; those about a ModelProto never are.

    Returns
    -------
    Report
        MACs are multiply-accumulates of one run, sizes are bytes, times say their unit. What could
        not be analysed, of several models, is in ``failures``.

    Raises
    ------
    ConfigError
        A ValueError: an option or a configuration file cannot be used.
    ModelError
        The one path or ModelProto that was given cannot be analysed.
    TypeError
        An argument is of a type that it cannot be.

    Examples
    --------
    A 5×5 convolution without a 1×1 reduction before it:

    >>> import archlint
    >>> report = archlint.lint("inception_5x5.onnx")
    >>> [finding] = report.findings
    >>> finding.code, finding.name
    ('ARC101', 'wide-convolution')
    >>> finding.proposal.before.macs, finding.proposal.after.macs
    (120422400, 12443648)

    The same model from memory:

    >>> import onnx
    >>> proto = onnx.load("inception_5x5.onnx")
    >>> archlint.lint(proto).models[0].cost.macs
    120422400

    """
    options = {
        "config": arguments.paths("config", config),
        "isolated": isolated,
        "select": arguments.texts("select", select),
        "ignore": arguments.texts("ignore", ignore),
        "extend_select": arguments.texts("extend_select", extend_select),
        "options": [f"{key}={setting('set', one)}" for key, one in items("set", set)],
        "dims": [f"{key}={size('dims', one)}" for key, one in items("dims", dims)],
        "shapes": [
            f"{key}={shape('input_shapes', one)}"
            for key, one in items("input_shapes", input_shapes)
        ],
        "target": None if target is None else arguments.path("target", target),
        "fail_on": None if fail_on is None else arguments.word("fail_on", fail_on, FailOn),
        "force_exclude": False,  # what is named is meant
        "weights": weights,
    }
    paths, held = arguments.models(model, name)
    effort = Effort(arguments.whole("jobs", jobs, 0, 1024), cache)
    wanted = Wanted(arguments.base(base), effort=effort, held=held, shown=False)
    ends = Ends(baseline=None if baseline is None else arguments.path("baseline", baseline))
    with arguments.named_as_arguments(), SELDOM_COLLECTED, WITHOUT_MAIN:
        clock = _clock(verify, ep, threads, budget, timeout, memory, cpu_fallback=cpu_fallback)
        request = Request.of(options, execute=execute, layers=True)
        report = _checked(paths, request, wanted, ends, clock)
    is_one = bool(held) or isinstance(model, str | os.PathLike)
    if is_one and report.failures and not report.models:
        raise ModelError(report.failures[0].path, report.failures[0].why)
    return report


def render(report: Report, output_format: str = "full") -> str:
    """A report as ``--output-format`` writes it, without colours.

    Parameters
    ----------
    report
        What ``lint`` has returned.
    output_format
        full, concise, grouped, markdown, html, json, json-lines, csv, sarif, github, gitlab, junit,
        checkstyle, rdjson or azure.

    Raises
    ------
    ConfigError
        There is no such format.

    Examples
    --------
    >>> import archlint
    >>> print(archlint.render(archlint.lint("inception_5x5.onnx"), "csv").splitlines()[0][:30])
    path,code,name,severity,confid

    """
    from archlint.outputs import rendered  # late: who reads the report itself writes none

    if not isinstance(report, Report):
        raise TypeError(f"report takes what lint returns, not {type(report).__name__}")
    return rendered(report, arguments.word("output_format", output_format, Format), "")


def _checked(
    paths: Sequence[str], request: Request, wanted: Wanted, ends: Ends, clock: Stopwatch | None
) -> Report:
    """What the command would tell, with what is accepted and what budgets say."""
    configuration = request.configuration()
    report = check(paths, request, Prepared(configuration, stored().profile, clock), wanted)
    report = judged(report, configuration, ends, timed=clock is not None)
    return with_outcomes(report, configuration)


def _clock(
    verify: bool,
    ep: Texts,
    threads: int,
    budget: float,
    timeout: float,
    memory: float | None,
    *,
    cpu_fallback: bool,
) -> Stopwatch | None:
    """What times findings; None for a run that does not."""
    providers = arguments.texts("ep", ep)
    threads = arguments.whole("threads", threads, 1, 1024)
    budget = arguments.between("budget", budget, 0.1, 3600)
    timeout = arguments.between("timeout", timeout, 1, 86400)
    if memory is not None:
        memory = arguments.between("memory", memory, 0.1)
    if verify:
        from archlint.timing import stopwatch  # late: a static check times nothing

        return stopwatch(providers, threads, budget, timeout, memory, cpu_fallback=cpu_fallback)
    if providers or threads != 1 or cpu_fallback:
        why = "say how to time: give verify=True too"
        raise ConfigError("ep, threads and cpu_fallback", why)
    return None
