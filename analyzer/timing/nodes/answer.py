"""What a child process that times a model says; the model may have taken it over."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from archlint.analyzer.timing.attribution.matching import Key
from archlint.analyzer.timing.statistics import Sample

_LARGEST = 1e18


@dataclass(frozen=True, slots=True)
class Ran:
    """A kernel of the profile, with its nanoseconds in each profiled run, in how many ``events``:
    several where it is in a loop."""

    operator: str
    provider: str
    events: float
    runs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Samples of unprofiled and of profiled runs, the kernels of the latter, and the optimised
    model; ``lacking`` says why there is none. It is not ``complete`` if events were lost."""

    runtime: str
    samples: tuple[Sample, ...]
    profiled: tuple[Sample, ...]
    kernels: Mapping[Key, Ran]
    complete: bool
    optimised: bytes | None
    lacking: str

    @classmethod
    def of(cls, value: Any) -> Self:
        """Raises LookupError, TypeError or ValueError for what is none."""
        optimised = value["optimised"]
        samples, profiled = (tuple(map(_sample, value[key])) for key in ("samples", "profiled"))
        kernels = {
            tuple(map(str, key)): Ran(
                str(operator), str(provider), _number(events), tuple(map(_number, runs))
            )
            for key, operator, provider, events, runs in value["kernels"]
        }
        complete = bool(value["complete"])
        counts = {len(kernel.runs) for kernel in kernels.values()}
        if not samples or (complete and counts - {len(profiled)}) or () in kernels:
            raise ValueError("no samples, or kernels of other runs")
        return cls(
            str(value["runtime"]),
            samples,
            profiled,
            kernels,
            complete,
            None if optimised is None else base64.b64decode(str(optimised), validate=True),
            str(value["lacking"]),
        )

    def kernels_by_provider(self) -> dict[str, int]:
        """How many kernels each provider ran."""
        found = Counter(kernel.provider for kernel in self.kernels.values())
        return dict(sorted(found.items()))

    @property
    def copies(self) -> int:
        """How many kernels only copy between devices."""
        return sum(kernel.operator.startswith("Memcpy") for kernel in self.kernels.values())


def _sample(pair: Any) -> Sample:
    wall, cpu = map(_number, pair)
    if not wall or not cpu:
        raise ValueError("a run that took no time")
    return Sample(wall, cpu)


def _number(value: Any) -> float:
    number = float(value)
    if not 0 <= number < _LARGEST:
        raise ValueError("no number of nanoseconds, or of events")
    return number
