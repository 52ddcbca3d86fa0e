"""From the events of profiled runs to what kernels take in a run that is not profiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Self

from archlint.analyzer.timing.attribution.matching import Key
from archlint.analyzer.timing.nodes.answer import Answer, Ran
from archlint.analyzer.timing.nodes.spread import middle_mean
from archlint.analyzer.timing.statistics import Sample, is_undisturbed, median

_FEW = 3  # undisturbed runs, with which the others do not count
_SLICE = 2_000_000  # nanoseconds: Linux lets a program run for 3 ms before it gives way to others


@dataclass(frozen=True, slots=True)
class KernelClock:
    """Tells what kernels take, from the profiled runs that are ``counted``.

    Where other programs interrupted nearly all runs of one thread, all are counted, with the
    ``share`` of the core that they had. ``overhead`` are the nanoseconds by which profiling
    lengthens a run for each kernel in it; ``inside`` is the part of them that its event holds, the
    rest passes before the next one.
    """

    counted: tuple[int, ...]
    share: float | None
    overhead: float = 0.0
    inside: float = 0.0

    @classmethod
    def of(cls, answer: Answer, threads: int) -> Self:
        """The clock of an answer.

        The event of no kernel is longer than profiling it: the shortest one bounds what is inside.
        """
        samples = answer.profiled
        kept = [place for place, sample in enumerate(samples) if is_undisturbed(sample, threads)]
        share = None
        if len(kept) < _FEW:
            kept = list(range(len(samples)))
            if threads == 1:  # more of them may rest without being interrupted
                share = min(1.0, sum(s.cpu for s in samples) / sum(s.wall for s in samples))
        raw = cls(tuple(kept), share)
        events = sum(ran.events for ran in answer.kernels.values())
        longer = _typical(samples, threads) - _typical(answer.samples, threads)
        overhead = max(0.0, longer / events) if events else 0.0
        parents = {key[:-1] for key in answer.kernels}
        each = [
            raw._taken(ran.runs) / ran.events
            for key, ran in answer.kernels.items()
            if ran.events and key not in parents
        ]
        return cls(raw.counted, share, overhead, min([overhead, *each]))

    def times(self, kernels: Mapping[Key, Ran]) -> dict[Key, float]:
        """Nanoseconds of each kernel in a run that is not profiled."""
        within: dict[Key, float] = {}
        for key, ran in kernels.items():
            within[key[:-1]] = within.get(key[:-1], 0.0) + ran.events
        around = self.overhead - self.inside
        return {
            key: max(
                0.0,
                self._taken(ran.runs) - self.inside * ran.events - around * within.get(key, 0.0),
            )
            for key, ran in kernels.items()
        }

    def _taken(self, runs: Sequence[float]) -> float:
        """Nanoseconds of the events of a kernel in a run.

        Of disturbed runs, the lower half tells what a short kernel takes that was not interrupted;
        one that always is takes its share of the time.
        """
        counted = [runs[place] for place in self.counted]
        if self.share is None:
            return middle_mean(counted)
        lower = fmean(sorted(counted)[: max(1, len(counted) // 2)])
        return lower if lower < _SLICE else fmean(counted) * self.share


def _typical(samples: Sequence[Sample], threads: int) -> float:
    return median([sample.cpu if threads == 1 else sample.wall for sample in samples])
