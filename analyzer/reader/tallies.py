"""Each tensor of a model counted once, and what was not read."""

from __future__ import annotations

from typing import Final

from onnx import TensorProto

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.reader.blocks import numbers_of, read_codes
from archlint.analyzer.reader.elements import bytes_of, payloads_of
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.tally import Counter, Tally
from archlint.analyzer.text import plural, safe, size

MOST_BYTES: Final = 1 << 36  # of all weights together that are read: 64 GiB


class Tallies:
    """What is among the numbers of the tensors of a model, read when it is asked for.

    Whoever asks again gets what was counted. ``unread`` says which were not read.
    """

    def __init__(self, model: Model, most_bytes: int = MOST_BYTES) -> None:
        self.model = model
        self._most = self._left = most_bytes
        self._counted: dict[int, tuple[TensorProto, Tally | None]] = {}
        self._missed: dict[str, tuple[int, str]] = {}

    def of(self, tensor: TensorProto, name: str) -> Tally | None:
        """What is among the numbers of a tensor of the model; None if they cannot be read."""
        if id(tensor) not in self._counted:  # kept, so that no other one gets its id
            self._counted[id(tensor)] = tensor, self._count(tensor, name)
        return self._counted[id(tensor)][1]

    @property
    def unread(self) -> str:
        """Which weights were not read, and why; empty if all were that a rule asked for."""
        if not self._missed:
            return ""
        count, total = len(self._missed), sum(missed[0] for missed in self._missed.values())
        first = next(iter(self._missed.values()))[1]
        verb = "was" if count == 1 else "were"
        weights = f"{plural(count, 'weight')} ({size(total)})"
        return f"{weights} {verb} not read and may hold anything: {first}"

    def _count(self, tensor: TensorProto, name: str) -> Tally | None:
        stored = sum(piece.length for piece in payloads_of(tensor, self.model.payloads))
        need = stored or bytes_of(tensor)
        if need is None:
            self._miss(name, 0, "its dims or its data type are none")
            return None
        if need > self._left:
            why = f"archlint reads {size(self._most)} of weights, and no more"
            self._miss(name, need, why)
            return None
        self._left -= need
        counter = Counter(tensor.data_type)
        try:
            for codes in read_codes(self.model, tensor) if numbers_of(tensor) else ():
                counter.add(codes)
        except ModelReadError as error:
            self._missed.setdefault(name, (need, error.why))
            return None
        return counter.tally()

    def _miss(self, name: str, count: int, why: str) -> None:
        self._missed.setdefault(name, (count, f"tensor '{safe(name)}': {why}"))
