"""Crops of a photograph, with which the benchmark of ``archlint fix`` calibrates.

``python fix_samples.py PHOTOS FOLDER`` writes them; it needs pillow.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from low_rank_samples import samples

_BOXES: Final = ((0, 0, 640, 427), (0, 0, 400, 400), (200, 20, 600, 420), (100, 100, 420, 420))
"""Of china.jpg, in pixels: the whole, and three parts."""
# By the name that low_rank_samples gives a network: its input, the side of its picture, its range.
_TAKEN: Final = {"320n": ("images", 320, (0, 1)), "detector": ("x", 640, (-1, 1))}


def crops(folder: Path) -> Path:
    """The folder of ``samples`` with ``NETWORK-crops.npz`` of each network.

    Raises CalledProcessError where what it takes cannot be had from PyPI.
    """
    samples(folder)
    if not all((folder / f"{network}-crops.npz").exists() for network in _TAKEN):
        environ = {**os.environ, "PYTHONPATH": str(folder / "pillow")}
        command = [sys.executable, __file__, str(folder / "photos"), str(folder)]
        subprocess.run(command, check=True, env=environ, stdout=sys.stderr)
    return folder


def write(photos: Path, folder: Path) -> None:
    """Each network's crops, [4, 3, side, side]."""
    image = import_module("PIL.Image")
    photo = image.open(photos / "china.jpg").convert("RGB")
    for network, (name, side, (low, high)) in _TAKEN.items():
        pixels = np.stack([_pixels(photo.crop(box), side) for box in _BOXES])
        arrays: dict[str, Any] = {name: low + (high - low) * pixels}
        np.savez(folder / f"{network}-crops.npz", **arrays)


def _pixels(photo: Any, side: int) -> Any:
    """Planes from 0 to 1."""
    pixels = np.asarray(photo.resize((side, side)), np.float32) / np.float32(255)
    return pixels.transpose(2, 0, 1)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
