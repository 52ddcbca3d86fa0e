"""What the formats of services need to know beside the report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from archlint.analyzer.proposal import FixKind
from archlint.analyzer.report import Report
from archlint.analyzer.report.context import Context, RuleText
from archlint.choices import Format
from archlint.configuration import Configuration, configure
from archlint.explain.documentation import REFERENCES, options_of, range_of, sections_of, summary_of
from archlint.explain.documentation import number as shown
from archlint.explain.markup import cell, prose, table
from archlint.explain.safety import safety_of
from archlint.remarks import REMARKS
from archlint.selection import Named

_WHY = ("Why it costs", "Why it matters")


def context_of(
    report: Report, output_format: Format, configuration: Configuration | None = None
) -> Context:
    """The repository that the working directory is in, and the rules that have found something."""
    folder = os.getcwd()
    root = _root(folder)
    if output_format is Format.GITLAB:  # its paths start where the project is checked out
        project = os.environ.get("CI_PROJECT_DIR", "")
        root = project if project and _is_below(project, folder) else root
    return Context(folder, root, _site(), _rules(report, configuration or configure()))


def _root(folder: str) -> str:
    """The top of the working tree of git; the folder itself outside of one."""
    at = folder
    while not os.path.exists(os.path.join(at, ".git")):  # a file in a linked working tree
        above = os.path.dirname(at)
        if above == at:
            return folder
        at = above
    return at


def _is_below(top: str, folder: str) -> bool:
    real = os.path.realpath(top)
    try:
        return os.path.commonpath([real, os.path.realpath(folder)]) == real
    except ValueError:  # on another drive
        return False


def _site() -> str:
    """The address of the documentation that the package says; empty where it says none."""
    from importlib.metadata import PackageNotFoundError, metadata  # late: it takes 20 ms

    try:
        entries: list[str] = metadata("archlint").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from its sources
        return ""
    addresses = dict(entry.split(", ", 1) for entry in entries)
    return addresses.get("Documentation", "").rstrip("/")


def _rules(report: Report, configuration: Configuration) -> Mapping[str, RuleText]:
    """The rules by code."""
    found = {(model.path, finding.code) for model in report.models for finding in model.findings}
    codes = {code for _, code in found}
    known: dict[str, Named] = {remark.code: remark for remark in REMARKS}
    for path in sorted({path for path, _ in found}):
        known.update({rule.code: rule for rule in configuration.rules(path)})
    return {code: _text(known[code]) for code in sorted(codes & known.keys())}


def _text(rule: Named) -> RuleText:
    summary = summary_of(rule)
    sections = {section.title: section for section in sections_of(rule)}
    why = [" ".join(sections[title].paragraphs) for title in _WHY if title in sections]
    return RuleText(
        code=rule.code,
        name=rule.name,
        summary=_plain(summary),
        why=_plain(" ".join([summary, *why])),
        help="\n\n".join(_page(rule)) + "\n",
        severity=rule.severity,
        confidence=rule.confidence,
        tags=(str(rule.group), *([str(rule.kind)] if rule.kind is not FixKind.DECISION else [])),
    )


def _plain(text: str) -> str:
    """Text without the marks of code."""
    return text.replace("`", "")


def _page(rule: Named) -> Iterator[str]:
    """What its page says but for the examples, which only a run of archlint could print."""
    yield f"# {rule.code} {rule.name}"
    yield prose(summary_of(rule))
    for section in sections_of(rule):
        yield f"## {section.title}"
        paragraphs = list(map(prose, section.paragraphs))
        listed = section.title == REFERENCES
        yield "\n".join(f"- {line}" for line in paragraphs) if listed else "\n\n".join(paragraphs)
    yield f"## Fix safety\n\n{prose(safety_of(rule))}"
    if options := options_of(rule):
        yield "## Options"
        rows = [[f"`{one.name}`", shown(one.default), range_of(one), cell(one.help)]
                for one in options]  # fmt: skip
        yield table(["option", "default", "range", ""], rows, numbers=(1,))
