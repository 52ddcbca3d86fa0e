"""The bytes of an edited model, with the payloads that its reading left out, each in its field."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import EncodeError
from onnx import ModelProto, StringStringEntryProto, TensorProto

from archlint.analyzer.errors import ModelWriteError
from archlint.analyzer.reader.elements import RAW, bytes_of, payloads_of
from archlint.analyzer.reader.model import Elements, Model
from archlint.analyzer.reader.schema import CHILDREN, MODEL, key_of
from archlint.analyzer.reader.structure import PAYLOADS, REFERENCE, TEXT_REFERENCE, Payload
from archlint.analyzer.reader.weights import error_of
from archlint.analyzer.reader.wire import Window, WireError, encode
from archlint.analyzer.runtime.restored import MOST_BYTES

_KEYS: Final = {field: key for key, field in PAYLOADS.items()}
_TENSOR: Final = TensorProto.DESCRIPTOR.full_name
_METADATA: Final = key_of(TensorProto, "metadata_props")
_TEXT: Final = "string_data"
_REFERENCE: Final = REFERENCE.encode()

# Bytes, where in the source they are, or a tensor whose elements are made when it is their turn.
Piece = bytes | memoryview | Payload | TensorProto


@dataclass(frozen=True, slots=True)
class Message:
    """The pieces of a file, one after the other, and its size."""

    pieces: tuple[Piece, ...]
    size: int


def compose(model: Model, proto: ModelProto, path: str) -> Message:
    """The message of a model's edited structure with what its reading left out.

    Raises ModelWriteError if that is more than protobuf holds.
    """
    try:
        content = proto.SerializeToString(deterministic=True)
        message = _Walk(model, content).message()
    except EncodeError as error:
        raise _too_large(path, "more than 2 GiB") from error
    except WireError as error:
        raise ModelWriteError(path, f"cannot be written: it {error.reason}") from error
    if message.size > MOST_BYTES:
        raise _too_large(path, f"{message.size:,} bytes")
    return message


def _too_large(path: str, size: str) -> ModelWriteError:
    why = f"{size} without external data are more than a protobuf message holds"
    return ModelWriteError(path, f"cannot be written: {why}; export it with external data")


class _Walk:
    """One pass over a structure that notes what stands in it instead of its references."""

    def __init__(self, model: Model, content: bytes) -> None:
        self._model = model
        self._content = content
        self._window = Window(content)
        self._places = _places(content)
        self._edits: list[tuple[int, int, tuple[Piece, ...]]] = []  # in place of [begin, end)

    def message(self) -> Message:
        """The whole."""
        size = len(self._content) + self._walk(MODEL, 0, len(self._content))
        view, offset = memoryview(self._content), 0
        pieces: list[Piece] = []
        for begin, end, new in self._edits:
            pieces += (view[offset:begin], *new)
            offset = end
        return Message((*pieces, view[offset:]), size)

    def _walk(self, kind: str, begin: int, end: int) -> int:
        """By how many bytes a message becomes longer."""
        if kind == _TENSOR:
            return self._tensor(begin, end)
        longer = 0
        for start, key, body, stop in self._window.fields(begin, end):
            child = CHILDREN[kind].get(key)
            if child is None or not self._is_referring(body, stop):
                continue
            place = len(self._edits)
            self._edits.append((start, body, ()))
            inner = self._walk(child, body, stop)
            header = encode(key) + encode(stop - body + inner)
            self._edits[place] = (start, body, (header,))
            longer += inner + len(header) - (body - start)
        return longer

    def _is_referring(self, begin: int, end: int) -> bool:
        """Whether a part may hold a reference."""
        place = bisect_left(self._places, begin)
        return place < len(self._places) and self._places[place] < end

    def _tensor(self, begin: int, end: int) -> int:
        """By how many bytes a tensor becomes longer: references go, the elements come where their
        fields stand in order."""
        fields = list(self._window.fields(begin, end))
        cuts = [
            (start, stop, ())
            for start, key, body, stop in fields
            if key == _METADATA and _is_reference(self._content[body:stop])
        ]
        if not cuts:
            return 0
        edits: list[tuple[int, int, tuple[Piece, ...]]] = [*cuts]
        longer = sum(start - stop for start, stop, _ in cuts)
        tensor = TensorProto.FromString(self._content[begin:end])
        for field, size, pieces in self._elements(tensor):
            behind = [start for start, key, _, _ in fields if key > _KEYS[field]]
            place = min(behind, default=end)
            edits.append((place, place, pieces))
            longer += size
        self._edits += sorted(edits, key=lambda edit: edit[:2])
        return longer

    def _elements(self, tensor: TensorProto) -> list[tuple[str, int, tuple[Piece, ...]]]:
        """The fields of a tensor's elements, their bytes, and what these are."""
        if self._model.elements:
            found = [self._made(tensor)]
        else:
            found = [
                _field(payload.field, payload.length, payload)
                for payload in payloads_of(tensor, self._model.payloads)
            ]
            found += [(_TEXT, text.length, (text,)) for text in _texts(tensor)]
        for field, _, _ in found:
            if getattr(tensor, field):
                why = f"a part of {field} alone was left in the file; export it again"
                raise error_of(self._model, tensor, why)
        return sorted(found, key=lambda entry: _KEYS[entry[0]])

    def _made(self, tensor: TensorProto) -> tuple[str, int, tuple[Piece, ...]]:
        """The elements of a tensor of a model in memory."""
        places = [entry.value for entry in tensor.metadata_props if entry.key == TEXT_REFERENCE]
        if places:
            content = self._strings(tensor, self._model.elements[int(places[0])])
            return _TEXT, len(content), (content,)
        size = bytes_of(tensor)
        if size is None:
            raise error_of(self._model, tensor, "its elements are no numbers of a known type")
        return _field(RAW, size, tensor)

    def _strings(self, tensor: TensorProto, elements: Elements) -> bytes:
        try:
            texts = elements().reshape(-1).tolist()
        except UnicodeDecodeError as error:
            why = "its strings are no UTF-8; write the model from its file"
            raise error_of(self._model, tensor, why) from error
        return TensorProto(string_data=[text.encode() for text in texts]).SerializeToString()


def _field(field: str, size: int, content: Piece) -> tuple[str, int, tuple[Piece, ...]]:
    header = encode(_KEYS[field]) + encode(size)
    return field, len(header) + size, (header, content)


def _places(content: bytes) -> list[int]:
    """Where references may be."""
    places: list[int] = []
    place = content.find(_REFERENCE)
    while place >= 0:
        places.append(place)
        place = content.find(_REFERENCE, place + 1)
    return places


def _is_reference(content: bytes) -> bool:
    return StringStringEntryProto.FromString(content).key in {REFERENCE, TEXT_REFERENCE}


def _texts(tensor: TensorProto) -> list[Payload]:
    """Where in the file the strings of a tensor are, with what tells their lengths."""
    found: list[Payload] = []
    for entry in tensor.metadata_props:
        if entry.key == TEXT_REFERENCE:
            numbers = iter(map(int, entry.value.split()))
            found += [Payload(offset, length, _TEXT) for offset, length in zip(numbers, numbers)]  # noqa: B905 - pairs of one iterator
    return found
