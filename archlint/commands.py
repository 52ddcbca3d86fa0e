"""The commands and their options."""

from __future__ import annotations

import os
import sys
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from archlint import __version__
from archlint.analyzer.choices import DEFAULT_BUDGET, DEFAULT_TIMEOUT, By, SortKey, TimeKey
from archlint.check_command import check
from archlint.choices import RuleFormat, SchemaName, TableFormat, TextFormat
from archlint.diff_command import diff
from archlint.fix_command import fix
from archlint.output import EXIT_INPUT, EXIT_INTERRUPTED, EXIT_USAGE, fail, write
from archlint.parameters import (
    Budget,
    Config,
    Depth,
    Dims,
    Ep,
    Exclude,
    Execute,
    ExtendExclude,
    ForceExclude,
    InputShapes,
    Isolated,
    Memory,
    OutputFile,
    Paths,
    Rows,
    TableOutput,
    Threads,
    Timeout,
    Top,
)
from archlint.sketch_command import sketch
from archlint.snapshot_commands import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typer.models import CommandInfo

    from archlint.plots import Plot

_EPILOG = (
    "Exit codes: 0 nothing found at or above --fail-on; 1 findings, a broken budget, or more "
    "warnings than --max-warnings; 2 wrong use or a fault of archlint; 3 an input could not be "
    "analysed. Environment: ARCHLINT_CONFIG, ARCHLINT_OUTPUT_FORMAT and ARCHLINT_OUTPUT_FILE stand "
    "in place of --config FILE, and of --output-format and --output-file of check; "
    "ARCHLINT_CACHE_DIR is where answers and machine profiles are kept, ARCHLINT_NO_CACHE=1 keeps "
    "no answers; NO_COLOR and FORCE_COLOR decide about colours."
)


class _DefaultsToCheck(TyperGroup):
    """``archlint model.onnx`` is ``archlint check model.onnx``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = {option for parameter in self.params for option in parameter.opts} | {"--help", "-h"}
        if args and args[0] not in self.commands and args[0] not in own:
            if (near := _misspelt(args[0], self.commands)) is not None:
                ctx.fail(f"there is no command and no file '{args[0]}' (did you mean '{near}'?)")
            args = ["check", *args]
        return super().parse_args(ctx, args)


def _misspelt(word: str, commands: Iterable[str]) -> str | None:
    """The command that is meant by a word that is no path."""
    from difflib import get_close_matches

    return None if os.path.lexists(word) else next(iter(get_close_matches(word, commands, 1)), None)


app = typer.Typer(
    cls=_DefaultsToCheck,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
    help=(
        "Find what is needlessly expensive in the architecture of ONNX models, and price the "
        "cheaper alternative. 'archlint model.onnx' is short for 'archlint check model.onnx'."
    ),
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options of archlint itself."""
    if version:
        typer.echo(f"archlint {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(EXIT_USAGE)


app.command()(check)
app.command()(diff)
app.command()(fix)
app.command()(sketch)
app.add_typer(snapshot)


@app.command()
def cost(
    paths: Paths,
    by: Rows = By.NODE,
    sort: Annotated[
        SortKey, typer.Option(help="Order of the rows, largest first.")
    ] = SortKey.GRAPH,
    depth: Depth = None,
    top: Top = None,
    output_format: TableOutput = TableFormat.TABLE,
    output_file: OutputFile = None,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    execute: Execute = False,
    scaling: Annotated[
        list[str],
        typer.Option(
            metavar="DIMS",
            help="Print how the costs grow with these dims (names, comma-separated): polynomials.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    plot: Annotated[
        list[str],
        typer.Option(
            metavar="[KIND=]FILE.svg",
            help="Draw it as well: cost-map.svg, depth.svg, roofline.svg, or as in depth=a.svg. "
            "Repeatable.",
        ),
    ] = [],  # noqa: B006 - typer copies it
) -> None:
    """Print what every node, operator or module of models costs."""
    from archlint.configuration import configure
    from archlint.run import analyse, costs_text, growth_text

    if scaling and execute:
        fail("--scaling", "takes no --execute: one run tells the shapes at one size only")
    pictures: tuple[Plot, ...] = ()
    if plot:
        from archlint.plots import parse_plots  # late: few runs draw

        pictures = parse_plots(plot)
    configuration = configure(config, isolated=isolated, dims=dim, shapes=input_shape)
    report = analyse(paths, configuration, execute=execute)
    shown = by, sort, top, depth
    if scaling:
        text = growth_text(report, scaling, configuration, shown, output_format, output_file)
    else:
        text = costs_text(report, shown, output_format, output_file)
    if pictures:
        from archlint.plots import write_plots  # late: as above

        write_plots(report, pictures)
    write(text, output_file)
    raise typer.Exit(EXIT_INPUT if report.failures else 0)


@app.command("time")
def time_(
    paths: Paths,
    by: Rows = By.NODE,
    sort: Annotated[TimeKey, typer.Option(help="Order of the rows.")] = TimeKey.TIME,
    depth: Depth = None,
    top: Top = None,
    output_format: TableOutput = TableFormat.TABLE,
    output_file: OutputFile = None,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    execute: Execute = False,
    ep: Ep = [],  # noqa: B006 - typer copies it
    threads: Threads = 1,
    runs: Annotated[
        int | None,
        typer.Option(
            min=1, max=100_000, metavar="N", help="Runs to time. Default: until --budget is spent."
        ),
    ] = None,
    budget: Budget = DEFAULT_BUDGET,
    timeout: Timeout = DEFAULT_TIMEOUT,
    memory: Memory = None,
) -> None:
    """Run models with onnxruntime: what they and their nodes take, beside what they cost."""
    from archlint.analyzer.timing.effort import Effort
    from archlint.configuration import configure
    from archlint.providers import working_providers
    from archlint.run import analyse
    from archlint.timing import time_models, times_text

    chosen = working_providers(ep)
    configuration = configure(config, isolated=isolated, dims=dim, shapes=input_shape)
    report = analyse(paths, configuration, execute=execute)
    report, timed = time_models(report, chosen, Effort(threads, budget, timeout, memory), runs)
    shown = by, sort, top, depth
    write(times_text(report, timed, shown, output_format, output_file), output_file)
    raise typer.Exit(EXIT_INPUT if report.failures else 0)


@app.command()
def rule(
    name: Annotated[str | None, typer.Argument(metavar="CODE|NAME", help="The rule.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Explain every rule.")] = False,
    test: Annotated[
        str | None,
        typer.Option(
            "--test",
            metavar="PATH",
            help="Run the cases of the rules in a file, a folder or an installed package.",
        ),
    ] = None,
    output_format: Annotated[
        RuleFormat, typer.Option("--output-format", help="How to write it.")
    ] = RuleFormat.TEXT,
) -> None:
    """Explain a rule: why it costs, what to do, its options and sources."""
    if [name is not None, every, test is not None].count(True) != 1:
        fail("rule", "give either a rule, --all or --test PATH; see: archlint rule --help")
    if test is not None:
        from archlint.rule_test import tested_text

        text, code = tested_text(test, output_format)
        write(text, None)
        raise typer.Exit(code)
    from archlint.configuration import explained_rules
    from archlint.explain import explain

    write(explain(explained_rules(name), output_format), None)


@app.command()
def ops(
    names: Annotated[
        list[str], typer.Argument(metavar="NAMES...", help="Parts of names. Default: all.")
    ] = [],  # noqa: B006 - typer copies it
    domain: Annotated[
        str | None, typer.Option(metavar="DOMAIN", help="Only of this domain, as in com.microsoft.")
    ] = None,
    output_format: Annotated[
        TableFormat, typer.Option("--output-format", help="How to write the list.")
    ] = TableFormat.TABLE,
    output_file: OutputFile = None,
) -> None:
    """List the operators that can be counted, how, and those that cannot."""
    from archlint.analyzer.report.ops import as_json, render
    from archlint.ops import choose_operators
    from archlint.output import terminal

    found = choose_operators(names, domain)
    if output_format is TableFormat.JSON:
        text = as_json(found)
    else:
        text = render(found, *terminal(output_file))
    write(text, output_file)


@app.command()
def providers(
    ep: Ep = [],  # noqa: B006 - typer copies it
    output_format: Annotated[
        TableFormat, typer.Option("--output-format", help="How to write the list.")
    ] = TableFormat.TABLE,
    output_file: OutputFile = None,
) -> None:
    """Try which execution providers of onnxruntime work here, and tell what the others lack."""
    from archlint.providers import providers_text

    text, code = providers_text(ep, output_format, output_file)
    write(text, output_file)
    raise typer.Exit(code)


@app.command()
def calibrate(
    ep: Ep = [],  # noqa: B006 - typer copies it
    threads: Threads = 1,
) -> None:
    """Measure this machine in ten seconds, so that reports can predict times on it."""
    from archlint.calibrate import calibrations

    for text in calibrations(ep, threads):
        write(text, None)


@app.command("config")
def config_(
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Only this setting, or its table.")
    ] = None,
    path: Annotated[
        str | None,
        typer.Argument(metavar="[PATH]", help="A model or a folder. Default: the working one."),
    ] = None,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    output_format: Annotated[
        TextFormat, typer.Option("--output-format", help="How to write it.")
    ] = TextFormat.TEXT,
) -> None:
    """Show the settings that hold for a path, and where each comes from."""
    from archlint.configuration import configure
    from archlint.show_config import config_text

    write(config_text(configure(config, isolated=isolated), key, path, output_format), None)


@app.command()
def files(
    paths: Paths,
    config: Config = [],  # noqa: B006 - typer copies it
    isolated: Isolated = False,
    exclude: Exclude = [],  # noqa: B006 - typer copies it
    extend_exclude: ExtendExclude = [],  # noqa: B006 - typer copies it
    force_exclude: ForceExclude = None,
) -> None:
    """List the models that would be checked."""
    from archlint.configuration import configure
    from archlint.run import files_text

    configuration = configure(
        config, isolated=isolated, exclude=exclude, extend_exclude=extend_exclude,
        force_exclude=force_exclude,
    )  # fmt: skip
    text, code = files_text(paths, configuration)
    write(text, None)
    raise typer.Exit(code)


@app.command()
def schema(
    document: Annotated[SchemaName, typer.Argument(help="Which document's schema.")],
) -> None:
    """Print the JSON Schema of a document that archlint writes, or of its configuration."""
    from archlint import settings_schema
    from archlint.analyzer.report import as_json, fix_json, time_json

    schemas = {
        SchemaName.REPORT: as_json.schema,
        SchemaName.TIME: time_json.schema,
        SchemaName.FIX: fix_json.schema,
        SchemaName.CONFIG: settings_schema.schema,
    }
    write(schemas[document](), None)


def run() -> int:
    """Run the command of ``sys.argv`` to its exit code; raises click's errors of wrong use."""
    try:
        code: int | None = _needed(sys.argv[1:])(prog_name="archlint", standalone_mode=False)
    except typer.Abort:
        return EXIT_INTERRUPTED
    return code or 0


def _needed(arguments: list[str]) -> typer.Typer:
    """The app without the commands that the arguments do not mean, where it is plain which they
    mean: to make the parsers of all takes as long as to count a network."""
    commands = {_name(command): command for command in app.registered_commands}
    first, needed = "".join(arguments[:1]), copy(app)
    if first in commands:
        needed.registered_commands, needed.registered_groups = [commands[first]], []
    elif os.path.lexists(first):  # unless it is a group's name
        needed.registered_commands = [commands["check"]]
    return needed


def _name(command: CommandInfo) -> str:
    return str(command.name or getattr(command.callback, "__name__", ""))
