"""Findings that were accepted at a cost: judged, told when they grow, written and pruned."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import FindingReport, IgnoredReport, ModelReport, Report, State
from archlint.analyzer.text import plural
from archlint.baseline_file import (
    Entry,
    Models,
    costs_of,
    entry_of,
    read_baseline,
    rendered,
    write_baseline,
)
from archlint.baseline_matching import UNACCEPTED, Match, acceptable, accepted_by, pairs_of, prints
from archlint.baseline_place import check_there, exists, file_for, key_of
from archlint.configuration import Configuration
from archlint.discovery import shown_path
from archlint.quantities import Change, share_of
from archlint.remarks import StaleBaseline, remark_report


class Baselines:
    """The files of accepted findings for the models of a run, by the option and by the
    configuration."""

    def __init__(self, configuration: Configuration, option: str | None = None) -> None:
        self._configuration = configuration
        self._option = option
        self._models: dict[str, Models] = {}

    def judged(self, report: Report) -> Report:
        """The report, in which accepted findings are ignored, and those that have grown are worse.

        Raises ConfigError for a file that is named and not there, or no baseline.
        """
        for model in report.models:
            check_there(self._configuration, self._option, model.path)
        matches = {match.model.path: match for match in self._matches(report)}
        models = (
            self._accepted(matches[model.path]) if model.path in matches else model
            for model in report.models
        )
        return replace(report, models=tuple(models))

    def stale(self, report: Report) -> Report:
        """The report, with a finding for each entry of its models that accepts nothing."""
        added: dict[str, list[FindingReport]] = {}
        for match in self._matches(report):
            if match.unmatched:
                ran = self._ran(match.model, report)
                entries = (entry for entry in match.unmatched if entry.code in ran)
                added[match.model.path] = list(self._told(match, entries))
        models = (
            replace(model, findings=(*model.findings, *added.get(model.path, ())))
            for model in report.models
        )
        return replace(report, models=tuple(models))

    def written(self, report: Report) -> str:
        """Accept all that is found now; what was written, one line a file.

        Entries of models that are not in the report stay, and those of rules that did not run.
        """
        if report.models and not any(self._file(model.path) for model in report.models):
            why = "standard input and --isolated have no file for it; give --baseline FILE"
            raise ConfigError("--write-baseline", why)

        def accept(match: Match, ran: AbstractSet[str]) -> Iterable[Entry]:
            kept = [entry for entry in match.unmatched if entry.code not in ran]
            return sorted((*map(entry_of, match.found), *kept), key=lambda entry: entry.code)

        lines = []
        for file, models in self._drafts(report, accept).items():
            if models or os.path.exists(file):
                self._write(file, models)
                count = sum(map(len, models.values()))
                lines.append(f"{shown_path(file)}: {plural(count, 'finding')} accepted\n")
        return "".join(lines) or "Nothing was found that a baseline could accept.\n"

    def pruned(self, report: Report) -> str:
        """Remove the entries that accept nothing and those of models that are gone, and lower the
        costs that are lower now; what was done, one line a file."""
        lowered: dict[str, int] = {}

        def tidy(match: Match, ran: AbstractSet[str]) -> Iterable[Entry]:
            for place, entry in enumerate(match.entries):
                if place in match.pairs:
                    now = _lowered(entry, match.found[match.pairs[place]])
                    lowered[match.file] = lowered.get(match.file, 0) + (now.cost < entry.cost)
                    yield now
                elif entry.code not in ran:
                    yield entry

        lines = []
        for file, drafted in self._drafts(report, tidy).items():
            if not os.path.exists(file):
                continue
            models = {key: entries for key, entries in drafted.items() if exists(key, file)}
            before, after = (sum(map(len, one.values())) for one in (self._read(file), models))
            self._write(file, models)
            told = f"{before - after:,} removed, {lowered.get(file, 0):,} lowered, {after:,} stay"
            lines.append(f"{shown_path(file)}: {told}\n")
        return "".join(lines) or "There is no baseline to prune.\n"

    def _file(self, path: str) -> str | None:
        return file_for(self._configuration, self._option, path)

    def _read(self, file: str) -> Models:
        if file not in self._models:
            self._models[file] = read_baseline(file) if os.path.exists(file) else {}
        return self._models[file]

    def _write(self, file: str, models: Models) -> None:
        write_baseline(file, rendered(models))
        self._models[file] = models

    def _matches(self, report: Report) -> list[Match]:
        """The models that were checked and can have entries, each beside those that it has."""
        files = {model.path: self._file(model.path) for model in report.models}
        keys = {path: key_of(path, file) for path, file in files.items() if file is not None}
        taken = {(files[path], key) for path, key in keys.items()}
        matches = []
        for model in report.models:
            file = files[model.path]
            if file is None or not model.was_checked:
                continue
            key, found, known = keys[model.path], acceptable(model, file), self._read(file)
            at = key
            if found and known and key not in known:
                gone = [old for old in known if (file, old) not in taken and not exists(old, file)]
                at = self._renamed(model, report, found, file, gone) or key
                taken.add((file, at))
            entries = known.get(at, ())
            matches.append(Match(model, file, key, at, entries, found, pairs_of(entries, found)))
        return matches

    def _renamed(
        self,
        model: ModelReport,
        report: Report,
        found: Sequence[FindingReport],
        file: str,
        gone: Iterable[str],
    ) -> str | None:
        """The path of a model that is gone and had the same findings."""
        known = self._read(file)
        for key in gone:
            ran = self._ran(model, report)
            if prints(entry for entry in known[key] if entry.code in ran) == prints(found):
                return key
        return None

    def _ran(self, model: ModelReport, report: Report) -> AbstractSet[str]:
        """The rules that have looked at all of a model."""
        failed = any(failure.path == model.path for failure in report.failures)
        if failed or any(finding.code == CRASH_CODE for finding in model.findings):
            return frozenset()
        return {rule.code for rule in self._configuration.chosen(model.path).rules}

    def _accepted(self, match: Match) -> ModelReport:
        """The model without the findings that an entry accepts, the others with their states."""
        if not os.path.exists(match.file):
            return match.model
        tolerated = self._configuration.settings(match.model.path).baseline_tolerance
        tolerance = share_of(tolerated) or Change(tolerated)
        by_finding = {id(match.found[j]): match.entries[i] for i, j in match.pairs.items()}
        stay, accepted = [], []
        for finding in match.model.findings:
            entry = by_finding.get(id(finding))
            if entry is None:
                is_new = finding.state is None and finding.code not in UNACCEPTED
                stay.append(replace(finding, state=State.NEW) if is_new else finding)
            elif costs_of(finding)[entry.measure] > tolerance.most(entry.cost):
                stay.append(_worse(finding, entry))
            else:
                accepted.append(IgnoredReport(finding, accepted_by(match.file)))
        priced = any(one.finding.proposal is not None for one in accepted)
        return replace(
            match.model,
            findings=tuple(stay),
            ignored=(*match.model.ignored, *accepted),
            effect=None if priced else match.model.effect,  # it is that of all proposals
        )

    def _told(self, match: Match, stale: Iterable[Entry]) -> Iterator[FindingReport]:
        chosen = self._configuration.chosen(match.model.path)
        if StaleBaseline.code in chosen.silent:
            return
        severity = chosen.severities.get(StaleBaseline.code, StaleBaseline.severity)
        for entry in stale:
            where = f" at '{entry.identity.name}'" if entry.identity.name else ""
            what = f"{entry.code} {entry.name}{where}"
            message = f"{accepted_by(match.file)} accepts {what}, which is not found any more"
            about = f"{entry.code} {entry.identity.fingerprint}"
            yield remark_report(StaleBaseline, severity, message, about=about)

    def _drafts(
        self, report: Report, entries: Callable[[Match, AbstractSet[str]], Iterable[Entry]]
    ) -> dict[str, dict[str, Sequence[Entry]]]:
        """Each file with other entries for the models of the report, and those of others."""
        drafts: dict[str, dict[str, Sequence[Entry]]] = {}
        for match in self._matches(report):
            models = drafts.setdefault(match.file, dict(self._read(match.file)))
            models.pop(match.at, None)
            if kept := list(entries(match, self._ran(match.model, report))):
                models[match.key] = kept
        return drafts


def _worse(finding: FindingReport, entry: Entry) -> FindingReport:
    """The finding that has grown; one that the base of the run has too is not of this change."""
    if finding.state is State.UNCHANGED:
        return finding
    before = entry.cost if entry.measure == "macs" else finding.before
    return replace(finding, state=State.WORSE, before=before)


def _lowered(entry: Entry, finding: FindingReport) -> Entry:
    """The entry as the finding is now, at the lower of both costs."""
    cost = min(entry.cost, costs_of(finding)[entry.measure])
    return replace(entry, identity=finding.identity, severity=finding.severity, cost=cost)
