"""A finding in sentences, for services that show text alone."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.report import FindingReport, ModelReport, State
from archlint.analyzer.report.groups import names
from archlint.analyzer.report.measured import brief
from archlint.analyzer.report.savings import brief_saving
from archlint.analyzer.text import plural, safe

_MOST = 600  # columns of what comes from a model
REGRESSION = "ARC906"
"""What has grown by more than its budget lets it."""
BUDGETS = frozenset({"ARC905", REGRESSION})
"""Over budget, and cost regression: what breaks first."""


def title(finding: FindingReport) -> str:
    """``ARC101 wide-convolution``."""
    return f"{finding.code} {finding.name}"


def sentences(finding: FindingReport) -> Iterator[str]:
    """What was found, which says enough alone; where, what was there before, and what to do."""
    yield ended(safe(finding.message, _MOST))
    if finding.nodes:
        block = f", in {safe(finding.block.text)}" if finding.block else ""
        word = "Node" if len(finding.nodes) == 1 else "Nodes"
        yield f"{word} {names(finding)}{block}."
    if finding.state is State.WORSE and finding.before is not None:
        yield f"It had {finding.before:,} MACs before and has {finding.cost.macs:,} now."
    if finding.proposal is not None:
        told = f"{safe(finding.proposal.title, _MOST)}: {brief_saving(finding.proposal)}"
        yield ended(f"Suggested: {told}")
    elif finding.advice:
        yield ended(f"To do: {safe(finding.advice, _MOST)}")
    for measured in finding.measured:
        yield ended(f"Measured: {brief(measured)}")


def in_words(finding: FindingReport) -> str:
    """All sentences in one line."""
    return " ".join(sentences(finding))


def none_found(model: ModelReport) -> str:
    """What is said of a model with nothing to tell."""
    if not model.was_checked:
        return "Not checked: only its snapshot is here"
    return "No new findings" if model.findings else "No findings"


def failed(why: str) -> str:
    """Why an input could not be analysed, as a sentence."""
    return ended(f"It could not be analysed: {safe(why, _MOST)}")


def more(count: int, noun: str, where: str) -> str:
    """How many more there are, as in ``27 more findings are left out.``, and where they are."""
    verb = "is" if count == 1 else "are"
    return f"{plural(count, f'more {noun}')} {verb} {where}."


def ended(text: str) -> str:
    """The text with a full stop."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
