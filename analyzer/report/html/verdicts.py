"""What the stopwatch says of the findings of a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archlint.analyzer.report import FindingReport
from archlint.analyzer.report.groups import names
from archlint.analyzer.report.html.merged import sentence
from archlint.analyzer.report.measured import verdict_text
from archlint.analyzer.report.sentences import ended
from archlint.analyzer.text import safe

if TYPE_CHECKING:  # a static run times nothing
    from archlint.analyzer.timing.measurement import Measured

_NONE = "not measured"
_KINDS = {
    "confirmed": "confirmed",
    "refuted": "refuted",
    "inconclusive": "inconclusive",
    "too small to matter": "small",
    _NONE: "none",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds on one provider: ``kind`` is a class of the page, ``word`` what is told, ``text``
    the numbers of the dearest place and what they hold for."""

    kind: str
    word: str
    text: str


def verdicts(findings: Sequence[FindingReport]) -> Iterator[Verdict]:
    """A verdict for each provider that was asked."""
    asked: dict[str, list[tuple[FindingReport, Measured]]] = {}
    for finding in findings:
        for measured in finding.measured:
            asked.setdefault(measured.provider.label, []).append((finding, measured))
    for label, answers in asked.items():
        if len(findings) == 1:
            measured = answers[0][1]
            word = word_of(measured)
            numbers = verdict_text(measured).removeprefix(word)
            if measured.comparison is None:
                yield Verdict(_KINDS[word], sentence(word), ended(f" on {safe(label)}{numbers}"))
            else:
                yield Verdict(_KINDS[word], f"Measured: {word}", ended(numbers))
        else:
            yield _of_several(label, answers, len(findings))


def _of_several(
    label: str, answers: Sequence[tuple[FindingReport, Measured]], places: int
) -> Verdict:
    """How often each verdict was given, and the numbers of the dearest place that has some."""
    words = Counter(word_of(measured) for _, measured in answers)
    kind = next(iter(words)) if len(words) == 1 else "inconclusive"
    told = ", ".join(f"{word} at {count:,}" for word, count in words.items())
    text = f" of {places:,} places on {safe(label)}."
    finding, dearest = next((one for one in answers if one[1].comparison), answers[0])
    word = f"Measured: {told}" if dearest.comparison else sentence(told)
    return Verdict(_KINDS[kind], word, f"{text} {names(finding)}: {ended(verdict_text(dearest))}")


def word_of(measured: Measured) -> str:
    """The verdict in a word or two."""
    return _NONE if measured.verdict is None else str(measured.verdict)


def briefly(measured: Measured) -> str:
    """The verdict with its ratio and interval, for a cell of a table."""
    comparison = measured.comparison
    if comparison is None:
        return _NONE
    low, high = comparison.interval.low, comparison.interval.high
    return f"{comparison.verdict}: ×{comparison.ratio:.3f} time [{low:.3f} to {high:.3f}]"
