"""Formulas and shape rules of other packages: the entry points of the group ``archlint.costs``.

The registries are filled at import and read from then on. Plugins are the one exception: all of
them are loaded at once, the first time that a model holds an operator that archlint does not know,
and before anything of that model is counted. They cannot change what is registered, so no result
depends on the models before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from onnx import AttributeProto, ModelProto, NodeProto

from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import operator_name
from archlint.analyzer.nodes import ai_onnx_is_empty
from archlint.analyzer.operators import has_shape_rule
from archlint.analyzer.shapes.context import CONTROL_RULES, FOLDINGS, SHAPE_RULES
from archlint.entry_points import entry_points, package_of

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "archlint.costs"
_REGISTRIES: tuple[dict[str, Any], ...] = (HANDLERS, SHAPE_RULES, CONTROL_RULES, FOLDINGS)


def load_plugins_for(model: ModelProto) -> None:
    """Load all plugins if an operator of the model has no formula or no shape rule.

    Raises ConfigError for a plugin that cannot be used.
    """
    own = {(ai_onnx_is_empty(function.domain), function.name) for function in model.functions}
    listed = [*model.graph.node, *(node for f in model.functions for node in f.node)]
    if not all(_is_known(*operator) for operator in set(_operators(listed)) - own):
        load_plugins()


def _operators(nodes: Iterable[NodeProto]) -> Iterator[tuple[str, str]]:
    """The domain and type of the nodes and of those in their subgraphs."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        key = ai_onnx_is_empty(node.domain), node.op_type
        yield key
        if _runs_no_graph(*key):
            continue
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                waiting += attribute.g.node


@cache
def _runs_no_graph(domain: str, op_type: str) -> bool:
    """Whether it is an operator whose shapes need no subgraph."""
    key = operator_name(domain, op_type)
    return key in SHAPE_RULES and key not in CONTROL_RULES


def _is_known(domain: str, op_type: str) -> bool:
    key = operator_name(domain, op_type)
    return key in CONTROL_RULES or (key in HANDLERS and has_shape_rule(key))


@cache
def load_plugins() -> None:
    """Extend the registries by every installed plugin, once; raises ConfigError."""
    for point in entry_points(GROUP):
        _load(point)


def _load(point: EntryPoint) -> None:
    before = [dict(registry) for registry in _REGISTRIES]
    try:
        loaded = point.load()
        if not isinstance(loaded, ModuleType):
            loaded()
        changed = sorted(_changed(before))
        if changed:
            raise ValueError(f"it replaces {', '.join(changed)}, which archlint counts itself")  # noqa: TRY301 - one place tells of all
    except (Exception, SystemExit) as error:
        for registry, kept in zip(_REGISTRIES, before, strict=True):
            registry.clear()
            registry.update(kept)
        why = f"cannot be used: {type(error).__name__}: {error}; correct or uninstall it"
        raise ConfigError(
            f"plugin '{package_of(point)}' (entry point '{point.name}')", why
        ) from error


def _changed(before: Iterable[dict[str, Any]]) -> Iterator[str]:
    for registry, kept in zip(_REGISTRIES, before, strict=True):
        yield from (key for key, rule in kept.items() if registry.get(key) is not rule)
