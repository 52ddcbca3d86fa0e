"""What options choose from and start with, in a module that loads nothing else."""

from __future__ import annotations

from enum import StrEnum

DEFAULT_BUDGET = 5.0  # seconds of runs that are timed together
DEFAULT_TIMEOUT = 120.0  # seconds of a child process, the creation of its sessions included


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


class TimeKey(StrEnum):
    """The order of the rows of times: largest first, or as they run."""

    TIME = "time"
    EXCESS = "excess"
    MACS = "macs"
    BYTES = "bytes"
    GRAPH = "graph"
