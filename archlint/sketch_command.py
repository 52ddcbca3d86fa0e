"""The command ``sketch`` and its options."""

from __future__ import annotations

from typing import Annotated

import typer

from archlint.output import EXIT_INPUT, complain
from archlint.parameters import Config, Dims, InputShapes, Isolated, SetOption, TargetName


def sketch(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model.")],
    finding: Annotated[
        str,
        typer.Argument(
            metavar="RULE[:NODE]",
            help="The finding, as in ARC101:conv5x5: a rule, and the name of the node or of what "
            "it makes where the rule finds several.",
        ),
    ],
    torch: Annotated[
        str,
        typer.Option(
            metavar="FILE.py",
            help="Write the module to a file, and what it starts from to FILE.npz beside it. "
            "Default: -, which is stdout, without a start.",
            show_default=False,
        ),
    ] = "-",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    option: SetOption = [],  # noqa: B006 - typer copies it
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    target: TargetName = None,
) -> None:
    """Write what is suggested in place of a finding as a PyTorch module, to be fine-tuned."""
    from archlint.analyzer.errors import ModelError
    from archlint.configuration import configure
    from archlint.sketching import sketched, write_sketch

    configuration = configure(
        config, isolated=isolated, options=option, dims=dim, shapes=input_shape, target=target
    )
    try:
        write_sketch(
            sketched(model, finding, configuration), None if torch == "-" else torch, force=force
        )
    except ModelError as error:
        complain(error.path, error.why)
        raise typer.Exit(EXIT_INPUT) from error
