"""The commands of snapshots: ``archlint snapshot write|check|show``."""

from __future__ import annotations

from typing import Annotated

import typer

from archlint.analyzer.errors import ModelError
from archlint.output import EXIT_INPUT, complain
from archlint.output import write as put
from archlint.parameters import (
    Config,
    Dims,
    Exclude,
    ExtendExclude,
    ForceExclude,
    InputShapes,
    Isolated,
    OutputFile,
    Paths,
)

snapshot = typer.Typer(
    name="snapshot",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Architectures as text, one line an operation: model.onnx.arch beside model.onnx shows in "
        "a review what a change does to the model."
    ),
)


@snapshot.command()
def write(
    paths: Paths,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    exclude: Exclude = [],  # noqa: B006 - typer copies it
    extend_exclude: ExtendExclude = [],  # noqa: B006 - typer copies it
    force_exclude: ForceExclude = None,
) -> None:
    """Write the snapshots of models beside them, where they differ; comments in them are kept."""
    from archlint.configuration import configure
    from archlint.snapshots import write_snapshots

    configuration = configure(
        config, isolated=isolated, dims=dim, shapes=input_shape, exclude=exclude,
        extend_exclude=extend_exclude, force_exclude=force_exclude,
    )  # fmt: skip
    text, code = write_snapshots(paths, configuration)
    put(text, None)
    raise typer.Exit(code)


@snapshot.command()
def check(
    paths: Paths,
    may_miss: Annotated[
        bool, typer.Option("--may-miss", help="Leave out models that have no snapshot.")
    ] = False,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    exclude: Exclude = [],  # noqa: B006 - typer copies it
    extend_exclude: ExtendExclude = [],  # noqa: B006 - typer copies it
    force_exclude: ForceExclude = None,
) -> None:
    """Exit with 1 where a snapshot is missing or out of date, and show what differs."""
    from archlint.configuration import configure
    from archlint.snapshots import check_snapshots

    configuration = configure(
        config, isolated=isolated, dims=dim, shapes=input_shape, exclude=exclude,
        extend_exclude=extend_exclude, force_exclude=force_exclude,
    )  # fmt: skip
    text, code = check_snapshots(paths, configuration, may_miss=may_miss)
    put(text, None)
    raise typer.Exit(code)


@snapshot.command()
def show(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A model.")],
    textconv: Annotated[
        bool,
        typer.Option(
            "--textconv",
            help="For git, which shows the text in place of the file: a file that is no model is a "
            "line of text, and no configuration is read but that of --config.",
        ),
    ] = False,
    output_file: OutputFile = None,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
) -> None:
    """Print the snapshot of a model."""
    from archlint.configuration import configure
    from archlint.snapshots import shown_snapshot

    # A repository may be anybody's, and a configuration in it could name code that is run.
    isolated = isolated or (textconv and not config)
    configuration = configure(config, isolated=isolated, dims=dim, shapes=input_shape)
    try:
        text = shown_snapshot(path, configuration, textconv=textconv)
    except ModelError as error:
        complain(error.path, error.why)
        raise typer.Exit(EXIT_INPUT) from error
    put(text, output_file)
