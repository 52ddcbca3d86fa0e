"""Mutants of models: archlint reports on them or refuses them, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from onnx import ModelProto

import fuzz
import fuzz_mutate
import hostile_bytes

SEEDS = [hostile_bytes.small(), hostile_bytes.small() + b"\x72\x03\x0a\x01k"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_500_mutants(tmp_path: Path) -> None:
    """The command finds nothing, within the limits of the hostile corpus."""
    command = [sys.executable, fuzz.__file__, "--mutants", "500", "--seed", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.endswith("500 mutants of seed 1: 0 handled wrongly\n"), done.stdout
    assert done.returncode == 0


def test_a_file_is_written_as_it_was_parsed() -> None:
    """The generic parser keeps every field, known to ONNX or not, in its order."""
    for data in SEEDS:
        assert fuzz_mutate.write(fuzz_mutate.parse(data)) == data


def test_mutants_are_decided_by_seed_and_number() -> None:
    """So that a failure can be met again; most of them differ, and many still decode."""
    one, same, other = (fuzz_mutate.Mutator(SEEDS, seed) for seed in (1, 1, 2))
    mutants = [one.mutant(number) for number in range(200)]
    assert mutants == [same.mutant(number) for number in range(200)]
    assert mutants != [other.mutant(number) for number in range(200)]
    assert len(set(mutants)) > 150
    assert sum(map(_decodes, mutants)) > 60


def _decodes(data: bytes) -> bool:
    try:
        return ModelProto.FromString(data).HasField("graph")
    except Exception:  # noqa: BLE001 - whatever protobuf raises
        return False


def test_a_failure_is_made_smaller() -> None:
    """Fields that the failure does not need go, one after the other."""
    small = fuzz._shrunk(SEEDS[0], "fails", lambda data: ["fails"] if b"Relu" in data else [])
    assert b"Relu" in small
    assert b"Conv" not in small
    assert len(small) < 20 < len(SEEDS[0])
