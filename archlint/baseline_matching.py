"""Models beside their entries in a baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archlint.analyzer.compare.recognition import recognise
from archlint.analyzer.report import FindingReport, ModelReport
from archlint.baseline_file import Entry
from archlint.discovery import shown_path
from archlint.remarks import REMARKS

UNACCEPTED = frozenset(remark.code for remark in REMARKS)  # no baseline hides them
_LAST = 1 << 62  # the place of what has none


@dataclass(frozen=True, slots=True)
class Match:
    """A model beside its entries: ``pairs`` leads from the places of entries to those of what is
    ``found``.

    ``at`` is the path under which the file has the entries, ``key`` that of the model.
    """

    model: ModelReport
    file: str
    key: str
    at: str
    entries: Sequence[Entry]
    found: Sequence[FindingReport]
    pairs: Mapping[int, int]

    @property
    def unmatched(self) -> Sequence[Entry]:
        """The entries that accept nothing."""
        return [entry for i, entry in enumerate(self.entries) if i not in self.pairs]


def pairs_of(entries: Sequence[Entry], found: Sequence[FindingReport]) -> Mapping[int, int]:
    """Which finding each entry accepts, by their places."""
    if not entries:
        return {}
    return {i: j for j, i in enumerate(recognise(entries, found)) if i is not None}


def accepted_by(file: str) -> str:
    """How a finding names the file that accepts it."""
    return f"baseline {shown_path(file)}"


def acceptable(model: ModelReport, file: str) -> list[FindingReport]:
    """What a baseline can accept, and what this one does, in the order of the architecture."""
    accepted = (one.finding for one in model.ignored if one.by == accepted_by(file))
    found = [one for one in (*model.findings, *accepted) if one.code not in UNACCEPTED]
    return sorted(found, key=_order)


def _order(finding: FindingReport) -> tuple[str, int, str, str]:
    place = finding.nodes[0].place if finding.nodes else None
    identity = finding.identity
    return finding.code, _LAST if place is None else place, identity.fingerprint, identity.name


def prints(found: Iterable[Entry | FindingReport]) -> Counter[tuple[str, str]]:
    """What findings are made of, whatever they are called."""
    return Counter((one.code, one.identity.fingerprint) for one in found)
