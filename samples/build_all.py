"""Rebuild the .onnx files that lie beside the scripts; ``--all DIR`` also writes every network.

The bytes are the same at every run: seeded weights, deterministic serialisation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from onnx import ModelProto

from _command import COMMITTED, save
from archlint.analyzer.builder import WeightKind

NETWORKS = (
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "inception_v3",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "regnet_y_400mf",
    "resnet18",
    "resnet50",
    "shufflenet_v2",
    "swin_t",
    "vgg16",
    "vit_b_16",
)
"""Whole networks: too large to keep with their weights."""


def build_sample(name: str, weights: WeightKind = "structure") -> ModelProto:
    """The model of one sample by the name of its script."""
    build: Callable[..., ModelProto] = import_module(name).build
    return build(weights=weights)


def main() -> None:
    """Write the committed files, and on request the whole networks as structure."""
    parser = argparse.ArgumentParser(description="Rebuild the committed samples.")
    parser.add_argument("--all", type=Path, metavar="DIR", help="also write the whole networks")
    directory: Path | None = parser.parse_args().all
    here = Path(__file__).parent
    for name, weights in COMMITTED.items():
        save(build_sample(name, weights), here / f"{name}.onnx")
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        for name in NETWORKS:
            save(build_sample(name), directory / f"{name}.onnx")


if __name__ == "__main__":
    main()
