"""The report as Markdown, for the summary of a job and the comment on a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.gfm import code, in_html, row, table, words
from archlint.analyzer.report.groups import names
from archlint.analyzer.report.markdown_rows import HEAD, NUMBERS, counted, is_changed, model_row
from archlint.analyzer.report.place import WORDS, urgency
from archlint.analyzer.report.savings import brief_saving
from archlint.analyzer.report.sentences import BUDGETS, more, title
from archlint.analyzer.text import plural

LIMIT = 65_000  # bytes: a comment takes 65,536 characters, the summary of a job 1 MiB

_SHOWN = 20  # findings of a model
_FIXED_SHOWN = 10
_PATHS_SHOWN = 10
_LONGEST = 300  # columns of a sentence
BUDGETS_SHARE, _ROWS_SHARE, _FAILURES_SHARE = 0.1, 0.4, 0.1  # of the limit
_RESERVE = 1000  # bytes for what counts the rest


def render(report: Report, limit: int = LIMIT) -> str:
    """What has changed, a table of the models, and what was found in each, in at most so many
    bytes; what does not fit is counted."""
    parts = [_head(report)]
    shown = [model for model in report.models if not report.base or is_changed(model)]
    parts += _budgets(shown, int(BUDGETS_SHARE * limit))
    parts += _rows(shown, int(_ROWS_SHARE * limit))
    parts += _rest(report, len(report.models) - len(shown))
    parts += _failures(report, int(_FAILURES_SHARE * limit))
    blocks = filter(None, map(_details, sorted(shown, key=_first)))
    details, left = _fitted(list(blocks), limit - _RESERVE - _size(parts))
    parts += [*details, *_left_out(left, "model", "in detail ")]
    return "\n\n".join(parts) + "\n"


def _head(report: Report) -> str:
    told = sum(len(model.told) for model in report.models)
    new = "new or worse " if report.base else ""
    found = plural(told, f"{new}finding") if told else f"no {new}findings"
    against = f", against {code(report.base)}" if report.base else ""
    return f"### archlint: {found} in {plural(len(report.models), 'model')}{against}"


def _first(model: ModelReport) -> tuple[bool, tuple[int, int]]:
    """Models with broken budgets first, then by what was found."""
    broken = any(finding.code in BUDGETS for finding in model.told)
    return not broken, min(map(urgency, model.told), default=(0, 0))


def _budgets(models: Sequence[ModelReport], room: int) -> Iterator[str]:
    broken = [
        f"- {code(model.path)}: {title(finding)}: {words(finding.message, _LONGEST)}"
        for model in models
        for finding in model.told
        if finding.code in BUDGETS
    ]
    if broken:
        kept, left = _fitted(broken, room)
        yield "\n".join(["**Broken budgets**", "", *kept])
        yield from _left_out(left, "broken budget")


def _rows(models: Sequence[ModelReport], room: int) -> Iterator[str]:
    if models:
        kept, left = _fitted(list(map(model_row, models)), room)
        yield table(HEAD, kept, NUMBERS)
        yield from _left_out(left, "model")


def _rest(report: Report, same: int) -> Iterator[str]:
    """What is in no row: models that are the same, gone or skipped, and findings that are gone."""
    if same:
        yield f"{plural(same, 'model')} {'is' if same == 1 else 'are'} as in the base."
    if fixed := sum(len(model.change.fixed) for model in report.models if model.change):
        yield f"This change fixes {plural(fixed, 'finding')}. Thank you."
    if report.removed:
        yield f"Removed: {_listed(report.removed)}."
    if report.skipped:
        yield f"Skipped: {_listed(report.skipped)}."


def _failures(report: Report, room: int) -> Iterator[str]:
    if report.failures:
        lines = [f"- {code(one.path)}: {words(one.why, _LONGEST)}" for one in report.failures]
        kept, left = _fitted(lines, room)
        yield "\n".join(["**Not analysed**", "", *kept])
        yield from _left_out(left, "input")


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(code(path, 100) for path in paths[:_PATHS_SHOWN])
    left = len(paths) - _PATHS_SHOWN
    return f"{shown} and {left:,} more" if left > 0 else shown


def _details(model: ModelReport) -> str:
    """All that was found in a model, folded; empty where there is nothing."""
    fixed = model.change.fixed if model.change else ()
    if not (model.findings or fixed):
        return ""
    ordered = sorted(model.findings, key=_rank)
    blocks = [
        f"<details>\n<summary>{in_html(model.path)}: {counted(model)}</summary>",
        *_findings(ordered),
        *_fixed(fixed),
        "</details>",
    ]
    return "\n\n".join(blocks)


def _rank(finding: FindingReport) -> tuple[bool, bool, tuple[int, int]]:
    """What is told first, and of that broken budgets."""
    return not finding.is_told, finding.code not in BUDGETS, urgency(finding)


def _findings(findings: Sequence[FindingReport]) -> Iterator[str]:
    if not findings:
        return
    compared = any(finding.state for finding in findings)
    head = ["finding", "severity", "where", "what", "suggested"]
    lines = [_finding(finding, compared=compared) for finding in findings[:_SHOWN]]
    yield table([*(["state"] if compared else []), *head], lines, 0)
    if (left := len(findings) - _SHOWN) > 0:
        yield f"And {plural(left, 'more finding')}."


def _finding(finding: FindingReport, *, compared: bool) -> str:
    proposal = finding.proposal
    if proposal is None:
        remedy = words(finding.advice, _LONGEST) if finding.advice else ""
    else:
        remedy = f"{words(proposal.title, _LONGEST)}: {brief_saving(proposal)}"
    cells = [
        title(finding),
        WORDS[finding.severity],
        code(names(finding)) if finding.nodes else "",
        words(finding.message, _LONGEST),
        remedy,
    ]
    return row([str(finding.state or ""), *cells] if compared else cells)


def _fixed(fixed: Sequence[FindingReport]) -> Iterator[str]:
    if not fixed:
        return
    lines = [
        f"- {title(one)}{f' at {code(names(one))}' if one.nodes else ''}"
        for one in fixed[:_FIXED_SHOWN]
    ]
    if (left := len(fixed) - _FIXED_SHOWN) > 0:
        lines.append(f"- and {left:,} more")
    yield "\n".join(["Fixed by this change:", "", *lines])


def _fitted(blocks: Sequence[str], room: int) -> tuple[list[str], int]:
    """The blocks that fit, in their order, and how many do not."""
    kept: list[str] = []
    for block in blocks:
        taken = _size([block])
        if taken <= room:
            room -= taken
            kept.append(block)
    return kept, len(blocks) - len(kept)


def _left_out(count: int, noun: str, how: str = "") -> Iterator[str]:
    if count:
        yield more(count, noun, f"left out {how}for want of room")


def _size(parts: Sequence[str]) -> int:
    """Bytes with the empty lines between them."""
    return sum(len(part.encode()) + 2 for part in parts)
