"""What torch's exporters leave in a file is fixed: the network is still torch's, to five digits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from archlint.analyzer.fix.engine import Subject, rewrite
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.reader import read
from archlint.analyzer.writer import write
from fixing_rules import fixing_rules

torch: Any = pytest.importorskip("torch", reason="exports need torch")
pytest.importorskip("onnxscript", reason="torch's dynamo exporter needs onnxscript")
nn = torch.nn

# The exporters warn of their own deprecations.
pytestmark = pytest.mark.filterwarnings("ignore")

PRECISION = 1e-5  # relative
EXPORTERS: dict[str, dict[str, Any]] = {
    "torchscript": {
        "dynamo": False, "opset_version": 17, "training": torch.onnx.TrainingMode.PRESERVE,
        "do_constant_folding": False,
    },
    "dynamo": {"dynamo": True, "external_data": False, "verbose": False, "optimize": False},
}  # fmt: skip
"""Options that leave normalisations as they are."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(threads)


def residual() -> Any:
    """Two blocks with a shortcut, one of them with a convolution of its own."""

    def layer(channels: int, filters: int, **options: Any) -> Any:
        return nn.Sequential(nn.Conv2d(channels, filters, **options), nn.BatchNorm2d(filters))

    class Block(nn.Module):  # type: ignore[misc, name-defined]  # torch is Any
        def __init__(self, channels: int, filters: int, stride: int) -> None:
            super().__init__()
            same = {"kernel_size": 3, "padding": 1, "bias": False}
            self.body = nn.Sequential(
                layer(channels, filters, stride=stride, **same), nn.ReLU(),
                layer(filters, filters, **same),
            )  # fmt: skip
            self.short = nn.Identity()
            if stride != 1:
                self.short = layer(channels, filters, kernel_size=1, stride=stride, bias=False)

        def forward(self, x: Any) -> Any:
            return nn.functional.relu(self.body(x) + self.short(x))

    stem = (layer(3, 16, kernel_size=3, padding=1), nn.ReLU(), nn.Dropout(0.5))
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 8), nn.BatchNorm1d(8))
    return nn.Sequential(*stem, Block(16, 16, 1), Block(16, 24, 2), *head)


def separable() -> Any:
    """Depthwise, grouped and transposed convolutions, and a normalisation of its own in front."""
    return nn.Sequential(
        nn.BatchNorm2d(3),
        nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.Hardswish(),
        nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False), nn.BatchNorm2d(16), nn.SiLU(),
        nn.Conv2d(16, 24, 1, groups=2), nn.BatchNorm2d(24),
        nn.ConvTranspose2d(24, 12, 2, stride=2, groups=3), nn.BatchNorm2d(12), nn.ReLU6(),
        nn.Conv2d(12, 4, 1),
    )  # fmt: skip


NETWORKS = {"residual": (residual, 7), "separable": (separable, 4)}
"""Each with how many normalisations stand behind a layer."""


def built(name: str) -> Any:
    """A network in evaluation mode; its weights are seeded, no two tensors equal."""
    torch.manual_seed(0)
    network = NETWORKS[name][0]().eval()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            for tensor in (module.weight, module.running_var):
                tensor.uniform_(0.5, 1.5)
            for tensor in (module.bias, module.running_mean):
                tensor.uniform_(-0.5, 0.5)
    return network


def normalisations(subject: Subject) -> int:
    """How many there are."""
    return sum(node.op_type == "BatchNormalization" for node in subject.graph.nodes)


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", NETWORKS)
def test_exports_with_normalisations(name: str, exporter: str, tmp_path: Path) -> None:
    """All that a layer stands before are folded, and a second run finds no more."""
    network, image = built(name), torch.randn(1, 3, 16, 16)
    path, fixed_path = tmp_path / "model.onnx", tmp_path / "fixed.onnx"
    torch.onnx.export(network, (image,), path, **EXPORTERS[exporter])
    whole, rules = Subject(read(str(path)), Bindings()), fixing_rules()
    count = sum(isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) for m in network.modules())
    assert normalisations(whole) == count
    fixed = rewrite(whole, rules)
    assert fixed.refusals == ()
    write(fixed.subject.model, str(fixed_path))
    onnx.checker.check_model(fixed_path, full_check=True)
    again = Subject(read(str(fixed_path)), Bindings())
    assert rewrite(again, rules).changes == ()
    assert normalisations(again) == count - NETWORKS[name][1]
    wanted = network(image).numpy()
    session = onnxruntime.InferenceSession(fixed_path)
    (found,) = session.run(None, {session.get_inputs()[0].name: image.numpy()})
    assert np.linalg.norm(found - wanted) <= PRECISION * np.linalg.norm(wanted)
