"""What is counted block by block is what numpy counts among the elements that onnx decodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from archlint.analyzer.reader.elements import bits_of
from archlint.analyzer.reader.tally import Tally
from archlint.analyzer.reader.text import from_text
from bit_patterns import NAMES, TYPES, counted, external, model_of, raw, typed

# Fewer than are read at once, more, and a number that fills no whole byte or triple of bytes.
COUNTS = (7, 3001, 800_003)


def smallest_normal(dtype: np.dtype[Any]) -> Any:
    """Of a type of numpy or of ml_dtypes, 0 where it has no denormal numbers."""
    if dtype == np.dtype(ml_dtypes.float8_e8m0fnu):
        return 0.0
    return ml_dtypes.finfo(dtype).smallest_normal  # type: ignore[no-untyped-call]  # of ml_dtypes


def expected(array: NDArray[Any]) -> Tally:
    """What numpy says of an array."""
    flat = array.reshape(-1)
    if flat.dtype.kind == "c":
        flat = flat.view(f"f{flat.dtype.itemsize // 2}")
    if flat.dtype.kind in "iub" or "int" in flat.dtype.name:
        flat = flat.astype(np.int64) if flat.dtype.itemsize < 8 else flat
        same = bool((flat == flat[0]).all())
        return Tally(flat.size, 0, 0, 0, 0, None, bool((flat == 0).all()), same)
    normal = smallest_normal(flat.dtype)
    wide = flat if flat.dtype.itemsize > 2 else flat.astype(np.float32)
    nan, infinite = np.isnan(wide), np.isinf(wide)
    odd = np.flatnonzero(nan | infinite)
    denormal = (wide != 0) & (np.abs(wide) < wide.dtype.type(normal))
    return Tally(
        flat.size,
        int(nan.sum()),
        int(infinite.sum()),
        int((infinite & (wide > 0)).sum()),
        int(denormal.sum()),
        int(odd[0]) if odd.size else None,
        bool((wide[~(nan | infinite)] == 0).all()),
        bool((wide == wide[0]).all()),
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("make", [raw, typed, external])
@pytest.mark.parametrize("dtype", TYPES, ids=NAMES.get)
def test_all_types_and_fields(make: Callable[[int, int], TensorProto], dtype: int) -> None:
    """Small ones that were read with the structure, and large ones that are read in blocks."""
    for elements in COUNTS if make is raw else COUNTS[:2]:
        whole = raw(dtype, elements)
        assert counted(model_of(make(dtype, elements))) == (
            expected(numpy_helper.to_array(whole)), "",
        )  # fmt: skip


def test_every_float_of_16_and_fewer_bits() -> None:
    """All bit patterns, one after the other."""
    for dtype in TYPES:
        bits = bits_of(dtype)
        if "FLOAT" not in NAMES[dtype] or bits > 16:
            continue
        codes = np.arange(1 << bits, dtype=np.uint16 if bits > 8 else np.uint8)
        array = codes.view(helper.tensor_dtype_to_np_dtype(dtype))
        tensor = numpy_helper.from_array(array, "w")
        assert counted(model_of(tensor))[0] == expected(array), NAMES[dtype]


@pytest.mark.parametrize("place", [0, 1, 786_431, 786_432, 999_999])
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_one_other_number_is_seen(place: int, dtype: str) -> None:
    """Wherever it stands, at the edges of blocks as well."""
    array = np.full(1_000_000, 3, dtype)
    assert counted(model_of(numpy_helper.from_array(array, "w")))[0] == expected(array)
    array[place] = 4
    found, _ = counted(model_of(numpy_helper.from_array(array, "w")))
    assert found == expected(array)
    assert found is not None
    assert not found.repeated


@pytest.mark.parametrize("numbers", ["0, -0.0, 0", "nan, nan, nan", "-inf, -inf, -inf", "1, -1, 1"])
def test_equal_numbers(numbers: str) -> None:
    """0 and -0 are equal; the NaN of one pattern is one number."""
    model = from_text(f"g () => () <float[3] w = {{{numbers}}}> {{}}")
    found, _ = counted(model)
    assert found is not None
    assert found.repeated == (numbers != "1, -1, 1")
