"""LeNet-5 on 32x32 grey digits.

LeCun, Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to Document Recognition"
(Proceedings of the IEEE 86(11); not on arXiv), figure 2.

    C1  1 -> 6, 5x5 to 28x28     784 * 6 * 25    = 117,600 MACs         156 weights
    C3  6 -> 16, 5x5 to 10x10    100 * 16 * 25*6 = 240,000 MACs       2,416 weights
    C5  400 -> 120               400*120         =  48,000 MACs      48,120 weights
    F6  120 -> 84                120*84          =  10,080 MACs      10,164 weights
    out 84 -> 10                 84*10           =     840 MACs         850 weights
    sum                                            416,520 MACs      61,706 weights

The paper has 60,000 trainable parameters and 340,908 connections. Its C3 joins each map to 3, 4 or
6 of the six before it (1,516 parameters, 151,600 connections); here the connection is full. Its
S2 and S4 have a trained gain and offset (12 and 32 parameters); here they are plain averages. Its
output is of fixed radial basis functions; here it is a linear layer. C5 is written as Flatten and
a fully connected layer, which over a 5x5 map is the same thing.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from archlint.analyzer.builder import GraphBuilder, WeightKind


def build(weights: WeightKind = "structure") -> ModelProto:
    """Two convolutions with average pooling, three fully connected layers, tanh."""
    b = GraphBuilder("lenet5", weights=weights)
    x = b.input("input", [1, 1, 32, 32])
    for number, channels in ((1, 6), (3, 16)):
        x = b.conv(x, channels, 5, pads=0, name=f"/C{number}/Conv")
        x = b.node("Tanh", x, name=f"/C{number}/Tanh")
        x = b.pool("AveragePool", x, 2, stride=2, name=f"/S{number + 1}/AveragePool")
    x = b.flatten(x, name="/Flatten")
    for layer, inputs, outputs in (("C5", 400, 120), ("F6", 120, 84)):
        x = b.linear(x, inputs, outputs, name=f"/{layer}/Gemm")
        x = b.node("Tanh", x, name=f"/{layer}/Tanh")
    b.output(b.linear(x, 84, 10, name="/output/Gemm", output="logits"), [1, 10])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
