"""Modules of PyTorch as the package lints them: MACs are torch's own, nothing is downloaded."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import archlint
from pages import run_session

torch: Any = pytest.importorskip("torch", reason="what is exported is torch's")
pytest.importorskip("onnxscript", reason="torch's exporter needs onnxscript")
nn, flop_counter = torch.nn, pytest.importorskip("torch.utils.flop_counter")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # the exporter's imports warn, too
]


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)


def block(channels: int) -> Any:
    """A 5×5 convolution, normalised."""
    parts = {
        "conv": nn.Conv2d(channels, 64, 5, padding=2),
        "bn": nn.BatchNorm2d(64),
        "act": nn.ReLU(),
    }
    made = nn.Sequential()
    for name, part in parts.items():
        made.add_module(name, part)
    return made


def network() -> Any:
    """Three blocks, dropout and a classifier."""
    made = nn.Sequential()
    made.add_module("features", nn.Sequential(block(3), block(64), block(64)))
    made.add_module("pool", nn.AdaptiveAvgPool2d(1))
    made.add_module("flat", nn.Flatten())
    made.add_module("drop", nn.Dropout())
    made.add_module("head", nn.Linear(64, 10))
    return made


IMAGE = (1, 3, 32, 32)


def macs(module: Any, *inputs: Any) -> int:
    """Multiply-accumulates by torch's own counter."""
    module.eval()
    with flop_counter.FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    flops: int = counter.get_total_flops()
    return flops // 2


def test_findings_name_modules() -> None:
    """Those of ``named_modules``: of a convolution that took a normalisation in, its own."""
    net = network()
    report = archlint.lint_torch(net, torch.randn(*IMAGE))
    modules = dict(net.named_modules())
    assert not report.failures
    assert [finding.nodes[0].module for finding in report.findings] == [
        "features.1.conv",
        "features.2.conv",
    ]
    for finding in report.findings:
        for node in finding.nodes:
            assert isinstance(modules[".".join(node.scope)], nn.Conv2d)
            assert node.label == node.module
    (model,) = report.models
    assert (model.path, model.cost.macs) == ("Sequential", macs(net, torch.randn(*IMAGE)))
    assert [layer.label for layer in model.layers][-1] == "head"


def test_every_layer_of_a_transformer_is_in_a_module() -> None:
    """Also where one module becomes many nodes; what it costs is what torch counts."""
    transformers: Any = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=24, attn_implementation="eager",
    )  # fmt: skip
    net = transformers.BertModel(config)
    ids = torch.ones(1, 24, dtype=torch.long)
    report = archlint.lint_torch(net, (), kwargs={"input_ids": ids})
    modules = dict(net.named_modules())
    (model,) = report.models
    assert all(".".join(layer.scope) in modules for layer in model.layers)
    labels = [layer.label for layer in model.layers]
    assert len(set(labels)) == len(labels)
    assert "encoder.layer.1.attention.output.LayerNorm" in labels
    assert any(label.startswith("encoder.layer.0.attention.self/") for label in labels)
    assert model.cost.macs == macs(net, ids)


def test_the_module_stays_as_it_was() -> None:
    """Its modes, hooks, weights and running statistics, after an export and after a failed one; and
    so do torch's random numbers."""
    net = network().train()
    net.drop.eval()
    net.features[1].eval()
    called: list[int] = []
    net.head.register_forward_hook(lambda *_: called.append(1))
    modes = [part.training for part in net.modules()]
    hooks = [len(part._forward_hooks) for part in net.modules()]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    held = {name: id(value) for name, value in net.named_parameters()}
    image, wrong = torch.randn(*IMAGE), torch.randn(1, 5, 32, 32)
    drawn = torch.get_rng_state()
    archlint.lint_torch(net, image)
    with pytest.raises(archlint.ModelError, match=r"; torch\.export\.export\(.*\) tells where$"):
        archlint.lint_torch(net, wrong)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert [part.training for part in net.modules()] == modes
    assert [len(part._forward_hooks) for part in net.modules()] == hooks
    assert {name: id(value) for name, value in net.named_parameters()} == held
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(value.requires_grad for value in net.parameters())


def test_what_cannot_be_exported_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """With torch's reason, and nothing else anywhere."""

    def forward(_net: Any, x: Any) -> Any:  # a branch that depends on data: no export can follow it
        return x if x.sum() > 0 else x * 2

    net = type("Branching", (nn.Module,), {"forward": forward})()
    with pytest.raises(archlint.ModelError) as raised:
        archlint.lint_torch(net, torch.randn(3))
    told = str(raised.value)
    assert told.startswith("Branching: torch cannot export it: GuardOnDataDependentSymNode: ")
    assert "\n" not in told
    assert raised.value.__suppress_context__
    assert capfd.readouterr() == ("", "")


def test_an_export_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """No line of the exporter, and no warning; what was told before is told afterwards."""
    level = logging.root.manager.disable
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        archlint.lint_torch(network(), torch.randn(*IMAGE), isolated=True)
    assert capfd.readouterr() == ("", "")
    assert not warned
    assert logging.root.manager.disable == level


def test_weights_without_numbers() -> None:
    """A network on ``meta`` is counted, and nothing is said of weights that are not there."""
    with torch.device("meta"):
        net, image = network(), torch.randn(*IMAGE)
    report = archlint.lint_torch(net, image)
    assert not report.failures
    assert report.models[0].parameters == sum(one.numel() for one in net.parameters())
    assert {finding.nodes[0].module for finding in report.findings} >= {
        "features.1.conv",
        "features.2.conv",
    }


def test_weights_are_looked_at_where_they_are() -> None:
    """A rule about their numbers finds what is wrong with those of the module."""
    net = nn.Linear(64, 64)
    with torch.no_grad():
        net.weight[3, 5] = float("nan")
    report = archlint.lint_torch(net, torch.randn(1, 64), select="ARC711")
    assert [finding.code for finding in report.findings] == ["ARC711"]
    assert report.models[0].file_bytes > 64 * 64 * 4


def test_dims_without_a_fixed_size() -> None:
    """They are bound as those of any model."""
    net, batch = nn.Linear(64, 32), torch.export.Dim("batch")
    report = archlint.lint_torch(
        net, torch.randn(2, 64), dynamic_shapes=({0: batch},), dims={"batch": 8}
    )
    assert report.models[0].inputs[0].shape == (8, 64)
    assert report.models[0].cost.macs == 8 * 64 * 32


def test_options_are_those_of_models(tmp_path: Path) -> None:
    """Also what it is called, and what it is compared with."""
    net, image = network(), torch.randn(*IMAGE)
    torch.onnx.export(net.eval(), (image,), str(tmp_path / "net.onnx"), dynamo=True, verbose=False)
    report = archlint.lint_torch(
        net, image, name="models/net.onnx", base="net.onnx", opset=18, select="ARC101"
    )
    assert [str(finding.state) for finding in report.findings] == ["unchanged"] * 2
    assert (report.models[0].path, report.models[0].opset) == ("models/net.onnx", 18)
    with pytest.raises(archlint.ConfigError, match="select ARC9999"):
        archlint.lint_torch(net, image, select="ARC9999")


def test_other_things_are_no_modules() -> None:
    """A function, say."""
    function: Any = abs
    with pytest.raises(TypeError, match=r"module takes a torch\.nn\.Module, not builtin_function"):
        archlint.lint_torch(function, torch.randn(1))


@pytest.mark.parametrize("missing", ["torch", "onnxscript"])
def test_what_is_missing_is_named(missing: str) -> None:
    """With the command that installs it."""
    code = (
        f"import sys; sys.modules['{missing}'] = None\n"
        "import archlint\n"
        "try: archlint.lint_torch(1, 2)\n"
        "except ImportError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    needs = "lint_torch needs torch and onnxscript; install them with: pip install torch onnxscript"
    assert ran.stdout == f"{needs}\n"


def test_the_guide_prints_what_it_shows() -> None:
    """Its part about PyTorch."""
    failed, tried = run_session("python", only="torch")
    assert failed == 0
    assert tried >= 6
