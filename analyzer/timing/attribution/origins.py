"""The graph that a model was before it was optimised: who makes, reads and repeats its values."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from archlint.analyzer.timing.attribution.marking import Marked, Original

_RANDOM = frozenset({
    "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli",
    "Multinomial",
})  # fmt: skip
_SMALL = 1024  # bytes of attributes that are compared
_CROWD = 100  # readers of a value that is fused with none of them


class Origins:
    """The marked nodes with all functions opened.

    ``makers`` and ``readers`` are numbers of nodes by values. Values of one ``number`` are equal:
    the same operator made them from the same inputs. ``constant`` nodes depend on no input.
    """

    def __init__(self, marked: Marked) -> None:
        self.nodes = marked.nodes
        self.fixed = marked.fixed
        self.meant = marked.meant
        self.makers: dict[str, int] = {}
        self.readers: dict[str, list[int]] = {}
        for node in marked.nodes:
            for name in node.outputs:
                self.makers.setdefault(name, node.number)
            for name in dict.fromkeys(filter(None, node.inputs)):
                self.readers.setdefault(name, []).append(node.number)
        self._known: dict[Hashable, int] = {}
        self._numbers: dict[str, int] = {}
        self.constant: set[int] = set()
        constants = set(marked.constants)
        for node in marked.nodes:
            self._add(node, constants)

    def _add(self, node: Original, constants: set[str]) -> None:
        """Number what a node makes; the nodes come in order."""
        inputs = [name for name in node.inputs if name]
        bodies = any(a.HasField("g") or a.graphs for a in node.proto.attribute)
        varies = bodies or node.operator in _RANDOM
        if not (varies or node.opened) and constants.issuperset(inputs):
            self.constant.add(node.number)
            constants.update(node.outputs)
        if varies or sum(a.ByteSize() for a in node.proto.attribute) > _SMALL:
            return
        attributes = b"".join(a.SerializeToString(deterministic=True) for a in node.proto.attribute)
        key = node.operator, attributes, tuple(map(self.number, node.inputs))
        for place, name in enumerate(node.outputs):
            if name:
                self._numbers[name] = self._known.setdefault((place, key), len(self._known))

    def number(self, value: str) -> int:
        """The number of a value."""
        return self._numbers.setdefault(
            value, self._known.setdefault(("", value), len(self._known))
        )

    def reading(self, value: str, operators: Sequence[str]) -> list[Original]:
        """The nodes of these operators that read a value; none of a value that a crowd reads."""
        readers = self.readers.get(value, ())
        if len(readers) > _CROWD:
            return []
        return [self.nodes[n] for n in readers if self.nodes[n].operator in operators]
