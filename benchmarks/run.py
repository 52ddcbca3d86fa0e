"""Measure archlint's speed and memory, and write docs/performance.md: ``python benchmarks/run.py``.

Needs Linux, 8 GB of disk for the models and the environments of the peers, and a quiet machine.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import HERE, Bench
from page import page
from rows import ROWS

PAGE = HERE.parent / "docs" / "performance.md"


def main() -> None:
    """Measure, and write the page; a part of it is printed unless it is given a file."""
    options = _options()
    folder: Path | None = options.work
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with nullcontext(folder) if folder else TemporaryDirectory(prefix="archlint-") as place:
        bench = Bench(Path(place).resolve(), options.rounds, not options.no_peers)
        sections = [ROWS[key](bench) for key in ROWS if key in (options.only or ROWS)]
    text = page(sections, sys.argv[1:], options.rounds)
    output: Path | None = options.output or (None if options.only else PAGE)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure archlint, and write docs/performance.md.")
    parser.add_argument("--only", action="append", choices=ROWS, help="print this row; repeatable")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="default: %(default)s")
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"default: {PAGE.name}")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep and reuse the models here")
    parser.add_argument("--no-peers", action="store_true", help="install and compare no others")
    return parser.parse_args()


if __name__ == "__main__":
    main()
