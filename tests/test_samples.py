"""archlint reports of every sample exactly what its source says."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from _command import COMMITTED
from archlint.analyzer.analysis import Analysis
from archlint.analyzer.reader import Model, read
from archlint.config import Chosen, choose_rules
from archlint.pipeline import lint_model
from build_all import NETWORKS, build_sample
from googlenet import build as build_googlenet

SAMPLES = Path(__file__).parent.parent / "samples"


def report(proto: onnx.ModelProto, *options: str) -> Analysis:
    return lint_model(Model("sample", proto, 0), Chosen(choose_rules(options=options)))


# Multiply-accumulates and parameters (weights and biases, and scales and offsets of
# BatchNormalization), each a product of the source's own sizes.
BLOCKS = {
    # Szegedy et al. 2014, table 1, row 3a.
    "inception_5x5": (28 * 28 * 32 * 5 * 5 * 192, 32 * 25 * 192 + 32),
    "inception_5x5_bottleneck": (
        2_408_448 + 10_035_200,
        16 * 192 + 16 + 32 * 25 * 16 + 32,
    ),
    "inception_module": (
        28 * 28 * (64 * 192 + 96 * 192 + 128 * 9 * 96 + 16 * 192 + 32 * 25 * 16 + 32 * 192),
        64 * 192 + 96 * 192 + 128 * 9 * 96 + 16 * 192 + 32 * 25 * 16 + 32 * 192
        + 64 + 96 + 128 + 16 + 32 + 32,
    ),
    "inception_module_naive": (
        28 * 28 * 192 * (64 + 128 * 9 + 32 * 25 + 32),
        192 * (64 + 128 * 9 + 32 * 25 + 32) + 64 + 128 + 32 + 32,
    ),
    "wide_5x5": (30 * 40 * 55 * 5 * 5 * 200, 55 * 25 * 200 + 55),
    "wide_5x5_bottleneck": (
        4_800_000 + 33_000_000,
        20 * 200 + 20 + 55 * 25 * 20 + 55,
    ),
    # Lin et al. 2013, the first block of the CIFAR-10 network.
    "mlpconv": (
        32 * 32 * (192 * 25 * 3 + 160 * 192 + 96 * 160),
        192 * 25 * 3 + 192 + 160 * 192 + 160 + 96 * 160 + 96,
    ),
    # He et al. 2015, figure 5.
    "resnet_basic_block": (14 * 14 * 2 * 256 * 9 * 256, 2 * (256 * 9 * 256 + 2 * 256)),
    "resnet_bottleneck_block": (
        14 * 14 * (2 * 64 * 256 + 64 * 9 * 64),
        2 * 64 * 256 + 64 * 9 * 64 + 2 * (64 + 64 + 256),
    ),
    # Huang et al. 2016, a layer of growth rate k = 32 on 256 channels.
    "dense_layer": (
        28 * 28 * (128 * 256 + 32 * 9 * 128),
        128 * 256 + 32 * 9 * 128 + 2 * (256 + 128),
    ),
    # Howard et al. 2017, table 3.
    "depthwise_separable_block": (
        14 * 14 * 512 * (9 + 512),
        512 * (9 + 512) + 2 * (512 + 512),
    ),
    # Szegedy et al. 2015, section 3.1.
    "large_kernel_5x5": (56 * 56 * 64 * 25 * 64, 64 * 25 * 64 + 64),
    "two_3x3": (56 * 56 * 2 * 64 * 9 * 64, 2 * (64 * 9 * 64 + 64)),
    # Szegedy et al. 2015, figure 6: 1x1 branches, then 7 taps a factor, all on 17x17.
    "factorized_7x7": (
        17 * 17 * (
            192 * 768 + 128 * 768 + 128 * 7 * 128 + 192 * 7 * 128
            + 128 * 768 + 3 * 128 * 7 * 128 + 192 * 7 * 128 + 192 * 768
        ),
        192 * 768 + 128 * 768 + 128 * 7 * 128 + 192 * 7 * 128
        + 128 * 768 + 3 * 128 * 7 * 128 + 192 * 7 * 128 + 192 * 768
        + 2 * (192 + 128 + 128 + 192 + 128 + 3 * 128 + 192 + 192),
    ),
    # Long et al. 2015, section 4.1: VGG's fully connected layers on 10x10 places, 21 classes.
    "fcn_head": (
        10 * 10 * (4096 * 49 * 512 + 4096 * 4096 + 21 * 4096 + 21 * 21 * 64 * 64),
        4096 * 49 * 512 + 4096 + 4096 * 4096 + 4096 + 21 * 4096 + 21 + 21 * 21 * 64 * 64,
    ),
    # LeCun et al. 1998 with C3 fully connected to S2.
    "lenet5": (
        28 * 28 * 6 * 25 + 10 * 10 * 16 * 25 * 6 + 400 * 120 + 120 * 84 + 84 * 10,
        6 * 25 + 6 + 16 * 25 * 6 + 16 + 400 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10,
    ),
}  # fmt: skip

# Published multiply-accumulates in G to the printed digits, and parameters: torchvision's model
# pages ("GFLOPS", which are multiply-accumulates, and num_params), the paper for MobileNet.
PUBLISHED = {
    "alexnet": ("0.714", 61_100_840),
    "vgg16": ("15.470", 138_357_544),
    "resnet18": ("1.814", 11_689_512),
    "resnet50": ("4.089", 25_557_032),
    "densenet121": ("2.834", 7_978_856),
    "inception_v3": ("5.713", 27_161_264 - 3_326_696),  # num_params include AuxLogits
    "mobilenet_v1": ("0.569", None),
    "mobilenet_v2": ("0.301", 3_504_872),
    "mobilenet_v3_large": ("0.217", 5_483_032),
    "efficientnet_b0": ("0.386", 5_288_548),
    "shufflenet_v2": ("0.145", 2_278_604),
    "regnet_y_400mf": ("0.402", 4_344_144),
    "convnext_tiny": ("4.456", 28_589_128),
    "vit_b_16": ("17.564", 86_567_656),
    "swin_t": ("4.491", 28_288_354),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_cost_what_their_source_says(name: str) -> None:
    """MACs and parameters of the committed files are the products of the papers' sizes."""
    path = str(SAMPLES / f"{name}.onnx")
    counted = lint_model(read(path), Chosen())
    assert (counted.costs.total().macs, counted.parameters) == BLOCKS[name]
    assert not counted.costs.uncosted


@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_cost_what_is_published(name: str) -> None:
    """MACs round to the published figure, parameters are the published number."""
    macs, parameters = PUBLISHED[name]
    counted = report(build_sample(name))
    digits = len(macs.partition(".")[2])
    assert f"{counted.costs.total().macs / 1e9:.{digits}f}" == macs
    if parameters is not None:
        assert counted.parameters == parameters
    assert not counted.costs.uncosted


def test_mobilenet_has_the_papers_parameters() -> None:
    """Howard et al. 2017, table 8: 4.2 million."""
    assert round(report(build_sample("mobilenet_v1")).parameters / 1e6, 1) == 4.2


def test_auxiliary_logits_of_inception_v3() -> None:
    """The head in torchvision's count: a 1x1 and a 5x5 with normalisation, and a layer."""
    head = 128 * 768 + 2 * 128 + 768 * 25 * 128 + 2 * 768 + 768 * 1000 + 1000
    assert head == 3_326_696


def test_resnet50_keeps_running_statistics_apart() -> None:
    """Mean and variance of 53 normalisations over 26,560 channels are buffers, no parameters."""
    assert report(build_sample("resnet50")).buffers == 2 * 26_560


@pytest.mark.parametrize("auxiliary", [False, True])
def test_googlenet(auxiliary: bool) -> None:
    """22 layers with weights in depth, global average pooling, 1.43 to 1.6 G MACs."""
    counted = report(build_googlenet(auxiliary=auxiliary))
    assert 1.43e9 <= counted.costs.total().macs <= 1.6e9
    assert [node.op_type for node in counted.costs.graph.nodes].count("GlobalAveragePool") == 1
    heads = [finding for finding in counted.findings if finding.code == "ARC302"]
    assert [finding.evidence["output"] for finding in heads] == (
        ["aux2", "aux1"] if auxiliary else []
    )
    assert weighted_depth(counted, counted.costs.graph.outputs[0]) == 22


def weighted_depth(counted: Analysis, output: str) -> int:
    """The most convolutions and fully connected layers on a path to an output."""
    graph = counted.costs.graph
    depth: dict[str, int] = {}
    for node in graph.nodes:
        below = max((depth.get(name, 0) for name in node.inputs), default=0)
        depth.update(dict.fromkeys(node.outputs, below + (node.op_type in ("Conv", "Gemm"))))
    return depth[output]


def test_wide_5x5_with_twenty_channels() -> None:
    """The bottleneck of 20 channels: 37,800,000 of 330,000,000 MACs, a ratio of 0.11."""
    counted = report(build_sample("wide_5x5"), "ARC101.width=20")
    (finding,) = counted.findings
    assert finding.code == "ARC101"
    assert counted.effect is not None
    assert (counted.effect.macs_before, counted.effect.macs_after) == (330_000_000, 37_800_000)
    assert round(37_800_000 / 330_000_000, 2) == 0.11


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("inception_5x5", "inception_5x5_bottleneck"),
        ("resnet_basic_block", "resnet_bottleneck_block"),
    ],
)
def test_the_suggested_sample_is_what_is_suggested(now: str, then: str) -> None:
    """What archlint proposes for one sample costs what the sample of the remedy costs."""
    counted = report(build_sample(now))
    after = counted.findings[0].priced
    assert after is not None
    assert after.after.macs == BLOCKS[then][0]
    assert {finding.code[:4] for finding in report(build_sample(then)).findings} <= {"ARC2"}


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_files_are_what_the_builders_write(name: str) -> None:
    """A rebuild gives the same bytes, and a valid model."""
    proto = build_sample(name, COMMITTED[name])
    path = SAMPLES / f"{name}.onnx"
    assert path.read_bytes() == proto.SerializeToString(deterministic=True)
    onnx.checker.check_model(proto, full_check=True)


def test_every_committed_file_has_its_builder() -> None:
    """No .onnx lies in samples/ that no script writes, and every sample is tested here."""
    assert {path.stem for path in SAMPLES.glob("*.onnx")} == set(COMMITTED) == set(BLOCKS)
    assert set(PUBLISHED) | {"googlenet"} == set(NETWORKS)
