"""What pictures call a layer."""

from __future__ import annotations

import pytest

from archlint.analyzer.report.html.layer_names import heading, shape_text
from archlint.analyzer.report.layers import LayerReport


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("1x64x?x56", "1×64×?×56"),
        ("", ""),
        ("batchx3x224", "batchx3x224"),
        ("1x16x((height-1)//2+1)x(width//(2))", "1×16×…×…"),
    ],
)
def test_shapes_are_as_short_as_can_be(shape: str, expected: str) -> None:
    assert shape_text(shape) == expected


@pytest.mark.parametrize(
    ("label", "scope", "parameters", "described", "expected"),
    [
        ("inception_3a/5x5", "", 5, "5×5 conv 16→32", ("5x5", "5×5 conv 16→32")),
        ("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1", 5, "1×1 conv", ("conv1", "1×1 conv")),
        ("/down/down.0/Conv_3", "net.down.0", 5, "1×1 conv", ("down.0", "1×1 conv")),
        ("/branch/conv/Conv", "branch.conv", 5, "1×1 conv", ("branch.conv", "1×1 conv")),
        ("node_conv2d_7", "vit.conv1", 5, "1×1 conv", ("conv1", "1×1 conv")),
        ("n12", "", 5, "1×1 conv", ("1×1 conv", "1×8×4×4")),
        ("/layer1/Conv", "layer1", 0, "Conv", ("Conv", "1×8×4×4")),
        ("pool", "", 0, "Conv", ("pool", "Conv 1×8×4×4")),
    ],
)
def test_a_layer_is_called_what_tells_most(
    label: str, scope: str, parameters: int, described: str, expected: tuple[str, str]
) -> None:
    modules = tuple(scope.split(".")) if scope else ()
    shape = "1x8x4x4"
    named = LayerReport(label, "Conv", described, shape, scope=modules, parameters=parameters)
    assert heading(named) == expected
