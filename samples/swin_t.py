"""Swin-T, torchvision's ``swin_t``, on 224x224.

Liu, Lin, Cao et al. 2021, "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows"
(arXiv 2103.14030), table 1: 4.5 G multiply-adds, 29 M parameters; torchvision prints 4.491 G and
28,288,354. The mask of the shifted windows, a constant that is added to the scores, is left out.

    patches      56*56 * 96 * 4*4*3                      =    14,450,688 MACs
    projections  rows*columns * 4 * C*C of 12 blocks     = 1,387,266,048 MACs
    attention    rows*columns * 2 * 49*C of 12 blocks    =   140,141,568 MACs
    layers       rows*columns * 2 * C*4C of 12 blocks    = 2,774,532,096 MACs
    merging      784*384*192 + 196*768*384 + 49*1536*768 =   173,408,256 MACs
    classifier   768*1000                                =       768,000 MACs
    sum                                                    4,490,566,656 MACs
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _tokens import attention, layer_norm, linear, mlp, reshape, transpose
from archlint.analyzer.builder import GraphBuilder, WeightKind

STAGES = ((96, 2, 3, 56), (192, 2, 6, 28), (384, 6, 12, 14), (768, 2, 24, 7))
"""Channels, blocks, heads, and the side of the map."""
WINDOW = 7
_LAST = 2**31 - 1  # an end that lies behind every axis


def part(
    b: GraphBuilder, x: str, axis: int, start: int, end: int, scope: str, step: int = 1
) -> str:
    """Every ``step``-th place of an axis from ``start`` to before ``end``."""
    bounds = [b.constant(f"{scope}/slice", [number]) for number in (start, end, axis, step)]
    return b.node("Slice", x, *bounds, name=f"{scope}/Slice")


def rolled(b: GraphBuilder, x: str, shift: int, scope: str) -> str:
    """The map shifted along both axes; what leaves one side enters the other."""
    for axis in (1, 2):
        tail = part(b, x, axis, shift, _LAST, scope)
        head = part(b, x, axis, 0, shift, scope)
        x = b.node("Concat", tail, head, name=f"{scope}/Concat", axis=axis)
    return x


def positions(b: GraphBuilder, heads: int, scope: str) -> str:
    """A learned offset for each distance between two places of a window, head by head."""
    span = 2 * WINDOW - 1
    table = b.weight(f"{scope}.relative_position_bias_table", (span * span, heads))
    cells = [(row, column) for row in range(WINDOW) for column in range(WINDOW)]
    index = [
        (row - other_row + WINDOW - 1) * span + column - other_column + WINDOW - 1
        for row, column in cells
        for other_row, other_column in cells
    ]
    bias = b.node("Gather", table, b.constant(f"{scope}/index", index), name=f"{scope}/Gather")
    shape = (1, WINDOW * WINDOW, WINDOW * WINDOW, heads)
    return transpose(b, reshape(b, bias, shape, f"{scope}/bias"), (0, 3, 1, 2), f"{scope}/bias")


def windows(b: GraphBuilder, x: str, width: int, side: int, scope: str) -> str:
    """The map [1, H, W, C] as windows of tokens, [HW/49, 49, C]."""
    count = side // WINDOW
    x = reshape(b, x, (1, count, WINDOW, count, WINDOW, width), f"{scope}/partition")
    x = transpose(b, x, (0, 1, 3, 2, 4, 5), f"{scope}/partition")
    return reshape(b, x, (count * count, WINDOW * WINDOW, width), f"{scope}/partition")


def joined(b: GraphBuilder, x: str, width: int, side: int, scope: str) -> str:
    """The windows as a map again."""
    count = side // WINDOW
    x = reshape(b, x, (1, count, count, WINDOW, WINDOW, width), f"{scope}/merge")
    x = transpose(b, x, (0, 1, 3, 2, 4, 5), f"{scope}/merge")
    return reshape(b, x, (1, side, side, width), f"{scope}/merge")


def block(
    b: GraphBuilder, x: str, stage: tuple[int, int, int, int], scope: str, *, shifted: bool
) -> str:
    """Attention within windows, and two linear layers."""
    width, _, heads, side = stage
    shift = WINDOW // 2 if shifted and side > WINDOW else 0
    branch = layer_norm(b, x, width, f"{scope}/norm1", epsilon=1e-5)
    if shift:
        branch = rolled(b, branch, shift, f"{scope}/roll")
    branch = windows(b, branch, width, side, scope)
    shape = ((side // WINDOW) ** 2, WINDOW * WINDOW, width)
    bias = positions(b, heads, f"{scope}/attn")
    branch = attention(b, branch, shape, heads, f"{scope}/attn", position=bias)
    branch = joined(b, branch, width, side, scope)
    if shift:
        branch = rolled(b, branch, side - shift, f"{scope}/unroll")
    x = b.node("Add", x, branch, name=f"{scope}/Add")
    branch = mlp(b, layer_norm(b, x, width, f"{scope}/norm2", epsilon=1e-5), width, f"{scope}/mlp")
    return b.node("Add", x, branch, name=f"{scope}/Add_1")


def merged(b: GraphBuilder, x: str, width: int, scope: str) -> str:
    """Four neighbours become one token of twice the channels."""
    quarters = []
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        rows = part(b, x, 1, row, _LAST, scope, step=2)
        quarters.append(part(b, rows, 2, column, _LAST, scope, step=2))
    x = b.node("Concat", *quarters, name=f"{scope}/Concat", axis=-1)
    x = layer_norm(b, x, 4 * width, f"{scope}/norm", epsilon=1e-5)
    return linear(b, x, 4 * width, 2 * width, f"{scope}/reduction", bias=False)


def build(weights: WeightKind = "structure") -> ModelProto:
    """Patches of 4x4, four stages, classifier."""
    b = GraphBuilder("swin_t", weights=weights)
    x = b.input("input", [1, 3, 224, 224])
    x = b.conv(x, 96, 4, stride=4, pads=0, name="/patch/Conv")
    x = transpose(b, x, (0, 2, 3, 1), "/patch")
    x = layer_norm(b, x, 96, "/patch/norm", epsilon=1e-5)
    for number, stage in enumerate(STAGES):
        for place in range(stage[1]):
            scope = f"/stage{number}/block{place}"
            x = block(b, x, stage, scope, shifted=place % 2 == 1)
        if number + 1 < len(STAGES):
            x = merged(b, x, stage[0], f"/merging{number}")
    x = transpose(b, layer_norm(b, x, 768, "/norm", epsilon=1e-5), (0, 3, 1, 2), "/norm")
    x = b.flatten(b.global_average_pool(x, name="/avgpool/GlobalAveragePool"), name="/Flatten")
    b.output(b.linear(x, 768, 1000, name="/head/Gemm", output="logits"), [1, 1000])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
