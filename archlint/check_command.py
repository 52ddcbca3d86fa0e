"""The command ``check`` and its options."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from archlint.analyzer.choices import DEFAULT_BUDGET, DEFAULT_TIMEOUT
from archlint.choices import AnchorChoice, Assets, FailOn, Format, OnPointer
from archlint.output import fail
from archlint.parameters import (
    AssetsOption,
    Budget,
    Config,
    Dims,
    Ep,
    Exclude,
    Execute,
    ExtendExclude,
    ExtendSelect,
    Fallback,
    ForceExclude,
    Html,
    Ignore,
    InputShapes,
    Isolated,
    Jobs,
    Memory,
    NoCache,
    OutputFile,
    Paths,
    Select,
    SetOption,
    TargetName,
    Threads,
    Timeout,
)


def _typed(context: typer.Context) -> str:
    from archlint.typed_command import typed_command  # late: only pages tell it

    return typed_command(context)


def check(
    context: typer.Context,
    paths: Paths,
    output_format: Annotated[
        Format | None,
        typer.Option("--output-format", help="How to write the findings. Default: full."),
    ] = None,
    output_file: OutputFile = None,
    output: Annotated[
        list[str],
        typer.Option(
            metavar="FORMAT=FILE",
            help="Write the findings to a file as well, as in sarif=archlint.sarif. Repeatable.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    html: Html = [],  # noqa: B006 - typer copies it
    assets: AssetsOption = Assets.INLINE,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    select: Select = [],  # noqa: B006 - typer copies it
    ignore: Ignore = [],  # noqa: B006 - typer copies it
    extend_select: ExtendSelect = [],  # noqa: B006 - typer copies it
    option: SetOption = [],  # noqa: B006 - typer copies it
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    execute: Execute = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Time what is flagged against what is suggested, and the whole model with what is "
            "confirmed, with onnxruntime in a limited process.",
        ),
    ] = False,
    weights: Annotated[
        bool,
        typer.Option(
            "--weights",
            help="Read the weights: run the rules about them too, and tell how many directions the "
            "layers use.",
        ),
    ] = False,
    ep: Ep = [],  # noqa: B006 - typer copies it
    threads: Threads = 1,
    budget: Budget = DEFAULT_BUDGET,
    timeout: Timeout = DEFAULT_TIMEOUT,
    memory: Memory = None,
    cpu_fallback: Fallback = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Lowest severity that makes the exit code 1. Default: warning."),
    ] = None,
    max_warnings: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Make the exit code 1 for more warnings than this."),
    ] = None,
    target: TargetName = None,
    exclude: Exclude = [],  # noqa: B006 - typer copies it
    extend_exclude: ExtendExclude = [],  # noqa: B006 - typer copies it
    force_exclude: ForceExclude = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF|FILE|DIR",
            help="Compare with a revision of git (where the branches parted), a model or a folder "
            "of models: only what is new or worse is told, and fails.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The file of accepted findings. Default: .archlint-baseline.json beside the "
            "configuration.",
        ),
    ] = None,
    write_baseline: Annotated[
        bool,
        typer.Option(
            "--write-baseline", help="Accept what is found now: write the baseline, exit with 0."
        ),
    ] = False,
    prune_baseline: Annotated[
        bool,
        typer.Option(
            "--prune-baseline", help="Remove from the baseline what is not found any more."
        ),
    ] = False,
    strict_baseline: Annotated[
        bool,
        typer.Option(
            "--strict-baseline", help="Make it a finding that the baseline holds what is gone."
        ),
    ] = False,
    add_ignore: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Accept what is found: write an entry for each finding, with this reason, to the "
            "configuration file of its model, and exit with 0.",
        ),
    ] = None,
    on_lfs_pointer: Annotated[
        OnPointer,
        typer.Option(
            help="What to do with a Git LFS pointer whose file is not here and not in the cache: "
            "fail, take its snapshot, or leave it out."
        ),
    ] = OnPointer.ERROR,
    anchor: Annotated[
        AnchorChoice,
        typer.Option(
            help="Which line of text a finding is told at, beside the model: of the Python source, "
            "or of the snapshot; auto takes the first that there is.",
        ),
    ] = AnchorChoice.AUTO,
    jobs: Jobs = 1,
    no_cache: NoCache = False,
    executor: Annotated[
        str,
        typer.Option(
            metavar="process|dask=ADDRESS",
            help="Who looks at models: processes here, or the workers of a dask cluster.",
        ),
    ] = "process",
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file changes, until Ctrl-C.")
    ] = False,
) -> None:
    """Lint models: what is needlessly expensive, and what would be cheaper."""
    from archlint.batch import Effort
    from archlint.check_run import Ends, run
    from archlint.checking import Wanted
    from archlint.work import Request

    options = {
        "config": config, "isolated": isolated, "select": select, "extend_select": extend_select,
        "ignore": ignore, "options": option, "dims": dim, "shapes": input_shape,
        "fail_on": fail_on, "output_format": output_format, "target": target, "exclude": exclude,
        "extend_exclude": extend_exclude, "force_exclude": force_exclude, "weights": weights,
    }  # fmt: skip
    clock = None
    if verify:
        from archlint.timing import stopwatch  # late: a static check times nothing

        clock = stopwatch(ep, threads, budget, timeout, memory, cpu_fallback=cpu_fallback)
    elif ep or threads != 1 or cpu_fallback:
        fail("--ep, --threads and --cpu-fallback", "say how to time: give --verify too")
    wanted = Wanted(base, on_lfs_pointer, anchor, Effort(jobs, not no_cache, executor))
    ends = Ends(
        output_file, tuple(output), tuple(html), assets, baseline, write_baseline, prune_baseline,
        strict_baseline, add_ignore, max_warnings, partial(_typed, context),
    )  # fmt: skip
    again = partial(run, paths, Request.of(options, execute=execute), wanted, ends, clock)
    if watch:
        from archlint.watch import watch as watch_paths

        raise typer.Exit(watch_paths(again, paths))
    raise typer.Exit(again())
