"""Operators that compute nothing: they move elements, or only rename a buffer."""

from __future__ import annotations

from archlint.analyzer.cost.base import View, Work, handles


@handles(
    "BitCast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Dropout", roles="xs",
)  # fmt: skip
def rename(view: View) -> Work:
    """Free: the same elements under another shape."""
    return Work(moves=False)


@handles("Shape", "Size", "Constant", "ConstantOfShape", "Range", "EyeLike", roles="s")
def shape_arithmetic(view: View) -> Work:
    """Free: a few numbers, or a fill that no input decides."""
    return Work(moves=False)


@handles("Concat", "Transpose", "DepthToSpace", "SpaceToDepth", "Cast", "CastLike")
def move(view: View) -> Work:
    """No operations: every element is read and written once."""
    return Work()


@handles(
    "Expand", "Pad", "Tile", "Trilu", "ReverseSequence", "OneHot", "ScatterND", "ScatterElements",
    "Scatter", "TensorScatter", "CenterCropPad", "NonZero", roles="xs",
)  # fmt: skip
def place(view: View) -> Work:
    """No operations: elements are copied to their places."""
    return Work()


@handles("Compress", "Gather", "GatherElements", "GatherND", "Slice", roles="xs")
def pick(view: View) -> Work:
    """No operations: only the picked elements are read."""
    return Work(reads={0: view.out_elements()})


@handles("Split", roles="xs")
def split(view: View) -> Work:
    """No operations: every element is read and written once."""
    return Work()
