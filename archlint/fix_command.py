"""The command ``fix`` and its options."""

from __future__ import annotations

from math import isnan
from typing import Annotated

import typer

from archlint.analyzer.choices import DEFAULT_BUDGET, DEFAULT_TIMEOUT
from archlint.choices import TextFormat
from archlint.output import fail
from archlint.parameters import (
    Budget,
    Config,
    Dims,
    ExtendSelect,
    Ignore,
    InputShapes,
    Isolated,
    Memory,
    Paths,
    Select,
    SetOption,
    Threads,
    Timeout,
)


def fix(
    paths: Paths,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the fixed model to a file."),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Write fixed models in place of what they were.")
    ] = False,
    diff: Annotated[
        bool,
        typer.Option(
            "--diff",
            help="Write nothing: print what would change as text; exit code 1 if anything would.",
        ),
    ] = False,
    unsafe: Annotated[
        bool,
        typer.Option(
            "--unsafe",
            help="Make low-rank layers too, which change the function a little. Give --energy, "
            "--rank or --target-macs.",
        ),
    ] = False,
    energy: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=1.0, metavar="SHARE", help="Energy of each kernel to keep, as in 0.9."
        ),
    ] = None,
    rank: Annotated[
        float | None,
        typer.Option(
            min=0.01, metavar="RANK", help="Most rank of each kernel: a number, or a share as 0.5."
        ),
    ] = None,
    target_macs: Annotated[
        str | None,
        typer.Option(
            metavar="-SHARE%|NUMBER",
            help="MACs of the whole model to reach with the least error, as in -30% or 700M.",
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.npz",
            help="Real samples, arrays by the names of the inputs: low-rank layers are fitted to "
            "them, and errors are told on them.",
        ),
    ] = None,
    drop_output: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="Leave an output out, and what only it needs."),
    ] = [],  # noqa: B006 - typer copies it
    pad_channels: Annotated[
        bool,
        typer.Option(
            "--pad-channels", help="Fill up channels with zeros to what kernels compute at once."
        ),
    ] = False,
    max_error: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="ERROR",
            help="Relative error above which a fix is not applied. Default: 1e-4, of low-rank "
            "layers 0.1.",
            show_default=False,
        ),
    ] = None,
    even_slower: Annotated[
        bool,
        typer.Option("--even-slower", help="Apply fixes too that were not measured to be faster."),
    ] = False,
    output_format: Annotated[
        TextFormat, typer.Option("--output-format", help="How to tell what was done.")
    ] = TextFormat.TEXT,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    select: Select = [],  # noqa: B006 - typer copies it
    ignore: Ignore = [],  # noqa: B006 - typer copies it
    extend_select: ExtendSelect = [],  # noqa: B006 - typer copies it
    option: SetOption = [],  # noqa: B006 - typer copies it
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    threads: Threads = 1,
    budget: Budget = DEFAULT_BUDGET,
    timeout: Timeout = DEFAULT_TIMEOUT,
    memory: Memory = None,
) -> None:
    """Rewrite models as rules suggest where the function stays the same, and prove it by running
    both."""
    from archlint.analyzer.timing.effort import Effort
    from archlint.configuration import configure
    from archlint.fix_amount import amount_of
    from archlint.fix_run import Ends, run
    from archlint.fix_session import Wishes
    from archlint.providers import working_providers

    if [output is not None, in_place, diff].count(True) != 1:
        fail(
            "fix", "say where the result goes, by one of -o FILE, --in-place, and --diff for a text"
        )
    if max_error is not None and isnan(max_error):
        fail("--max-error nan", "write it as a number, as 1e-4")
    amount = amount_of(energy, rank, target_macs, unsafe=unsafe)
    configuration = configure(
        config, isolated=isolated, select=select, extend_select=extend_select, ignore=ignore,
        options=option, dims=dim, shapes=input_shape, weights=not select,
    )  # fmt: skip
    wishes = Wishes(amount, tuple(drop_output), pad_channels, max_error, even_slower)
    ends = Ends(output, in_place, diff, output_format, inputs)
    effort = Effort(threads, budget, timeout, memory)
    (provider,) = working_providers([])
    raise typer.Exit(run(paths, configuration, wishes, ends, provider, effort))
