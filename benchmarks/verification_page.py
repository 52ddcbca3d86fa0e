"""docs/verification.md: what the measurements say together, then every comparison."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby

from agreement import Errors, Row, again, figures, verdicts, with_reference
from archlint.analyzer.timing.statistics import quantile
from cases import REFERENCE_MACHINE
from page import machine, paragraph, table
from timed import Figures, Timed

_MADE = (
    "Made by `{command}`. Every row is a layer and what would stand in its place, as two small "
    "models with random weights that run in turn, in random order, in one child process. A time is "
    "the CPU time of one thread, a ratio is after over before of adjacent runs, and in brackets is "
    "its 95 % interval over blocks of them (see timing.md). archlint's verdicts are: "
    "confirmed, where the whole interval is below 0.95; refuted, where it is above; too small to "
    "matter, where the layer takes less than 0.1 ms; inconclusive otherwise. Where other processes "
    "took more than a tenth of the machine, a comparison was made again, up to four times in all, "
    "and the least disturbed counts."
)
_REFERENCE = (
    "Elsewhere is {machine}, with the intervals of 40 pairs of runs. Ratios are of kernels and "
    "caches too: another machine confirms what is said, not its digits."
)
_RULE = (
    "The rule is the one that proposes the alternative: by default, or in brackets with other "
    "settings than its own. *again* is the ratio in a second process."
)
_TRAPS = (
    "Fewer MACs are no less time everywhere. onnxruntime's kernels take 16 channels at once, so "
    "that time does not fall between two multiples of 16, nor with so few channels that moving the "
    "map takes longer than multiplying; a number of channels that is no multiple of 4 takes "
    "another path; a depthwise convolution of a large map waits for memory; tiny layers take as "
    "long as their call; over the three channels of a stem more layers are more MACs. The default "
    "rules propose none of these alternatives, which a test holds them to."
)
_NETWORKS = (
    "The networks of onnx's own tests with random weights, one run of one image. Each is timed "
    "against itself: its ratio says what the method is worth, as nothing is saved."
)


@dataclass(frozen=True, slots=True)
class Network:
    """A whole network: its multiply-accumulates, the nanoseconds predicted for it, and itself timed
    against itself."""

    name: str
    macs: int
    predicted: float | None
    timed: Timed | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the summary."""

    what: str
    figure: str


def page(rows: Sequence[Row], networks: Sequence[Network], command: str) -> str:
    """The whole page; ``command`` is what made it."""
    parts = [
        "# Verification\n",
        paragraph(_MADE.format(command=command)),
        paragraph(f"Measured on: {_where(rows)}."),
        paragraph(_REFERENCE.format(machine=REFERENCE_MACHINE)),
        "## Summary\n",
        table(("what", "figure"), [(line.what, line.figure) for line in summary(rows, networks)]),
        "## Where time does not follow MACs\n",
        paragraph(_TRAPS),
        table(("why", "case", "MACs ×", "time ×", "verdict"), _traps(rows)),
        "## Comparisons\n",
        paragraph(_RULE),
    ]
    for group, members in groupby(rows, key=lambda row: row.case.group):
        parts += [f"### {group.capitalize()}\n", table(_HEAD, list(map(_cells, members)))]
    if networks:
        head = ("network", "MACs, M", "predicted, ms", "measured, ms", "itself ×")
        parts += ["## Whole networks\n", paragraph(_NETWORKS)]
        parts.append(table(head, [_network(network) for network in networks]))
    return "\n".join(parts)


def summary(rows: Sequence[Row], networks: Sequence[Network]) -> list[Figure]:
    """What all rows say together; what was not measured has no line."""
    default = [row.cpu for row in rows if row.case.by_default]
    traps = [row.cpu for row in rows if row.case.trap]
    repeated, overlapping = again(rows)
    found = with_reference(rows, repeated.p90 if repeated is not None else 1.0)
    lines = [
        Figure("timed on the CPU provider", f"{found.count} of {len(rows)}"),
        Figure("verdicts", _counts(verdicts(row.cpu for row in rows))),
        Figure("of those that rules propose by default", _counts(verdicts(default))),
        Figure("of those where time does not follow MACs", _counts(verdicts(traps))),
        Figure("the same verdict elsewhere", f"{found.same_verdict} of {found.count}"),
        Figure("intervals overlap with elsewhere", f"{found.overlapping} of {found.count}"),
        Figure("ratio within ×1.15 of elsewhere", f"{found.near} of {found.count}"),
        Figure("ratio within ×1.25 of elsewhere", f"{found.wider} of {found.count}"),
    ]
    if repeated is not None:
        noise = f"widened by ×{repeated.p90:.2f}, what another process changes"
        lines += [
            Figure(f"those intervals overlap, {noise}", f"{found.widened} of {found.count}"),
            Figure("the same ratio in another process", _errors(repeated)),
            Figure("intervals of the two overlap", f"{overlapping} of {repeated.count}"),
        ]
    return [*lines, *_openvino(rows), *_predictions(rows), *_wholes(networks)]


def _openvino(rows: Sequence[Row]) -> list[Figure]:
    timed = [row.openvino for row in rows if row.openvino is not None]
    if not timed:
        return []
    pairs = [
        (row.case.reference.openvino, made.ratio)
        for row in rows
        if row.case.reference.openvino and (made := figures(row.openvino)) is not None
    ]
    count = sum(figures(one) is not None for one in timed)
    return [
        Figure("timed on OpenVINO", f"{count} of {len(rows)}"),
        Figure("verdicts on OpenVINO", _counts(verdicts(timed))),
        Figure("OpenVINO's ratio against elsewhere", _errors(Errors.of(pairs))),
    ]


def _predictions(rows: Sequence[Row]) -> list[Figure]:
    pairs = [
        (row.predicted_ratio, row.mac_ratio, made.ratio)
        for row in rows
        if row.predicted_ratio is not None and (made := figures(row.cpu)) is not None
    ]
    if not pairs:
        return []
    by_time = Errors.of((predicted, made) for predicted, _, made in pairs)
    by_macs = Errors.of((macs, made) for _, macs, made in pairs)
    return [
        Figure("error of the predicted ratio", _errors(by_time)),
        Figure("error of the ratio of MACs", _errors(by_macs)),
    ]


def _wholes(networks: Sequence[Network]) -> list[Figure]:
    timed = [(net, made) for net in networks if (made := figures(net.timed)) is not None]
    if not timed:
        return []
    kept = sum(made.low <= 1 <= made.high for _, made in timed)
    lines = [Figure("networks whose ratio to themselves holds 1", f"{kept} of {len(timed)}")]
    pairs = [(net.predicted, made.before) for net, made in timed if net.predicted is not None]
    if pairs:
        lines.append(Figure("error of a network's predicted time", _errors(Errors.of(pairs))))
    return lines


_HEAD = (
    "case", "rule", "MACs, M", "MACs ×", "predicted ×", "time ×", "again ×", "ms", "verdict",
    "elsewhere ×", "OpenVINO ×", "OpenVINO elsewhere ×",
)  # fmt: skip


def _cells(row: Row) -> list[str]:
    case, (before, after) = row.case, row.macs
    rule = case.rule if case.by_default or not case.rule else f"({case.rule})"
    other = case.reference
    return [
        case.title, rule, f"{before / 1e6:,.1f} → {after / 1e6:,.1f}", _number(row.mac_ratio),
        _number(row.predicted_ratio), _ratio(row.cpu), _number(_ratio_of(row.again)),
        _milliseconds(figures(row.cpu)), _verdict(row.cpu),
        f"{other.ratio:.3f} [{other.low:.3f}, {other.high:.3f}]",
        _ratio(row.openvino), _number(other.openvino),
    ]  # fmt: skip


def _traps(rows: Iterable[Row]) -> list[list[str]]:
    found = sorted((row for row in rows if row.case.trap), key=lambda row: row.case.trap)
    return [
        [row.case.trap, row.case.title, _number(row.mac_ratio), _ratio(row.cpu), _verdict(row.cpu)]
        for row in found
    ]


def _network(network: Network) -> list[str]:
    made = figures(network.timed)
    predicted = "" if network.predicted is None else f"{network.predicted / 1e6:,.1f}"
    measured = "" if made is None else f"{made.before / 1e6:,.1f}"
    return [network.name, f"{network.macs / 1e6:,.0f}", predicted, measured, _ratio(network.timed)]


def _where(rows: Sequence[Row]) -> str:
    """The machine and what runs on it."""
    used = {
        name: made.runtime
        for row in rows
        for name, timed in (("onnxruntime", row.cpu), ("onnxruntime for OpenVINO", row.openvino))
        if (made := figures(timed)) is not None
    }
    words = [f"{name} {number}" for name, number in used.items()]
    packages = [f"{name} {version(name)}" for name in ("archlint", "onnx", "numpy")]
    busy = [made.others for row in rows if (made := figures(row.cpu)) is not None]
    if busy:
        words.append(f"others took {quantile(busy, 0.5):.0%} to {max(busy):.0%} of the machine")
    return ", ".join([machine(), f"Python {platform.python_version()}", *packages, *words])


def _counts(given: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in given.items())


def _errors(errors: Errors | None) -> str:
    if errors is None:
        return ""
    where = f"median ×{errors.median:.2f}, nine of ten within ×{errors.p90:.2f}"
    return f"{where}, all within ×{errors.most:.2f} ({errors.count})"


def _ratio_of(timed: Timed | None) -> float | None:
    made = figures(timed)
    return None if made is None else made.ratio


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:.3f}"


def _ratio(timed: Timed | None) -> str:
    made = figures(timed)
    return "" if made is None else f"{made.ratio:.3f} [{made.low:.3f}, {made.high:.3f}]"


def _milliseconds(made: Figures | None) -> str:
    return "" if made is None else f"{made.before / 1e6:.3f} → {made.after / 1e6:.3f}"


def _verdict(timed: Timed | None) -> str:
    made = figures(timed)
    if made is not None:
        return made.verdict
    return "" if timed is None else f"not timed: {timed.why}"
