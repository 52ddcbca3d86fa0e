"""Find the kernels of a profile in the optimised graph."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence

from archlint.analyzer.timing.attribution.optimised import Kernel

Key = tuple[str, ...]  # the name of a kernel, behind those of the nodes in whose bodies it runs

# A node without a name, which bodies of the standard's functions have, is told by its operator and
# onnxruntime's own number.
_UNNAMED = re.compile(r"(.*)_(\d+)", re.DOTALL)


def match(kernels: list[Kernel], operators: Mapping[Key, str]) -> dict[Key, int]:
    """The numbers of kernels by their keys; those that the graph lacks are added to ``kernels``.

    ``operators`` are those of the profile. Nodes without names stand in both in the same order.
    """
    found: dict[Key, int] = {}
    inside: dict[int | None, list[Kernel]] = {}
    for kernel in kernels:
        inside.setdefault(kernel.within, []).append(kernel)
    around: dict[Key, list[Key]] = {}
    for key in operators:
        around.setdefault(key[:-1], []).append(key)
    for outer in sorted(around, key=len):
        within = found.get(outer) if outer else None
        known = inside.get(within, []) if within is not None or not outer else []
        _match_one(kernels, known, around[outer], within, operators, found)
    return found


def _match_one(
    kernels: list[Kernel],
    known: Sequence[Kernel],
    keys: Sequence[Key],
    within: int | None,
    operators: Mapping[Key, str],
    found: dict[Key, int],
) -> None:
    """Find the keys of one graph, or of the bodies of one node."""
    named = {kernel.name: kernel.number for kernel in reversed(known) if kernel.name}
    found.update((key, named[key[-1]]) for key in keys if key[-1] in named)
    unnamed: dict[str, deque[int]] = {}
    for kernel in known:
        if not kernel.name:
            unnamed.setdefault(kernel.operator.rpartition(".")[2], deque()).append(kernel.number)
    rest = sorted((key for key in keys if key not in found), key=_index)
    for key in rest:
        numbers = unnamed.get(operators[key])
        if numbers and _UNNAMED.fullmatch(key[-1]):
            found[key] = numbers.popleft()
        else:
            found[key] = len(kernels)
            kernels.append(Kernel(len(kernels), key[-1], operators[key], (), (), within))


def _index(key: Key) -> tuple[int, str]:
    match_ = _UNNAMED.fullmatch(key[-1])
    return (int(match_[2]) if match_ and len(match_[2]) < 12 else 0), key[-1]
