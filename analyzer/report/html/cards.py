"""A rule's findings in one model, as one card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.report import FindingReport, ModelReport, State
from archlint.analyzer.report.html import diagram
from archlint.analyzer.report.html.figures import Figure, figures
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.merged import merged, sentence
from archlint.analyzer.report.html.places import Places, places_of
from archlint.analyzer.report.html.verdicts import Verdict, verdicts
from archlint.analyzer.report.place import urgency
from archlint.analyzer.report.savings import remainder
from archlint.analyzer.report.sentences import ended
from archlint.analyzer.text import change, safe

_MESSAGES = 12
_MOST = 600  # columns of what comes from a model
_LONG_SNIPPET = 14  # lines
_SHAPES = {Severity.ERROR: "●", Severity.WARNING: "▲", Severity.NOTE: "■"}
_CLAUSE = re.compile(r"[;:] ")
_RUN = "ARC9"  # what is found about the run: budgets, ignores, baselines


@dataclass(frozen=True, slots=True)
class Card:
    """What a page says of all findings of a rule; texts are those of the report, made harmless."""

    id: str
    code: str
    name: str
    severity: str
    shape: str
    title: str
    why: tuple[str, ...]
    states: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    verdicts: tuple[Verdict, ...]
    drawing: Markup
    caption: str
    places: Places | None
    is_open: bool
    is_brief: bool
    advice: str
    caveat: str
    case: str
    snippet: str
    snippet_lines: int
    alternatives: tuple[str, ...]
    source: str

    @property
    def is_long(self) -> bool:
        """Whether its snippet is folded."""
        return self.snippet_lines > _LONG_SNIPPET


def rules_of(model: ModelReport) -> tuple[tuple[FindingReport, ...], ...]:
    """The findings that are told, by rule: errors of the run first, then the most severe, of those
    what saves most, and what is doubtful last."""
    found: dict[str, list[FindingReport]] = {}
    for finding in model.told:
        found.setdefault(finding.code, []).append(finding)
    return tuple(tuple(sorted(group, key=urgency)) for group in sorted(found.values(), key=_rank))


def _rank(findings: Sequence[FindingReport]) -> tuple[bool, int, bool, int]:
    severity = max(finding.severity for finding in findings)
    broken = severity is Severity.ERROR and findings[0].code.startswith(_RUN)
    doubtful = all(finding.confidence is Confidence.LOW for finding in findings)
    return not broken, -severity, doubtful, sum(urgency(finding)[1] for finding in findings)


def card(
    model: ModelReport,
    findings: Sequence[FindingReport],
    number: int,
    ids: Ids,
    *,
    is_brief: bool = False,
) -> Card:
    """The card of a rule's findings, the dearest of which stands for all; a brief one has folded
    all but what they are and cost."""
    first = findings[0]
    proposal = first.proposal
    title, why = _told(findings)
    snippet = "" if proposal is None else proposal.snippet
    drawing = Markup() if proposal is None else diagram.draw(model, first, proposal)
    severity = max(finding.severity for finding in findings)
    return Card(
        id=ids.finding(number),
        code=safe(first.code),
        name=safe(first.name),
        severity=str(severity),
        shape=_SHAPES[severity],
        title=title,
        why=why,
        states=tuple(_states(findings)),
        figures=tuple(figures(model, findings)),
        verdicts=tuple(verdicts(findings)),
        drawing=drawing,
        caption=_caption(first, len(findings)) if drawing else "",
        places=places_of(model, findings, ids),
        is_open=number == 1 or is_brief,
        is_brief=is_brief,
        advice=_advice(findings),
        caveat="" if proposal is None else safe(proposal.caveat, _MOST),
        case=_case(findings),
        snippet="\n".join(map(safe, snippet.splitlines())),
        snippet_lines=len(snippet.splitlines()),
        alternatives=tuple(_alternatives(first)),
        source=_source(first),
    )


def _told(findings: Sequence[FindingReport]) -> tuple[str, tuple[str, ...]]:
    """The title, and sentences that say why."""
    messages = list(dict.fromkeys(safe(finding.message, _MOST) for finding in findings))
    count, at = len(findings), ""
    if count > 1:
        at = f", at {count:,} places" if findings[0].nodes else f", {count:,} times"
    one = merged(messages)
    if one is not None:
        head, clauses = _clauses(one)
        return f"{sentence(head)}{at}", (ended(sentence(clauses)),) if clauses else ()
    words = sentence(safe(findings[0].name).replace("-", " "))
    why = [ended(sentence(message)) for message in messages[:_MESSAGES]]
    if (rest := len(messages) - _MESSAGES) > 0:
        why.append(f"And {rest:,} more.")
    return f"{words}{at}", tuple(why)


def _clauses(text: str) -> tuple[str, str]:
    """The first clause, and the others; what is in brackets belongs to its clause."""
    for found in _CLAUSE.finditer(text):
        head = text[: found.start()]
        if head.count("(") == head.count(")"):
            return head, text[found.end() :]
    return text, ""


def _states(findings: Sequence[FindingReport]) -> Iterator[tuple[str, str]]:
    """The state beside the base, as a word of a class and as it is told."""
    for state in (State.NEW, State.WORSE):
        having = [finding for finding in findings if finding.state is state]
        if len(having) == 1 == len(findings):
            was, macs = having[0].before, having[0].cost.macs
            grown = "" if was is None else f": {change(was, macs, 'MACs')}"
            yield str(state), f"{sentence(str(state))}{grown}"
        elif having:
            yield str(state), f"{len(having):,} {state}"


def _advice(findings: Sequence[FindingReport]) -> str:
    """What to try, in one text for all where the proposals differ in numbers alone."""
    first = findings[0]
    if first.proposal is None:
        return ended(sentence(safe(first.advice, _MOST))) if first.advice else ""
    titles = [safe(f.proposal.title, _MOST) for f in findings if f.proposal is not None]
    one = merged(titles)
    doubt = " (low confidence)" if first.confidence is Confidence.LOW else ""
    if one is not None:
        return ended(sentence(one) + doubt)
    return ended(f"{sentence(titles[0])}{doubt}; the table has what fits the other places")


def _caption(finding: FindingReport, count: int) -> str:
    label = safe(finding.nodes[0].label) if finding.nodes else ""
    case = "The dearest case" if count > 1 else "The case"
    return f"{case}: {label}." if label else ""


def _case(findings: Sequence[FindingReport]) -> str:
    """Of which place a snippet is, where those of the others differ."""
    snippets = {finding.proposal.snippet for finding in findings if finding.proposal is not None}
    return f"For {safe(findings[0].nodes[0].label)}:" if len(snippets) > 1 else ""


def _alternatives(finding: FindingReport) -> Iterator[str]:
    for other in finding.alternatives:
        doubt = ", low confidence" if other.confidence is Confidence.LOW else ""
        told = f"{safe(other.proposal.title)}: {remainder(other.proposal)}"
        yield f"{told}, {safe(other.code)} {safe(other.name)}{doubt}"


def _source(finding: FindingReport) -> str:
    """The line of Python that made the first node, or the line of text that it is told at."""
    line = finding.source[0] if finding.source else finding.anchor
    if line is None:
        return ""
    text = f": {safe(line.text.strip())}" if line.text.strip() else ""
    return f"{safe(line.file)}:{line.number}{text}"
