"""ConvNeXt-T, torchvision's ``convnext_tiny``, on 224x224.

Liu, Mao, Wu, Feichtenhofer, Darrell and Xie 2022, "A ConvNet for the 2020s" (arXiv 2201.03545),
table 9: 4.5 G multiply-adds, 28.6 M parameters; torchvision prints 4.456 G and 28,589,128.

    stem        56*56 * 96 * 4*4*3                          =    14,450,688 MACs
    depthwise   rows*columns * 49*C of 18 blocks            =   105,106,176 MACs
    layers      rows*columns * 2 * C*4C of 18 blocks        = 4,161,798,144 MACs
    reduction   784*4*96*192 + 196*4*192*384 + 49*4*384*768 =   173,408,256 MACs
    classifier  768*1000                                    =       768,000 MACs
    sum                                                       4,455,531,264 MACs
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _tokens import layer_norm, mlp, transpose
from archlint.analyzer.builder import GraphBuilder, WeightKind

STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
"""Channels and blocks."""


def norm(b: GraphBuilder, x: str, width: int, scope: str) -> str:
    """Normalisation over the channels of a map."""
    x = layer_norm(b, transpose(b, x, (0, 2, 3, 1), scope), width, scope)
    return transpose(b, x, (0, 3, 1, 2), scope)


def block(b: GraphBuilder, x: str, width: int, scope: str) -> str:
    """A 7x7 depthwise convolution and two linear layers, scaled, beside the identity."""
    shortcut = x
    x = b.conv(x, width, 7, groups=width, name=f"{scope}/dwconv/Conv")
    x = layer_norm(b, transpose(b, x, (0, 2, 3, 1), scope), width, f"{scope}/norm")
    x = transpose(b, mlp(b, x, width, scope), (0, 3, 1, 2), scope)
    scale = b.weight(f"{scope}.layer_scale", (width, 1, 1), fan_in=2)
    x = b.node("Mul", x, scale, name=f"{scope}/Mul")
    return b.node("Add", x, shortcut, name=f"{scope}/Add")


def build(weights: WeightKind = "structure") -> ModelProto:
    """Patches of 4x4, four stages, classifier."""
    b = GraphBuilder("convnext_tiny", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = norm(b, b.conv(x, 96, 4, stride=4, pads=0, name="/stem/Conv"), 96, "/stem/norm")
    for stage, (width, blocks) in enumerate(STAGES):
        if stage > 0:
            x = norm(b, x, STAGES[stage - 1][0], f"/downsample{stage}/norm")
            x = b.conv(x, width, 2, stride=2, pads=0, name=f"/downsample{stage}/Conv")
        for number in range(blocks):
            x = block(b, x, width, f"/stage{stage}/block{number}")
    x = b.global_average_pool(x, name="/avgpool/GlobalAveragePool")
    x = b.flatten(norm(b, x, 768, "/head/norm"), name="/Flatten")
    b.output(b.linear(x, 768, 1000, name="/head/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
