"""The nodes of a model as a page draws them: plain values."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.cost import Cost


@dataclass(frozen=True, slots=True)
class LayerReport:
    """A node that runs at every inference.

    Layers stand in the order of the operations of the model's architecture, so that a place among
    those (``NodeReport.place``, ``Difference.pairs``) is a place among these. ``inputs`` are the
    places of the layers whose outputs it reads, each once and before its own; constants are left
    out. ``reads`` are the places of the model's inputs that it reads, ``gives`` of the outputs that
    it makes. ``output`` is the shape of its first output as ``1x32x28x28``: ``?`` where it is
    unknown, a dim's name where that is symbolic. ``described`` are its sizes in a few words.
    ``block`` is the residual, Inception or attention block that it is in, where it has no scope.
    Layers of one ``kind`` have the same operator, attributes, shapes of weights and of outputs.
    ``within`` is the place of the layer whose kernel does its work too; its own where nothing is
    left of it to do.

    ``cost`` is None where it is unknown, and ``why`` says why. ``parameters`` are those that no
    layer before it has. ``predicted`` and ``measured`` are nanoseconds of a run: None where there
    is no prediction, no measurement. ``measured`` is of the kernel with all that is ``kernel``:
    the places of the layers, this one among them, that no clock can part; a layer whose time
    another one carries has none of its own.
    """

    label: str
    operator: str
    described: str
    output: str
    inputs: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    gives: tuple[int, ...] = ()
    scope: tuple[str, ...] = ()
    block: str = ""
    kind: int = 0
    cost: Cost | None = None
    why: str = ""
    parameters: int = 0
    within: int | None = None
    predicted: float | None = None
    measured: float | None = None
    kernel: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Kernels:
    """How the times of layers were measured, in nanoseconds of a run.

    ``total`` is that of all kernels in the median of ``runs`` profiled runs, of which the process
    had ``cores``; ``apart`` the part of it that belongs to no layer (changes of layout, copies).
    They were ``disturbed`` if other programs interrupted nearly all runs, or took part of the cores
    that the ``threads`` would have had.
    """

    label: str
    runtime: str
    total: float
    apart: float
    runs: int
    cores: float
    disturbed: bool
    threads: int = 1

    @property
    def of_layers(self) -> float:
        """The nanoseconds that belong to layers: what their shares are of."""
        return self.total - self.apart
