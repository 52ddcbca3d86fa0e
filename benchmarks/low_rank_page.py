"""docs/low-rank.md: each figure beside that of an earlier measurement."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from archlint.analyzer.timing.measurement import Comparison
from low_rank_reference import ENERGIES, MACHINE
from low_rank_samples import PHOTOS
from page import machine, paragraph, table

TOLERANCE: Final = 0.10
_MADE = (
    "Made by `{command}`. Convolutions of three trained networks from packages of PyPI are written "
    "as two or three smaller ones (see the forms below), with archlint's own spectra, factors, "
    "moments and proofs. Beside each figure stands, in brackets, that of an earlier measurement "
    "with other code and how far this one is from it: {machine}. What is off by more than 10 % is "
    "bold and listed at the end. Times are of another machine: shown, not judged."
)
_SPECTRA = (
    "Medians over all convolutions without groups and with at least 16 input channels, at the rank "
    "of each layer that keeps this share of the squared singular values. Cin SVD is 1×1 Cin→r, "
    "then k×k r→Cout. Tucker-2 is 1×1 Cin→r₁, k×k r₁→r₂, then 1×1 r₂→Cout. Above 1 a layer has "
    "more multiply-accumulates than before: at 99 % nearly all have."
)
_VARIANTS = (
    "In place of the three k×k convolutions with the most MACs, the first of equals; the stem with "
    "its three channels is none of them. A rank of ½ or ¼ is that share of the channels up to a "
    "multiple of 16: of the 32 channels of Open NSFW's largest ones both are 16. In the last "
    "variants all k×k convolutions are replaced where that saves MACs. "
    "Cout is k×k Cin→r, then 1×1 r→Cout. With data the factors of Cin are those of C^½·W, C the "
    "second moment of what a layer reads, and those of Cout project what it makes on the leading "
    "eigenvectors of its covariance (Zhang et al. 2015). Shrunk is what `archlint fix` takes: a "
    "twentieth of the moments is replaced by that of equal and unrelated channels."
)
_PROTOCOL = (
    f"The photographs are those of {PHOTOS}. Two pictures are seen: `china.jpg`, and the same "
    "upside down. `flower.jpg` is held out, and the error is ‖b − a‖ / ‖a‖ of one value on it: the "
    "pooled features of Open NSFW, the output of 320n, the last transposed convolution of the "
    "detector, in front of its sigmoid. Open NSFW takes the middle 224×224 of 256×256 pixels in "
    "BGR less their means; 320n takes 320×320 in RGB from 0 to 1; the detector 640×640 from −1 to "
    "1; all are resized bilinearly, without regard to the sides' ratio. The earlier measurement "
    "says that it saw two pictures, but not which: of nearly thirty pairs that were tried on Open "
    "NSFW, and about ten on the others, this one comes nearest. The errors of the variants with "
    "data change with the pair by up to a factor of 1.8; those of the others come from the weights "
    "and the picture that is held out alone."
)
_TIMES = (
    "Time is that of the whole network on one thread, after over before, with its 95 % interval. "
    "MACs are those of the whole network as archlint counts them; the earlier count left "
    "transposed convolutions out, 3 % of the detector's."
)
_NAMES = {
    "rank": "r/Cin", "input": "MACs of a layer, Cin SVD", "tucker": "MACs of a layer, Tucker-2",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and the earlier one, where there is one; ``exact`` are those that come from weights
    and one picture alone. ``why`` is what is known of a difference."""

    where: str
    made: float
    earlier: float | None
    exact: bool
    why: str = ""

    @property
    def off(self) -> float:
        """How far it is from the earlier one, as a share of that."""
        return 0.0 if self.earlier is None else self.made / self.earlier - 1

    @property
    def reached(self) -> bool:
        """Whether it is within the tolerance."""
        return abs(self.off) <= TOLERANCE

    @property
    def cell(self) -> str:
        """As tables show it."""
        if self.earlier is None:
            return f"{self.made:.3f}"
        text = f"{self.made:.3f} ({self.earlier:g}, {self.off:+.1%})"
        return text if self.reached else f"**{text}**"


@dataclass(frozen=True, slots=True)
class Median:
    """The three quantities of a network's kernels of a kind, by their names at each energy."""

    network: str
    kind: str
    count: int
    figures: Mapping[str, Sequence[Figure]]


@dataclass(frozen=True, slots=True)
class Row:
    """What a variant of a network came to; no time where none was measured."""

    network: str
    variant: str
    macs: Figure
    error: Figure
    time: Comparison | None
    earlier_time: float | None

    @property
    def cells(self) -> list[str]:
        """Its line in the table of its network."""
        made = ""
        if self.time is not None:
            low, high = self.time.interval.low, self.time.interval.high
            made = f"{self.time.ratio:.3f} [{low:.3f}, {high:.3f}]"
        if self.earlier_time is not None:
            made = f"{made or 'not measured'} ({self.earlier_time:g})"
        return [self.variant, self.macs.cell, self.error.cell, made]


def page(medians: Sequence[Median], rows: Sequence[Row], command: str) -> str:
    """The whole page; ``command`` is what made it."""
    packages = ("archlint", "onnx", "numpy", "onnxruntime")
    where = ", ".join(
        [machine(), f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
    )
    parts = [
        "# Low rank\n",
        paragraph(_MADE.format(command=command, machine=MACHINE)),
        paragraph(f"Measured on: {where}."),
        "## Ranks and layers\n",
        paragraph(_SPECTRA),
    ]
    head = ("network", "kernels", *(f"{energy:.0%} energy" for energy in ENERGIES))
    for name, title in _NAMES.items():
        lines = [
            [one.network, f"{one.count} {one.kind}", *(it.cell for it in one.figures[name])]
            for one in medians
        ]
        parts += [f"### {title}\n", table(head, lines)]
    parts += ["## Whole networks\n", paragraph(_VARIANTS), paragraph(_TIMES), paragraph(_PROTOCOL)]
    for network in dict.fromkeys(row.network for row in rows):
        lines = [row.cells for row in rows if row.network == network]
        parts += [f"### {network}\n", table(("variant", "MACs ×", "error", "time ×"), lines)]
    return "\n".join([*parts, *_verdict(figures(medians, rows))])


def figures(medians: Sequence[Median], rows: Sequence[Row]) -> list[Figure]:
    """All that have an earlier one."""
    found = [it for one in medians for their in one.figures.values() for it in their]
    found += [figure for row in rows for figure in (row.macs, row.error)]
    return [figure for figure in found if figure.earlier is not None]


def summary(compared: Sequence[Figure]) -> str:
    """How many are within the tolerance."""
    near = sum(figure.reached for figure in compared)
    return f"{near} of {len(compared)} figures within {TOLERANCE:.0%}"


def _verdict(compared: Sequence[Figure]) -> list[str]:
    lines = [
        [one.where, f"{one.made:.4f}", f"{one.earlier:g}", f"{one.off:+.2%}", one.why]
        for one in compared
        if not one.reached
    ]
    parts = ["## In all\n"]
    if lines:
        parts.append(table(("off by more than 10 %", "measured", "earlier", "off", "why"), lines))
    return [*parts, f"{summary(compared)}.\n"]
