"""A network of torch through both of its exporters, and twice through one: the same findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archlint.analyzer.algorithms import peak_memory
from archlint.analyzer.compare.building import architecture
from archlint.analyzer.compare.difference import compare
from archlint.analyzer.compare.identities import identities
from archlint.analyzer.cost import count
from archlint.analyzer.engine import run
from archlint.analyzer.graph import Graph
from archlint.analyzer.load import load
from archlint.analyzer.reader import read
from archlint.analyzer.rule import RuleContext
from archlint.rules.wide_convolution import WideConvolution

torch: Any = pytest.importorskip("torch", reason="exports need torch")
pytest.importorskip("onnxscript", reason="torch's dynamo exporter needs onnxscript")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # the exporters warn of their own deprecations
]

BLOCKS, CHANNELS = 4, 96
EXPORTERS: dict[str, dict[str, Any]] = {
    "torchscript": {"dynamo": False, "opset_version": 17},
    "dynamo": {"dynamo": True, "external_data": False, "verbose": False},
}


def _layer(channels: int, filters: int, kernel: int) -> Any:
    nn = torch.nn
    convolution = nn.Conv2d(channels, filters, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters), nn.ReLU())


def _network() -> Any:
    """Equal Inception blocks without reductions: in each a 3x3 and a 5x5 read all channels."""
    nn = torch.nn

    def branches(self: Any, x: Any) -> Any:
        return torch.cat([self.one(x), self.three(x), self.five(self.pool(x))], 1)

    def block() -> Any:
        module = type("Block", (nn.Module,), {"forward": branches})()
        module.one, module.three = _layer(CHANNELS, 32, 1), _layer(CHANNELS, 32, 3)
        module.five, module.pool = _layer(CHANNELS, 32, 5), nn.MaxPool2d(3, 1, 1)
        return module

    body = nn.Sequential(*(block() for _ in range(BLOCKS)))
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(CHANNELS, 10))
    network = nn.Sequential(_layer(3, CHANNELS, 3), body, *head).eval()
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.is_floating_point():
            tensor.uniform_(0.01, 0.1)  # equal ones would be stored once
    return network


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Graph]]:
    """The graph by exporter, and that of the same network on a larger image."""
    folder = tmp_path_factory.mktemp("exports")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with torch.no_grad():
        network = _network()
        found = {}
        for name, options in EXPORTERS.items():
            for size in (32, 48):
                path = folder / f"{name}-{size}.onnx"
                torch.onnx.export(network, (torch.randn(1, 3, size, size),), path, **options)
                found[f"{name}-{size}"] = load(read(str(path)))
        yield found
    torch.set_num_threads(threads)


def _fingerprints(graph: Graph) -> set[str]:
    rule = WideConvolution(min_share=0.0)
    found = run((rule,), RuleContext(graph, count(graph)))
    return {identity.fingerprint for identity in identities(graph, found)}


NAMES = [f"{name}-{size}" for name in EXPORTERS for size in (32, 48)]


@pytest.mark.parametrize("other", NAMES)
def test_fingerprints(other: str, graphs: dict[str, Graph]) -> None:
    """Two findings in each block, whoever exports it for whichever image."""
    before, after = (_fingerprints(graphs[name]) for name in (NAMES[0], other))
    assert len(before) == 2 * BLOCKS
    assert before == after


@pytest.mark.parametrize("other", NAMES)
def test_architectures(other: str, graphs: dict[str, Graph]) -> None:
    """The layers with weights are the same, and so are the parts; what the dynamo exporter writes
    otherwise is the mean and the flattening."""
    before, after = (
        architecture(count(graph), peak_memory(graph), 0)
        for graph in (graphs[NAMES[0]], graphs[other])
    )
    found = compare(before, after)
    assert found.changed == ()
    assert not any(o.weights for o in (*found.added, *found.removed))
    assert {o.operator for o in found.removed} <= {"GlobalAveragePool", "Flatten"}
    assert {o.operator for o in found.added} <= {"ReduceMean", "Reshape"}
    if other.endswith("-32"):
        assert found.scopes == ()
