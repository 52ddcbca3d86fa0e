"""The attributes of operators as text, without what goes without saying."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np
from google.protobuf.message import Message
from onnx import GraphProto, SparseTensorProto, TensorProto, defs, numpy_helper

from archlint.analyzer.dims import Dim
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.nodes import value_of
from archlint.analyzer.text import safe

Attributes = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""

_MOST_NUMBERS = 12  # of a list that is shown; what follows is told apart by a hash
_MOST_CHARACTERS = 80
# Constant inputs that are attributes in earlier operator sets, by operator and index.
WERE_ATTRIBUTES: Final[dict[str, dict[int, str]]] = {
    "Clip": {1: "min", 2: "max"}, "CumSum": {1: "axis"}, "Pad": {1: "pads"}, "Split": {1: "split"},
    "Squeeze": {1: "axes"}, "TopK": {1: "k"}, "Unsqueeze": {1: "axes"}, "ReduceL1": {1: "axes"},
    "ReduceL2": {1: "axes"}, "ReduceLogSum": {1: "axes"}, "ReduceLogSumExp": {1: "axes"},
    "ReduceMax": {1: "axes"}, "ReduceMean": {1: "axes"}, "ReduceMin": {1: "axes"},
    "ReduceProd": {1: "axes"}, "ReduceSum": {1: "axes"}, "ReduceSumSquare": {1: "axes"},
}  # fmt: skip
# What stands for nothing where all numbers are this one.
_NEUTRAL: Final = {"pads": 0, "output_padding": 0, "strides": 1, "dilations": 1, "group": 1}
_KERNELS: Final = frozenset({"Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "FusedConv"})
_OF_TRAINING: Final = frozenset({"momentum", "spatial"})  # those of BatchNormalization
_WITH_TYPES: Final = frozenset({"to", "dtype", "output_dtype", "output_datatype"})
_TYPES: Final = {
    number: {"FLOAT": "float32", "DOUBLE": "float64"}.get(name, name.lower())
    for name, number in TensorProto.DataType.items()
}


def attributes_of(graph: Graph, node: Node) -> Attributes:
    """The attributes that differ from their defaults, but for graphs.

    Small constant inputs that earlier operator sets have as attributes are among them, and axes are
    counted from the first one, so that the same operator reads the same in other operator sets.
    """
    given = given_of(graph, node)
    if not node.attributes and not given:
        return ()
    defaults = _defaults(node.op_type, node.domain, graph.opset)
    rank, kernel = rank_of(graph, node), _kernel(graph, node)
    found: dict[str, str] = {}
    for name, written in (*_padded(node.attributes, kernel).items(), *given):
        value = list(written) if isinstance(written, tuple) else written
        if isinstance(value, GraphProto) and node.id in graph.bodies:
            continue
        value, default = (_counted(name, v, rank) for v in (value, defaults.get(name)))
        if value == default or _is_implied(node, name, value, kernel):
            continue
        found[_word(name)] = _shown(name, value)
    return tuple(sorted(found.items()))


def type_name(dtype: int) -> str:
    """A data type of ONNX as numpy calls it; ``?`` where it is unknown."""
    return _TYPES.get(dtype, "?") if dtype else "?"


def given_of(graph: Graph, node: Node) -> tuple[tuple[str, Any], ...]:
    """The constant inputs that earlier operator sets have as attributes."""
    places = WERE_ATTRIBUTES.get(node.op_type)
    if places is None or node.domain:
        return ()
    found: list[tuple[str, Any]] = []
    for index, name in places.items():
        value = graph.values.get(node.input(index))
        if value is None or not value.constant or value.data is None:
            continue
        numbers = value.data.reshape(-1).tolist()
        scalar = name not in ("axes", "pads", "split") and len(numbers) == 1
        found.append((name, numbers[0] if scalar else tuple(numbers)))
    return tuple(found)


@lru_cache(maxsize=4096)  # the operators of a network are few
def _defaults(op_type: str, domain: str, opset: int) -> Mapping[str, Any]:
    """What the schema says of attributes that are left out."""
    try:
        newest = defs.onnx_opset_version()
        version = min(opset, newest) if not domain else newest
        schema = defs.get_schema(op_type, version, domain)
    except defs.SchemaError:
        return {}
    return {
        name: value_of(attribute.default_value)
        for name, attribute in schema.attributes.items()
        if attribute.default_value.name
    }


def rank_of(graph: Graph, node: Node) -> int | None:
    """How many axes the attributes of a node count; None if that is unknown."""
    name = node.output(0) if node.op_type == "Unsqueeze" else node.input(0)
    shape = graph.value(name).shape
    return None if shape is None else len(shape)


def _padded(attributes: Mapping[str, Any], kernel: Sequence[Dim] | None) -> Mapping[str, Any]:
    """The attributes with the pads that ``auto_pad`` stands for, where no size of an input decides
    them: at stride 1, and where there are none."""
    sizes = attributes.get("kernel_shape") or kernel
    manner = attributes.get("auto_pad")
    if manner not in ("VALID", "SAME_UPPER", "SAME_LOWER") or sizes is None:
        return attributes
    others = {name: value for name, value in attributes.items() if name not in ("auto_pad", "pads")}
    if manner == "VALID":
        return others
    spread = attributes.get("dilations") or [1] * len(sizes)
    strides = attributes.get("strides") or []
    totals = [d * (k - 1) for d, k in zip(spread, sizes, strict=False) if isinstance(k, int)]
    if len(totals) < len(sizes) or any(total % 2 for total in totals) or set(strides) - {1}:
        return attributes
    return {**others, "pads": [total // 2 for total in totals] * 2}


def _kernel(graph: Graph, node: Node) -> list[Dim] | None:
    if node.op_type not in _KERNELS:
        return None
    weight = graph.value(node.input(3 if node.op_type == "QLinearConv" else 1))
    return list(weight.shape[2:]) if weight.constant and weight.shape is not None else None


def _counted(name: str, value: Any, rank: int | None) -> Any:
    """An axis or axes counted from the first one, any other attribute as it is."""
    if rank is not None:
        if name == "axis" and isinstance(value, int) and -rank <= value < 0:
            return value + rank
        if name == "axes" and isinstance(value, list) and all(isinstance(v, int) for v in value):
            return sorted(v + rank if v < 0 else v for v in value)
    return value


def _is_implied(node: Node, name: str, value: Any, kernel: Sequence[Dim] | None) -> bool:
    if name in _NEUTRAL:
        numbers = value if isinstance(value, list) else [value]
        return all(number == _NEUTRAL[name] for number in numbers)
    if name == "kernel_shape":
        return bool(value == kernel)
    if name in _OF_TRAINING:
        return node.op_type == "BatchNormalization"
    # torch's dynamo exporter writes allowzero at every Reshape; it matters to empty tensors alone.
    return name == "allowzero" or (name == "auto_pad" and value in ("NOTSET", ""))


def _shown(name: str, value: Any) -> str:
    if name in _WITH_TYPES and isinstance(value, int):
        return _TYPES.get(value, str(value))
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, Message):
        return _message(value)
    return _number(value) if isinstance(value, int | float) else _word(str(value))


def _list(values: Sequence[Any]) -> str:
    parts = [_shown("", value) for value in values[:_MOST_NUMBERS]]
    text = ",".join(parts)
    if len(values) <= _MOST_NUMBERS and len(text) <= 2 * _MOST_CHARACTERS:
        return text
    rest = hashlib.sha256("\0".join(_raw(values)).encode(errors="backslashreplace"))
    return f"{parts[0]},…{len(values)}~{rest.hexdigest()[:8]}"


def _raw(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield _message(value) if isinstance(value, Message) else repr(value)


def _message(value: Message) -> str:
    """A tensor by its type and shape, or by its number if it holds one; else what it is."""
    if isinstance(value, TensorProto):
        dims = "x".join(map(str, value.dims)) or "scalar"
        return _single(value) or f"{type_name(value.data_type)}[{dims}]"
    if isinstance(value, SparseTensorProto):
        return f"sparse[{'x'.join(map(str, value.dims))}]"
    return type(value).__name__.removesuffix("Proto").lower()


def _single(tensor: TensorProto) -> str:
    """The only number of a tensor; empty where it has others, or cannot be read."""
    if prod(tensor.dims) != 1 or tensor.data_location == TensorProto.EXTERNAL:
        return ""
    try:
        number = numpy_helper.to_array(tensor).reshape(-1)[0].item()
    except (ValueError, TypeError, IndexError, KeyError, AttributeError):
        return ""
    return _number(number) if isinstance(number, int | float) else ""


def _number(number: float) -> str:
    """A number with no more digits than tell it from the next one of float32."""
    if isinstance(number, int):
        return str(int(number))
    with np.errstate(all="ignore"):
        return str(np.float32(number))


def _word(text: str) -> str:
    """Text of a model as one word; of a long one the beginning and a hash."""
    whole = safe(text, len(text) * 10 + _MOST_CHARACTERS).replace(" ", "\\x20")
    if len(whole) <= _MOST_CHARACTERS:
        return whole
    digest = hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:8]
    return f"{whole[: _MOST_CHARACTERS // 2]}…~{digest}"
