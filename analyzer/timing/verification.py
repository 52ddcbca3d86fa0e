"""What the stopwatch says of findings, and of the model that follows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from archlint.analyzer.errors import ModelError, TimingError
from archlint.analyzer.finding import Finding, Severity
from archlint.analyzer.graph import Graph
from archlint.analyzer.proposal import Proposal
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.external import refuse_unsafe
from archlint.analyzer.splicing import splice
from archlint.analyzer.timing.compare import CLAIM, WHOLE_MODEL, Question, compare
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.measurement import Measured, Verdict, Whole
from archlint.analyzer.timing.part import sides
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.subject import Subject, whole

Load = Callable[[Model], Graph]


class Verifier:
    """Times the findings of one model; equal parts of it are timed once."""

    def __init__(
        self,
        model: Model,
        graph: Graph,
        reload: Load,
        effort: Effort,
        progress: Callable[[str], None],
    ) -> None:
        self._model = model
        self._graph = graph
        self._reload = reload
        self._effort = effort
        self._progress = progress
        self._known: dict[tuple[str, Question, Subject, Subject], Measured] = {}
        self.failures: list[str] = []  # of runs, each once

    def finding(self, finding: Finding, provider: Provider) -> Measured | None:
        """The verdict of a finding; None for one that proposes nothing."""
        if finding.priced is None:
            return None
        proposal = finding.priced.proposal
        self._progress(f"timing {finding.code} at {proposal.replaces[0].label} on {provider.name}")
        return self._measured(provider, lambda: self._sides(proposal))

    def whole(self, proposals: Sequence[Proposal], provider: Provider) -> Whole:
        """The model against the one with proposals in it."""
        self._progress(f"timing the whole model on {provider.name}")
        measured = self._measured(provider, lambda: self._wholes(proposals), WHOLE_MODEL)
        return Whole(measured, len(proposals))

    def _measured(
        self,
        provider: Provider,
        subjects: Callable[[], tuple[Subject, Subject]],
        question: Question = CLAIM,
    ) -> Measured:
        try:
            before, after = subjects()
        except ModelError as error:
            return Measured(provider, why=error.why)
        key = provider.label, question, before, after
        if key not in self._known:
            self._known[key] = self._compared(before, after, provider, question)
        return self._known[key]

    def _compared(
        self, before: Subject, after: Subject, provider: Provider, question: Question
    ) -> Measured:
        path, effort = self._model.path, self._effort
        try:
            return Measured(provider, compare(path, before, after, provider, effort, question))
        except TimingError as error:
            if error.why not in self.failures:
                self.failures.append(error.why)
            return Measured(provider, why=error.why)

    def _sides(self, proposal: Proposal) -> tuple[Subject, Subject]:
        """What is replaced and what replaces it; whole models where nothing replaces it."""
        if not proposal.graph.node:
            return self._wholes([proposal])
        return sides(self._model.path, self._graph, proposal)

    def _wholes(self, proposals: Sequence[Proposal]) -> tuple[Subject, Subject]:
        refuse_unsafe(self._model)
        spliced = splice(self._model, proposals)
        before = whole(self._model, self._graph)
        return before, whole(spliced, self._reload(spliced))


def _together(
    findings: Sequence[Finding], measured: Sequence[Measured | None]
) -> list[Measured | None]:
    """What was measured on one provider, each with what all findings of its rule take."""
    pairs = list(zip(findings, measured, strict=True))
    sums: defaultdict[str, float] = defaultdict(float)
    for finding, one in pairs:
        if one is not None and one.comparison is not None:
            sums[finding.code] += one.comparison.before
    return [one and one.in_company(sums[finding.code]) for finding, one in pairs]


def _judged(finding: Finding, measured: tuple[Measured, ...]) -> Finding:
    """The finding with its verdicts; one that is refuted everywhere fails no run any more."""
    refuted = bool(measured) and all(one.verdict is Verdict.REFUTED for one in measured)
    severity = min(finding.severity, Severity.NOTE) if refuted else finding.severity
    return replace(finding, measured=measured, severity=severity)


def verify(
    verifier: Verifier, findings: Iterable[Finding], providers: Sequence[Provider]
) -> tuple[tuple[Finding, ...], tuple[Whole, ...]]:
    """The findings with their verdicts on each provider, and the whole model on each of those where
    some were confirmed."""
    findings = tuple(findings)
    timed = [_together(findings, [verifier.finding(f, p) for f in findings]) for p in providers]
    judged = [
        _judged(finding, tuple(one for one in verdicts if one is not None))
        for finding, *verdicts in zip(findings, *timed, strict=True)
    ]
    wholes = []
    for place, provider in enumerate(providers):
        confirmed = [
            finding.priced.proposal
            for finding in judged
            if finding.priced is not None and finding.measured[place].verdict is Verdict.CONFIRMED
        ]
        if confirmed:
            wholes.append(verifier.whole(confirmed, provider))
    return tuple(judged), tuple(wholes)
