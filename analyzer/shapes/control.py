"""What If, Loop, Scan and SequenceMap give, and the graphs that they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from onnx import GraphProto, TensorProto

from archlint.analyzer.dims import Dim, SymbolicDim
from archlint.analyzer.graph import Body, Graph, Value
from archlint.analyzer.shapes.context import Context, Unresolved, controls, normal_axis
from archlint.analyzer.shapes.data import scalar
from archlint.analyzer.shapes.merging import merged, same_kind, sequence_of, stacked

Ran = tuple[Sequence[Value], Sequence[Body]]

_MAX_TRIPS = 1 << 31  # no model means more; a cost of 2^60 trips says nothing
_MAX_UNROLLED = 64  # trips that are followed one by one, where a shape changes with each
_MAX_PASSES = 5  # known elements go, then dims, then the rank: each value settles in four


@controls("If")
def if_(context: Context) -> Ran:
    """The branch that a known condition takes, else what both branches have in common."""
    branches = {name: _graph(context, name) for name in ("then_branch", "else_branch")}
    condition = context.data(0)
    if condition is not None and condition.size == 1:
        name = "then_branch" if condition.reshape(-1)[0] else "else_branch"
        graph = context.scope.subgraph(branches[name], ())
        return _results(graph), (Body(name, graph),)
    scope = context.scope.perhaps()
    graphs = {name: scope.subgraph(proto, ()) for name, proto in branches.items()}
    causes = context.because("its shape depends on the branch that is taken")
    pairs = zip(*map(_results, graphs.values()), strict=True)
    outputs = [
        merged(yes, no, f"{context.node.label}#{place}", causes)
        for place, (yes, no) in enumerate(pairs)
    ]
    return outputs, tuple(Body(name, graph, 1, True) for name, graph in graphs.items())


@controls("Loop")
def loop(context: Context) -> Ran:
    """The values carried through all trips, and what each trip adds to the stacked outputs."""
    proto, carried = _graph(context, "body"), context.inputs[2:]
    start = [value or Value("") for value in carried]
    graph, state = _settled(context, proto, start, ())
    trips = _trips(context, graph)
    results = _results(graph)[1:]
    count = len(start)
    if trips == 0:
        return [*start, *(stacked(v, 0) for v in results[count:])], (Body("body", graph, 0),)
    if _varies(start, state) and isinstance(trips, int) and trips <= _MAX_UNROLLED:
        unrolled = _unrolled(context, proto, start, trips)
        if unrolled is not None:
            return unrolled
    return [*state, *(stacked(v, trips) for v in results[count:])], (Body("body", graph, trips),)


def _trips(context: Context, body: Graph) -> Dim:
    """How often a loop runs: the given number, if no condition may end it before."""
    first = context.data(1)
    if first is not None and first.size == 1 and not first.reshape(-1)[0]:
        return 0
    most = context.data(0)
    limit = None if most is None or most.size != 1 else most.reshape(-1)[0]
    if isinstance(limit, int) and limit <= 0:
        return 0
    again = body.value(body.outputs[0]).data
    endless = (first is not None or not context.has(1)) and (
        again is not None and again.size == 1 and bool(again.reshape(-1)[0])
    )
    if endless and isinstance(limit, SymbolicDim):
        return limit
    if isinstance(limit, int) and limit <= _MAX_TRIPS:
        if endless:
            return limit
        return context.fresh("trips", f"a condition ends it after at most {limit:,} trips")
    why = "how many trips it makes depends on the data"
    if isinstance(limit, int):
        why = f"its {limit:,} trips are more than any model means"
    return context.fresh("trips", why)


def _settled(
    context: Context, proto: GraphProto, start: Sequence[Value], slices: Sequence[Value]
) -> tuple[Graph, list[Value]]:
    """The body with values that hold for every trip, and the values after the last one."""
    causes = context.because("its shape changes with each trip")
    is_loop = context.node.op_type == "Loop"
    state = [replace(value, constant=False) for value in start]
    for _ in range(_MAX_PASSES):
        counters = [_COUNTER, _GOES_ON] if is_loop else []
        graph = context.scope.subgraph(proto, (*counters, *state, *slices))
        after = _results(graph)[is_loop : is_loop + len(state)]
        if len(after) != len(state):
            raise ValueError(f"a body that gives {len(after)} of {len(state)} carried values")
        joined = [
            replace(merged(a, b, f"{context.node.label}@{place}", causes), constant=False)
            for place, (a, b) in enumerate(zip(state, after, strict=True))
        ]
        if all(same_kind(a, b) for a, b in zip(state, joined, strict=True)):
            return graph, joined
        state = joined
    raise Unresolved(context.because("what it carries from trip to trip does not settle"))


def _varies(start: Sequence[Value], state: Sequence[Value]) -> bool:
    """Whether a carried value changes in more than its elements."""
    return any(
        (a.shape, a.dtype, a.items) != (b.shape, b.dtype, b.items)
        for a, b in zip(start, state, strict=True)
    )


def _unrolled(
    context: Context, proto: GraphProto, start: Sequence[Value], trips: int
) -> Ran | None:
    """Every trip by itself; None where one cannot tell whether there is a next."""
    state, bodies = list(start), []
    scans: Sequence[Value] = ()
    for trip in range(trips):
        counter = replace(_COUNTER, data=scalar(trip))
        graph = context.scope.subgraph(proto, (counter, _GOES_ON, *state))
        again, *results = _results(graph)
        bodies.append(Body(f"trip {trip}", graph))
        state, scans = results[: len(state)], results[len(state) :]
        if again.data is None:
            return None
        if not again.data.reshape(-1)[0]:
            break
    return [*state, *(stacked(value, len(bodies)) for value in scans)], bodies


@controls("Scan")
def scan(context: Context) -> Ran:
    """The states after the last step, and what each step adds to the stacked outputs."""
    if context.opset < 9:
        raise Unresolved(context.because("archlint reads Scan since operator set 9 only"))
    proto = _graph(context, "body")
    scanned = int(context.attribute("num_scan_inputs", 0))
    states = len(context.inputs) - scanned
    if not 0 < scanned <= len(context.inputs):
        raise ValueError(f"{scanned} scanned of {len(context.inputs)} inputs")
    axes = context.attribute("scan_input_axes") or [0] * scanned
    steps: Dim | None = None
    slices = []
    for place in range(scanned):
        x = context.shape(states + place)
        axis = normal_axis(axes[place], len(x))
        if steps is None or isinstance(x[axis], int):
            steps = x[axis]
        slices.append(Value("", context.dtype(states + place), x[:axis] + x[axis + 1 :]))
    start = [context.value(index) for index in range(states)]
    graph, state = _settled(context, proto, start, slices)
    results = _results(graph)[states:]
    out_axes = context.attribute("scan_output_axes") or [0] * len(results)
    count = 0 if steps is None else steps
    stacks = [stacked(value, count, axis) for value, axis in zip(results, out_axes, strict=True)]
    return [*state, *stacks], (Body("body", graph, count),)


@controls("SequenceMap")
def sequence_map(context: Context) -> Ran:
    """The body for every item of the sequences: sequences of what it gives."""
    proto = _graph(context, "body")
    first = context.value(0)
    if first.element is None:
        raise Unresolved(first.causes or context.because("its first input is no sequence"))
    if first.items is None or len(first.items) > _MAX_UNROLLED or not first.items:
        graph = context.scope.subgraph(proto, [_item(context, i) for i in _places(context)])
        trips: Dim = context.fresh("items", "how many items there are depends on the data")
        if first.items is not None:
            trips = len(first.items)
        sequences = [Value("", element=result) for result in _results(graph)]
        return sequences, (Body("body", graph, trips),)
    graphs = [
        context.scope.subgraph(proto, [_item(context, i, item) for i in _places(context)])
        for item in range(len(first.items))
    ]
    causes = context.because("its items differ")
    outputs = [
        sequence_of(results, context.node.label, causes)
        for results in zip(*map(_results, graphs), strict=True)
    ]
    return outputs, tuple(Body(f"item {place}", graph) for place, graph in enumerate(graphs))


def _places(context: Context) -> Iterable[int]:
    return range(len(context.inputs))


def _item(context: Context, index: int, item: int | None = None) -> Value:
    """An item of a sequence, by default what all have in common; a tensor as it is."""
    value = context.value(index)
    if value.element is None:
        return value
    return value.element if item is None or value.items is None else value.items[item]


def _graph(context: Context, name: str) -> GraphProto:
    proto = context.attribute(name)
    if not isinstance(proto, GraphProto):
        raise TypeError(f"no graph '{name}'")
    return proto


def _results(graph: Graph) -> list[Value]:
    return [graph.value(name) for name in graph.outputs]


_COUNTER = Value("", TensorProto.INT64, ())
_GOES_ON = Value("", TensorProto.BOOL, (), data=scalar(True))
