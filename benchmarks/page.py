"""docs/performance.md: each target beside its figure, then the figures."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from textwrap import fill

from measure import Spread

PACKAGES = ("archlint", "onnx", "protobuf", "numpy", "networkx", "typer")
_MADE = (
    "Made by `{command}`, which builds the models, measures and removes them again. CPU time is "
    "user and system time of a process with its children; a figure is the median of {rounds} "
    "rounds after one that is not counted, a ratio is taken round by round, and what is compared "
    "runs in turn. In brackets are the least and the most. GB and MB are decimal."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: its figure, and whether that reaches it; None where nothing was measured."""

    work: str
    target: str
    figure: str
    reached: bool | None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The row of the table of targets."""
        word = {True: "yes", False: "**no**", None: "not measured"}[self.reached]
        return self.work, self.target, self.figure, word


@dataclass(frozen=True, slots=True)
class Section:
    """The targets of one row of work, and the table of its figures with what to know of it."""

    title: str
    text: str
    verdicts: Sequence[Verdict]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def at_most(work: str, figure: Spread | None, limit: float, unit: str, scale: float = 1) -> Verdict:
    """The verdict on a median that must not exceed a limit, both shown times ``scale``."""
    reached = figure is not None and figure.median <= limit
    return Verdict(
        work, f"≤ {limit * scale:.4g} {unit}".strip(), spread(figure, unit, scale), reached
    )


def at_least(work: str, ratios: Mapping[tuple[str, str], float], limit: float) -> Verdict:
    """The verdict on the least of several ratios, each by what it was taken of."""
    target = f"≥ {limit:g} ×"
    least = min(ratios, key=lambda names: ratios[names], default=None)
    if least is None:
        return Verdict(work, target, "", reached=None)
    figure = f"{ratios[least]:.2f} × ({', '.join(least)})"
    return Verdict(work, target, figure, ratios[least] >= limit)


def spread(figure: Spread | None, unit: str, scale: float = 1) -> str:
    """A median with the least and the most, where they differ."""
    text = median(figure, unit, scale)
    if figure is None or figure.low == figure.high:
        return text
    return f"{text} ({_short(figure.low * scale)} to {_short(figure.high * scale)})"


def median(figure: Spread | None, unit: str = "", scale: float = 1) -> str:
    """The median alone, as a cell."""
    return "fails" if figure is None else f"{_short(figure.median * scale)} {unit}".strip()


def _short(number: float) -> str:
    """Three digits, and no digit of the whole part lost."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.{1 if abs(number) >= 10 else 2 if abs(number) >= 1 else 3}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown, numbers to the right of a first column of names."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def page(sections: Sequence[Section], command: str, rounds: int) -> str:
    """The whole page; ``command`` is what made it."""
    versions = [f"{name} {version(name)}" for name in PACKAGES]
    where = ", ".join([machine(), f"Python {platform.python_version()}", *versions])
    parts = [
        "# Performance\n",
        paragraph(_MADE.format(command=command, rounds=rounds)),
        paragraph(f"Measured on: {where}."),
        "## Targets\n",
        table(("work", "target", "measured", "reached"),
              [verdict.cells for section in sections for verdict in section.verdicts]),
    ]  # fmt: skip
    for section in sections:
        parts += [f"## {section.title}\n", paragraph(section.text)]
        parts.append(table(section.head, section.rows))
    return "\n".join(parts)


def paragraph(text: str) -> str:
    """Text in lines of the width of this repository."""
    return fill(text, 100, break_long_words=False, break_on_hyphens=False) + "\n"


def machine() -> str:
    """The processor, the cores that this process may use, and the memory."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    name = names[0] if names else platform.machine()
    return f"{name}, {cores} cores, {memory / 1e9:.0f} GB of memory, {platform.system()}"
