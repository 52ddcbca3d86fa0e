"""Module Mixed_6b of Inception-v3: 7x7 convolutions as 1x7 after 7x1, on 17x17x768.

Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision" (arXiv
1512.00567), section 3.2 and figure 6 with n = 7; layer order and widths are torchvision's. Each
pair takes 14/49 = 0.29 of the 7x7 that it stands for.

    branch1x1     289 * 192*768                              =  42,614,784 MACs
    branch7x7     289 * (98,304 + 114,688 + 172,032)         = 111,271,936 MACs
    branch7x7dbl  289 * (98,304 + 3 * 114,688 + 172,032)     = 177,561,600 MACs
    branch_pool   289 * 192*768                              =  42,614,784 MACs
    sum           289 * 1,294,336                            = 374,063,104 MACs

with 1x1 768 -> 128 = 98,304, 7 taps 128 -> 128 = 114,688 and 7 taps 128 -> 192 = 172,032 weights;
in all 1,294,336 and 2 * 1,536 of BatchNormalization = 1,297,408.
"""

from __future__ import annotations

from onnx import ModelProto

from _command import run
from _layers import inception_v3_branch, inception_v3_pool
from archlint.analyzer.builder import GraphBuilder, WeightKind

ROW = (1, 7)
COLUMN = (7, 1)


def factorized_module(b: GraphBuilder, x: str, scope: str, width: int) -> str:
    """1x1, factorised 7x7, factorised 7x7 twice, pool; ``width`` is that of the inner layers."""
    once = [("branch7x7_1", width, (1, 1)), ("branch7x7_2", width, ROW)]
    twice = [("branch7x7dbl_1", width, (1, 1)), ("branch7x7dbl_2", width, COLUMN)]
    twice += [("branch7x7dbl_3", width, ROW), ("branch7x7dbl_4", width, COLUMN)]
    parts = [
        inception_v3_branch(b, x, scope, [("branch1x1", 192, 1)]),
        inception_v3_branch(b, x, scope, [*once, ("branch7x7_3", 192, COLUMN)]),
        inception_v3_branch(b, x, scope, [*twice, ("branch7x7dbl_5", 192, ROW)]),
        inception_v3_pool(b, x, scope, 192),
    ]
    return b.concat(parts, name=f"{scope}/Concat")


def build(weights: WeightKind = "structure") -> ModelProto:
    """Mixed_6b alone, with inner layers of 128 channels."""
    b = GraphBuilder("factorized_7x7", weights=weights)
    x = b.input("input", [1, 768, 17, 17])
    b.output(factorized_module(b, x, "/Mixed_6b", 128), [1, 768, 17, 17])
    return b.model()


if __name__ == "__main__":
    run(build, __file__)
