"""A registry of 200 models: built by ``python registry.py FOLDER``, and checked cold and warm."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import ARCHLINT, HERE, PYTHON, Bench
from measure import Command, Spread, process
from page import Section, Verdict, at_most, spread

COUNT = 200
LARGEST = 6_000_000  # bytes of a model of a package
_OFF = "ARCHLINT_NO_CACHE"
_SETTLED = 2.5  # seconds, after which a file that is written shows it


def build(folder: Path) -> None:
    """Write the models: copies of those of samples/, of onnx and of the packages of
    ARCHLINT_MODELS, each with names of its own."""
    import onnx  # late: who measures stays small

    found = sources()
    for number in range(COUNT):
        source = found[number % len(found)]
        model = onnx.load(source)
        for place, node in enumerate(model.graph.node):
            node.name = f"{node.op_type}_{number}_{place}"
        team = folder / f"team-{number % 10}"
        team.mkdir(parents=True, exist_ok=True)
        (team / f"{source.stem}-{number}.onnx").write_bytes(model.SerializeToString())


def sources() -> list[Path]:
    """The models that there are, without external data."""
    import onnx

    light = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    places = [HERE.parent / "samples", light]
    if packages := os.environ.get("ARCHLINT_MODELS"):
        places.append(Path(packages))
    files = (file for place in places for file in sorted(place.rglob("*.onnx")))
    return [file for file in files if file.stat().st_size <= LARGEST]


def registry(bench: Bench) -> Section:
    """A folder of 200 models: in one process and in two, for the first time and again."""
    models = bench.folder / "registry"
    if not models.exists() and process([PYTHON, HERE / "registry.py", models]) is None:
        raise RuntimeError("python benchmarks/registry.py FOLDER fails")
    with _cache(bench.folder / "registry-cache") as empty:
        times: dict[str, list[float]] = {title: [] for title in _WAYS}
        for _ in range(bench.rounds):
            for title, (jobs, prepare) in _WAYS.items():
                prepare(models, empty)
                times[title].append(_wall(_check(models, jobs)))
    size = sum(file.stat().st_size for file in models.rglob("*.onnx"))
    text = (
        f"{COUNT} models of {size / 1e6:.0f} MB together: those of `samples/`, of onnx's tests and "
        "of the packages in ARCHLINT_MODELS, copied with names of their own. Wall time of "
        "`archlint check FOLDER`."
    )
    rows = [[title, spread(Spread.of(taken), "s")] for title, taken in times.items()]
    return Section("A registry", text, _verdicts(times), ("run", "wall time"), rows)


def _verdicts(times: Mapping[str, Sequence[float]]) -> list[Verdict]:
    one, two, _, again = times.values()
    faster = Spread.of([both / alone for alone, both in zip(one, two, strict=True)])
    work = f"`archlint check`, {COUNT} models"
    return [
        at_most(f"{work}: two processes over one", faster, 0.75, "×"),
        at_most(f"{work}: nothing has changed", Spread.of(again), 1.0, "s"),
    ]


def _changed(models: Path, _: Callable[[], None]) -> None:
    """One model has been written again."""
    time.sleep(_SETTLED)
    first = min(models.rglob("*.onnx"))
    first.write_bytes(first.read_bytes())


def _unchanged(models: Path, _: Callable[[], None]) -> None:
    """All was checked, when all could be told to have settled."""
    time.sleep(_SETTLED)
    _wall(_check(models, 1))


def _first(_: Path, empty: Callable[[], None]) -> None:
    empty()


_WAYS: dict[str, tuple[int, Callable[[Path, Callable[[], None]], None]]] = {
    "nothing is known, `-j 1`": (1, _first),
    "nothing is known, `-j 2`": (2, _first),
    "one file was written": (1, _changed),
    "nothing has changed": (1, _unchanged),
}
"""What is measured: in how many processes, after what."""


def _check(models: Path, jobs: int) -> Command:
    return [ARCHLINT, "check", models, "-j", str(jobs), "--fail-on", "never"]


def _wall(command: Command) -> float:
    """Seconds of a process; raises RuntimeError where it fails."""
    begin = time.perf_counter()
    if process(command) is None:
        raise RuntimeError(f"{' '.join(map(str, command))} fails")
    return time.perf_counter() - begin


@contextmanager
def _cache(folder: Path) -> Iterator[Callable[[], None]]:
    """A cache of its own for all processes, and what empties it."""
    before = {name: os.environ.pop(name, None) for name in ("ARCHLINT_CACHE_DIR", _OFF)}
    os.environ["ARCHLINT_CACHE_DIR"] = str(folder)
    try:
        yield lambda: shutil.rmtree(folder, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


if __name__ == "__main__":
    build(Path(sys.argv[1]))
