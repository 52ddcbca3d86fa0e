"""The command line of every sample script: ``[-o OUT] [--weights structure|random]``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from onnx import ModelProto

from archlint.analyzer.builder import WeightKind

COMMITTED: dict[str, WeightKind] = {
    "dense_layer": "random",
    "depthwise_separable_block": "structure",
    "factorized_7x7": "structure",
    "fcn_head": "structure",
    "inception_5x5": "random",
    "inception_5x5_bottleneck": "random",
    "inception_module": "random",
    "inception_module_naive": "structure",
    "large_kernel_5x5": "random",
    "lenet5": "random",
    "mlpconv": "random",
    "resnet_basic_block": "structure",
    "resnet_bottleneck_block": "random",
    "two_3x3": "random",
    "wide_5x5": "random",
    "wide_5x5_bottleneck": "random",
}
"""The samples whose .onnx lies beside the script, with the weights that it holds."""


def run(build: Callable[..., ModelProto], script: str, *flags: str) -> None:
    """Write one sample; each flag is an option of the command and a keyword of ``build``."""
    path = Path(script)
    parser = argparse.ArgumentParser(description=f"Write the sample {path.stem} as ONNX.")
    parser.add_argument(
        "-o", "--output", type=Path, default=path.with_suffix(".onnx"), help="default: %(default)s"
    )
    parser.add_argument(
        "--weights",
        choices=get_args(WeightKind),
        default=COMMITTED.get(path.stem, "structure"),
        help="a fill of a few bytes, or seeded He-scaled numbers (default: %(default)s)",
    )
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    options = vars(parser.parse_args())
    output: Path = options.pop("output")
    save(build(**options), output)


def save(model: ModelProto, output: Path) -> None:
    """Write a model in protobuf's deterministic order, so that a rebuild changes no byte."""
    output.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{output}: {output.stat().st_size:,} bytes")
