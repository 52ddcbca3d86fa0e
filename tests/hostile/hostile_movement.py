"""Operators that move or make elements, with absurd sizes, axes and indices."""

from __future__ import annotations

from typing import Final

from onnx import TensorProto

from hostile_build import LEAST, MOST, Make, one, tensor

_X: Final = [1, 3, 8, 8]
_NAN, _INF = float("nan"), float("inf")

MOVEMENT: dict[str, Make] = {
    "split-into-10-9": one("Split", [10**9], num_outputs=10**9),
    "split-into-minus-one": one("Split", [8], num_outputs=-1, outputs=3),
    "split-into-none": one("Split", [8], num_outputs=0),
    "split-sizes": one("Split", [8], constants=[[-4, 12, MOST]], outputs=3),
    "split-to-sequence": one("SplitToSequence", [10**9], constants=[0]),
    "reshape-million": one("Reshape", _X, constants=[[1] * 1_000_000]),
    "reshape-two-unknown": one("Reshape", _X, constants=[[-1, -1]]),
    "reshape-minus-two": one("Reshape", _X, constants=[[-2, LEAST]]),
    "reshape-zeros": one("Reshape", _X, constants=[[0] * 9], allowzero=1),
    "reshape-overflow": one("Reshape", _X, constants=[[2**62, 2**62, -1]]),
    "reshape-matrix": one("Reshape", _X, constants=[[[1, 2], [3, 4]]]),
    "reshape-floats": one("Reshape", _X, constants=[[_NAN, -1.0]]),
    "onehot-depth-negative": one("OneHot", [4], constants=[-5, [0.0, 1.0]]),
    "onehot-depth-huge": one("OneHot", [4], constants=[[MOST], [0.0, 1.0]], axis=99),
    "onehot-depth-nan": one("OneHot", [4], constants=[_NAN, [0.0, 1.0]]),
    "slice-step-zero": one("Slice", _X, constants=[[0], [8], [2], [0]]),
    "slice-step-least": one("Slice", _X, constants=[[MOST], [LEAST], [2], [LEAST]]),
    "slice-axes-twice": one("Slice", _X, constants=[[0] * 9, [1] * 9, [0] * 9]),
    "slice-axis-out-of-range": one("Slice", _X, constants=[[0], [1], [77]]),
    "slice-lengths-differ": one("Slice", _X, constants=[[0, 0, 0], [1], [0, 1]]),
    "range-delta-zero": one("Range", constants=[0, 10, 0]),
    "range-delta-tiny": one("Range", constants=[0.0, 1e38, 1e-38]),
    "range-nan": one("Range", constants=[_NAN, _INF, -_INF]),
    "range-10-12": one("Range", constants=[0, 10**12, 1]),
    "range-most": one("Range", constants=[LEAST, MOST, 1]),
    "transpose-of-wrong-length": one("Transpose", _X, perm=[0, 1]),
    "transpose-repeats": one("Transpose", _X, perm=[0, 0, 0, 0]),
    "transpose-out-of-range": one("Transpose", _X, perm=[4, 5, LEAST, MOST]),
    "squeeze-out-of-range": one("Squeeze", _X, constants=[[99, -99]]),
    "squeeze-of-eight": one("Squeeze", _X, constants=[[3]]),
    "unsqueeze-out-of-range": one("Unsqueeze", _X, constants=[[99, LEAST]]),
    "unsqueeze-many": one("Unsqueeze", _X, constants=[list(range(5000))]),
    "flatten-axis": one("Flatten", _X, axis=MOST),
    "concat-axis": one("Concat", _X, _X, axis=LEAST),
    "concat-of-none": one("Concat", axis=0),
    "softmax-axis": one("Softmax", _X, axis=2**62),
    "gather-axis": one("Gather", _X, constants=[[MOST, LEAST]], axis=-99),
    "gathernd-batch": one("GatherND", _X, constants=[[[0, 1]]], batch_dims=MOST),
    "gatherelements": one("GatherElements", _X, constants=[[0]], axis=7),
    "scatternd": one("ScatterND", _X, [2**40, 99], _X),
    "topk-negative": one("TopK", _X, constants=[[-5]], outputs=2),
    "topk-most": one("TopK", _X, constants=[[MOST]], axis=99, outputs=2),
    "pad-negative": one("Pad", _X, constants=[[-99] * 8]),
    "pad-10-12": one("Pad", _X, constants=[[10**12] * 8]),
    "pad-of-wrong-length": one("Pad", _X, constants=[[1, 2, 3]]),
    "pad-overflow": one("Pad", _X, constants=[[MOST] * 8], mode="sideways"),
    "tile-10-12": one("Tile", _X, constants=[[10**12] * 4]),
    "tile-negative": one("Tile", _X, constants=[[-1] * 4]),
    "tile-most": one("Tile", [MOST], constants=[[MOST]]),
    "expand-10-12": one("Expand", [1], constants=[[10**12]]),
    "expand-negative": one("Expand", [1], constants=[[-1, LEAST]]),
    "expand-rank": one("Expand", [1], constants=[[1] * 4000]),
    "constantofshape-10-12": one("ConstantOfShape", constants=[[10**12]]),
    "constantofshape-most": one("ConstantOfShape", constants=[[MOST] * 8]),
    "constantofshape-negative": one("ConstantOfShape", constants=[[-1]]),
    "constantofshape-rank": one("ConstantOfShape", constants=[[0] * 4000]),
    "constantofshape-many-values": one(
        "ConstantOfShape", constants=[[4]], value=tensor("value", [1] * 4000)
    ),
    "constantofshape-no-value": one(
        "ConstantOfShape", constants=[[4]], value=TensorProto(dims=[1], data_type=7)
    ),
    "depthtospace-zero": one("DepthToSpace", _X, blocksize=0),
    "spacetodepth-huge": one("SpaceToDepth", _X, blocksize=2**62),
    "col2im": one("Col2Im", [1, 9, 4], constants=[[LEAST, MOST], [0, 0]]),
    "affine-grid": one("AffineGrid", [1, 2, 3], constants=[[1, 1, MOST, -5]]),
    "gridsample": one("GridSample", _X, [1, 2**62, 2**62, 2]),
    "cast-unknown": one("Cast", _X, to=999),
    "cast-negative": one("Cast", _X, to=LEAST),
    "castlike-missing": one("CastLike", _X),
    "shape-range": one("Shape", _X, start=MOST, end=LEAST),
    "dequantize-axis": one("DequantizeLinear", _X, [3], axis=99, block_size=-1),
    "quantize-block": one("QuantizeLinear", _X, _X, block_size=MOST, output_dtype=999),
}
