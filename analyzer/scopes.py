"""The module that a node belongs to, from metadata, names of nodes or names of weights."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache

from onnx import NodeProto

_MAX_PARTS = 64  # of a path; a longer name is none that a module gave
NAME_SCOPES = "pkg.torch.onnx.name_scopes"  # of the metadata that torch's exporter writes

Scope = tuple[str, ...]


def scope_of(node: NodeProto, scopes: Mapping[str, Scope]) -> Scope:
    """The module path of a node, outermost first; empty if nothing tells it.

    ``scopes`` are those of the values made so far: a node that tells nothing belongs where its
    first input was made."""
    for entry in node.metadata_props or ():  # the iterator of an empty one takes a while
        if entry.key == NAME_SCOPES and (scope := _from_metadata(entry.value)) is not None:
            return scope
    if name := node.name:
        path, slash, _ = name.rpartition("/")
        return _from_path(path) if slash else ()
    return _from_weights(node.input) or next((scopes[n] for n in node.input if scopes.get(n)), ())


@lru_cache(maxsize=4096)  # the nodes of a module repeat its text
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


@lru_cache(maxsize=4096)
def _from_path(path: str) -> Scope:
    """``/layer1/layer1.0/conv1`` to (layer1, 0, conv1): parts repeat their parent's name."""
    if path.count("/") > _MAX_PARTS:
        return ()
    around, _, part = path.rstrip("/").rpartition("/")
    if not around.strip("/"):
        return tuple(part.split(".")) if part else ()
    parent = around.rstrip("/").rpartition("/")[2]
    return _from_path(around) + tuple(part.removeprefix(f"{parent}.").split("."))


def _from_weights(inputs: Sequence[str]) -> Scope:
    """``layer1.0.conv1.weight`` to (layer1, 0, conv1)."""
    for name in inputs[1:]:
        module, dot, leaf = name.rpartition(".")
        if dot and leaf.isidentifier():
            return tuple(module.split("."))
    return ()
