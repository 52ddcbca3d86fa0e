"""Count a graph: the cost of every node, its parameters, and totals over any set of nodes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod

from archlint.analyzer.cost import attention as _attention  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import contrib as _contrib  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import contrib_attention as _contrib_attention  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import contrib_experts as _contrib_experts  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import contrib_maps as _contrib_maps  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import contrib_products as _contrib_products  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import contrib_recurrent as _contrib_recurrent  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import contrib_unknown as _contrib_unknown  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import conv as _conv  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import detection as _detection  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import elementwise as _elementwise  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import learning as _learning  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import matmul as _matmul  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import movement as _movement  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import normalization as _normalization  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import pooling as _pooling  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import quantized as _quantized  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import recurrent as _recurrent  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import sequences as _sequences  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import signals as _signals  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import strings as _strings  # noqa: F401 - registers its formulas
from archlint.analyzer.cost import training as _training  # noqa: F401 - registers its formulas
from archlint.analyzer.cost.base import HANDLERS, Cost, Handler, UnknownCost, View, Work, total
from archlint.analyzer.cost.parameters import Parameters, find_parameters
from archlint.analyzer.cost.table import CostTable, Group, Inner, Row, dearness
from archlint.analyzer.dims import Cause, causes_of
from archlint.analyzer.graph import Body, Graph, Node, Value
from archlint.analyzer.likeness import signature
from archlint.analyzer.shapes.context import CONTRADICTIONS

__all__ = ["Cost", "CostTable", "Group", "Inner", "Row", "count"]

# Where the operands of a product are not the first two inputs.
_OPERANDS = {
    "QLinearConv": (0, 3), "QLinearMatMul": (0, 3), "com.microsoft.QLinearConv": (0, 3),
    "com.microsoft.QGemm": (0, 3), "com.ms.internal.nhwc.QLinearConv": (0, 3),
    "com.ms.internal.nhwc.QLinearConvTranspose": (0, 3), "com.microsoft.QOrderedMatMul": (0, 2),
    "com.microsoft.QOrderedAttention": (0, 5),
}  # fmt: skip
_DEQUANTIZING = frozenset({"DequantizeLinear", "com.microsoft.DequantizeLinear"})


def count(graph: Graph) -> CostTable:
    """The cost of every node of a graph whose shapes and operator are known."""
    return _count(graph, {})


def _count(graph: Graph, counted: dict[int, CostTable]) -> CostTable:
    """The table of a graph; a body that is called from several places is counted once."""
    if id(graph) in counted:
        return counted[id(graph)]
    tables = {
        place: [(body, _count(body.graph, counted)) for body in bodies]
        for place, bodies in graph.bodies.items()
    }
    parameters = find_parameters(
        graph, {at: [(b, table.parameters) for b, table in parts] for at, parts in tables.items()}
    )
    inner = {place: _chosen(parts) for place, parts in tables.items()}
    costs: dict[int, Cost] = {}
    uncosted: dict[int, frozenset[Cause]] = {}
    alike: dict[Hashable, Cost] = {}
    for node in graph.nodes:
        try:
            if node.id in inner:
                costs[node.id] = _of_bodies(node, inner[node.id])
            else:
                costs[node.id] = _of_node(graph, node, parameters, alike)
        except UnknownCost as unknown:
            uncosted[node.id] = unknown.causes
    table = counted[id(graph)] = CostTable(graph, costs, uncosted, parameters, inner)
    return table


def _chosen(parts: Sequence[tuple[Body, CostTable]]) -> tuple[Inner, ...]:
    """The bodies of a node; of those of which only one runs the dearest is counted."""
    dearest = max(parts, key=lambda part: dearness(part[1].total()))
    return tuple(
        Inner(body, table, not body.alternative or body is dearest[0]) for body, table in parts
    )


def _of_bodies(node: Node, parts: Sequence[Inner]) -> Cost:
    """The cost of what a node runs, times its trips."""
    for part in parts:
        if part.trips is None:
            trip = part.table.total()
            each = f"each trip costs {trip.macs:,} MACs and {trip.ops:,} other operations"
            causes = causes_of((part.body.trips,))
            raise UnknownCost(frozenset(Cause(f"{c.why}: {each}", c.remedy) for c in causes))
    return total(part.table.total() * (part.trips or 0) for part in parts if part.counted)


def _of_node(graph: Graph, node: Node, parameters: Parameters, alike: dict[Hashable, Cost]) -> Cost:
    """The cost of an operator; ``alike`` are those of operators counted before, by what decides
    them."""
    inputs = graph.input_values(node)
    outputs = tuple([graph.value(name) for name in node.outputs if name])
    key = signature(node, inputs)
    if key is not None:
        # The bytes behind weights, and the integers behind operands, may differ all the same.
        behind = tuple([_behind(graph, value, parameters) for value in inputs if value])
        key = key, behind, tuple([(value.dtype, value.shape) for value in outputs])
        if key in alike:
            return alike[key]
    cost = _counted(graph, View(node, inputs, outputs), parameters)
    if key is not None:
        alike[key] = cost
    return cost


def _behind(graph: Graph, value: Value, parameters: Parameters) -> Hashable:
    """What stands behind an input and decides the cost of what reads it."""
    maker = graph.producer(value.name)
    if maker is None:
        return None
    stored = parameters.stored_bytes(value.name) if value.constant else None
    if maker.operator in _DEQUANTIZING:
        return graph.value(maker.input(0)).dtype, stored
    return stored


def _counted(graph: Graph, view: View, parameters: Parameters) -> Cost:
    handler = HANDLERS.get(view.node.operator)
    if handler is None:
        known = frozenset().union(*(value.causes for value in view.outputs))
        raise UnknownCost(known or view.because("archlint has no formula for it"))
    try:
        work = handler.formula(view)
    except CONTRADICTIONS as error:
        raise UnknownCost(view.because(f"its shapes contradict its formula ({error})")) from error
    if work.macs < 0 or any(number < 0 for number in work.ops.values()):
        raise UnknownCost(view.because("its shapes contradict its formula"))
    ops = tuple(sorted([(family, number) for family, number in work.ops.items() if number]))
    bits = (work.bits or _integer_bits(graph, view)) if work.macs else 0
    integers: tuple[tuple[int, int], ...] = ()
    if bits:
        integers = ((bits, work.macs if work.integer_macs is None else work.integer_macs),)
    if not work.moves:
        return Cost(work.macs, ops, integer_macs=integers)
    read, written, weights = _moved(view, handler, work, parameters)
    return Cost(work.macs, ops, read, written, weights, integers)


def _integer_bits(graph: Graph, view: View) -> int:
    """The bits of the wider operand of products of integers, 0 if they are products of floats.

    The operands are data and weights: a runtime works on the integers that both of them are
    dequantised from.
    """
    operands = []
    for index in _OPERANDS.get(view.node.operator, (0, 1)):
        value = view.inputs[index] if index < len(view.inputs) else None
        if value is None:
            return 0
        maker = graph.producer(value.name) if value.is_float else None
        if maker is not None and maker.operator in _DEQUANTIZING:
            value = graph.value(maker.input(0))
        if value.is_float or value.bits is None:
            return 0
        operands.append(value.bits)
    return max(operands)


def _moved(
    view: View, handler: Handler, work: Work, parameters: Parameters
) -> tuple[int, int, int]:
    """Bytes of activations read and written, and of weights read."""
    read = weights = written = 0
    for index, value in enumerate(view.inputs):
        if value is None or (value.constant and handler.role(index) == "s"):
            continue
        size = _bytes(view, value, work.reads.get(index))
        if value.constant:
            weights += min(size, parameters.stored_bytes(value.name) or size)
        else:
            read += size
    constant = True
    for value in view.outputs:
        if not value.constant:
            constant = False
            written += _bytes(view, value)
    return read, written, 0 if constant and not work.macs else weights


def _bytes(view: View, value: Value, elements: int | None = None) -> int:
    if value.element is not None:
        if value.items is None:
            raise UnknownCost(view.because("how many items its sequence has depends on the data"))
        return sum(_bytes(view, item) for item in value.items)
    size = value.bytes_of(prod(view.static(value)) if elements is None else elements)
    if size is None:
        raise UnknownCost(view.because(f"elements of '{value.name}' have no fixed size"))
    return size
