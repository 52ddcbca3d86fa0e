"""Choices of the cost table, in a module that loads nothing else."""

from __future__ import annotations

from enum import StrEnum


class By(StrEnum):
    """What a row of the cost table stands for."""

    NODE = "node"
    OP = "op"
    SCOPE = "scope"


class SortKey(StrEnum):
    """The order of the rows: as in the graph, or largest first."""

    GRAPH = "graph"
    MACS = "macs"
    OPS = "ops"
    PARAMS = "params"
    WEIGHTS = "weights"
    ACTIVATIONS = "activations"
    INTENSITY = "intensity"
