"""Inception-v3 without its auxiliary classifier, torchvision's ``inception_v3``, on 299x299.

Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2015, "Rethinking the Inception Architecture for
Computer Vision" (arXiv 1512.00567), table 1. torchvision prints 5.713 G; its 27,161,264 parameters
count the auxiliary classifier, without which they are 23,834,568. BatchNormalization (epsilon
0.001) is kept as an operator; the average pools count their padding, as torchvision's do.

    stem      149*149 * 864 + 147*147 * 27,648
              + 73*73 * 5,120 + 71*71 * 138,240         = 1,340,779,616 MACs
    5b to 5d  1,225 * (254,976 + 276,480 + 284,160)     =   999,129,600 MACs
    6a        1,225 * 73,728 + 289 * 1,078,272          =   401,937,408 MACs
    6b to 6e  289 * (1,294,336 + 2 * 1,687,552
              + 2,138,112)                              = 1,967,382,528 MACs
    7a        289 * 811,008 + 64 * 884,736              =   291,004,416 MACs
    7b, 7c    64 * (5,038,080 + 6,070,272)              =   710,934,528 MACs
    fc        2048*1000                                 =     2,048,000 MACs
    sum                                                   5,713,216,096 MACs

Each product is the positions of a grid by the convolution weights that slide over it; 6a and 7a
hold layers on both sides of their reduction.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import Layer, conv_bn_relu, inception_v3_branch, inception_v3_pool
from archlint.analyzer.builder import GraphBuilder, WeightKind
from factorized_7x7 import factorized_module

STEM = (
    ("Conv2d_1a_3x3", 32, 3, 2, 0),
    ("Conv2d_2a_3x3", 32, 3, 1, 0),
    ("Conv2d_2b_3x3", 64, 3, 1, 1),
    ("maxpool1", 0, 3, 2, 0),
    ("Conv2d_3b_1x1", 80, 1, 1, 0),
    ("Conv2d_4a_3x3", 192, 3, 1, 0),
    ("maxpool2", 0, 3, 2, 0),
)
"""Name, channels (0: a pooling), kernel, stride, padding."""
GRID_35 = {"Mixed_5b": 32, "Mixed_5c": 64, "Mixed_5d": 64}
"""Width of the pooled branch."""
GRID_17 = {"Mixed_6b": 128, "Mixed_6c": 160, "Mixed_6d": 160, "Mixed_6e": 192}
"""Width of the inner 7-tap layers."""
REDUCTION_35: tuple[list[Layer], ...] = (
    [("branch3x3", 384, 3)],
    [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
)
REDUCTION_17: tuple[list[Layer], ...] = (
    [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3)],
    [
        ("branch7x7x3_1", 192, 1),
        ("branch7x7x3_2", 192, (1, 7)),
        ("branch7x7x3_3", 192, (7, 1)),
        ("branch7x7x3_4", 192, 3),
    ],
)


def stem(b: GraphBuilder, x: str) -> str:
    """Five convolutions and two poolings, 299x299 to 35x35."""
    for name, channels, kernel, stride, pads in STEM:
        if channels:
            x = conv_bn_relu(
                b, x, channels, kernel, f"/{name}", stride=stride, pads=pads, epsilon=1e-3
            )
        else:
            x = b.pool("MaxPool", x, kernel, stride=stride, name=f"/{name}/MaxPool")
    return x


def module_35(b: GraphBuilder, x: str, scope: str, pool: int) -> str:
    """1x1, 5x5, two 3x3, pool (figure 5)."""
    double: list[Layer] = [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3)]
    parts = [
        inception_v3_branch(b, x, scope, [("branch1x1", 64, 1)]),
        inception_v3_branch(b, x, scope, [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)]),
        inception_v3_branch(b, x, scope, [*double, ("branch3x3dbl_3", 96, 3)]),
        inception_v3_pool(b, x, scope, pool),
    ]
    return b.concat(parts, name=f"{scope}/Concat")


def reduction(b: GraphBuilder, x: str, scope: str, branches: tuple[list[Layer], ...]) -> str:
    """Half the grid: convolutions of stride 2 beside a pooling (figure 10)."""
    parts = [inception_v3_branch(b, x, scope, branch, last_stride=2) for branch in branches]
    parts.append(b.pool("MaxPool", x, 3, stride=2, name=f"{scope}/MaxPool"))
    return b.concat(parts, name=f"{scope}/Concat")


def module_8(b: GraphBuilder, x: str, scope: str) -> str:
    """1x1, a 3x3 and a second one each split into 1x3 beside 3x1, pool (figure 7)."""
    parts = [inception_v3_branch(b, x, scope, [("branch1x1", 320, 1)])]
    double: list[Layer] = [("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3)]
    for trunk, split in (
        ([("branch3x3_1", 384, 1)], "branch3x3_2"),
        (double, "branch3x3dbl_3"),
    ):
        y = inception_v3_branch(b, x, scope, trunk)
        for suffix, kernel in (("a", (1, 3)), ("b", (3, 1))):
            parts.append(inception_v3_branch(b, y, scope, [(f"{split}{suffix}", 384, kernel)]))
    parts.append(inception_v3_pool(b, x, scope, 192))
    return b.concat(parts, name=f"{scope}/Concat")


def build(weights: WeightKind = "structure") -> ModelProto:
    """Stem, eleven modules on grids of 35, 17 and 8, classifier."""
    b = GraphBuilder("inception_v3", weights=weights)
    x = stem(b, b.input("input", [1, 3, 299, 299]))
    for name, pool in GRID_35.items():
        x = module_35(b, x, f"/{name}", pool)
    x = reduction(b, x, "/Mixed_6a", REDUCTION_35)
    for name, width in GRID_17.items():
        x = factorized_module(b, x, f"/{name}", width)
    x = reduction(b, x, "/Mixed_7a", REDUCTION_17)
    for name in ("Mixed_7b", "Mixed_7c"):
        x = module_8(b, x, f"/{name}")
    x = b.flatten(b.global_average_pool(x, name="/avgpool/GlobalAveragePool"), name="/Flatten")
    b.output(b.linear(x, 2048, 1000, name="/fc/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
