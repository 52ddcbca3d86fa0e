"""GoogLeNet as the paper lays it out, on 224x224.

Szegedy et al. 2014, "Going Deeper with Convolutions" (arXiv 1409.4842), table 1: 22 layers with
weights in depth (3 in the stem, 2 in each of 9 modules, 1 linear), 1.5 billion multiply-adds. The
5x5 branches are 5x5 (torchvision's are 3x3), there is no BatchNormalization, and poolings round up.

    stem     12,544 * 9,408 + 3,136 * (4,096 + 110,592) =   477,675,520 MACs
    3a, 3b   784 * (163,328 + 388,096)                  =   432,316,416 MACs
    4a       196 * 375,552                              =    73,608,192 MACs
    4b       196 * 448,512                              =    87,908,352 MACs
    4c       196 * 509,440                              =    99,850,240 MACs
    4d       196 * 604,672                              =   118,515,712 MACs
    4e       196 * 867,328                              =   169,996,288 MACs
    5a, 5b   49 * (1,042,432 + 1,442,816)               =   121,777,152 MACs
    fc       1024*1000                                  =     1,024,000 MACs
    sum                                                   1,582,671,872 MACs
    weights  6,990,272 + 8,280 biases = 6,998,552

The table's own columns add up to 1.50 G and 6.8 M. They print 34 M and 2.7 K for the 7x7 layer,
whose 64 filters of 7*7*3 on 112x112 are 118 M and 9.4 K, and 54 M for 5a, which is 51 M.

``auxiliary`` adds the two classifiers that the paper trains on 4a and 4d, 4,169,728 and 4,202,496
MACs: 1,591,044,096 MACs and 13,378,280 weights in all.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import conv_relu
from archlint.analyzer.builder import GraphBuilder, WeightKind
from inception_module import MODULE_3A, Widths, inception_module

MODULES = {
    "3a": MODULE_3A,
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}
POOLED = {"3b": "pool3", "4e": "pool4"}
AUXILIARY = {"4a": "aux1", "4d": "aux2"}


def pool(b: GraphBuilder, x: str, name: str) -> str:
    """Halve the map, rounding up: 112 to 56, 56 to 28, and so on to 7."""
    return b.pool("MaxPool", x, 3, stride=2, ceil_mode=True, name=f"/{name}/MaxPool")


def normalize(b: GraphBuilder, x: str, name: str) -> str:
    """Local response normalisation over five channels (the constants of AlexNet)."""
    return b.node("LRN", x, name=f"/{name}/LRN", size=5, alpha=1e-4, beta=0.75, bias=1.0)


def dropout(b: GraphBuilder, x: str, scope: str, ratio: float) -> str:
    """Identity at inference; the ratio is the paper's."""
    fraction = b.node("Constant", name=f"{scope}/Constant", value_float=ratio)
    return b.node("Dropout", x, fraction, name=f"{scope}/Dropout")


def stem(b: GraphBuilder, x: str) -> str:
    """7x7, pool, normalise, 1x1, 3x3, normalise, pool: 224x224x3 to 28x28x192."""
    x = pool(b, conv_relu(b, x, 64, 7, "/conv1", stride=2), "pool1")
    x = conv_relu(b, normalize(b, x, "norm1"), 64, 1, "/conv2/reduce")
    x = conv_relu(b, x, 192, 3, "/conv2")
    return pool(b, normalize(b, x, "norm2"), "pool2")


def auxiliary_head(b: GraphBuilder, x: str, name: str) -> None:
    """The classifier on an intermediate module; its Softmax becomes a graph output."""
    x = b.pool("AveragePool", x, 5, stride=3, name=f"/{name}/pool/AveragePool")
    x = b.flatten(conv_relu(b, x, 128, 1, f"/{name}"), name=f"/{name}/Flatten")
    x = b.relu(b.linear(x, 128 * 4 * 4, 1024, name=f"/{name}/fc1/Gemm"), name=f"/{name}/fc1/Relu")
    x = b.linear(dropout(b, x, f"/{name}", 0.7), 1024, 1000, name=f"/{name}/fc2/Gemm")
    b.output(b.node("Softmax", x, name=f"/{name}/Softmax", output=name, axis=1), [1, 1000])


def build(weights: WeightKind = "structure", *, auxiliary: bool = False) -> ModelProto:
    """Stem, nine Inception modules, classifier; on request the two auxiliary classifiers."""
    b = GraphBuilder("googlenet", weights=weights)
    x = stem(b, b.input("input", [1, 3, 224, 224]))
    heads: dict[str, str] = {}
    for name, widths in MODULES.items():
        x = inception_module(b, x, f"/inception_{name}", widths)
        if name in AUXILIARY:
            heads[AUXILIARY[name]] = x
        if name in POOLED:
            x = pool(b, x, POOLED[name])
    x = b.flatten(b.global_average_pool(x, name="/avgpool/GlobalAveragePool"), name="/Flatten")
    x = b.linear(dropout(b, x, "/dropout", 0.4), 1024, 1000, name="/fc/Gemm")
    b.output(b.node("Softmax", x, name="/prob/Softmax", output="prob", axis=1), [1, 1000])
    if auxiliary:
        for name, tap in heads.items():
            auxiliary_head(b, tap, name)
    return b.model()


if __name__ == "__main__":
    run(build, __file__, "auxiliary")
