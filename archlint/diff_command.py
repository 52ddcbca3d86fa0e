"""The command ``diff`` and its options."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from archlint.choices import Assets, DiffFormat
from archlint.output import EXIT_INPUT, complain
from archlint.parameters import (
    AssetsOption,
    Config,
    Dims,
    ExtendSelect,
    Html,
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
    context: typer.Context,
    base: Annotated[str, typer.Argument(metavar="BASE", help=f"The model as it was: {_SIDE}.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help=f"The model as it is: {_SIDE}.")],
    output_format: Annotated[
        DiffFormat, typer.Option("--output-format", help="How to write the difference.")
    ] = DiffFormat.TEXT,
    output_file: OutputFile = None,
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
    target: TargetName = None,
) -> None:
    """Compare two versions of a model: costs, operations, and findings."""
    from archlint.diffing import compared, difference_text
    from archlint.outputs import (
        parse_outputs,
        refuse_lone_assets,
        refuse_unwritable,
        texts_of,
        write_texts,
    )
    from archlint.work import Request

    pages = parse_outputs((), output_file, html)
    refuse_unwritable(pages, output_file, "-o", [base, head])
    refuse_lone_assets(assets, is_drawn=bool(pages))

    options = {
        "config": config, "isolated": isolated, "select": select, "extend_select": extend_select,
        "ignore": ignore, "options": option, "dims": dim, "shapes": input_shape, "target": target,
    }  # fmt: skip
    report = compared(base, head, Request.of(options, layers=bool(pages)))
    for failure in report.failures:
        complain(failure.path, failure.why)
    if pages:
        from archlint.typed_command import typed_command  # late: only pages tell it

        report = replace(report, command=typed_command(context))
    texts = texts_of(report, [page.target for page in pages], assets=assets)
    if report.models:
        texts.append((difference_text(report, output_format, output_file), output_file, "-o"))
    write_texts(texts)
    raise typer.Exit(EXIT_INPUT if report.failures else 0)
