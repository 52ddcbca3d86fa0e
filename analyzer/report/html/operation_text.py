"""Operations of an architecture in a reviewer's words, and how two of them differ."""

from __future__ import annotations

from archlint.analyzer.compare.architecture import Operation
from archlint.analyzer.text import safe

_MOST = 120  # columns


def described(operation: Operation) -> str:
    """``5×5 conv 192→32 pads=2,2,2,2``; other operators with the shapes of their weights."""
    known = _attributes(operation)
    text, told = _convolution(operation, known)
    rest = [f"{name}={value}" for name, value in known.items() if name not in told]
    return safe(" ".join([text, *rest]), _MOST)


def differing(was: Operation, now: Operation) -> tuple[str, str]:
    """What the two are, with those attributes alone that differ."""
    old, new = _attributes(was), _attributes(now)
    sides = []
    for operation, own, other in ((was, old, new), (now, new, old)):
        text, told = _convolution(operation, own)
        changed = [
            f"{name}={value}"
            for name, value in own.items()
            if name not in told and other.get(name) != value
        ]
        sides.append(safe(" ".join([text, *changed]), _MOST))
    if sides[0] == sides[1]:
        sides[1] = f"{sides[1]}, of another value"
    return sides[0], sides[1]


def _attributes(operation: Operation) -> dict[str, str]:
    pairs = (text.partition("=") for text in operation.attributes.split(" ") if text)
    return {name: value for name, _, value in pairs}


def _convolution(operation: Operation, known: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The operator with its sizes, and the attributes that these tell of."""
    dims = operation.weights[0].split("x") if operation.weights else []
    if operation.operator != "Conv" or len(dims) < 3 or not all(dim.isdigit() for dim in dims):
        shapes = [weight.replace("x", "×") for weight in operation.weights]
        return " ".join([operation.operator, *shapes]), ()
    groups = known.get("group", "1")
    count = int(groups) if groups.isdigit() else 1
    read, made = int(dims[1]) * count, int(dims[0])
    kind = "depthwise conv" if count > 1 and read == made == count else "conv"
    kernel = "×".join(dims[2:]) if len(dims) > 3 else f"{dims[2]}-tap"
    text = f"{kernel} {kind} {read}→{made}"
    if count > 1 and kind == "conv":
        text += f", {count} groups"
    return text, ("group",)
