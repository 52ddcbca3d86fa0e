"""Which value of the model each value of the optimised graph is, perhaps in another layout."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archlint.analyzer.timing.attribution.optimised import Kernel
from archlint.analyzer.timing.attribution.origins import Origins

_MARKED_VALUE = re.compile(r"%\d+%\Z")  # behind a prefix where a body was opened
_MARKED_NODE = re.compile(r"@(\d{1,9})@")
_BLOCKED = "com.microsoft.nchwc."  # operators on channels in blocks, named by the value they made
_BLOCKED_NAME = re.compile(r"(.*?)(?:_bn|_mul)?_nchwc(?:_token_\d+)?")
_REORDERS = frozenset({_BLOCKED + "ReorderInput", _BLOCKED + "ReorderOutput"})
# Fused operators that are named by the last node that they stand for, and make what it made.
_NAMED_BY_LAST = frozenset({"com.microsoft.QuickGelu"})
_PRODUCT_AND_SUM = "/MatMulAddFusion"  # the end of the name of a matrix product with a bias
_SUMS = ("Add", "Sum")
_SUMMAND = 3  # the input of a convolution that is added to its result


def is_reorder(kernel: Kernel) -> bool:
    """Whether a kernel only changes the layout of a value, which onnxruntime added."""
    return kernel.operator in _REORDERS


def numbers_in(name: str) -> list[int]:
    """The numbers of the nodes whose names a kernel's name holds."""
    return [int(number) for number in _MARKED_NODE.findall(name)]


def label(kernels: Sequence[Kernel], origins: Origins) -> dict[str, str]:
    """The values of the model by those of the optimised graph."""
    labels: dict[str, str] = {}
    names = {name for kernel in kernels for name in (*kernel.inputs, *kernel.outputs) if name}
    for name in names:
        if (value := _named(name, origins)) is not None:
            labels[name] = value
    for kernel in kernels:
        made = kernel.outputs[0] if kernel.outputs else ""
        if made and made not in labels and (value := _made_by(kernel, labels, origins)):
            labels[made] = value
    for kernel in reversed(kernels):
        if is_reorder(kernel) and kernel.outputs[0] in labels:
            labels.setdefault(kernel.inputs[0], labels[kernel.outputs[0]])
    return labels


def _made_by(kernel: Kernel, labels: dict[str, str], origins: Origins) -> str | None:
    """The value of the model that a kernel's first output is, whatever its name."""
    if is_reorder(kernel):
        return labels.get(kernel.inputs[0])
    if kernel.operator.startswith(_BLOCKED) and (found := _BLOCKED_NAME.fullmatch(kernel.name)):
        return _behind_fusions(kernel, _named(found[1], origins), labels, origins)
    numbers = numbers_in(kernel.name)
    if not numbers or numbers[-1] >= len(origins.nodes):
        return None
    node = origins.nodes[numbers[-1]]
    if not node.outputs:
        return None
    if kernel.operator in (node.operator, *_NAMED_BY_LAST):
        return node.outputs[0]
    if kernel.name.endswith(_PRODUCT_AND_SUM):
        return _sum(node.outputs[0], None, origins)
    return None


def _named(name: str, origins: Origins) -> str | None:
    """The value that a name tells of."""
    if name in origins.fixed:
        return name
    found = _MARKED_VALUE.search(name)
    return origins.meant.get(found[0], found[0]) if found else None


def _behind_fusions(
    kernel: Kernel, value: str | None, labels: dict[str, str], origins: Origins
) -> str | None:
    """What a blocked convolution makes, that was named before a sum and an activation joined it."""
    if value is None:
        return None
    maker = origins.makers.get(value)
    made_by = origins.nodes[maker].operator if maker is not None else ""
    if len(kernel.inputs) > _SUMMAND and kernel.inputs[_SUMMAND] and made_by not in _SUMS:
        added = _sum(value, labels.get(kernel.inputs[_SUMMAND]), origins)
        if added is not None:
            value, made_by = added, _SUMS[0]
    if kernel.activation and made_by != kernel.activation:
        found = origins.reading(value, [kernel.activation])
        if len(found) == 1:
            value = found[0].outputs[0]
    return value


def _sum(value: str, other: str | None, origins: Origins) -> str | None:
    """The sum of two values."""
    sums = (node for node in origins.reading(value, _SUMS) if other is None or other in node.inputs)
    return next((node.outputs[0] for node in sums), None)
