"""Time the comparisons on one provider: ``python timed.py PROVIDER FILE SECONDS [--networks]``.

FILE gets one JSON object a line; what it has figures of is not timed again. The onnxruntime is that
of the interpreter: a provider that replaces onnxruntime lives in an environment of its own. With
``--networks`` whole networks are timed too, each against itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx

from archlint.analyzer.errors import ModelError
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.timing.compare import compare
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.measurement import Comparison
from archlint.analyzer.timing.providers import Provider, parse_providers
from archlint.analyzer.timing.subject import Subject, whole
from cases import CASES
from quiet import Others

NETWORKS = Path(onnx.__file__).parent / "backend/test/data/light"
"""The networks of onnx's own tests: structure without weights."""
QUIET = 0.1
"""The share of the machine that others may take: two cores often share what one computes with."""
_MOST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Figures:
    """Nanoseconds of CPU time a run, their ratio (after / before) with its 95 % interval, the
    verdict, and the share of the machine that other processes took meanwhile."""

    before: float
    after: float
    ratio: float
    low: float
    high: float
    rounds: int
    verdict: str
    runtime: str
    others: float

    @classmethod
    def of(cls, found: Comparison, others: float) -> Figures:
        """What of a comparison is kept."""
        return cls(
            found.before, found.after, found.ratio, found.interval.low, found.interval.high,
            found.rounds, found.verdict, found.runtime, round(others, 3),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Timed:
    """One line of the file: the figures of a title, or why there are none."""

    title: str
    figures: Figures | None
    why: str = ""


def networks() -> dict[str, Path]:
    """The files of the whole networks by the names that they are known by."""
    return {path.stem.removeprefix("light_"): path for path in sorted(NETWORKS.glob("*.onnx"))}


def loaded(file: Path) -> dict[str, Timed]:
    """What has been timed so far, by title; a line that was cut short does not count."""
    found: dict[str, Timed] = {}
    if not file.exists():
        return found
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            entry = json.loads(line)
            figures = entry["figures"]
            found[entry["title"]] = Timed(
                entry["title"], None if figures is None else Figures(**figures), entry["why"]
            )
    return found


def time_all(provider: str, file: Path, seconds: float, *, with_networks: bool) -> None:
    """Add to the file what it lacks; what failed is tried again."""
    (chosen,) = parse_providers([provider])
    known = {title: timed for title, timed in loaded(file).items() if timed.figures is not None}
    file.write_text("".join(map(_line, known.values())), encoding="utf-8")
    for title, model in _models(with_networks=with_networks):
        if title in known:
            continue
        try:
            sides = (_subject(model[0]), _subject(model[1]))
            timed = Timed(title, _quietest(title, sides, chosen, Effort(budget=seconds)))
        except ModelError as error:
            timed = Timed(title, None, error.why)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(_line(timed))
        print(f"{provider}: {title}: {_said(timed)}", file=sys.stderr, flush=True)


def _quietest(
    title: str, sides: tuple[Subject, Subject], provider: Provider, effort: Effort
) -> Figures:
    """The figures of the first comparison that little disturbed, else of the least disturbed."""
    tried: list[Figures] = []
    while not tried or (tried[-1].others > QUIET and len(tried) < _MOST_TRIES):
        others = Others()
        found = compare(title, *sides, provider, effort)
        tried.append(Figures.of(found, others.share()))
    return min(tried, key=lambda figures: figures.others)


def _models(*, with_networks: bool) -> Iterator[tuple[str, tuple[Model, Model]]]:
    for case in CASES:
        before, after = (Model("case", net.model(), 0) for net in (case.before, case.after))
        yield case.title, (before, after)
    for name, path in networks().items() if with_networks else ():
        model = read(str(path))
        yield name, (model, model)


def _subject(model: Model) -> Subject:
    return whole(model, load(model))


def _line(timed: Timed) -> str:
    return json.dumps(asdict(timed), ensure_ascii=False) + "\n"


def _said(timed: Timed) -> str:
    figures = timed.figures
    return timed.why if figures is None else f"{figures.ratio:.3f}, {figures.verdict}"


def main() -> None:
    """Time what is missing."""
    parser = argparse.ArgumentParser(description="Time the comparisons on one provider.")
    parser.add_argument("provider")
    parser.add_argument("file", type=Path)
    parser.add_argument("seconds", type=float, help="of each comparison, at most")
    parser.add_argument("--networks", action="store_true", help="time whole networks too")
    options = parser.parse_args()
    time_all(options.provider, options.file, options.seconds, with_networks=options.networks)


if __name__ == "__main__":
    main()
