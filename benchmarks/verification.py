"""Time what archlint claims, and write docs/verification.md: ``python benchmarks/verification.py``.

What is timed stays in the folder of ``--work``, a temporary one by default: the command goes on
where it was interrupted, and rewrites the page at once where nothing is missing. OpenVINO replaces
onnxruntime and so is timed by the interpreter of another environment, which has onnx and
onnxruntime-openvino. Some five minutes of one core.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from agreement import Row
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from bench import HERE
from cases import CASES
from pairs import Network as Pair
from predicted import Predictor
from timed import Timed, loaded, networks
from verification_page import Network, page

PAGE = HERE.parent / "docs" / "verification.md"
SECONDS = 5.0


def main() -> None:
    """Time what is missing, and write the page."""
    options = _options()
    folder: Path = options.work
    folder.mkdir(parents=True, exist_ok=True)
    runs = {"cpu": _timed(sys.executable, "cpu", folder / "cpu.jsonl", "--networks")}
    predictor = Predictor.calibrated(folder)  # now: the speed of a machine changes by the hour
    runs |= {"again": _timed(sys.executable, "cpu", folder / "again.jsonl"), "openvino": {}}
    if options.openvino_python is not None:
        runs["openvino"] = _timed(options.openvino_python, "openvino", folder / "openvino.jsonl")
    rows = _rows(runs, predictor)
    text = page(rows, _networks(runs["cpu"], predictor), _command(options))
    options.output.write_text(text, encoding="utf-8")


def _timed(python: str | Path, provider: str, file: Path, *flags: str) -> dict[str, Timed]:
    """What a provider of an environment has measured, once it has measured all."""
    command = [python, HERE / "timed.py", provider, file, str(SECONDS), *flags]
    environ = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    subprocess.run(command, check=True, env=environ)
    return loaded(file)


def _rows(runs: Mapping[str, Mapping[str, Timed]], predictor: Predictor) -> list[Row]:
    rows = []
    for case in CASES:
        before, after = _counted(case.before), _counted(case.after)
        predicted = predictor.nanoseconds(before), predictor.nanoseconds(after)
        times = (runs[name].get(case.title) for name in ("cpu", "again", "openvino"))
        rows.append(Row(case, (before.total().macs, after.total().macs), predicted, *times))
    return rows


def _networks(timed: Mapping[str, Timed], predictor: Predictor) -> list[Network]:
    found = []
    for name, path in networks().items():
        costs = count(load(read(str(path))))
        predicted = predictor.nanoseconds(costs)
        found.append(Network(name, costs.total().macs, predicted, timed.get(name)))
    return found


def _counted(network: Pair) -> CostTable:
    return count(load(Model("case", network.model(), 0)))


def _command(options: argparse.Namespace) -> str:
    """The command again, without what changes no figure."""
    more = " --openvino-python PYTHON" if options.openvino_python is not None else ""
    return f"python benchmarks/verification.py{more}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Time what archlint claims, and write {PAGE}.")
    kept = Path(tempfile.gettempdir()) / "archlint-verification"
    parser.add_argument("--openvino-python", type=Path, metavar="PYTHON", help="time OpenVINO too")
    parser.add_argument("--work", type=Path, default=kept, metavar="DIR", help=f"default: {kept}")
    parser.add_argument("--output", type=Path, default=PAGE, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
