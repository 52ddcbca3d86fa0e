"""What was measured of a machine, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.text import Paint, pad, paragraph, safe, short, size
from archlint.analyzer.timing.prediction.grid import PEAKS, conv_name
from archlint.analyzer.timing.prediction.survey import Survey

_LABEL = 36  # columns of what stands before a number


def render(survey: Survey, path: str, paint: Paint, width: int | None) -> str:
    """The speeds of a provider on a machine, and where they are kept."""
    profile = survey.profile
    head = f"{safe(profile.label)}: {safe(profile.cpu)}, onnxruntime {safe(profile.runtime)}"
    lines = [paint(head, "bold"), *_peaks(survey), *_memory(survey), *_overheads(survey)]
    lines += [f"  {pad('operators, beyond moving the data', _LABEL)}", *_operators(survey, width)]
    closing = (
        f"By {profile.clock}, of the runs that other programs slowed least, of {survey.rounds} in "
        f"{survey.processes} processes. Written to {path}. Reports now add "
        "times that are predicted from these numbers."
    )
    return "\n".join([*lines, *paragraph(safe(closing, 600), width)]) + "\n"


def _peaks(survey: Survey) -> Iterator[str]:
    for label, less, more in PEAKS:
        longer = more if isinstance(more, str) else conv_name(more)
        work, time = survey.tables[longer].total().macs, survey.times[longer]
        if less is not None:
            shorter = conv_name(less)
            work -= survey.tables[shorter].total().macs
            time -= survey.times[shorter]
        if time > 0:
            yield _line(label, f"{short(1e9 * work / time)}MAC/s")
    tiles = survey.profile.tiles
    yield _line("blocked layout (NCHWc)", f"{tiles.block} channels" if tiles else "none")


def _memory(survey: Survey) -> Iterator[str]:
    for count, nanoseconds in survey.profile.memory.points:
        yield _line(f"reading {size(count)}", f"{short(1e9 / nanoseconds)}B/s")
    tiles = survey.profile.tiles
    if tiles is not None:
        for label, curve in (("into", tiles.enter), ("out of", tiles.leave)):
            _, nanoseconds = curve.points[-1]
            yield _line(f"{label} the blocked layout", f"{nanoseconds:.2f} ns an element")


def _overheads(survey: Survey) -> Iterator[str]:
    profile = survey.profile
    for label, nanoseconds in (
        ("a run", profile.run), ("a node", profile.node), ("a convolution more", profile.call),
    ):  # fmt: skip
        yield _line(label, f"{nanoseconds / 1000:.2f} µs")


def _operators(survey: Survey, width: int | None) -> Iterator[str]:
    each = sorted(survey.profile.operators.items(), key=lambda item: (item[1], item[0]))
    text = ", ".join(f"{name} {nanoseconds:.2f}" for name, nanoseconds in each)
    yield from (f"    {line}" for line in paragraph(f"ns an element: {text}", width and width - 4))


def _line(label: str, text: str) -> str:
    return f"  {pad(label, _LABEL)}{text}"
