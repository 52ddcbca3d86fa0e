"""Measure what low-rank layers save and cost, and write docs/low-rank.md.

``ARCHLINT_MODELS=FOLDER python benchmarks/low_rank.py``, FOLDER with the packages of
CONTRIBUTING.md; the photographs come from PyPI into the folder of ``--work``. Some five minutes
of one core, most of them for times, which ``--no-times`` leaves out. Exits with 1 where a figure of
the weights and one picture alone is more than 10 % off the earlier one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from archlint.analyzer.fix.engine import Subject
from archlint.analyzer.timing.compare import WHOLE_MODEL, compare
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.measurement import Comparison
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.subject import whole
from bench import HERE
from low_rank_page import Figure, Median, Row, figures, page, summary
from low_rank_reference import DIFFERENCES, ENERGIES, SPECTRA
from low_rank_reference import VARIANTS as EARLIER
from low_rank_samples import samples
from low_rank_variants import NETWORKS, VARIANTS, Data, Study, Variant

PAGE = HERE.parent / "docs" / "low-rank.md"


def main() -> int:
    """Measure, and write the page; 1 where what should be exact is off."""
    options = _options()
    models = os.environ.get("ARCHLINT_MODELS")
    if not models:
        raise SystemExit("set ARCHLINT_MODELS to the folder of the packages; see CONTRIBUTING.md")
    folder = samples(options.work.resolve())
    medians: list[Median] = []
    rows: list[Row] = []
    for network in NETWORKS:
        study = Study.of(network, Path(models), folder)
        medians += _medians(study)
        rows += [_row(study, variant, timed=not options.no_times) for variant in VARIANTS]
    command = "python benchmarks/low_rank.py" + (" --no-times" if options.no_times else "")
    options.output.write_text(page(medians, rows, command), encoding="utf-8")
    compared = figures(medians, rows)
    print(summary(compared))
    return int(not all(figure.reached for figure in compared if figure.exact))


def _medians(study: Study) -> list[Median]:
    found = []
    for kind, layers in study.kernels.items():
        title = study.network.title
        _say(f"{title}: spectra of {kind}")
        made = [study.spectra(kind, energy) for energy in ENERGIES]
        by_name = {
            name: [
                Figure(f"{title}, {kind}, {name} at {energy:.0%}", one[name], earlier, exact=True)
                for energy, one, earlier in zip(ENERGIES, made, known, strict=True)
            ]
            for name, known in SPECTRA[title, kind].items()
        }
        found.append(Median(title, kind, len(layers), by_name))
    return found


def _row(study: Study, variant: Variant, *, timed: bool) -> Row:
    title = study.network.title
    where = f"{title}, {variant.title}"
    _say(where)
    changed = study.with_variant(variant)
    place = (variant.title, title)
    macs, error, time = EARLIER.get(place, (None, None, None))
    share = changed.costs.total().macs / study.subject.costs.total().macs
    exact = variant.data is Data.NONE
    found = study.error(changed)
    return Row(
        title,
        variant.title,
        Figure(f"{where}: MACs", share, macs, exact=True),
        Figure(f"{where}: error", found, error, exact, DIFFERENCES.get(place, "")),
        _time(study.subject, changed) if timed and time is not None else None,
        time,
    )


def _time(before: Subject, after: Subject) -> Comparison:
    (cpu,) = parse_providers(["cpu"])
    sides = (whole(before.model, before.graph), whole(after.model, after.graph))
    return compare(before.model.path, *sides, cpu, Effort(), WHOLE_MODEL)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Measure low-rank layers, and write {PAGE}.")
    kept = Path(tempfile.gettempdir()) / "archlint-low-rank"
    parser.add_argument("--no-times", action="store_true", help="leave the times out")
    parser.add_argument("--work", type=Path, default=kept, metavar="DIR", help=f"default: {kept}")
    parser.add_argument("--output", type=Path, default=PAGE, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
