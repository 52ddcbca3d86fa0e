"""From a file beside models to those that it belongs to: weights kept in it, a snapshot."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from archlint.analyzer.errors import ModelError

Known = dict[str, Mapping[str, list[str]]]  # the models of each folder by the files they name
_NAMED_AFTER = re.compile(r"(.+\.onnx)(?:[._]data(?:_\d+)?|\.arch)", re.DOTALL)


def owners(path: str, known: Known) -> list[str]:
    """The model that the file is named after (``m.onnx.data``, ``m.onnx_data``, ``m.onnx_data_1``,
    ``m.onnx.arch``), else those of its folder whose external data name it.

    ``known`` are the folders read so far, to which this one is added.
    """
    named = _NAMED_AFTER.fullmatch(path)
    if named is not None and os.path.isfile(named[1]):
        return [named[1]]
    folder, name = os.path.split(path)
    if folder not in known:
        known[folder] = _named_in(folder)
    return known[folder].get(os.path.normcase(name), [])


def _named_in(folder: str) -> Mapping[str, list[str]]:
    """The models of a folder by the names of the files that hold their external data."""
    found: dict[str, list[str]] = {}
    try:
        names = sorted(os.listdir(folder or os.curdir))
    except OSError:  # it may be entered and not listed
        return found
    for name in names:
        if name.endswith(".onnx"):
            model = os.path.join(folder, name)
            for location in _locations(model):
                found.setdefault(location, []).append(model)
    return found


def _locations(path: str) -> Iterator[str]:
    """Where a model keeps external data, each file once; nowhere if it cannot be read."""
    from archlint.analyzer.reader import read  # late: few name a file that is no .onnx
    from archlint.analyzer.reader.elements import is_external
    from archlint.analyzer.reader.tensors import tensors

    try:
        model = read(path)
    except ModelError:  # told where the model itself is meant
        return
    entries = (
        entry.value
        for held in tensors(model.proto)
        if is_external(held.tensor)
        for entry in held.tensor.external_data
        if entry.key == "location"
    )
    yield from dict.fromkeys(os.path.normcase(os.path.normpath(entry)) for entry in entries)
