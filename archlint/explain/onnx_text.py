"""Models as ONNX text that a person reads, and that onnx's parser takes back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from math import prod
from textwrap import dedent

from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    TypeProto,
    helper,
    numpy_helper,
    printer,
)

from archlint.analyzer.builder import IR_VERSION, OPSET

_WIDTH = 80
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_HEADER = f'<ir_version: {IR_VERSION}, opset_import: ["" : {OPSET}]>'
_NUMBERS = {  # data types whose numbers the parser reads as Python writes them
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT8, TensorProto.INT16, TensorProto.INT32,
    TensorProto.INT64, TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32,
}  # fmt: skip


def tidied(text: str) -> str:
    """ONNX text as it stands in a Python source, with a header, without the source's indentation
    and its longest lines."""
    head, newline, rest = text.strip().partition("\n")
    lines = f"{head}{newline}{dedent(rest)}".splitlines()
    if not text.lstrip().startswith("<"):
        lines.insert(0, _HEADER)
    return "\n".join(part for line in lines for part in _broken(line))


def _broken(line: str) -> Iterator[str]:
    """A line in parts that fit, broken behind commas that no quotes or brackets enclose, where
    there are some between its entries rather than between numbers."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    while len(line) > _WIDTH:
        commas = [found.end() for found in re.finditer(",", line) if _is_free(line[: found.end()])]
        fitting = [place for place in commas if len(indent) < place <= _WIDTH]
        between = [place for place in fitting if line[place : place + 1] == " "]
        place = max(between or fitting, default=0)
        if not place:
            break
        yield line[:place]
        line = indent + line[place:].lstrip()
    yield line


def _is_free(before: str) -> bool:
    """Whether what stands before a place leaves no quotes and no brackets open."""
    return before.count('"') % 2 == 0 and before.count("[") == before.count("]")


def to_text(model: ModelProto) -> str:
    """The model as ONNX text, as short as it can be written."""
    graph = model.graph
    unusual = model.functions or graph.sparse_initializer
    if unusual or not all(map(_is_plain, graph.initializer)):
        return printer.to_text(model).strip()
    imports = ", ".join(f"{_string(o.domain)} : {o.version}" for o in model.opset_import)
    inputs = ", ".join(_declared(v.type, v.name) for v in graph.input)
    outputs = ", ".join(_declared(v.type, v.name) for v in graph.output)
    head = f"{graph.name or 'agraph'} ({inputs}) => ({outputs})"
    values = ", ".join(_values(graph))
    lines = [f"<ir_version: {model.ir_version}, opset_import: [{imports}]>", *_broken(head)]
    if values:
        lines += _broken(f"<{values}>")
    lines[-1] += " {"
    lines += [part for node in graph.node for part in _broken(f"    {_node(node)}")]
    return "\n".join([*lines, "}"])


def _is_plain(tensor: TensorProto) -> bool:
    """Whether it has the numbers that its dims ask for, and the parser reads them."""
    stored = len(tensor.raw_data) or any(
        len(field) == prod(tensor.dims)
        for field in (tensor.float_data, tensor.double_data, tensor.int32_data, tensor.int64_data)
    )
    return tensor.data_type in _NUMBERS and not tensor.external_data and bool(stored)


def _values(graph: GraphProto) -> Iterator[str]:
    """The initializers with their numbers, and what is only declared."""
    for value in graph.value_info:
        yield _declared(value.type, value.name)
    for tensor in graph.initializer:
        kind = _shaped(tensor.data_type, map(str, tensor.dims))
        numbers = ",".join(map(str, numpy_helper.to_array(tensor).reshape(-1).tolist()))
        yield f"{kind} {_name(tensor.name)} = {{{numbers}}}"


def _declared(kind: TypeProto, name: str) -> str:
    """A value with its type, where that is one of a tensor that can be written."""
    tensor = kind.tensor_type
    if not tensor.elem_type:
        return _name(name)
    if not tensor.HasField("shape"):
        return f"{_element(tensor.elem_type)}[] {_name(name)}"
    dims = (str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?"
            for d in tensor.shape.dim)  # fmt: skip
    return f"{_shaped(tensor.elem_type, dims)} {_name(name)}"


def _shaped(element: int, dims: Iterable[str]) -> str:
    listed = ",".join(dims)
    return f"{_element(element)}[{listed}]" if listed else _element(element)


def _element(number: int) -> str:
    return helper.tensor_dtype_to_string(number).removeprefix("TensorProto.").lower()


def _node(node: NodeProto) -> str:
    written = [_attribute(attribute) for attribute in node.attribute]
    if None in written:  # a tensor or a graph
        return printer.to_text(node).strip()
    name = f"[{_name(node.name)}] " if node.name else ""
    operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    attributes = f" <{', '.join(text for text in written if text)}>" if written else ""
    outputs, inputs = (", ".join(map(_name, names)) for names in (node.output, node.input))
    return f"{name}{outputs} = {operator}{attributes} ({inputs})"


def _attribute(attribute: AttributeProto) -> str | None:
    """An attribute whose type the parser finds out by its value; None where it could not."""
    match attribute.type:
        case AttributeProto.INT:
            text = str(attribute.i)
        case AttributeProto.FLOAT:
            text = _float(attribute.f)
        case AttributeProto.STRING:
            text = _string(attribute.s.decode())
        case AttributeProto.INTS if attribute.ints:
            text = f"[{','.join(map(str, attribute.ints))}]"
        case AttributeProto.FLOATS if attribute.floats:
            text = f"[{','.join(map(_float, attribute.floats))}]"
        case _:
            return None
    return None if attribute.ref_attr_name else f"{attribute.name} = {text}"


def _float(number: float) -> str:
    """As short as single precision has it, and never an integer."""
    text = f"{number:.7g}"
    return text if re.search(r"[.en]", text) else f"{text}.0"


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
