"""The head of FCN-32s on VGG's last map of a 512x512 image, 16x16x512 to 21 classes.

Long, Shelhamer and Darrell 2015, "Fully Convolutional Networks for Semantic Segmentation" (arXiv
1411.4038), section 4.1: the fully connected layers of VGG-16 as convolutions, the first of them
7x7, and a transposed convolution of stride 32. The paper's network pads its image by 100 pixels,
which this head does not see.

    fc6      100 * 4096 * 7*7*512    = 10,276,044,800 MACs
    fc7      100 * 4096*4096         =  1,677,721,600 MACs
    score    100 * 21*4096           =      8,601,600 MACs
    upscore  100 * 21*21 * 64*64     =    180,633,600 MACs
    sum                                12,143,001,600 MACs
    weights  102,760,448 + 16,777,216 + 86,016 + 1,806,336 + 8,213 biases = 121,438,229
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind

CLASSES = 21


def build(weights: WeightKind = "structure") -> ModelProto:
    """7x7, two 1x1, and a transposed 64x64 of stride 32."""
    b = GraphBuilder("fcn_head", weights=weights)
    x = b.input("input", [1, 512, 16, 16])
    x = b.relu(b.conv(x, 4096, 7, pads=0, name="/fc6/Conv"), name="/fc6/Relu")
    x = b.relu(b.conv(x, 4096, 1, name="/fc7/Conv"), name="/fc7/Relu")
    x = b.conv(x, CLASSES, 1, name="/score/Conv")
    kernel = b.weight("/upscore.weight", (CLASSES, CLASSES, 64, 64))
    x = b.node(
        "ConvTranspose", x, kernel, name="/upscore/ConvTranspose", output="scores",
        kernel_shape=[64, 64], strides=[32, 32],
    )  # fmt: skip
    b.output(x, [1, CLASSES, 352, 352])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
