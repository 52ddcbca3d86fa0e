"""All hostile files, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hostile_build import Make, Place
from hostile_bytes import DAMAGED, OTHER_FORMATS
from hostile_graphs import GRAPHS
from hostile_matrix import MATRIX
from hostile_movement import MOVEMENT
from hostile_names import NAMES
from hostile_nested import NESTED
from hostile_operators import OPERATORS
from hostile_sizes import LARGE, SIZES
from hostile_tensors import FOLDERS, TENSORS

# Graphs that any ONNX tool can take apart, however absurd: each one must end in a report.
_ANALYSED: Final = (GRAPHS, LARGE, MATRIX, MOVEMENT, NAMES, NESTED, OPERATORS, SIZES, TENSORS)
_DEEP: Final = (33, 64, 99, 200, 5000)
# Apart from these, with a word of the line that must refuse them.
_REFUSED: Final = {
    "two-models-concatenated": "two",
    **{f"truncated-{part}-of-16": "damaged" for part in range(1, 16)},
    "truncated-by-a-byte": "damaged",
    "cycle": "cycle",
    "cycle-of-3000": "cycle",
    "self-loop": "cycle",
    "subgraph-reads-its-own-result": "cycle",
    **{f"if-nested-{depth}": "nested" for depth in _DEEP},
    "loop-nested-40-in-wire": "nested",
    "shape-nested-in-types": "nested",
    "types-nested-too-deep": "nested",
    "rank-65": "65 dims",
    "rank-100-thousand": "dims",
    "rank-100-thousand-input": "dims",
    "rank-10-million": "dims",
    "nodes-empty-10-mb": "nodes",
    "fields-6-million": "fields",
    "model-is-a-folder": "",
    "model-is-a-fifo": "regular file",
    "model-is-a-device": "regular file",
    "model-is-memory": "",
    "model-is-a-dangling-link": "",
    "model-is-a-loop-of-links": "",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile file.

    ``refusal`` is a word of the line that must refuse it, if one must; ``analysed`` says that none
    may.
    """

    name: str
    place: Place
    refusal: str | None = None
    analysed: bool = False

    def write(self, parent: Path) -> Path:
        """The path of the model, written into a folder of its own."""
        folder = parent / self.name
        folder.mkdir()
        self.place(folder)
        return folder / "model.onnx"


def _case(name: str, place: Place, *, analysed: bool) -> Case:
    refusal = _REFUSED.get(name)
    return Case(name, place, refusal, analysed and refusal is None)


def _placed(make: Make) -> Place:
    def place(folder: Path) -> None:
        (folder / "model.onnx").write_bytes(make())

    return place


CASES: Final = tuple(
    [Case(name, _placed(make), word) for name, (make, word) in OTHER_FORMATS.items()]
    + [_case(name, _placed(make), analysed=False) for name, make in DAMAGED.items()]
    + [
        _case(name, _placed(make), analysed=True)
        for table in _ANALYSED
        for name, make in table.items()
    ]
    + [_case(name, place, analysed=True) for name, place in FOLDERS.items()]
)
