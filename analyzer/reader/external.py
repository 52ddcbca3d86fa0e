"""External data: whether a tensor's file may be opened and holds what the tensor needs.

Nothing is opened here, only looked up: a model may name any file of the machine.
https://onnx.ai/onnx/repo-docs/ExternalData.html"""

from __future__ import annotations

import ntpath
import os
import posixpath
import stat
from typing import NamedTuple

from onnx import TensorProto

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.reader.elements import bytes_of, is_external
from archlint.analyzer.reader.faults import Fault, subject
from archlint.analyzer.reader.model import Model
from archlint.analyzer.reader.tensors import TooLargeError, tensors
from archlint.analyzer.text import safe

_SHOWN = 80  # characters of a location that a message shows
_LONGEST = 20  # digits of a number of bytes
_LONGEST_PATH = 4096  # bytes; to look a path up takes time by the square of its length
_REMEDY = "put a plain file of its own beside the model"


class Span(NamedTuple):
    """Where the elements of a tensor are: ``length`` bytes of a file of this status."""

    path: str
    status: os.stat_result
    offset: int
    length: int


class Folder:
    """The folder of a model and the files in it that its tensors name, each looked up once."""

    def __init__(self, model_path: str) -> None:
        self._folder = os.path.dirname(model_path) or os.curdir
        self._found: dict[str, os.stat_result | Fault] = {}

    @property
    def bytes(self) -> int:
        """What the regular files take that were looked up, each counted once."""
        files = {
            (found.st_dev, found.st_ino): found.st_size
            for found in self._found.values()
            if not isinstance(found, Fault)
        }
        return sum(files.values())

    def find(self, tensor: TensorProto) -> Span | Fault:
        """Where the elements of an external tensor are, or why they are not to be had."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        if location not in self._found:
            self._found[location] = self._look_up(location)
        status = self._found[location]
        if isinstance(status, Fault):
            return status
        path = os.path.join(self._folder, location)
        need = bytes_of(tensor)
        try:
            offset = _number(entries.get("offset", "0"))
            rest = status.st_size - offset if need is None else need
            length = _number(entries["length"]) if "length" in entries else rest
        except ValueError as error:
            return _broken(location, "number", f"{error}")
        if need is not None and length != need:
            dims = f"{list(tensor.dims)} of {TensorProto.DataType.Name(tensor.data_type)}"
            what = f"it is said to take {length:,} bytes where its dims {dims} take {need:,}"
            return _broken(location, "length", what)
        if offset + max(length, 0) > status.st_size:
            what = f"it ends at byte {offset + length:,} of a file of {status.st_size:,} bytes"
            return _broken(location, "end", what)
        return Span(path, status, offset, length)

    def _look_up(self, location: str) -> os.stat_result | Fault:
        if why := unsafe_text(location):
            return _unsafe(location, why)
        if len(os.fsencode(location)) > _LONGEST_PATH:
            return _broken(
                location[:_LONGEST_PATH], "missing", "no path is as long as its location"
            )
        path = os.path.join(self._folder, location)
        try:
            root = os.path.realpath(self._folder)
            place = os.path.realpath(os.path.dirname(path))
            if os.path.commonpath([root, place]) != root:
                return _unsafe(location, "is outside the model's folder, behind a symbolic link")
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return _broken(location, "missing", "the file is missing")
        except (OSError, ValueError) as error:
            return _broken(location, "missing", f"the file cannot be looked up: {error}")
        if stat.S_ISLNK(status.st_mode):
            return _unsafe(location, "is a symbolic link")
        if not stat.S_ISREG(status.st_mode):
            return _unsafe(location, "is no regular file")
        if status.st_nlink > 1:
            return _unsafe(location, "is a hard link: another path names the same file")
        return status


def refuse_unsafe(model: Model) -> None:
    """Raises ModelReadError if opening the external data of a model may read other files.

    Looks at the files anew: to be called before anything opens them.
    """
    folder = Folder(model.path)
    try:
        for held in tensors(model.proto, mistyped=True):
            found = folder.find(held.tensor) if is_external(held.tensor) else None
            if isinstance(found, Fault) and found.kind == ProblemKind.UNSAFE_EXTERNAL_DATA:
                raise ModelReadError(model.path, f"{subject(held.label)}: {found.what}; {_REMEDY}")
    except TooLargeError as error:
        raise ModelReadError(model.path, error.reason) from error


def unsafe_text(location: str) -> str:
    """Why a location is refused without looking it up; separators are those of any system."""
    plain = location.replace("\\", "/")
    if not plain:
        return "names no file"
    if plain.startswith("/") or ntpath.splitdrive(plain)[0]:
        return "is an absolute path"
    return "is outside the model's folder" if _climbs(posixpath.normpath(plain)) else ""


def _climbs(path: str) -> bool:
    return path == ".." or path.startswith("../")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise ValueError(f"'{safe(text, _SHOWN)}' is no number of bytes")
    return int(text)


def _unsafe(location: str, why: str) -> Fault:
    what = (
        f"its external data '{safe(location, _SHOWN)}' {why}"
        if location
        else (f"its external data {why}")
    )
    return Fault(ProblemKind.UNSAFE_EXTERNAL_DATA, location, what)


def _broken(location: str, cause: str, why: str) -> Fault:
    what = f"its external data '{safe(location, _SHOWN)}': {why}"
    return Fault(ProblemKind.BROKEN_EXTERNAL_DATA, f"{cause} {location}", what)
