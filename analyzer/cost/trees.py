"""Heights of decision trees, as ai.onnx.ml's operators store them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Children = Mapping[Any, Sequence[Any]]  # the nodes below each inner node


def heights(attributes: Mapping[str, Any]) -> list[int]:
    """The comparisons on the longest path of each tree.

    Raises ValueError where the nodes make no trees.
    """
    children, roots = (_by_position if "tree_roots" in attributes else _by_id)(attributes)
    return [_height(children, root) for root in roots]


def _by_position(attributes: Mapping[str, Any]) -> tuple[Children, list[Any]]:
    """TreeEnsemble: inner nodes by their place, leaves flagged at their parent."""
    children = {
        place: [child for child, leaf in ((yes, yes_leaf), (no, no_leaf)) if not leaf]
        for place, (yes, yes_leaf, no, no_leaf) in enumerate(
            zip(
                attributes["nodes_truenodeids"],
                attributes["nodes_trueleafs"],
                attributes["nodes_falsenodeids"],
                attributes["nodes_falseleafs"],
                strict=True,
            )
        )
    }
    return children, list(attributes["tree_roots"])


def _by_id(attributes: Mapping[str, Any]) -> tuple[Children, list[Any]]:
    """TreeEnsembleRegressor and -Classifier: nodes by tree and id, the first of a tree its root."""
    children: dict[tuple[int, int], list[tuple[int, int]]] = {}
    roots: dict[int, tuple[int, int]] = {}
    for tree, node, yes, no, mode in zip(
        attributes["nodes_treeids"],
        attributes["nodes_nodeids"],
        attributes["nodes_truenodeids"],
        attributes["nodes_falsenodeids"],
        attributes["nodes_modes"],
        strict=True,
    ):
        roots.setdefault(tree, (tree, node))
        if mode not in ("LEAF", b"LEAF"):
            children[tree, node] = [(tree, yes), (tree, no)]
    return children, list(roots.values())


def _height(children: Children, root: Any) -> int:
    """The inner nodes on the longest path below the root, itself included, level by level."""
    level, seen, height = [root], {root}, 0
    while level:
        level = [child for node in level for child in children.get(node, ())]
        inner = [child for child in level if child in children]
        if len(set(inner)) != len(inner) or not seen.isdisjoint(inner):
            raise ValueError("nodes of a tree that are reached twice")
        seen.update(inner)
        height += 1
        level = inner
    return height if root in children else 0
