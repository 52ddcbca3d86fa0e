"""Measure archlint's speed and memory, and write docs/performance.md: ``python benchmarks/run.py``.

The archlint that is measured is the one installed for this interpreter; an editable install starts
some milliseconds later than a wheel. Needs Linux, a quiet machine, and 4 GB of disk for the models
and the environments of the peers; swin also needs torch and transformers, or a ``swin.onnx`` in the
folder of ``--work`` that ``models.py`` wrote where they are installed.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import HERE, Bench
from page import page
from rows import ROWS

PAGE = HERE.parent / "docs" / "performance.md"
ROUNDS = 7


def main() -> None:
    """Measure, and write the page; a part of it is printed unless it is given a file."""
    options = _options()
    folder: Path | None = options.work
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with nullcontext(folder) if folder else TemporaryDirectory(prefix="archlint-") as place:
        bench = Bench(Path(place).resolve(), options.rounds, not options.no_peers)
        sections = [ROWS[key](bench) for key in ROWS if key in (options.only or ROWS)]
    text = page(sections, _command(options), options.rounds)
    output: Path | None = options.output or (None if options.only else PAGE)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")


def _command(options: argparse.Namespace) -> str:
    """The command again, without what changes no figure."""
    words = ["python benchmarks/run.py", *(f"--only {key}" for key in options.only or ())]
    if options.rounds != ROUNDS:
        words.append(f"--rounds {options.rounds}")
    if options.no_peers:
        words.append("--no-peers")
    return " ".join(words)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure archlint, and write docs/performance.md.")
    parser.add_argument("--only", action="append", choices=ROWS, help="print this row; repeatable")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, metavar="N", help=f"default: {ROUNDS}"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"default: {PAGE.name}")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep and reuse the models here")
    parser.add_argument("--no-peers", action="store_true", help="install and compare no others")
    return parser.parse_args()


if __name__ == "__main__":
    main()
