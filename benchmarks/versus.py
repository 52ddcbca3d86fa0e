"""archlint against other counters on the same files."""

from __future__ import annotations

from bench import Bench, cost
from measure import Command, cpu, ratio
from page import Section, at_least, median
from peers import COUNTERS, ONNXSIM

MB = 10**6
TEN = (
    "factorized_7x7", "mobilenet_v1", "googlenet", "densenet121", "resnet18", "inception_v3",
    "resnet50", "alexnet", "encoder", "vgg16",
)  # fmt: skip
"""Networks from 5 to 550 MB."""
LARGE = 300 * MB
_TEXT = (
    "CPU seconds of the whole process, and how many times that of `archlint cost`. Each peer runs "
    "in an environment of its own with the same onnx, and does no more than count: onnx-tool its "
    "profile without the printing, onnx-opcounter its MACs, onnxsim its `ModelInfo` without "
    "external data, which by its source it does not need. encoder keeps its weights in a second "
    "file."
)
Ratios = dict[tuple[str, str], float]  # by network and peer


def against_peers(bench: Bench) -> Section:
    """``archlint cost`` against other counters on the same files."""
    found = {peer.name: bench.interpreter(peer) for peer in COUNTERS}
    ratios: Ratios = {}
    rows = []
    large = set()
    for name in TEN:
        commands: dict[str, Command] = {"archlint": cost(bench, name)}
        for peer in COUNTERS:
            if (python := found[peer.name]) is not None:
                commands[peer.name] = [python, "-c", peer.count, bench.model(name)]
        uses = bench.whole(commands)
        size = bench.size(name)
        if size >= LARGE:
            large.add(name)
        cells = [f"{name}, {size / MB:.0f} MB", median(cpu(uses["archlint"]))]
        for peer in COUNTERS:
            if peer.name not in uses:
                cells.append("not installed")
                continue
            cell = median(cpu(uses[peer.name]))
            times = ratio(uses[peer.name], uses["archlint"])
            if times is not None:
                ratios[name, peer.name] = times.median
                cell += f" ({times.median:.2f} ×)"
            cells.append(cell)
        rows.append(cells)
    verdicts = [
        at_least("the fastest peer over archlint, every file", ratios, 1),
        at_least("the same, from 300 MB on", {k: ratios[k] for k in ratios if k[0] in large}, 3),
        at_least(
            "onnxsim over archlint, every file",
            {k: ratios[k] for k in ratios if k[1] == ONNXSIM.name},
            4,
        ),
    ]
    head = ("network", "archlint", *(peer.requirement for peer in COUNTERS))
    return Section("Other counters", _TEXT, verdicts, head, rows)
