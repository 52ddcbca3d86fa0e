"""The rows of work: what each measures, and what it must reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench import ARCHLINT, PYTHON, Bench, available_memory, can_export, cost, inside
from html_report import html_report
from measure import Command, Spread, Usage, cpu, difference, exponent, peak, ratio
from page import Section, Verdict, at_most, median, spread
from peers import ONNX_IR
from registry import registry
from versus import against_peers

MB, GB = 10**6, 10**9
IMPORTS: Command = (PYTHON, "-c", "import onnx, networkx, typer")
NODES = (1000, 10_000, 100_000)
_LIMITS = {"factorized_7x7": 1.25, "resnet50": 1.25, "vgg16": 1.25, "swin": 2.5}
_LOADERS = {"onnx.load": 3, "onnx.load + infer_shapes": 6, "onnx_ir.load": 3}
"""Other ways to a model's structure, and how many times the file's size they take as memory."""
_MOST_MESSAGE = 1 << 31  # bytes from which on protobuf refuses a file, once it is read


def weights(bench: Bench) -> Section:
    """Files whose weights are far larger than their structure."""
    verdicts: list[Verdict] = []
    rows = []
    for name in ("layers_1.9GB", "layers_4.3GB"):
        commands, refused = _loads(bench, name)
        uses = bench.above_imports(commands)
        title = f"{bench.size(name) / GB:.1f} GB embedded"
        work, own = f"structure and costs, {title}", uses["archlint"]
        verdicts += [
            at_most(f"{work}: CPU above the imports", cpu(own), 0.1, "s"),
            at_most(f"{work}: memory above them", peak(own), 30 * MB, "MB", 1 / MB),
        ]
        cells = [refused.get(way) or _used(uses[way]) for way in ("archlint", *_LOADERS)]
        rows.append([title, *cells])
    text = (
        "400 nodes with their weights in the file itself. Each cell is CPU time and peak memory "
        "above those of the imports; archlint's is with the costs of every node. protobuf reads "
        f"no message of 2 GiB or more. onnx_ir is {ONNX_IR.requirement}."
    )
    return Section("Large weights", text, verdicts, ("file", "archlint", *_LOADERS), rows)


def _loads(bench: Bench, name: str) -> tuple[dict[str, Command], dict[str, str]]:
    """archlint and the loaders on a model, and the loaders left out with the reason."""
    path, size = bench.model(name), bench.size(name)
    commands: dict[str, Command] = {"archlint": inside("costs", path)}
    refused = {}
    for loader, times in _LOADERS.items():
        python = bench.interpreter(ONNX_IR) if loader == "onnx_ir.load" else PYTHON
        if python is None:
            refused[loader] = "not installed"
        elif available_memory() < (needed := size * (times if size < _MOST_MESSAGE else 1)):
            refused[loader] = f"needs {needed / GB:.0f} GB"
        else:
            commands[loader] = inside(loader, path, python)
    return commands, refused


def whole_process(bench: Bench) -> Section:
    """``archlint cost`` against imports that it needs."""
    verdicts: list[Verdict] = []
    rows = []
    for name, limit in _LIMITS.items():
        if name == "swin" and not can_export() and not bench.path("swin").exists():
            verdicts.append(Verdict("`archlint cost`, swin", f"≤ {limit} ×", "needs torch", None))
            continue
        uses = bench.whole({"archlint": cost(bench, name), "imports": IMPORTS})
        own, base = uses["archlint"], uses["imports"]
        title = f"{name}, {bench.size(name) / MB:.0f} MB"
        verdicts.append(at_most(f"`archlint cost`, {title}", ratio(own, base), limit, "×"))
        numbers = median(cpu(own)), median(cpu(base)), median(peak(own), scale=1 / MB)
        rows.append([title, *numbers, spread(ratio(own, base), "×")])
    text = (
        'The whole process, against `python -c "import onnx, networkx, typer"`. The networks are '
        "those of `samples/` with random weights; swin is a Swin-S of transformers, about 7,000 "
        "nodes by torch's TorchScript exporter."
    )
    head = ("network", "archlint, CPU s", "imports, CPU s", "archlint, peak MB", "ratio of CPU")
    return Section("The whole process", text, verdicts, head, rows)


def version(bench: Bench) -> Section:
    """The least that archlint can do."""
    commands: dict[str, Command] = {
        "archlint --version": [ARCHLINT, "--version"],
        'python -c ""': [PYTHON, "-c", ""],
    }
    uses = bench.whole(commands)
    own = cpu(uses["archlint --version"])
    verdicts = [at_most("`archlint --version`: CPU", own, 0.110, "ms", 1000)]
    rows = [[f"`{name}`", spread(cpu(used), "ms", 1000)] for name, used in uses.items()]
    return Section("The start", "The whole process.", verdicts, ("command", "CPU"), rows)


def nodes(bench: Bench) -> Section:
    """How the time grows with the number of nodes."""
    above, whole = {}, {}
    rows = []
    for count in NODES:
        name = f"nodes_{count}"
        above[count] = bench.above_imports({name: inside("table", bench.model(name))})[name]
        whole[count] = bench.whole({name: cost(bench, name)})[name]
        numbers = median(cpu(above[count])), median(cpu(whole[count]))
        rows.append([f"{count:,}", *numbers, median(peak(whole[count]), scale=1 / MB)])
    times = [taken.median for uses in above.values() if (taken := cpu(uses)) is not None]
    fits = [exponent(NODES, times)] if len(times) == len(NODES) else []
    most, work = whole[NODES[-1]], f"`archlint cost`, {NODES[-1]:,} nodes"
    verdicts = [
        at_most("CPU as a power of the nodes: exponent", Spread.of(fits), 1.15, ""),
        at_most(f"{work}: CPU", cpu(most), 5, "s"),
        at_most(f"{work}: memory", peak(most), 700 * MB, "MB", 1 / MB),
    ]
    text = (
        "Residual blocks of five nodes with weights of their own. The exponent is the k of the "
        "least-squares fit CPU = c · nodes^k of the time above the imports, rendering included."
    )
    head = ("nodes", "above the imports, CPU s", "whole process, CPU s", "peak MB")
    return Section("Many nodes", text, verdicts, head, rows)


def isolation(bench: Bench) -> Section:
    """What it costs to ask onnx about an operator in a process of its own."""
    ways = {
        "archlint's own rule": "costs",
        "onnx in the same process": "costs, in process",
        "onnx in a forked process": "costs, isolated",
    }
    path = bench.model("isolation")
    uses = bench.above_imports({title: inside(work, path) for title, work in ways.items()})
    _, exposed, isolated = uses.values()
    more = difference(isolated, exposed)
    verdicts = [at_most("inference in isolation, a model: CPU more", more, 0.015, "ms", 1000)]
    rows = [[title, spread(cpu(used), "ms", 1000)] for title, used in uses.items()]
    text = (
        "A model of 100 nodes, the shape of one of them by archlint's rule or, as for an operator "
        "that archlint has no rule for, by onnx's inference. Some files crash that, so archlint "
        "runs it in a forked process, whose CPU time is included. The first question to onnx in a "
        "process also makes onnx's table of operators."
    )
    return Section("Isolation", text, verdicts, ("shapes by", "CPU above the imports"), rows)


ROWS: dict[str, Callable[[Bench], Section]] = {
    "weights": weights,
    "process": whole_process,
    "peers": against_peers,
    "version": version,
    "nodes": nodes,
    "isolation": isolation,
    "registry": registry,
    "html": html_report,
}
"""By the name that ``--only`` takes, in the order of the page."""


def _used(uses: Sequence[Usage]) -> str:
    """CPU and memory in a cell."""
    if not uses:
        return "fails"
    return f"{median(cpu(uses), 's')}, {median(peak(uses), 'MB', 1 / MB)}"
