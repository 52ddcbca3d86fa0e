"""Activations that a graph writes as several operators where ONNX has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isclose

from archlint.analyzer.graph import Graph, Node, per_graph
from archlint.analyzer.linear_chains import sole_maker
from archlint.analyzer.patterns import Activation

_STEPS = 6  # operators of one activation; x·relu6(x + 3)/6 takes four, or five
HARD_SWISH = 14  # the opset from which ONNX has it
_CLIP_READS_BOUNDS = 11  # the opset from which its bounds are inputs


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """An activation of ``source``, and the nodes that write it, in topological order."""

    activation: Activation
    source: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class _Form:
    """clip(slope·x + shift, low, high), times x if it is gated."""

    source: str
    slope: float = 1.0
    shift: float = 0.0
    low: float = -inf
    high: float = inf
    gated: bool = False
    nodes: tuple[Node, ...] = field(default=(), compare=False)

    def scaled(self, factor: float) -> _Form:
        """It times a number."""
        low, high = sorted((self.low * factor, self.high * factor))
        slope, shift = self.slope * factor, self.shift * factor
        return _Form(self.source, slope, shift, low, high, self.gated, self.nodes)

    def shifted(self, number: float) -> _Form:
        """It plus a number."""
        low, high, shift = self.low + number, self.high + number, self.shift + number
        return _Form(self.source, self.slope, shift, low, high, self.gated, self.nodes)

    def clipped(self, low: float, high: float) -> _Form:
        """It between two bounds."""
        low, high = (min(max(bound, low), high) for bound in (self.low, self.high))
        return _Form(self.source, self.slope, self.shift, low, high, self.gated, self.nodes)

    def made_by(self, *nodes: Node, gated: bool = False) -> _Form:
        """It as what these nodes, and its own before them, compute."""
        gated, nodes = gated or self.gated, (*self.nodes, *nodes)
        return _Form(self.source, self.slope, self.shift, self.low, self.high, gated, nodes)

    @property
    def is_open(self) -> bool:
        """Whether nothing bounds it: a line."""
        return not self.gated and (self.low, self.high) == (-inf, inf)


@per_graph
def written_out(graph: Graph) -> Mapping[int, WrittenOut]:
    """The activations that are written as several operators, by the last of them, in topological
    order."""
    found: list[WrittenOut] = []
    inner: set[int] = set()
    for node in reversed(tuple(graph.operators())):
        if node.id not in inner and (whole := _leaky(graph, node) or _bounded(graph, node)):
            found.append(whole)
            inner.update(part.id for part in whole.nodes)
    return {whole.nodes[-1].id: whole for whole in reversed(found)}


def _leaky(graph: Graph, node: Node) -> WrittenOut | None:
    """max(x, alpha·x) with a slope below one."""
    if node.operator != "Max" or len(node.inputs) != 2:
        return None
    for source, other in (node.inputs, node.inputs[::-1]):
        scale = sole_maker(graph, other)
        form = None if scale is None else _step(graph, scale, 1)
        if form and form.source == source and form.is_open and form.shift == 0:
            nodes = (*form.nodes, node)
            if 0 < form.slope < 1:
                return WrittenOut(Activation("LeakyRelu", {"alpha": form.slope}), source, nodes)
    return None


def _bounded(graph: Graph, node: Node) -> WrittenOut | None:
    """clip(x), clip(slope·x + shift, 0, 1), and that times x."""
    form = _step(graph, node, _STEPS)
    if form is None:
        return None
    activation = _activation(form, graph.opset)
    if activation is None or len(form.nodes) == 1 or not graph.value(form.source).is_float:
        return None
    nodes = tuple(sorted(form.nodes, key=lambda part: part.id))
    return WrittenOut(activation, form.source, nodes)


def _activation(form: _Form, opset: int) -> Activation | None:
    slopes = {"alpha": form.slope, "beta": form.shift}
    if isclose(form.low, 0, abs_tol=1e-6) and isclose(form.high, 1, rel_tol=1e-5):
        if not form.gated:
            return Activation("HardSigmoid", slopes)
        usual = isclose(form.slope, 1 / 6, rel_tol=1e-5) and isclose(form.shift, 0.5, rel_tol=1e-5)
        if usual:
            slopes = {} if opset >= HARD_SWISH else {"alpha": 1 / 6, "beta": 0.5}
        return Activation("HardSwish", slopes)
    if form.gated or (form.slope, form.shift) != (1, 0) or not _takes_extremes(form):
        return None
    bounds = {"min": form.low, "max": form.high}
    if opset < _CLIP_READS_BOUNDS:
        return Activation("Clip", {k: b for k, b in bounds.items() if abs(b) != inf})
    return Activation("Clip", bounds=tuple(None if abs(b) == inf else b for b in bounds.values()))


def _takes_extremes(form: _Form) -> bool:
    """Whether Min or Max is among its operators: a Relu and a Clip become one at load."""
    return any(node.op_type in ("Min", "Max") for node in form.nodes)


def _form(graph: Graph, value: str, steps: int) -> _Form:
    """What a value is of the value from which nothing but such operators leads to it."""
    maker = sole_maker(graph, value)
    form = _step(graph, maker, steps) if maker is not None and steps > 0 else None
    return form or _Form(value)


def _step(graph: Graph, node: Node, steps: int) -> _Form | None:
    """The form of what a node makes; None for another operator."""
    if node.domain:
        return None
    if node.op_type in ("Clip", "Relu", "HardSigmoid"):
        form = _unary(graph, node, _form(graph, node.input(0), steps - 1))
    elif len(node.inputs) == 2:
        form = _binary(graph, node, steps - 1)
    else:
        form = None
    shape = graph.value(node.output(0)).shape
    if form is None or shape is None or graph.value(form.source).shape != shape:
        return None
    return form.made_by(node)


def _unary(graph: Graph, node: Node, form: _Form) -> _Form | None:
    if form.gated:
        return None
    if node.op_type == "Relu":
        return form.clipped(0, inf)
    if node.op_type == "HardSigmoid":
        alpha, beta = _attribute(node, "alpha", 0.2), _attribute(node, "beta", 0.5)
        line = form.scaled(alpha).shifted(beta) if alpha and beta is not None else None
        return line and line.clipped(0, 1)
    bounds = [
        _number_of(graph, node.input(place)) if node.input(place) else _attribute(node, key, free)
        for place, key, free in ((1, "min", -inf), (2, "max", inf))
    ]
    low, high = bounds
    return None if low is None or high is None else form.clipped(low, high)


def _attribute(node: Node, key: str, default: float) -> float | None:
    number = node.attributes.get(key, default)
    return float(number) if isinstance(number, int | float) else None


def _binary(graph: Graph, node: Node, steps: int) -> _Form | None:
    left, right = (_number_of(graph, name) for name in node.inputs)
    if left is None and right is None:
        return _gated(graph, node, steps)
    number, data = (right, node.input(0)) if right is not None else (left, node.input(1))
    form = _form(graph, data, steps)
    if number is None or (form.gated and node.op_type not in ("Mul", "Div")):
        return None
    match node.op_type:
        case "Mul" if number:
            return form.scaled(number)
        case "Div" if number and right is not None:
            return form.scaled(1 / number)
        case "Add":
            return form.shifted(number)
        case "Sub" if right is not None:
            return form.shifted(-number)
        case "Max":
            return form.clipped(number, inf)
        case "Min":
            return form.clipped(-inf, number)
    return None


def _gated(graph: Graph, node: Node, steps: int) -> _Form | None:
    """A product of a bounded form of x with x, or with a multiple of it."""
    if node.op_type != "Mul" or len(set(node.inputs)) == 1:
        return None
    forms = [_form(graph, name, steps) for name in node.inputs]
    for line, gate in (forms, forms[::-1]):
        if line.source != gate.source or gate.is_open or gate.gated:
            continue
        if line.is_open and line.shift == 0 and line.slope:
            return gate.scaled(line.slope).made_by(*line.nodes, gated=True)
    return None


def _number_of(graph: Graph, name: str) -> float | None:
    """The number that a constant is; None for data, several numbers or an unknown one."""
    data = graph.value(name).data
    if data is None or data.size != 1:
        return None
    (number,) = data.reshape(-1).tolist()
    return float(number) if isinstance(number, int | float) else None
