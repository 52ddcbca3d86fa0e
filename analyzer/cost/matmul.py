"""Matrix products: MatMul, Gemm, Einsum."""

from __future__ import annotations

from math import prod

from archlint.analyzer.cost.base import View, Work, handles
from archlint.analyzer.einsum import parse


@handles("MatMul", roles="x")
def matmul(view: View) -> Work:
    """Π(out) · K MACs, K the inner dim."""
    return Work(view.out_elements() * view.shape(0)[-1])


@handles("MatMulInteger", roles="wws")
def matmul_integer(view: View) -> Work:
    """As MatMul, on integers."""
    return Work(view.out_elements() * view.shape(0)[-1])


@handles("QLinearMatMul", roles="wsswssss")
def qlinear_matmul(view: View) -> Work:
    """As MatMul, on integers."""
    return Work(view.out_elements() * view.shape(0)[-1])


@handles("Gemm", roles="xww")
def gemm(view: View) -> Work:
    """M·N·K MACs; C adds M·N operations."""
    a = view.shape(0)
    inner = a[0] if view.attribute("transA", 0) else a[1]
    outputs = view.out_elements()
    return Work(outputs * inner, {"bias": outputs} if view.has(2) else {})


@handles("Einsum")
def einsum(view: View) -> Work:
    """For two operands the product of the dims of all labels; more are contracted two at a time
    from the left, and a label is summed as soon as nothing later needs it. One operand only moves
    or adds: an operation an element.
    """
    operands = [view.shape(index) for index in range(len(view.inputs))]
    equation = parse(str(view.attribute("equation", "")), operands)
    sizes = {label: dim for label, dim in equation.dims.items() if isinstance(dim, int)}
    if len(operands) == 1:
        return Work(ops={"elementwise": prod(operands[0])})
    macs = 0
    have = set(equation.terms[0])
    for place, term in enumerate(equation.terms[1:], start=2):
        joint = have | set(term)
        macs += prod(sizes[label] for label in joint)
        later = {label for rest in equation.terms[place:] for label in rest}
        have = joint & (later | set(equation.output))
    return Work(macs)


@handles("Det")
def det(view: View) -> Work:
    """n³/3 operations a matrix by elimination, n its side."""
    *batch, n, _ = view.shape(0)
    return Work(ops={"elementwise": prod(batch) * n**3 // 3})
