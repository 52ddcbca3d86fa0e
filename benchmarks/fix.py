"""Measure what ``archlint fix`` saves on trained networks, and print it as tables of Markdown.

``ARCHLINT_MODELS=FOLDER python benchmarks/fix.py``, FOLDER with the packages of CONTRIBUTING.md;
the photographs come from PyPI into the folder of ``--work``. Some six minutes of a quiet machine.
Exits with 1 where low-rank layers save too little time or bring too much error.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from archlint.analyzer.fix.engine import Subject
from archlint.analyzer.fix.probes import probes
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.proof.drift import drifts
from archlint.analyzer.proof.samples import Samples, made_up_samples, read_samples
from archlint.analyzer.reader import read
from archlint.analyzer.text import percent_change, size
from archlint.analyzer.timing.compare import WHOLE_MODEL, compare
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.measurement import Comparison
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.subject import whole
from bench import ARCHLINT
from fix_samples import crops
from page import table

LOW_RANK: Final = ("--unsafe", "--target-macs", "-25%")
MOST_TIME: Final = 0.80  # of the network as it was


@dataclass(frozen=True, slots=True)
class Network:
    """A trained network: its file in the packages and the shape of its input.

    ``samples`` is the name of its pictures, ``most_error`` that of low-rank layers which saved no
    more of the time: those of an earlier measurement, in which factors saw data too.
    """

    title: str
    path: str
    input: str
    shape: tuple[int, ...]
    samples: str = ""
    most_error: float = 0.0


_OCR: Final = "rapidocr_onnxruntime/models/ch_"
DETECTOR: Final = Network(
    "PP-OCRv4 det", f"{_OCR}PP-OCRv4_det_infer.onnx", "x", (1, 3, 640, 640), "detector", 0.025
)
# All k×k at half their ranks: 0.691 of the MACs, error 0.075, 0.752 of the time. Of the detector
# the three largest k×k at a quarter: 0.723 of the MACs, error 0.025, 0.904 of the time.
APPROXIMATE: Final = (
    Network("320n", "nudenet/320n.onnx", "images", (1, 3, 320, 320), "320n", 0.075),
    DETECTOR,
)
EQUIVALENT: Final = (
    DETECTOR,
    Network("PP-OCRv4 rec", f"{_OCR}PP-OCRv4_rec_infer.onnx", "x", (1, 3, 48, 320)),
    Network(
        "PP-OCR mobile v2.0 cls", f"{_OCR}ppocr_mobile_v2.0_cls_infer.onnx", "x", (1, 3, 48, 192)
    ),
)


@dataclass(frozen=True)
class Pair:
    """A network as it was and as ``archlint fix`` wrote it."""

    before: Subject
    after: Subject

    @cached_property
    def time(self) -> Comparison:
        """Measured anew: what the command measured decided what it wrote."""
        (cpu,) = parse_providers(["cpu"])
        before, after = (whole(one.model, one.graph) for one in (self.before, self.after))
        return compare(self.before.model.path, before, after, cpu, Effort(), WHOLE_MODEL)

    def error(self, samples: Samples) -> float:
        """The largest relative error in front of the last squeezing operators."""
        before, after = self.before, self.after
        names = probes(before.graph)
        found = drifts(before.model, before.graph, after.model, after.graph, names, samples)
        return max(drift.relative for drift in found if drift.name in names)


def main() -> int:
    """Measure, and print; 1 where a limit is missed."""
    options = _options()
    models = os.environ.get("ARCHLINT_MODELS")
    if not models:
        raise SystemExit("set ARCHLINT_MODELS to the folder of the packages; see CONTRIBUTING.md")
    folder = crops(options.work.resolve())
    missed: list[str] = []
    rows: list[list[str]] = []
    for network in APPROXIMATE:
        given = ("--inputs", str(folder / f"{network.samples}-crops.npz"))
        pair = _fixed(network, Path(models), folder, (*LOW_RANK, *given))
        errors = [_error(pair, folder / f"{network.samples}-{which}.npz") for which in _SAMPLES]
        rows.append(_approximate(network, pair, errors))
        if not (errors[1] <= network.most_error and pair.time.ratio <= MOST_TIME):
            missed.append(network.title)
    print(table(_APPROXIMATE, rows))
    print(table(_EQUIVALENT, [_equivalent(one, Path(models), folder) for one in EQUIVALENT]))
    if missed:
        print(f"beyond the limits: {', '.join(missed)}", file=sys.stderr)
    return int(bool(missed))


_SAMPLES: Final = ("crops", "held-out")
_APPROXIMATE: Final = (
    "network", "MACs", "parameters", "time", "limit of time", "error, seen", "error, held out",
    "limit of it",
)  # fmt: skip
_EQUIVALENT: Final = ("network", "MACs", "nodes", "file", "time", "error")


def _fixed(network: Network, models: Path, folder: Path, options: Sequence[str]) -> Pair:
    """What the command makes of a network, as a user would run it."""
    path, output = models / network.path, folder / f"{Path(network.path).stem}-fixed.onnx"
    print(" ".join((network.title, *options)), file=sys.stderr, flush=True)
    shape = f"{network.input}={','.join(map(str, network.shape))}"
    words = ["--isolated", "--input-shape", shape, *options]
    command: list[str | Path] = [ARCHLINT, "fix", path, "-o", output, *words]
    subprocess.run(command, check=True, stdout=sys.stderr)
    bindings = Bindings(shapes={network.input: network.shape})
    return Pair(*(Subject(read(str(file)), bindings) for file in (path, output)))


def _error(pair: Pair, samples: Path) -> float:
    return pair.error(read_samples(str(samples), pair.before.graph))


def _approximate(network: Network, pair: Pair, errors: Sequence[float]) -> list[str]:
    before, after = pair.before.costs, pair.after.costs
    seen, held_out = errors
    return [
        network.title,
        percent_change(before.total().macs, after.total().macs),
        percent_change(before.parameter_count, after.parameter_count),
        _time(pair.time),
        f"{MOST_TIME:.2f}",
        f"{seen:.3f}",
        f"{held_out:.3f}",
        f"{network.most_error:.3f}",
    ]


def _equivalent(network: Network, models: Path, folder: Path) -> list[str]:
    pair = _fixed(network, models, folder, ())
    before, after = pair.before, pair.after
    samples = made_up_samples(before.model.path, before.graph)
    nodes = [len(one.graph.nodes) for one in (before, after)]
    bytes_ = [one.model.file_bytes for one in (before, after)]
    return [
        network.title,
        percent_change(before.costs.total().macs, after.costs.total().macs),
        f"{nodes[0]} → {nodes[1]}",
        f"{size(bytes_[0])} → {size(bytes_[1])}",
        _time(pair.time),
        f"{pair.error(samples):.1e}",
    ]


def _time(comparison: Comparison) -> str:
    interval = comparison.interval
    return f"×{comparison.ratio:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what archlint fix saves.")
    kept = Path(tempfile.gettempdir()) / "archlint-fix"
    parser.add_argument("--work", type=Path, default=kept, metavar="DIR", help=f"default: {kept}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
