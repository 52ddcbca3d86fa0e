"""ViT-B/16, torchvision's ``vit_b_16``, on 224x224.

Dosovitskiy, Beyer, Kolesnikov et al. 2020, "An Image is Worth 16x16 Words: Transformers for Image
Recognition at Scale" (arXiv 2010.11929), table 1: 86 M parameters; torchvision prints 17.564 G and
86,567,656.

    patches     196 * 768 * 16*16*3                =    115,605,504 MACs
    projections 12 * 197 * 4 * 768*768             =  5,577,375,744 MACs
    attention   12 * 2 * 197*197 * 768             =    715,327,488 MACs
    layers      12 * 197 * 2 * 768*3072            = 11,154,751,488 MACs
    head        768*1000                           =        768,000 MACs
    sum                                              17,563,828,224 MACs
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _tokens import attention, layer_norm, mlp, reshape, transpose
from archlint.analyzer.builder import GraphBuilder, WeightKind

WIDTH, HEADS, LAYERS = 768, 12, 12
PATCHES = 14 * 14


def embedded(b: GraphBuilder, x: str) -> str:
    """One token a patch of 16x16, the class token before them, and their positions."""
    x = b.conv(x, WIDTH, 16, stride=16, pads=0, name="/conv_proj/Conv")
    x = transpose(b, reshape(b, x, (1, WIDTH, PATCHES), "/embed"), (0, 2, 1), "/embed")
    token = b.weight("class_token", (1, 1, WIDTH))
    x = b.node("Concat", token, x, name="/embed/Concat", axis=1)
    positions = b.weight("pos_embedding", (1, 1 + PATCHES, WIDTH))
    return b.node("Add", x, positions, name="/embed/Add")


def build(weights: WeightKind = "structure") -> ModelProto:
    """Patches, twelve layers of attention and of two linear layers, classifier on the first
    token."""
    b = GraphBuilder("vit_b_16", weights=weights)
    x = embedded(b, b.input("input", [1, 3, 224, 224]))
    for layer in range(LAYERS):
        scope = f"/encoder/layer{layer}"
        normed = layer_norm(b, x, WIDTH, f"{scope}/ln_1")
        attended = attention(b, normed, (1, 1 + PATCHES, WIDTH), HEADS, f"{scope}/attention")
        x = b.node("Add", attended, x, name=f"{scope}/Add")
        branch = mlp(b, layer_norm(b, x, WIDTH, f"{scope}/ln_2"), WIDTH, f"{scope}/mlp")
        x = b.node("Add", x, branch, name=f"{scope}/Add_1")
    x = layer_norm(b, x, WIDTH, "/encoder/ln")
    x = b.node("Gather", x, b.constant("/first", 0), name="/Gather", axis=1)
    b.output(b.linear(x, WIDTH, 1000, name="/heads/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
