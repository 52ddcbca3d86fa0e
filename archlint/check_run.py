"""A run of ``check`` to its end: what is found is judged, written, and becomes an exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import Report
from archlint.baseline_place import is_wanted
from archlint.checking import Wanted, check
from archlint.choices import Assets, Format
from archlint.configuration import Configuration
from archlint.environment import output_target
from archlint.output import complain, remark, write
from archlint.run import broken_code, exit_code, known_machine, with_outcomes
from archlint.work import Prepared, Request

if TYPE_CHECKING:
    from archlint.pipeline import Stopwatch


@dataclass(frozen=True, slots=True)
class Ends:
    """What becomes of what is found: where it is written, and what is accepted of it.

    ``command`` tells what was typed.
    """

    output_file: str | None = None
    outputs: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    assets: Assets = Assets.INLINE
    baseline: str | None = None
    write_baseline: bool = False
    prune_baseline: bool = False
    strict_baseline: bool = False
    add_ignore: str | None = None
    max_warnings: int | None = None
    command: Callable[[], str] = str

    def __post_init__(self) -> None:
        asked = {
            "--write-baseline": self.write_baseline,
            "--prune-baseline": self.prune_baseline,
            "--add-ignore": self.add_ignore is not None,
        }
        several = [name for name, given in asked.items() if given]
        if len(several) > 1:
            raise ConfigError(" and ".join(several), "accept in different ways; give one of them")
        if several and (self.outputs or self.pages):
            raise ConfigError(several[0], "writes no report; leave out --output and --html")


def run(
    paths: Sequence[str],
    request: Request,
    wanted: Wanted,
    ends: Ends,
    clock: Stopwatch | None = None,
) -> int:
    """Check the models, write what is found, and return the exit code."""
    from archlint.outputs import parse_outputs, refuse_lone_assets, refuse_unwritable, write_all

    configuration = request.configuration()
    output_file, named = output_target(ends.output_file)
    outputs = parse_outputs(ends.outputs, output_file, ends.pages)
    models = [*paths, wanted.base] if isinstance(wanted.base, str) else paths
    refuse_unwritable(outputs, output_file, named, models)
    output_format = configuration.output_format()
    is_drawn = Format.HTML in (output_format, *(one.output_format for one in outputs))
    refuse_lone_assets(ends.assets, is_drawn=is_drawn)
    if is_drawn:
        request = replace(request, layers=True)
    report = check(paths, request, Prepared(configuration, known_machine(), clock), wanted)
    for failure in report.failures:
        complain(failure.path, failure.why)
    if ends.add_ignore is not None:
        from archlint.add_ignores import add_ignores

        write(add_ignores(report, configuration, ends.add_ignore), None)
        return broken_code(report)
    if ends.write_baseline or ends.prune_baseline:
        from archlint.baseline import Baselines  # late: few runs write one

        baselines = Baselines(configuration, ends.baseline)
        write((baselines.written if ends.write_baseline else baselines.pruned)(report), None)
        return broken_code(report)
    report = judged(report, configuration, ends, timed=clock is not None)
    report = with_outcomes(report, configuration, ends.max_warnings)
    report = replace(report, command=ends.command() if is_drawn else "")
    write_all(report, output_format, output_file, named, outputs, configuration, ends.assets)
    return exit_code(report, configuration, ends.max_warnings)


def judged(report: Report, configuration: Configuration, ends: Ends, *, timed: bool) -> Report:
    """The report beside its baseline, whose entries must all be of use if that is strict, and
    beside the budgets of its models, those of latency only where it was ``timed``."""
    paths = [model.path for model in report.models]
    if is_wanted(configuration, ends.baseline, paths):
        from archlint.baseline import Baselines  # late: few repositories have one

        baselines = Baselines(configuration, ends.baseline)
        report = baselines.judged(report)
        if ends.strict_baseline:
            report = baselines.stale(report)
    if budgets := [one for path in paths for one in configuration.budgets(path)]:
        from archlint.budgets import NOT_JUDGED, limits_latency, with_budgets  # late: as above

        if not timed and limits_latency(budgets):
            remark(NOT_JUDGED)
        report = with_budgets(report, configuration)
    return report
