"""From the options of ``fix`` to files that are written, and what is told of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from archlint import __version__
from archlint.analyzer.cost import count
from archlint.analyzer.errors import ConfigError, ModelError, ModelWriteError
from archlint.analyzer.fix.engine import Subject
from archlint.analyzer.fix.trials import Trials
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.proof.checked import check_file
from archlint.analyzer.proof.samples import made_up_samples, read_samples
from archlint.analyzer.reader import read
from archlint.analyzer.reader.external import refuse_unsafe
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.report import Failure
from archlint.analyzer.report.fixes import FixReport, render
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.writer import write as write_model
from archlint.choices import TextFormat
from archlint.configuration import Configuration
from archlint.fix_report import report_of
from archlint.fix_session import Wishes
from archlint.fixing import Fixed, fixed
from archlint.output import EXIT_FINDINGS, EXIT_INPUT, EXIT_USAGE, complain, terminal, write
from archlint.paths import find_models
from archlint.progress import Progress
from archlint.remote import is_remote

_MADE_UP = 2  # samples, where the user gives none


@dataclass(frozen=True, slots=True)
class Ends:
    """Where fixed models go, and how they are told: a file, their own place, or a text alone."""

    output: str | None
    in_place: bool
    diff: bool
    output_format: TextFormat
    inputs: str | None


def run(
    paths: Sequence[str],
    configuration: Configuration,
    wishes: Wishes,
    ends: Ends,
    provider: Provider,
    effort: Effort,
) -> int:
    """Fix models, tell what was done, and return the exit code."""
    models, missing = find_models(paths, configuration)
    if ends.output is not None and len(models) > 1:
        raise ConfigError("-o", f"one file for {len(models)} models; use --in-place")
    failures = list(missing)
    for failure in failures:
        complain(failure.path, failure.why)
    reports: list[FixReport] = []
    wrong = False
    with Progress(len(models)) as progress:
        for path in models:
            progress(path)
            try:
                reports.append(_one(path, configuration, wishes, ends, provider, effort, progress))
            except ModelError as error:
                complain(error.path, error.why)
                failures.append(Failure(error.path, error.why))
            except ConfigError as error:  # what was done to other models is told all the same
                complain(error.source, error.why)
                wrong = True
    _tell(reports, failures, ends)
    if wrong or any(report.crashed for report in reports):
        return EXIT_USAGE
    if failures:
        return EXIT_INPUT
    return EXIT_FINDINGS if ends.diff and any(report.applied for report in reports) else 0


def _tell(reports: Sequence[FixReport], failures: Sequence[Failure], ends: Ends) -> None:
    if ends.output_format is TextFormat.JSON:
        from archlint.analyzer.report import fix_json  # late: one of several ways to tell

        write(fix_json.render(__version__, reports, failures), None)
    elif ends.diff:
        write("".join(report.diff for report in reports), None)
    else:
        paint, width = terminal(None)
        write("\n".join(render(report, paint, width) for report in reports), None)


def _one(
    path: str,
    configuration: Configuration,
    wishes: Wishes,
    ends: Ends,
    provider: Provider,
    effort: Effort,
    progress: Progress,
) -> FixReport:
    """What was done with a model."""
    target = path if ends.in_place else ends.output
    _check_target(path, target, in_place=ends.in_place)
    model = read(path)
    refuse_unsafe(model)
    chosen = configuration.chosen(path)
    subject = Subject(model, chosen.bindings)
    given = None if ends.inputs is None else read_samples(ends.inputs, subject.graph)
    samples = given or made_up_samples(path, subject.graph, _MADE_UP)
    trials = Trials(samples, provider, effort, progress.step)
    rules = [*chosen.rules, *chosen.alternatives]
    wishes = replace(wishes, target=chosen.target)
    done = fixed(subject, rules, trials, wishes, given, progress.step)
    report = report_of(subject, done, samples, ends.inputs)
    if ends.diff:
        return replace(report, diff=_difference(subject, done, path))
    if target is None or (ends.in_place and not done.applied):
        return report
    progress.step("writing the fixed model")
    return _written(report, subject, done, target)


def _check_target(path: str, target: str | None, *, in_place: bool) -> None:
    """Raise ConfigError for a file that must not be written."""
    if target is None:
        return
    if in_place:
        if path == STANDARD_INPUT or is_remote(path):
            raise ConfigError(f"--in-place {path}", "is no file of this machine; give -o FILE")
        return
    if target == STANDARD_INPUT:
        raise ConfigError(f"-o {target}", "models are written to files alone; name one")
    if os.path.exists(target) and os.path.exists(path) and os.path.samefile(path, target):
        raise ConfigError(f"-o {target}", "is the model itself; give --in-place to overwrite it")
    folder = os.path.dirname(os.path.abspath(target))
    if not os.path.isdir(folder):
        raise ConfigError(f"-o {target}", "there is no such folder; make it first")


def _difference(subject: Subject, done: Fixed, path: str) -> str:
    from archlint.analyzer.graph_text import diff_text  # late: one of several ways to tell

    if not done.applied:
        return ""
    return diff_text(subject.model.proto, done.subject.model.proto, path)


def _written(report: FixReport, subject: Subject, done: Fixed, target: str) -> FixReport:
    """The report of a model that was written, checked and read again."""
    write_model(done.subject.model, target, check=_sound(subject, done))
    written = read(target)  # its weights may be in files that are as they were
    size = written.file_bytes + written.external_bytes
    return replace(report, output=target, after=replace(report.after, bytes=size))


def _sound(subject: Subject, done: Fixed) -> Callable[[str], None]:
    """What looks at the file before it takes the place of another."""

    def check(draft: str) -> None:
        why = check_file(draft)
        if why and not check_file(subject.model.path):
            raise ModelWriteError(subject.model.path, f"the fixed model is not sound: {why}")
        again = load(read(draft), subject.bindings)
        if _shape_of(again) != _shape_of(done.subject.graph):
            why = "the written file is not the fixed model; this is a fault of archlint"
            raise ModelWriteError(subject.model.path, why)

    return check


def _shape_of(graph: Graph) -> object:
    """What two graphs have in common that are the same."""
    return count(graph).total(), graph.inputs, graph.outputs, [n.outputs for n in graph.nodes]
