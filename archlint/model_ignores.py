"""What a model accepts of itself: ``archlint.ignore`` in the metadata of its nodes.

The value is ``ARC101, large-kernel: why; ARC2``: entries separated by semicolons, each of selectors
separated by commas and, behind a colon, a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onnx import AttributeProto, NodeProto

from archlint.analyzer.graph import Node
from archlint.analyzer.reader.model import IGNORE_KEY, Model
from archlint.analyzer.text import nearest
from archlint.rules import Rules
from archlint.selection import covers

_LONGEST = 1_000  # characters of a value: a person writes a sentence
_SHOWN = 60  # characters of a selector that a finding repeats
_IN_BODY = "stands in a body, where no findings are told; write it at the node that runs the body"


@dataclass(frozen=True, slots=True)
class NodeIgnore:
    """Findings of one selector that are accepted at a node, and why.

    ``line`` is where that stands in a file of text; otherwise it stands in the model. An entry of
    such a line has no node where that is there no more.
    """

    node: Node | None
    rule: str
    reason: str | None
    line: str = ""

    @property
    def by(self) -> str:
        """What a report calls the entry."""
        if self.line or self.node is None:
            return self.line
        return f"{IGNORE_KEY} of node '{self.node.label}'"


@dataclass(slots=True)
class ModelIgnores:
    """The entries of a model by the ids of its nodes, those ``without_node``, and how many others
    cannot be followed: ``why`` says what is wrong with the first, which is at ``at``, if it is at a
    node."""

    entries: dict[int, list[NodeIgnore]] = field(default_factory=dict)
    without_node: list[NodeIgnore] = field(default_factory=list)
    wrong: int = 0
    why: str = ""
    at: tuple[Node, ...] = ()

    def fault(self, why: str, *at: Node, line: str = "") -> None:
        """Note an entry that cannot be followed."""
        self.wrong += 1
        if self.wrong == 1:
            self.why, self.at = f"{line or IGNORE_KEY} {why}", at

    def add(
        self, listed: str, reason: str, known: Mapping[str, str], node: Node | None, line: str = ""
    ) -> None:
        """Note the entries for selectors separated by commas."""
        at = () if node is None else (node,)
        selectors = [selector for part in listed.split(",") if (selector := part.strip())]
        if not selectors:
            self.fault(
                "names no rule" if line else "names no rule before the colon", *at, line=line
            )
        for selector in selectors:
            meant = known.get(selector.lower())
            if meant is None:
                # Looking for the nearest is slow, and of several the first is told.
                self.fault("" if self.wrong else _unknown(selector, known), *at, line=line)
                continue
            ignore = NodeIgnore(node, meant, reason.strip() or None, line)
            if node is None:
                self.without_node.append(ignore)
            else:
                self.entries.setdefault(node.id, []).append(ignore)


def model_ignores(model: Model, nodes: Sequence[Node], known: Mapping[str, str]) -> ModelIgnores:
    """The entries in a model, whose graph has these nodes; what selectors mean is ``known``."""
    found = ModelIgnores()
    placed = {node.position: node for node in nodes}
    for position, proto in enumerate(model.proto.graph.node):
        node = placed[position]
        for text in _values(proto):
            _read(text, node, known, found)
        for inner in _inner(proto):
            for _ in _values(inner):
                found.fault(_IN_BODY, node)
    for function in model.proto.functions:
        for proto in function.node:
            for _ in _values(proto):
                found.fault(f"of a node of the function '{function.name}' {_IN_BODY}")
    return found


def _values(proto: NodeProto) -> list[str]:
    return [entry.value for entry in proto.metadata_props if entry.key == IGNORE_KEY]


def _inner(proto: NodeProto) -> Iterator[NodeProto]:
    """The nodes of the subgraphs of a node, and of theirs."""
    waiting = [proto]
    while waiting:
        for attribute in waiting.pop().attribute:
            if attribute.type == AttributeProto.GRAPH:
                waiting += attribute.g.node
                yield from attribute.g.node


def selectors(rules: Rules) -> Mapping[str, str]:
    """Every selector in lower case, by what it is among codes: a look-up, however many there are in
    a model."""
    codes = [rule.code for rule in rules]
    parts = {code[:end] for code in codes for end in range(1, len(code) + 1)}
    prefixes = {part for part in parts if any(covers(part, code) for code in codes)}
    return {part.lower(): part for part in ("ALL", *prefixes)} | {r.name: r.code for r in rules}


def _read(text: str, node: Node, known: Mapping[str, str], found: ModelIgnores) -> None:
    """Add the entries of one value."""
    if len(text) > _LONGEST:
        found.fault(f"is longer than {_LONGEST:,} characters", node)
        return
    entries = [entry for entry in text.split(";") if entry.strip()]
    if not entries:
        found.fault("is empty; write which rules are meant, as in 'ARC101: reason'", node)
    for entry in entries:
        listed, _, reason = entry.partition(":")
        found.add(listed, reason, known, node)


def _unknown(selector: str, known: Mapping[str, str]) -> str:
    names = [name for name in known if "-" in name]
    near = nearest(selector[:_SHOWN], [*names, *(known[name] for name in names)])
    return f"names the rule '{selector[:_SHOWN]}', which there is not{near}"
