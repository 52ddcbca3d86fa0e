"""What models are fed with to compare them: samples of a file, or made-up ones."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from archlint.analyzer.dims import SymbolicDim
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Graph, Value
from archlint.analyzer.runtime.inputs import Feed, feeds
from archlint.analyzer.text import nearest, safe

_MOST_BYTES: Final = 1 << 30  # of all arrays of a file
_NAME = 80  # characters of a name that a message shows
# Types of inputs that numpy has, by the kind of what may be cast to them.
_KINDS: Final = {
    "f": frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE}),
    "iu": frozenset({
        TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
        TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
    }),
    "b": frozenset({TensorProto.BOOL}),
    "U": frozenset({TensorProto.STRING}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Samples:
    """So many samples of every input of a graph.

    ``arrays`` hold them along their first axis, one for all samples where that is 1; where there
    are none, sample k is what ``feeds`` are with seed + k.
    """

    count: int
    feeds: tuple[Feed, ...] = ()
    seed: int = 0
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict, compare=False)

    @property
    def is_made_up(self) -> bool:
        """Whether they are of no file."""
        return not self.arrays

    def as_json(self, folder: str) -> dict[str, Any]:
        """The argument of a job, which finds the arrays in this folder."""
        files: dict[str, str] = {}
        for name, array in self.arrays.items():
            files[name] = os.path.join(folder, f"input-{len(files)}.npy")
            np.save(files[name], array, allow_pickle=False)
        fed = [feed.as_json() for feed in self.feeds]
        return {"count": self.count, "seed": self.seed, "feeds": fed, "files": files}


def made_up_samples(path: str, graph: Graph, count: int = 2, seed: int = 0) -> Samples:
    """Seeded samples of the inputs of a graph.

    Raises ExecutionError, with the path of its model, where a dim of an input is unknown.
    """
    return Samples(count, tuple(feeds(path, graph)), seed)


def read_samples(path: str, graph: Graph) -> Samples:
    """The samples of an .npz file: arrays by the names of the graph's inputs.

    An array is one sample of its input, or a stack of them along an axis before the input's own.
    Where the leading dim of the input is 1, as an unbound batch is taken, longer arrays of its rank
    are samples along that dim. Where dims are free, a sample may have any. An array of one sample
    serves for all. Raises ConfigError for what does not fit the inputs.
    """
    stored = _load(path)
    for name in stored:
        if name not in graph.inputs:
            known = ", ".join(f"'{safe(one, _NAME)}'" for one in graph.inputs)
            hint = nearest(name, graph.inputs) or f"; its inputs are {known}"
            raise ConfigError(path, f"the model has no input '{safe(name, _NAME)}'{hint}")
    arrays: dict[str, NDArray[Any]] = {}
    sizes: dict[str, int] = {}
    for name in graph.inputs:
        if name not in stored:
            why = f"holds no array for input '{safe(name, _NAME)}'; save one of this name"
            raise ConfigError(path, why)
        array = _cast(path, graph.value(name), stored.pop(name))
        arrays[name] = _stacked(path, graph.value(name), array, sizes)
    return Samples(_count(path, arrays), arrays=arrays)


def _load(path: str) -> dict[str, NDArray[Any]]:
    try:
        with open(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except OSError as error:
        raise ConfigError(path, error.strerror or str(error)) from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        why = "is no .npz file; write it with numpy.savez(path, name_of_input=array)"
        raise ConfigError(path, why) from error
    if size > _MOST_BYTES:
        why = f"holds {size:,} bytes, more than the {_MOST_BYTES:,} that samples may take"
        raise ConfigError(path, f"{why}; save fewer samples")
    stored: dict[str, NDArray[Any]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            stored[name] = _member(path, archive, name)
    return stored


def _member(path: str, archive: Any, name: str) -> NDArray[Any]:
    try:
        array = archive[name]
    except (ValueError, OSError, EOFError, MemoryError, KeyError, zipfile.BadZipFile, zlib.error,
            NotImplementedError, RuntimeError) as error:  # fmt: skip
        why = f"array '{safe(name, _NAME)}' cannot be read: {_first_line(error)}"
        raise ConfigError(path, why) from error
    if not isinstance(array, np.ndarray):  # numpy hands out the bytes of other members
        raise ConfigError(path, f"'{safe(name, _NAME)}' is no array")
    return array


def _first_line(error: Exception) -> str:
    if "pickle" in str(error):
        return "it holds Python objects; save numbers or text"
    return safe(str(error).partition("\n")[0]) or type(error).__name__


def _cast(path: str, value: Value, array: NDArray[Any]) -> NDArray[Any]:
    """The array in the type of the input: a float of another width, an integer of another."""
    named = f"input '{safe(value.name, _NAME)}'"
    kind = next((kind for kind, types in _KINDS.items() if value.dtype in types), None)
    if kind is None:
        is_known = value.dtype and value.dtype in TensorProto.DataType.values()
        type_name = TensorProto.DataType.Name(value.dtype).lower() if is_known else "no tensor"
        raise ConfigError(path, f"{named} is {type_name}, which no array of numpy can be")
    if kind == "U":
        wanted = array.dtype if array.dtype.kind == "U" else np.dtype(np.str_)
    else:
        wanted = helper.tensor_dtype_to_np_dtype(value.dtype)
    if array.dtype.kind not in kind:
        what = "strings" if kind == "U" else str(wanted)
        why = f"{named} takes {what}, not {array.dtype}; convert the array"
        raise ConfigError(path, why)
    if array.dtype == wanted:
        return array
    with np.errstate(over="ignore"):
        cast = array.astype(wanted)
    fits = np.array_equal(np.isinf(cast), np.isinf(array)) if kind == "f" else (cast == array).all()
    if not fits:
        raise ConfigError(path, f"the array of {named} holds numbers that {wanted} cannot")
    return cast


def _stacked(path: str, value: Value, array: NDArray[Any], sizes: dict[str, int]) -> NDArray[Any]:
    """The array as [samples, *dims of the input]; the sizes of free dims are added by name."""
    shape = value.shape
    if shape is None:
        return array[None]
    rank = len(shape)
    if array.ndim == rank + 1:
        stack = array
    elif array.ndim == rank and rank and shape[0] == 1:
        stack = array[:, None]
    else:
        stack = array[None]
    if not stack.shape[0]:
        raise ConfigError(path, f"the array of input '{safe(value.name, _NAME)}' has no sample")
    if not _fits(stack.shape[1:], shape, sizes):
        dims = ", ".join(map(_label, shape))
        why = f"input '{safe(value.name, _NAME)}' takes [{dims}], or a stack of them"
        raise ConfigError(path, f"{why}, not {list(array.shape)}")
    return stack


def _fits(dims: Sequence[int], shape: Sequence[object], sizes: dict[str, int]) -> bool:
    return len(dims) == len(shape) and all(
        sizes.setdefault(wanted.label, dim) == dim
        if isinstance(wanted, SymbolicDim)
        else wanted == dim
        for dim, wanted in zip(dims, shape, strict=True)
    )


def _label(dim: object) -> str:
    return safe(str(dim), _NAME)


def _count(path: str, arrays: Mapping[str, NDArray[Any]]) -> int:
    counts = {array.shape[0]: name for name, array in arrays.items() if array.shape[0] > 1}
    if len(counts) > 1:
        few, many = min(counts), max(counts)
        why = f"holds {few} samples of input '{safe(counts[few], _NAME)}'"
        other = f"{many} of '{safe(counts[many], _NAME)}'"
        raise ConfigError(path, f"{why} and {other}; save as many of each")
    return max(counts, default=1)
