"""RegNetY-400MF, torchvision's ``regnet_y_400mf``, on 224x224.

Radosavovic, Kosaraju, Girshick, He and Dollar 2020, "Designing Network Design Spaces" (arXiv
2003.13678), table 4: 0.4 G multiply-adds, 4.3 M parameters; torchvision prints 0.402 G and
4,344,144. BatchNormalization is kept as an operator.

    stem        112*112 * 32 * 3*3*3                 =  10,838,016 MACs
    1x1         rows*columns * C*C' of 32 layers     = 317,071,552 MACs
    grouped     rows*columns * 9*8*C of 16 layers    =  55,375,488 MACs
    gates       2 * C*squeezed of 16 blocks          =     662,816 MACs
    shortcuts   rows*columns * C*C' of 4 projections =  17,454,976 MACs
    classifier  440*1000                             =     440,000 MACs
    sum                                                401,842,848 MACs
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _mobile import conv_bn, pooled, relu, sigmoid, squeeze_excite
from archlint.analyzer.builder import GraphBuilder, WeightKind

STAGES = ((48, 1), (104, 3), (208, 6), (440, 6))
"""Channels and blocks, from w0 = 48, wa = 27.89, wm = 2.09 and depth 16."""
GROUP_WIDTH = 8


def block(b: GraphBuilder, x: str, scope: str, channels: int, stride: int) -> str:
    """1x1, grouped 3x3, a gate of a quarter of the input, 1x1, and the shortcut."""
    shortcut, width = x, b.channels(x)
    x = conv_bn(b, x, channels, 1, f"{scope}/a", activation=relu)
    groups = channels // GROUP_WIDTH
    x = conv_bn(b, x, channels, 3, f"{scope}/b", stride=stride, groups=groups, activation=relu)
    x = squeeze_excite(b, x, width // 4, f"{scope}/se", relu, sigmoid)
    x = conv_bn(b, x, channels, 1, f"{scope}/c")
    if stride > 1:
        shortcut = conv_bn(b, shortcut, channels, 1, f"{scope}/proj", stride=stride)
    return b.relu(b.node("Add", shortcut, x, name=f"{scope}/Add"), name=f"{scope}/Relu")


def build(weights: WeightKind = "structure") -> ModelProto:
    """Stem, four stages, classifier."""
    b = GraphBuilder("regnet_y_400mf", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = conv_bn(b, x, 32, 3, "/stem", stride=2, activation=relu)
    for stage, (channels, blocks) in enumerate(STAGES, start=1):
        for number in range(blocks):
            scope = f"/stage{stage}/block{number}"
            x = block(b, x, scope, channels, 2 if number == 0 else 1)
    b.output(b.linear(pooled(b, x), 440, 1000, name="/fc/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
