"""The arguments and options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from archlint.analyzer.choices import By
from archlint.choices import Assets, TableFormat

Paths = Annotated[
    list[str],
    typer.Argument(metavar="PATHS...", help="Models, folders that hold *.onnx files, globs."),
]
Rows = Annotated[By, typer.Option(help="What a row stands for.")]
Depth = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="With --by scope: the first N parts of it.")
]
Top = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N rows.")]
TableOutput = Annotated[
    TableFormat, typer.Option("--output-format", help="How to write the table.")
]
Dims = Annotated[
    list[str],
    typer.Option(
        "--dim", metavar="NAME=SIZE", help="Bind a symbolic dim, as in batch=8. Repeatable."
    ),
]
InputShapes = Annotated[
    list[str],
    typer.Option(
        "--input-shape",
        metavar="INPUT=SIZES",
        help="Bind all dims of an input, as in x=1,3,224,224. Repeatable.",
    ),
]
Execute = Annotated[
    bool,
    typer.Option(
        "--execute",
        help="Run each model once, on made-up inputs in a limited process, to learn the shapes "
        "that depend on data.",
    ),
]
Ep = Annotated[
    list[str],
    typer.Option(
        "--ep",
        metavar="PROVIDERS",
        help="Execution providers to time on, as in cpu,openvino or cuda:use_tf32=1. Default: cpu. "
        "See: archlint providers.",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        min=1,
        max=1024,
        metavar="N",
        help="Threads to time with: one by CPU time, which a busy machine hardly changes, more by "
        "wall time.",
    ),
]
Budget = Annotated[
    float,
    typer.Option(min=0.1, max=3600, metavar="SECONDS", help="Most seconds of runs to time."),
]
Timeout = Annotated[
    float,
    typer.Option(
        min=1, max=86400, metavar="SECONDS", help="Seconds after which a process of runs is ended."
    ),
]
Memory = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        metavar="GIB",
        help="Most memory of a process of runs. Default: by the size of the model.",
        show_default=False,
    ),
]
Fallback = Annotated[
    bool,
    typer.Option(
        "--cpu-fallback", help="Let a device leave nodes to the CPU, which is an error otherwise."
    ),
]
Config = Annotated[
    list[str],
    typer.Option(
        "--config",
        metavar="FILE|KEY=VALUE",
        help="A configuration file for all models, or one setting as TOML. Repeatable.",
    ),
]
Exclude = Annotated[
    list[str],
    typer.Option(
        metavar="GLOB",
        help="Files and folders to leave out where a folder is searched, in place of those of the "
        "configuration. Repeatable.",
    ),
]
ExtendExclude = Annotated[
    list[str],
    typer.Option(metavar="GLOB", help="Files and folders to leave out as well. Repeatable."),
]
ForceExclude = Annotated[
    bool | None,
    typer.Option(
        "--force-exclude/--no-force-exclude",
        help="Leave them out even where they are named, as pre-commit names files.",
        show_default=False,
    ),
]
Isolated = Annotated[bool, typer.Option("--isolated", help="Look for no configuration files.")]
OutputFile = Annotated[
    str | None,
    typer.Option("--output-file", "-o", metavar="FILE", help="Write to a file instead of stdout."),
]
Html = Annotated[
    list[str],
    typer.Option(metavar="FILE", help="Write the HTML report to a file as well. Repeatable."),
]
AssetsOption = Annotated[
    Assets,
    typer.Option(
        "--assets",
        help="Where the style and the script of the HTML report are: in it, or in files beside it, "
        "for servers that allow none inside.",
    ),
]
Select = Annotated[
    list[str],
    typer.Option(
        metavar="RULES",
        help="Rules to run: codes, prefixes, names or ALL, comma-separated. Default: those "
        "of the groups cost, correctness and suspicious.",
    ),
]
ExtendSelect = Annotated[list[str], typer.Option(metavar="RULES", help="Rules to run as well.")]
Ignore = Annotated[
    list[str], typer.Option(metavar="RULES", help="Rules to leave out; the more specific wins.")
]
SetOption = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="RULE.OPTION=VALUE", help="Set a rule's option, as in ARC101.width=20."
    ),
]
TargetName = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="NAME|PATH",
        help="The device that the models are meant for, and its rules with it: generic-avx512 "
        "(the default, without them), generic-avx2, nvidia-tensor-cores, arm-ethos-u, "
        "qualcomm-hexagon, or a profile of your own, a .toml file.",
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=0,
        max=1024,
        metavar="N",
        help="Processes to look at models in; 0 is one for each core.",
    ),
]
NoCache = Annotated[
    bool,
    typer.Option("--no-cache", help="Keep no answers from run to run, and use none that are kept."),
]
