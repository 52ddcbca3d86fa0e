"""The command ``diff`` and its options."""

from __future__ import annotations

from typing import Annotated

import typer

from archlint.choices import DiffFormat
from archlint.output import EXIT_INPUT, complain, write
from archlint.parameters import (
    Config,
    Dims,
    ExtendSelect,
    Ignore,
    InputShapes,
    Isolated,
    OutputFile,
    Select,
    SetOption,
    TargetName,
)

_SIDE = "a file, or a model in a revision of git, as in main:models/a.onnx"


def diff(
    base: Annotated[str, typer.Argument(metavar="BASE", help=f"The model as it was: {_SIDE}.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help=f"The model as it is: {_SIDE}.")],
    output_format: Annotated[
        DiffFormat, typer.Option("--output-format", help="How to write the difference.")
    ] = DiffFormat.TEXT,
    output_file: OutputFile = None,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    select: Select = [],  # noqa: B006 - typer copies it
    ignore: Ignore = [],  # noqa: B006 - typer copies it
    extend_select: ExtendSelect = [],  # noqa: B006 - typer copies it
    option: SetOption = [],  # noqa: B006 - typer copies it
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    target: TargetName = None,
) -> None:
    """Compare two versions of a model: costs, operations, and findings."""
    from archlint.diffing import compared, difference_text
    from archlint.work import Request

    options = {
        "config": config, "isolated": isolated, "select": select, "extend_select": extend_select,
        "ignore": ignore, "options": option, "dims": dim, "shapes": input_shape, "target": target,
    }  # fmt: skip
    report = compared(base, head, Request.of(options))
    for failure in report.failures:
        complain(failure.path, failure.why)
    if report.models:
        write(difference_text(report, output_format, output_file), output_file)
    raise typer.Exit(EXIT_INPUT if report.failures else 0)
