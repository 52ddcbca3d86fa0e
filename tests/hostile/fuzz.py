"""Run archlint over mutants of real models: ``python tests/hostile/fuzz.py --mutants 20000``.

Every mutant goes through the commands and output formats of the hostile corpus, under the same
limits. One that archlint fails on is kept, and made smaller while it still fails alike.
"""

# ruff: noqa: T201 - a script, which prints what it found
from __future__ import annotations

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnx

_HERE: Final = Path(__file__).parent
_LARGEST: Final = 1 << 16  # bytes of a file that is mutated
_CHUNK: Final = 1000  # mutants of a process
_SHRINK_SECONDS: Final = 5.0


def collect(folder: Path, *, node_models: bool) -> None:
    """Write the corpus: the small models of onnx's wheel, the samples and the hostile operators;
    ``node_models`` adds those that onnx tests its operators with, which takes ten seconds."""
    from hostile_graphs import GRAPHS
    from hostile_movement import MOVEMENT
    from hostile_nested import NESTED
    from hostile_operators import OPERATORS

    wheel = Path(onnx.__file__).parent / "backend" / "test" / "data"
    files = [*wheel.rglob("*.onnx"), *(_HERE.parents[1] / "samples").glob("*.onnx")]
    found = {
        f"{p.parent.name}-{p.stem}": p.read_bytes() for p in files if p.stat().st_size < _LARGEST
    }
    found |= {name: make() for name, make in (OPERATORS | MOVEMENT | GRAPHS | NESTED).items()}
    if node_models:
        found |= {f"node-{name}": data for name, data in node_tests()}
    for name, data in found.items():
        if len(data) < _LARGEST:
            (folder / name).write_bytes(data)


def node_tests() -> Iterator[tuple[str, bytes]]:
    """The models that onnx tests its operators with, by name."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that overflow on purpose
        cases = load_model_tests(kind="node")
    for case in cases:
        if case.model is not None:
            yield case.name, case.model.SerializeToString(deterministic=True)


def hunt(corpus: Path, results: Path, seed: int, first: int, count: int) -> None:
    """Examine mutants in this process: a line of JSON before each one, and one after it."""
    from fuzz_mutate import Mutator
    from hostile_examiner import Examiner

    mutator = Mutator([path.read_bytes() for path in sorted(corpus.iterdir())], seed)
    with tempfile.TemporaryDirectory() as folder, results.open("w", encoding="utf-8") as told:
        model = Path(folder) / "model.onnx"
        examiner = Examiner()

        def examined(data: bytes) -> list[str]:
            model.write_bytes(data)
            return examiner.examine(str(model)).wrong

        for number in range(first, first + count):
            print(json.dumps({"begun": number}), file=told, flush=True)
            wrong = examined(mutator.mutant(number))
            print(json.dumps({"ended": number, "wrong": wrong}), file=told, flush=True)
            if wrong:
                minimal = _shrunk(mutator.mutant(number), _signature(wrong), examined)
                print(json.dumps({"minimal": minimal.hex()}), file=told, flush=True)


def _shrunk(data: bytes, aim: str, examined: Callable[[bytes], list[str]]) -> bytes:
    """The mutant without fields that the failure does not need; gives up in time."""
    from fuzz_mutate import smaller

    end = time.monotonic() + _SHRINK_SECONDS
    better: bytes | None = data
    while better is not None and time.monotonic() < end:
        data = better
        tries = itertools.takewhile(lambda _less: time.monotonic() < end, smaller(data))
        better = next((less for less in tries if _signature(examined(less)) == aim), None)
    return data


def _signature(wrong: list[str]) -> str:
    """What went wrong first, without the numbers and names of this mutant."""
    return re.sub(r"'[^'\n]*'|\d+", "#", "".join(wrong[:3]))[:600]


def main() -> int:
    """Hunt in processes that may die; 1 if any mutant was handled wrongly."""
    options = _options()
    if options.hunt:
        corpus, results, first, count = options.hunt
        hunt(Path(corpus), Path(results), options.seed, int(first), int(count))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary) / "corpus"
        corpus.mkdir()
        collect(corpus, node_models=options.node_models)
        failures = list(_failures(options, corpus, Path(temporary) / "results"))
    kinds: dict[str, list[_Failure]] = {}
    for failure in failures:
        kinds.setdefault(_signature(failure.wrong), []).append(failure)
    for alike in sorted(kinds.values(), key=len, reverse=True):
        print(f"{len(alike)} mutants, as {alike[0].number}:", *alike[0].wrong, sep="\n  ")
        if options.keep is not None and alike[0].minimal:
            options.keep.mkdir(parents=True, exist_ok=True)
            kept = options.keep / f"seed-{options.seed}-mutant-{alike[0].number}.onnx"
            kept.write_bytes(min((f.minimal for f in alike), key=len))
            print(f"  kept as {kept}")
    print(f"{options.mutants:,} mutants of seed {options.seed}: {len(failures):,} handled wrongly")
    return 1 if failures else 0


@dataclass(slots=True)
class _Failure:
    number: int
    wrong: list[str]
    minimal: bytes = b""


def _failures(options: argparse.Namespace, corpus: Path, results: Path) -> Iterator[_Failure]:
    """What went wrong, chunk by chunk; a process that died is followed by another one."""
    first, end = options.first, options.first + options.mutants
    while first < end:
        count = min(_CHUNK, end - first)
        words = ["--hunt", str(corpus), str(results), str(first), str(count)]
        died = subprocess.run(
            [sys.executable, __file__, "--seed", str(options.seed), *words],
            check=False, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        last, ended = first, first - 1
        failures: list[_Failure] = []
        for line in results.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            last = told.get("begun", last)
            ended = told.get("ended", ended)
            if told.get("wrong"):
                failures.append(_Failure(ended, told["wrong"]))
            elif "minimal" in told:
                failures[-1].minimal = bytes.fromhex(told["minimal"])
        if last != ended:
            failures.append(_Failure(last, [f"exit code {died.returncode}", died.stderr[-2000:]]))
        elif died.returncode:
            raise RuntimeError(died.stderr)
        yield from failures
        first = last + 1
        print(f"{first - options.first:,} of {options.mutants:,}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mutants", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where failures are kept")
    parser.add_argument("--node-models", action="store_true", help="mutate onnx's node tests too")
    parser.add_argument("--hunt", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
