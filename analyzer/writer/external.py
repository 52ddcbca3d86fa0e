"""Which elements of a model go into a file of external data beside it, and where in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from onnx import ModelProto, TensorProto

from archlint.analyzer.errors import ModelWriteError
from archlint.analyzer.reader.elements import is_external, payloads_of
from archlint.analyzer.reader.external import Folder, Span
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.structure import is_large
from archlint.analyzer.reader.tensors import Held, tensors
from archlint.analyzer.runtime.restored import MOST_BYTES
from archlint.analyzer.writer.target import Target, added_data_target, data_target, is_own_file

ALIGNMENT: Final = 4096  # bytes, of pages: onnxruntime maps what begins at one
ADDED_INLINE: Final = 1 << 20  # bytes of new weights that stay in a model with external data


@dataclass(frozen=True, slots=True)
class DataFile:
    """What goes into a file of external data: tensors that have it elsewhere, or bytes, and the
    offset of each."""

    target: Target
    parts: tuple[tuple[int, TensorProto | bytes], ...]


def externalise(model: Model, proto: ModelProto, target: Target) -> DataFile | None:
    """The file of external data for a model, to which the tensors of ``proto`` refer afterwards.

    None where none is to be written: of a model without external data, and of one that is written
    to its own file and to which little has been added. Raises ModelWriteError.
    """
    every = [held.tensor for held in tensors(proto, mistyped=True)]
    external = [tensor for tensor in every if is_external(tensor)]
    added = [tensor for tensor in proto.graph.initializer if _is_added(tensor)]
    if not external and not (model.external_bytes and added):  # what is new may replace all of it
        return None
    if not is_own_file(model, target):
        layout = _Layout(model, data_target(model, target))
        return layout.of([*external, *added])
    if added and _is_too_much(model, proto, every, added):
        return _Layout(model, added_data_target(model)).of(added)
    return None


def _is_added(tensor: TensorProto) -> bool:
    """Whether an initializer holds what would have been left out if it had been read."""
    return is_large(len(tensor.raw_data), tensor.data_type) and not is_external(tensor)


def _is_too_much(
    model: Model, proto: ModelProto, every: Iterable[TensorProto], added: Iterable[TensorProto]
) -> bool:
    """Whether new weights do not stay in the model's own file."""
    if sum(len(tensor.raw_data) for tensor in added) > ADDED_INLINE:
        return True
    left = [part for tensor in every for part in payloads_of(tensor, model.payloads)]
    return proto.ByteSize() + sum(part.length for part in left) > MOST_BYTES


class _Layout:
    """The offsets of tensors in a file, one after the other; those of one place have one."""

    def __init__(self, model: Model, target: Target) -> None:
        self._model = model
        self._target = target
        self._folder = Folder(model.path)
        self._parts: list[tuple[int, TensorProto | bytes]] = []
        self._offsets: dict[tuple[str, int, int], int] = {}
        self._end = 0

    def of(self, moved: Iterable[TensorProto]) -> DataFile:
        """The file; the tensors refer to it."""
        location = os.path.basename(self._target.path)
        for tensor in moved:
            offset, length = self._external(tensor) if is_external(tensor) else self._new(tensor)
            tensor.data_location = TensorProto.EXTERNAL
            del tensor.external_data[:]
            for key, value in (("location", location), ("offset", offset), ("length", length)):
                tensor.external_data.add(key=key, value=str(value))
        return DataFile(self._target, tuple(self._parts))

    def _external(self, tensor: TensorProto) -> tuple[int, int]:
        """Offset and length of elements that are in another file already."""
        span = self._folder.find(tensor)
        if not isinstance(span, Span):
            label = Held(tensor, None).label
            why = f"cannot be copied: tensor {label}: {span.what}; put it right first"
            raise ModelWriteError(self._model.path, why)
        place = (span.path, span.offset, span.length)
        if place not in self._offsets:
            source = TensorProto()
            source.CopyFrom(tensor)
            self._offsets[place] = self._add(source, span.length)
        return self._offsets[place], span.length

    def _new(self, tensor: TensorProto) -> tuple[int, int]:
        content = tensor.raw_data
        tensor.ClearField("raw_data")
        return self._add(content, len(content)), len(content)

    def _add(self, source: TensorProto | bytes, length: int) -> int:
        # Nothing at all begins where the file ends: behind its end no offset is good.
        offset = -(-self._end // ALIGNMENT) * ALIGNMENT if length else self._end
        self._parts.append((offset, source))
        self._end = offset + length
        return offset
