"""What the weights use, as a table for a terminal and in the words of any output."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.report.weights import ENERGIES, KernelReport, WeightReport
from archlint.analyzer.text import Paint, paragraph, percent_change, plural, safe, short, table

_LABEL = 60  # columns of a name
_SHARES = tuple(f"{100 * share:g} %" for share in ENERGIES)
HEAD = ("layer", "sizes", "side", *_SHARES, "of", "effective", "MACs", "width", "change")
LEFT = 3  # columns of text
_EXPENDABLE = (1, 7, 8, 6, 4)  # columns of text, the first first

Row = tuple[str, ...]


def lines(weights: WeightReport, paint: Paint, width: int | None) -> Iterator[str]:
    """A title, the table, and what is not in it."""
    room = width and width - 2
    title = "What the weights use:"
    first, *rest = paragraph(f"{title} {lead(weights)}", room)
    yield paint(first[: len(title)], "bold") + first[len(title) :]
    yield from (f"  {line}" for line in rest)
    listed = [row for kernel in weights.kernels for row in rows(kernel)]
    if listed:
        head, *body = table(HEAD, listed, left=LEFT, width=room, expendable=_EXPENDABLE)
        yield f"  {paint(head, 'dim')}"
        yield from (f"  {line}" for line in body)
    for text in remarks(weights):
        yield from (f"  {line}" for line in paragraph(text, room, "  "))


def lead(weights: WeightReport) -> str:
    """What the table tells, or that there is none."""
    if not weights.kernels:
        return "no convolution or product with weights of its own does 1 % of the MACs"
    return (
        f"how many directions hold {', '.join(_SHARES[:-1])} and {_SHARES[-1]} of the energy of "
        f"each kernel, and the width on the grid of {safe(weights.target)} that keeps "
        f"{100 * weights.energy:g} %"
    )


def remarks(weights: WeightReport) -> Iterator[str]:
    """What is not in the table, and why."""
    for kernel in weights.kernels:
        if kernel.why:
            yield f"{safe(kernel.label, _LABEL)}: {safe(kernel.why)}"
    if weights.more:
        yield f"and {plural(weights.more, 'more layer')} that do less"


def rows(kernel: KernelReport) -> Iterator[Row]:
    """A row for each side of a kernel, what it could be beside the side that this is by."""
    macs = short(kernel.macs)
    sides = [(one.side, tuple(map(_count, one.ranks)), _count(one.full),
              f"{one.effective_rank:,.1f}") for one in kernel.unfoldings]  # fmt: skip
    if kernel.tucker:
        sides.append(("tucker", tuple(map(_pair, kernel.tucker)), "", ""))
    names = safe(kernel.label, _LABEL), safe(kernel.described, _LABEL)
    for place, (side, ranks, full, effective) in enumerate(sides):
        first = (*names, side) if place == 0 else ("", "", side)
        narrowed = _narrowed(kernel) if _is_by(kernel, side) else ("", "")
        yield (*first, *ranks, full, effective, macs if place == 0 else "", *narrowed)


def _is_by(kernel: KernelReport, side: str) -> bool:
    one = kernel.narrowed
    return one is not None and (len(kernel.unfoldings) == 1 or one.form == side)


def _narrowed(kernel: KernelReport) -> tuple[str, str]:
    """The width, and what the layer saves by it; a dash where that is nothing."""
    one = kernel.narrowed
    if one is None or not one.pays:
        return "-", "-"
    return ", ".join(map(_count, one.ranks)), percent_change(kernel.macs, one.macs)


def _count(number: int) -> str:
    return f"{number:,}"


def _pair(ranks: tuple[int, int]) -> str:
    return ", ".join(map(_count, ranks))
