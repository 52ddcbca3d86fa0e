"""An architecture: the operations of a model as a reviewer reads them, without weights or names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Operation:
    """A node that runs at every inference.

    ``inputs`` are the places of the operations that make what it reads, in order; -1 - i is the
    i-th input of the model, and constants are left out. Behind the inputs of a body come the values
    around it, as its operations meet them. ``attributes`` are those that differ from their
    defaults, sorted, as ``name=value`` joined by blanks; constant inputs that were attributes once,
    as the bounds of Clip, are among them. ``weights`` are the shapes of the constants that it
    computes with, but for single numbers, ``shapes`` those of its outputs, as ``1x32x28x28`` (``?``
    where unknown, a dim's name where it is symbolic). ``macs`` is None where its cost is unknown.
    ``parameters`` are those that no operation before it has. ``label`` is what the file calls the
    node; ``floats`` says whether it makes numbers of floating point, of whichever width. ``bodies``
    names the bodies that it runs, ``block`` the residual, Inception or attention block that it is
    in, where the file tells of no modules.
    """

    operator: str
    attributes: str
    weights: tuple[str, ...]
    shapes: tuple[str, ...]
    inputs: tuple[int, ...]
    parameters: int
    macs: int | None
    scope: tuple[str, ...] = ()
    label: str = ""
    floats: bool = True
    bodies: tuple[str, ...] = ()
    block: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a model costs; None is unknown.

    ``file_bytes`` are those with external data, ``weight_bytes`` those of parameters and buffers as
    they are stored. MACs are those of all operations of known cost; the peak is unknown where the
    size of one value is.
    """

    macs: int | None
    parameters: int | None
    file_bytes: int | None
    peak_activation_bytes: int | None
    weight_bytes: int | None
    operations: int
    unknown: int = 0  # operations whose cost is in no total


@dataclass(frozen=True, slots=True)
class Architecture:
    """The operations in a stable topological order: that of a depth-first walk which follows the
    inputs of each operation in order, so that the order in the file does not matter.

    ``digest`` is the SHA-256 of the model's file in hex; empty where it is not known. ``bodies``
    are the architectures that operations run, each distinct one once, by name.
    """

    operations: tuple[Operation, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    totals: Totals
    digest: str = ""
    bodies: Mapping[str, Architecture] = field(default_factory=dict)
