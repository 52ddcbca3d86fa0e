"""From a counted graph to its architecture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping
from dataclasses import replace

from archlint.analyzer.algorithms import Peak
from archlint.analyzer.blocks import block_names
from archlint.analyzer.compare.architecture import Architecture, Operation, Totals
from archlint.analyzer.compare.attributes import attributes_of, type_name
from archlint.analyzer.compare.keys import TypeClass, shape_text, type_class, weights_of
from archlint.analyzer.compare.order import in_walk, places, reads
from archlint.analyzer.cost import CostTable
from archlint.analyzer.dims import Shape, SymbolicDim
from archlint.analyzer.graph import Node, Value

__all__ = ["architecture", "places"]

_HEX = 6  # digits that tell bodies of one name apart
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_EXPRESSION = re.compile(r"[\w+*/%(),. -]+", re.ASCII)
_FUNCTIONS = frozenset({"blocks", "ceil", "floor", "frames", "max", "min", "slice", "window"})


def architecture(costs: CostTable, peak: Peak, file_bytes: int, digest: str = "") -> Architecture:
    """The architecture of a model, with all bodies that its nodes run, each distinct one once.

    ``digest`` is the SHA-256 of its file.
    """
    dims = frozenset(
        dim.label
        for name in costs.graph.inputs
        for dim in costs.graph.value(name).shape or ()
        if isinstance(dim, SymbolicDim) and _WORD.fullmatch(dim.label)
    )
    builder = _Builder(dims)
    whole = builder.of(costs)
    names = builder.names()
    totals = replace(
        whole.totals,
        file_bytes=file_bytes,
        peak_activation_bytes=None if peak.unknown else peak.bytes,
        weight_bytes=_weight_bytes(costs),
        unknown=len(costs.unknown),
    )
    bodies = {names[key]: _named(body, names) for key, body in builder.bodies.items()}
    return replace(
        _named(whole, names), totals=totals, digest=digest, bodies=dict(sorted(bodies.items()))
    )


class _Builder:
    """The architectures of graphs, in which bodies are named by hashes of what they are.

    ``dims`` are the names of dims that the inputs of the model have.
    """

    def __init__(self, dims: frozenset[str]) -> None:
        self.bodies: dict[str, Architecture] = {}
        self._dims = dims
        self._bases: dict[str, str] = {}
        self._hashes: dict[int, str] = {}
        self._shapes: dict[Shape | None, str] = {}

    def of(self, table: CostTable, *, named: bool = True) -> Architecture:
        """The architecture of one graph; within a body exporters call values as they like, so that
        inputs and outputs are not ``named``."""
        graph = table.graph
        operations = tuple(_Operations(table, self).all())
        unknown = sum(operation.macs is None for operation in operations)
        macs = None if unknown and not table.costs else table.total().macs
        totals = Totals(macs, table.parameter_count, None, None, None, len(operations), unknown)
        inputs, outputs = (
            tuple(self._interface(graph.value(name), named=named) for name in names)
            for names in (graph.inputs, graph.outputs)
        )
        return Architecture(operations, inputs, outputs, totals)

    def run_by(self, table: CostTable, node: Node) -> tuple[str, ...]:
        """Hashes of the bodies that a node runs, but for what the standard says it is."""
        found: dict[str, None] = {}
        for inner in table.inner.get(node.id, ()):
            if inner.body.actual is not None and not node.domain:
                continue
            key = self._hashes.get(id(inner.table))
            if key is None:
                body = self.of(inner.table, named=False)
                key = self._hashes[id(inner.table)] = _hash(body)
                base = node.operator
                if inner.body.actual is None:
                    base += f".{inner.body.name.partition(' ')[0]}"
                self.bodies.setdefault(key, body)
                self._bases.setdefault(key, base)
            found[key] = None
        return tuple(found)

    def names(self) -> Mapping[str, str]:
        """A name of each body by its hash, which is a part of it where several are called alike."""
        count: dict[str, int] = {}
        for base in self._bases.values():
            count[base] = count.get(base, 0) + 1
        return {
            key: base if count[base] == 1 else f"{base}~{key[:_HEX]}"
            for key, base in self._bases.items()
        }

    def shape(self, shape: Shape | None) -> str:
        """A shape as text; a dim that no input names is unknown: its label tells of nodes."""
        text = self._shapes.get(shape)
        if text is None:
            text = "?"
            if shape is not None:
                text = "x".join(map(self._dim, shape)) or "scalar"
            self._shapes[shape] = text
        return text

    def _dim(self, dim: int | SymbolicDim) -> str:
        if isinstance(dim, int):
            return str(dim)
        plain = _EXPRESSION.fullmatch(dim.label) is not None
        if plain and self._dims.union(_FUNCTIONS).issuperset(_WORD.findall(dim.label)):
            return dim.label.replace(" ", "")
        return "?"

    def _interface(self, value: Value, *, named: bool) -> str:
        name = f"{value.name} " if named else ""
        if value.element is not None:
            return f"{name}sequence of {self._typed(value.element)}"
        return f"{name}{self._typed(value)}"

    def _typed(self, value: Value) -> str:
        return f"{type_name(value.dtype)} {self.shape(value.shape)}"


class _Operations:
    """The operations of one graph, parameters and outer values as far as they are met."""

    def __init__(self, table: CostTable, builder: _Builder) -> None:
        self._table, self._graph, self._builder = table, table.graph, builder
        graph = table.graph
        self._sources = {name: -1 - place for place, name in enumerate(graph.inputs)}
        self._blocks: Mapping[int, str] = {}
        if not any(node.scope for node in graph.nodes):
            self._blocks = block_names(graph)
        self._owned: set[str] = set()
        self._alike: dict[Hashable, str] = {}

    def all(self) -> list[Operation]:
        """The operations in the order of the walk; what they read is before them."""
        graph, found = self._graph, []
        read_by = reads(graph)
        sources = self._sources
        for place, node in enumerate(in_walk(graph)):
            inputs = read_by.get(node.id, node.inputs)
            found.append(self._operation(node, self._read(inputs)))
            sources.update((name, place) for name in node.outputs if name)
        return found

    def _read(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Where the values are made; those around a body are its last inputs, as they are met."""
        found, sources, values = [], self._sources, self._graph.values
        for name in names:
            source = sources.get(name)
            if source is None:
                value = values.get(name)
                if not name or value is None or value.constant:
                    continue
                source = sources[name] = -1 - sum(place < 0 for place in sources.values())
            found.append(source)
        return tuple(found)

    def _operation(self, node: Node, inputs: tuple[int, ...]) -> Operation:
        graph, table, shape = self._graph, self._table, self._builder.shape
        cost = table.costs.get(node.id)
        names = table.parameters.of_node.get(node.id, frozenset()) - self._owned
        self._owned |= names
        return Operation(
            operator=node.operator,
            attributes=" ".join([f"{name}={text}" for name, text in attributes_of(graph, node)]),
            weights=tuple([shape_text(weights) for weights in weights_of(graph, node)]),
            shapes=tuple([shape(graph.value(name).shape) for name in node.outputs if name]),
            inputs=inputs,
            parameters=table.parameters.elements(names),
            macs=None if cost is None else cost.macs,
            scope=node.scope,
            label=node.label,
            floats=type_class(graph, node) is TypeClass.FLOAT,
            bodies=self._builder.run_by(table, node),
            block=self._blocks.get(node.id, ""),
        )


def _hash(body: Architecture) -> str:
    """A hash of what a body does, and at which sizes."""
    hashed = hashlib.sha256()
    for operation in body.operations:
        text = repr(replace(operation, scope=(), label="", block=""))
        hashed.update(text.encode(errors="backslashreplace"))
    hashed.update(repr((len(body.inputs), body.totals)).encode())
    return hashed.hexdigest()


def _named(whole: Architecture, names: Mapping[str, str]) -> Architecture:
    if not any(operation.bodies for operation in whole.operations):
        return whole
    operations = tuple(
        replace(o, bodies=tuple(names[key] for key in o.bodies)) if o.bodies else o
        for o in whole.operations
    )
    return replace(whole, operations=operations)


def _weight_bytes(costs: CostTable) -> int:
    """Bytes of the parameters and buffers as they are stored, shared ones once."""
    parameters = costs.parameters
    names = parameters.names.union(*parameters.buffers_of_node.values())
    sizes = (_bytes(parameters.stored(name)) for name in names)
    return sum(sizes)


def _bytes(value: Value) -> int:
    elements = value.elements
    return (value.bytes_of(elements) or 0) if isinstance(elements, int) else 0
