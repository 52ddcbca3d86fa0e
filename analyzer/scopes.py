"""The module that a node belongs to, from metadata, names of nodes or names of weights."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from onnx import NodeProto

_NAME_SCOPES = "pkg.torch.onnx.name_scopes"

Scope = tuple[str, ...]


def scope_of(node: NodeProto, scopes: Mapping[str, Scope]) -> Scope:
    """The module path of a node, outermost first; empty if nothing tells it.

    ``scopes`` are those of the values made so far: a node that tells nothing belongs where its
    first input was made."""
    for entry in node.metadata_props:
        if entry.key == _NAME_SCOPES and (scope := _from_metadata(entry.value)) is not None:
            return scope
    if node.name:
        return _from_name(node.name)
    return _from_weights(node) or next(
        (scopes[name] for name in node.input if scopes.get(name)), ()
    )


def _from_metadata(text: str) -> Scope | None:
    """torch writes ``['', 'layer1', 'layer1.0', 'conv2d']``: modules, and last the node."""
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    modules = [name for name in names[:-1] if name]
    return tuple(modules[-1].split(".")) if modules else ()


def _from_name(name: str) -> Scope:
    """``/layer1/layer1.0/conv1/Conv`` to (layer1, 0, conv1): parts repeat their parent's name."""
    scope: list[str] = []
    parent = ""
    for part in [piece for piece in name.split("/")[:-1] if piece]:
        inner = part.removeprefix(f"{parent}.") if parent else part
        scope += inner.split(".")
        parent = part
    return tuple(scope)


def _from_weights(node: NodeProto) -> Scope:
    """``layer1.0.conv1.weight`` to (layer1, 0, conv1)."""
    for name in list(node.input)[1:]:
        module, dot, leaf = name.rpartition(".")
        if dot and leaf.isidentifier():
            return tuple(module.split("."))
    return ()
