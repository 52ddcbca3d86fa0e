"""What onnxruntime makes of a marked model in this process, beside what archlint says of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from onnx import ModelProto

from archlint.analyzer.cost import count
from archlint.analyzer.graph import Graph
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.timing.attribution.labels import label
from archlint.analyzer.timing.attribution.marking import Marked, mark
from archlint.analyzer.timing.attribution.optimised import Kernel, read_kernels
from archlint.analyzer.timing.attribution.origins import Origins
from archlint.analyzer.timing.attribution.regions import Attribution, Kind, attribute
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.harness import Runner, Setup, fed, made_up_values, open_session
from archlint.analyzer.timing.nodes import measuring
from archlint.analyzer.timing.nodes.latency import Latency
from archlint.analyzer.timing.providers import parse_providers
from archlint.analyzer.timing.subject import whole
from denormals import keep_denormals
from kernels import run_here

# What archlint must find exactly once, wherever onnxruntime put it.
HEAVY = frozenset({
    "Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "Attention", "QLinearConv",
    "ConvInteger", "MatMulInteger", "Einsum",
})  # fmt: skip


@dataclass(frozen=True)
class Optimised:
    """A model as it was marked, the kernels that ran, and the profile's events of one run."""

    graph: Graph
    marked: Marked
    kernels: list[Kernel]
    events: list[dict[str, Any]]
    attribution: Attribution

    def operators(self) -> list[tuple[str, ...]]:
        """The operators of each region that stands for nodes."""
        regions = (region for region in self.attribution.regions if region.nodes)
        return [tuple(self.marked.nodes[n].operator for n in r.nodes) for r in regions]

    def wrong_heavy(self) -> dict[str, int]:
        """The heavy nodes that are in no region or in several, and in how many."""
        origins = Origins(self.marked)
        places = [n for region in self.attribution.regions for n in region.nodes]
        counts = {
            f"{node.place} {node.operator}": places.count(node.number)
            for node in self.marked.nodes
            if node.operator in HEAVY and node.number not in origins.constant
        }
        assert counts, "a model without a heavy node proves nothing"
        return {label: count for label, count in counts.items() if count != 1}

    def share(self, *kinds: Kind) -> float:
        """Share of the time of the kernels of the main graph that is in regions of these kinds."""
        region_of = {k: region for region in self.attribution.regions for k in region.kernels}
        number_of = {kernel.name: kernel.number for kernel in self.kernels}
        part = whole = 0
        for event in self.events:
            whole += event["dur"]
            number = number_of.get(event["name"].removesuffix("_kernel_time"))
            if number is not None and region_of[number].kind in kinds:
                part += event["dur"]
        return part / whole

    def mislabelled(self) -> list[tuple[str, str, list[int], list[int]]]:
        """The kernels of the main graph whose output has another number of elements in the run than
        the value of the model has that archlint takes it for.

        Channels that a blocked layout fills up, to 16 of them at most, do not count.
        """
        names = {
            value: name
            for node in self.marked.nodes
            if len(node.place) == 1 and isinstance(node.place[0], int) and node.place[0] >= 0
            for value, name in zip(
                node.outputs, self.graph.nodes[node.place[0]].outputs, strict=False
            )
        }
        labels = label(self.kernels, Origins(self.marked))
        by_name = {kernel.name: kernel for kernel in self.kernels if kernel.within is None}
        wrong = []
        for event in self.events:
            kernel = by_name.get(event["name"].removesuffix("_kernel_time"))
            ran = event["args"]["output_type_shape"]
            if kernel is None or kernel.outputs[0] not in labels or not ran:
                continue
            name = names.get(labels[kernel.outputs[0]], "")
            expected = self.graph.value(name).static_shape
            found = next(iter(ran[0].values()))
            if expected is not None and not _same(list(expected), found):
                wrong.append((kernel.name, kernel.operator, list(expected), found))
        return wrong


def _same(expected: list[int], found: list[int]) -> bool:
    elements, others = 1, 1
    for dim in expected:
        elements *= dim
    for dim in found:
        others *= dim
    if len(expected) == 4 and len(found) >= 4:
        blocks = -(-expected[1] // 16) * 16
        return elements <= others <= elements // max(1, expected[1]) * blocks
    return elements == others


def optimise(model: Model, bindings: Bindings | None = None) -> Optimised:
    """Optimise and run a model here, in its defaults on one thread."""
    graph = load(model, bindings)
    subject = whole(model, graph)
    marked = mark(ModelProto.FromString(subject.model), graph)
    with _folder():
        Path("model.onnx").write_bytes(marked.proto.SerializeToString())
        Path("weights").symlink_to("/dev/null")
        told = subject.as_json("model.onnx")

        def adjust(options: Any) -> None:
            options.enable_profiling = True
            options.profile_file_prefix = "profile"
            options.optimized_model_filepath = "optimised.onnx"
            entry = "session.optimized_model_external_initializers_file_name"
            options.add_session_config_entry(entry, "weights")

        setup = Setup(synthetic=subject.is_synthetic)
        keep_denormals()
        session = open_session(told, setup, made_up_values(told), adjust)
        Runner(session, fed(told), "cpu").run()
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        kernels = read_kernels(Path("optimised.onnx").read_bytes())
    nodes = [event for event in events if event["cat"] == "Node"]
    return Optimised(graph, marked, kernels, nodes, attribute(marked, kernels))


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def timed_here(model: Model) -> Latency:
    """What this process takes for a model, as ``archlint time`` measures it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "run_job", run_here)
        costs = count(load(model))
        return measuring.measure(model, costs, parse_providers([])[0], Effort(budget=0.2), 5)
