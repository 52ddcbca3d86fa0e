"""All hostile files, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hostile_build import Make, Place
from hostile_bytes import DAMAGED, OTHER_FORMATS
from hostile_graphs import GRAPHS
from hostile_matrix import MATRIX
from hostile_names import NAMES
from hostile_nested import NESTED
from hostile_operators import OPERATORS
from hostile_sizes import LARGE, SIZES
from hostile_tensors import FOLDERS, TENSORS

_TABLES: Final = (DAMAGED, NAMES, GRAPHS, NESTED, TENSORS, OPERATORS, MATRIX, SIZES, LARGE)


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile file; ``refusal`` is a word of the line that must refuse it, if one must."""

    name: str
    place: Place
    refusal: str | None = None

    def write(self, parent: Path) -> Path:
        """The path of the model, written into a folder of its own."""
        folder = parent / self.name
        folder.mkdir()
        self.place(folder)
        return folder / "model.onnx"


def _placed(make: Make) -> Place:
    def place(folder: Path) -> None:
        (folder / "model.onnx").write_bytes(make())

    return place


CASES: Final = tuple(
    [Case(name, _placed(make), word) for name, (make, word) in OTHER_FORMATS.items()]
    + [Case(name, _placed(make)) for table in _TABLES for name, make in table.items()]
    + [Case(name, place) for name, place in FOLDERS.items()]
)
