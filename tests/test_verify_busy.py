"""Verdicts while other programs take every core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command_line import Run

SAMPLES = Path(__file__).parent.parent / "samples"
MODELS = [
    SAMPLES / f"{name}.onnx"
    for name in ("inception_module_naive", "large_kernel_5x5", "resnet_basic_block", "wide_5x5")
]


@pytest.fixture
def busy() -> Iterator[None]:
    """A program that computes for ever on each core."""
    hogs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()


@pytest.mark.slow
@pytest.mark.usefixtures("busy")
def test_two_runs_on_a_busy_machine_agree(run: Run) -> None:
    verdicts = []
    for _ in range(2):
        document = run(*MODELS, "--verify", "--output-format=json").document
        findings = [finding for model in document["models"] for finding in model["findings"]]
        verdicts.append([finding["measured"][0]["verdict"] for finding in findings])
    assert len(verdicts[0]) >= 4
    assert verdicts[0] == verdicts[1]
    assert None not in verdicts[0]
