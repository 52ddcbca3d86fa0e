"""A graph as lines of text, and what two versions of it do not have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    SparseTensorProto,
    TensorProto,
    TypeProto,
)

from archlint.analyzer.graph import operator_name
from archlint.analyzer.line_diff import hunks
from archlint.analyzer.nodes import ai_onnx_is_empty, value_of
from archlint.analyzer.text import plural, safe

_NAME = 120  # columns of a name
_ITEMS = 16  # of a list
_TYPES = {number: name.lower() for name, number in TensorProto.DataType.items()}
_TYPES |= {TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is shown, and what of it is too long for that: lines that differ there alone are
    not the same."""

    text: str
    cut: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def diff_text(
    before: ModelProto, after: ModelProto, path: str, changed: Collection[str] = ()
) -> str:
    """The unified diff of two versions of a model's graph; empty where their texts are the same.

    ``changed`` are the constants whose elements are new while their names and dims are not.
    """
    found = [*hunks([*graph_lines(before.graph)], [*graph_lines(after.graph, changed)])]
    head = [f"--- a/{safe(path)}", f"+++ b/{safe(path)}"] if found else []
    return "".join(f"{line}\n" for line in (*head, *found))


def graph_lines(
    graph: GraphProto, changed: Collection[str] = (), indent: str = ""
) -> Iterator[Line]:
    """A line for each input, initializer, node and output, in the file's order; the bodies that a
    node runs follow it, further in."""
    for entry in graph.input:
        line = _Text()
        yield line.of(f"{indent}input {line.type(entry.type)} {line.name(entry.name)}")
    for tensor in graph.initializer:
        line = _Text()
        text = f"{indent}{line.tensor(tensor)} {line.name(tensor.name)}"
        yield line.of(text, is_new=tensor.name in changed)
    for sparse in graph.sparse_initializer:
        line = _Text()
        text = f"{indent}{line.sparse(sparse)} {line.name(sparse.values.name)}"
        yield line.of(text, is_new=sparse.values.name in changed)
    for node in graph.node:
        line = _Text()
        is_new = node.op_type == "Constant" and any(name in changed for name in node.output)
        yield line.of(f"{indent}{line.node(node)}", is_new=is_new)
        for attribute in node.attribute:
            for body in (attribute.g, *attribute.graphs) if _is_body(attribute) else ():
                yield from graph_lines(body, (), f"{indent}    ")
    for entry in graph.output:
        line = _Text()
        yield line.of(f"{indent}output {line.type(entry.type)} {line.name(entry.name)}")


def _is_body(attribute: AttributeProto) -> bool:
    return attribute.HasField("g") or bool(attribute.graphs)


@dataclass(slots=True)
class _Text:
    """Parts of one line, with what of them is cut off."""

    cut: list[str] = field(default_factory=list)

    def of(self, text: str, *, is_new: bool = False) -> Line:
        """The line of these parts."""
        return Line(f"{text} (new values)" if is_new else text, tuple(self.cut))

    def name(self, name: str) -> str:
        """A name as it may stand anywhere."""
        shown = safe(name, _NAME)
        if shown.endswith("…"):
            self.cut.append(name)
        return shown

    def listed(self, items: Sequence[str], comma: str = ", ") -> str:
        """Items with commas between them, of a long list the first ones."""
        if len(items) <= _ITEMS:
            return comma.join(items)
        self.cut += items[_ITEMS:]
        return comma.join((*items[:_ITEMS], f"… {len(items):,} in all"))

    def dims(self, dims: Sequence[str]) -> str:
        """Dims as a shape is written."""
        return f"[{self.listed(dims, ',')}]"

    def tensor(self, tensor: TensorProto) -> str:
        """The type and dims of a tensor."""
        return f"{_element(tensor.data_type)}{self.dims([*map(str, tensor.dims)])}"

    def sparse(self, sparse: SparseTensorProto) -> str:
        """Those of a sparse one."""
        dims = self.dims([*map(str, sparse.dims)])
        return f"sparse {_element(sparse.values.data_type)}{dims}"

    def type(self, value: TypeProto) -> str:
        """The type of a value, with its dims where they are declared."""
        kind = value.WhichOneof("value")
        if kind in ("sequence_type", "optional_type"):
            inner: TypeProto = getattr(value, kind).elem_type
            return f"{kind.removesuffix('_type')}({self.type(inner)})"
        if kind == "map_type":
            held = value.map_type
            return f"map({_element(held.key_type)}, {self.type(held.value_type)})"
        if kind not in ("tensor_type", "sparse_tensor_type"):
            return "?"
        declared = getattr(value, kind)
        sparse = "sparse " if kind == "sparse_tensor_type" else ""
        text = f"{sparse}{_element(declared.elem_type)}"
        if not declared.HasField("shape"):
            return text
        dims = [
            str(dim.dim_value) if dim.HasField("dim_value") else self.name(dim.dim_param) or "?"
            for dim in declared.shape.dim
        ]
        return f"{text}{self.dims(dims)}"

    def node(self, node: NodeProto) -> str:
        """A node as a call, with its attributes by name."""
        inputs, outputs = (
            self.listed([*map(self.name, names)]) for names in (node.input, node.output)
        )
        operator = self.name(operator_name(ai_onnx_is_empty(node.domain), node.op_type))
        given = sorted(node.attribute, key=lambda attribute: attribute.name)
        attributes = ", ".join(f"{self.name(one.name)}={self.attribute(one)}" for one in given)
        text = f"{outputs} = {operator}({inputs})"
        text += f" {{{attributes}}}" if given else ""
        return f"{text}  # {self.name(node.name)}" if node.name else text

    def attribute(self, attribute: AttributeProto) -> str:
        """What an attribute holds."""
        if attribute.ref_attr_name:
            return f"@{self.name(attribute.ref_attr_name)}"
        value = value_of(attribute)
        if isinstance(value, list):
            return f"[{self.listed([*map(self.item, value)])}]"
        return self.item(value)

    def item(self, value: object) -> str:
        """One value: messages by what they are."""
        if isinstance(value, float):
            return str(np.float32(value))
        if isinstance(value, str):
            return f'"{self.name(value)}"'
        if isinstance(value, TensorProto):
            return self.tensor(value)
        if isinstance(value, SparseTensorProto):
            return self.sparse(value)
        if isinstance(value, GraphProto):
            return f"graph of {plural(len(value.node), 'node')}"
        return self.type(value) if isinstance(value, TypeProto) else str(value)


def _element(data_type: int) -> str:
    return _TYPES.get(data_type, f"type {data_type}")
