"""CUDA, where there are an NVIDIA GPU and a build of onnxruntime that can use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime
import pytest

from archlint.analyzer.timing.inventory import State, look_up, standing
from archlint.analyzer.timing.probing import DRIVERS, _loads
from archlint.analyzer.timing.providers import Provider, parse_providers

if TYPE_CHECKING:
    from command_line import Run

CUDA = "CUDAExecutionProvider"
SAMPLES = Path(__file__).parent.parent / "samples"
DRIVER = any(map(_loads, DRIVERS))
BUILT = CUDA in onnxruntime.get_available_providers()
pytestmark = pytest.mark.cuda
needs_gpu = pytest.mark.skipif(
    not (DRIVER and BUILT), reason="no NVIDIA driver, or no onnxruntime that can use a GPU"
)


def cuda() -> Provider:
    (provider,) = parse_providers(["cuda"])
    return provider


@needs_gpu
def test_it_takes_nodes() -> None:
    """Both small models, without a copy in between: inputs and outputs lie on the device."""
    found = standing(cuda(), look_up())
    assert (found.state, found.why, found.missing) == (State.WORKS, "", ())
    assert set(found.kernels) == {CUDA}


@needs_gpu
def test_a_claim_is_timed_on_it(run: Run) -> None:
    """By wall time, with TF32 off and nothing left to the CPU."""
    sample = SAMPLES / "wide_5x5.onnx"
    ran = run(sample, "--verify", "--ep", "cuda", "--budget", "2", "--output-format", "json")
    (model,) = ran.document["models"]
    (measured,) = model["findings"][0]["measured"]
    assert measured["why"] is None
    assert measured["options"]["use_tf32"] == "0"
    times = measured["times"]
    assert (times["clock"], times["copies"]) == ("wall time", 0)
    assert set(times["kernels_before"]) == set(times["kernels_after"]) == {CUDA}


@pytest.mark.skipif(DRIVER or not BUILT, reason="no onnxruntime for GPUs, or a GPU is here")
def test_without_a_gpu_it_says_what_is_missing(run: Run) -> None:
    ran = run(SAMPLES / "wide_5x5.onnx", "--verify", "--ep", "cuda")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith(f"--ep cuda: {CUDA} cannot be loaded: ")
    assert "libcuda.so.1" in ran.error
    assert "NVIDIA's driver" in ran.error
