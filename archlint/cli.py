"""The command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from archlint import __version__
from archlint.analyzer.choices import By, SortKey
from archlint.choices import FailOn, Format, SchemaName, TableFormat, TextFormat
from archlint.output import EXIT_USAGE, complain, fail, open_closed_streams, terminal, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from archlint.analyzer.report import Report
    from archlint.analyzer.rule import Rule

EXIT_FINDINGS, EXIT_INPUT, EXIT_INTERRUPTED = 1, 3, 130
_EPILOG = (
    "Exit codes: 0 nothing found at or above --fail-on; 1 findings; 2 wrong use or a fault of "
    "archlint; 3 an input could not be analysed."
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
    import os
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
OutputFile = Annotated[
    str | None,
    typer.Option("--output-file", "-o", metavar="FILE", help="Write to a file instead of stdout."),
]


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


@app.command()
def check(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATHS...", help="Models, folders that hold *.onnx files, globs."),
    ],
    output_format: Annotated[
        Format, typer.Option("--output-format", help="How to write the findings.")
    ] = Format.FULL,
    output_file: OutputFile = None,
    select: Annotated[
        list[str],
        typer.Option(
            metavar="RULES",
            help="Rules to run: codes, prefixes, names or ALL, comma-separated. Default: all of "
            "the group cost.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    ignore: Annotated[
        list[str], typer.Option(metavar="RULES", help="Rules to leave out; the more specific wins.")
    ] = [],  # noqa: B006 - typer copies it
    option: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="RULE.OPTION=VALUE", help="Set a rule's option, as in ARC101.width=20."
        ),
    ] = [],  # noqa: B006 - typer copies it
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
    fail_on: Annotated[
        FailOn, typer.Option(help="Lowest severity that makes the exit code 1.")
    ] = FailOn.WARNING,
) -> None:
    """Lint models: what is needlessly expensive, and what would be cheaper."""
    from archlint.config import choose_alternatives, choose_rules

    rules = choose_rules(select, ignore, option)
    report = _run(paths, dim, input_shape, rules, choose_alternatives(select, ignore, option))
    write(_findings(report, output_format, output_file), output_file)
    raise typer.Exit(_exit_code(report, fail_on))


@app.command()
def cost(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATHS...", help="Models, folders that hold *.onnx files, globs."),
    ],
    by: Annotated[By, typer.Option(help="What a row stands for.")] = By.NODE,
    sort: Annotated[
        SortKey, typer.Option(help="Order of the rows, largest first.")
    ] = SortKey.GRAPH,
    depth: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --by scope: the first N parts of it."),
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the first N rows.")
    ] = None,
    output_format: Annotated[
        TableFormat, typer.Option("--output-format", help="How to write the table.")
    ] = TableFormat.TABLE,
    output_file: OutputFile = None,
    dim: Dims = [],  # noqa: B006 - typer copies it
    input_shape: InputShapes = [],  # noqa: B006 - typer copies it
) -> None:
    """Print what every node, operator or module of models costs."""
    from archlint.analyzer.report import as_json, cost_table

    report = _run(paths, dim, input_shape)
    rows = [cost_table.rows(model, by, sort, top, depth) for model in report.models]
    if output_format is TableFormat.JSON:
        text = as_json.render(report, rows)
    else:
        paint, width = terminal(output_file)
        tables = zip(report.models, rows, strict=True)
        text = "\n".join(cost_table.render(m, groups, by, paint, width) for m, groups in tables)
    write(text, output_file)
    raise typer.Exit(EXIT_INPUT if report.failures else 0)


@app.command()
def rule(
    name: Annotated[str | None, typer.Argument(metavar="CODE|NAME", help="The rule.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Explain every rule.")] = False,
    output_format: Annotated[
        TextFormat, typer.Option("--output-format", help="How to write it.")
    ] = TextFormat.TEXT,
) -> None:
    """Explain a rule: why it costs, what to do, its options and sources."""
    from archlint.config import find_rule
    from archlint.explain import as_json, as_text
    from archlint.rules import all_rules

    if (name is None) == (not every):
        fail("rule", "give either a rule or --all; see: archlint rule --help")
    rules = all_rules() if name is None else (find_rule(f"rule {name}", name),)
    text = as_json(rules) if output_format is TextFormat.JSON else as_text(rules)
    write(text, None)


@app.command()
def schema(
    document: Annotated[SchemaName, typer.Argument(help="Which document's schema.")],
) -> None:
    """Print the JSON Schema of a document that archlint writes."""
    from archlint.analyzer.report import as_json

    write({SchemaName.REPORT: as_json.schema}[document](), None)


def main() -> None:
    """Run the command line; a fault of archlint is one line too, with exit code 2."""
    from archlint.analyzer.errors import ArchlintError

    open_closed_streams()
    try:
        sys.exit(app(prog_name="archlint", standalone_mode=False))
    except ArchlintError as error:
        fail(*str(error).split(": ", 1))
    except typer.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a user
        if hasattr(error, "format_message"):  # of click's, which typer does not export
            fail("usage", _wrong_use(error))
        fail("archlint failed", f"{type(error).__name__}: {error}; please report it")


def _wrong_use(error: Any) -> str:
    """What click says, in one line."""
    message = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    return f"{message}; see: {context.command_path if context else 'archlint'} --help"


def _run(
    paths: Sequence[str],
    dims: Sequence[str],
    shapes: Sequence[str],
    rules: Sequence[Rule] = (),
    alternatives: Sequence[Rule] = (),
) -> Report:
    from dataclasses import replace

    from archlint.config import parse_bindings
    from archlint.paths import find_models
    from archlint.pipeline import lint
    from archlint.progress import Progress

    bindings = parse_bindings(dims, shapes)
    models, missing = find_models(paths)
    with Progress(len(models)) as progress:
        report = lint(models, rules, bindings, progress, alternatives)
    report = replace(report, failures=(*missing, *report.failures))
    for failure in report.failures:
        complain(failure.path, failure.why)
    return report


def _findings(report: Report, output_format: Format, output_file: str | None) -> str:
    from archlint.analyzer.report import as_json, concise, full

    if output_format is Format.JSON:
        return as_json.render(report)
    paint, width = terminal(output_file)
    if output_format is Format.CONCISE:
        return concise.render(report, paint)
    return full.render(report, paint, width)


def _exit_code(report: Report, fail_on: FailOn) -> int:
    from archlint.analyzer.engine import CRASH_CODE
    from archlint.analyzer.finding import Severity

    if any(finding.code == CRASH_CODE for finding in report.findings):
        return EXIT_USAGE
    if report.failures:
        return EXIT_INPUT
    if fail_on is FailOn.NEVER or report.worst is None:
        return 0
    return EXIT_FINDINGS if report.worst >= Severity[fail_on.name] else 0
