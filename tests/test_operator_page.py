"""The package of the page about operators does what the page shows."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from pages import blocks, follow
from rule_packages import describe

PAGE = "writing-an-operator"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package of the page as pip would leave it, and the model that it is for."""
    files = {block.file: block.text for block in blocks(PAGE) if block.file}
    for name in ("acme_costs.py", "test_acme_costs.py"):
        (tmp_path / name).write_text(files[name], encoding="utf-8")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    ((group, entries),) = project["entry-points"].items()
    describe(tmp_path, project["name"], group, **entries)
    onnx.save(sparse(64), tmp_path / "sparse.onnx")
    onnx.save(sparse(60), tmp_path / "wrong.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sparse(channels: int) -> onnx.ModelProto:
    """A linear layer for 64 channels and a gate, of the domain acme."""
    x = helper.make_tensor_value_info("x", 1, ["batch", 7, channels])
    y = helper.make_tensor_value_info("y", 1, None)
    weight = numpy_helper.from_array(np.zeros((64, 32), np.float32), "weight")
    nodes = [
        helper.make_node("SparseLinear", ["x", "weight"], ["h"], domain="acme", name="linear"),
        helper.make_node("Gate", ["h"], ["y"], domain="acme", name="gate"),
    ]
    graph = helper.make_graph(nodes, "sparse", [x], [y], [weight])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("acme", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def test_the_operator_package_does_what_the_page_shows(acme: Path) -> None:
    """Before it is installed the first output, then the others."""
    installed: list[str] = []

    def type_(arguments: Sequence[str]) -> tuple[int, str]:
        path = {"PYTHONPATH": str(acme)} if installed else {}
        installed.append("after the first command")
        command = [sys.executable, "-P", "-m", "archlint", *arguments]
        ran = subprocess.run(
            command, capture_output=True, encoding="utf-8", env={**os.environ, **path}, check=False
        )
        return ran.returncode, ran.stderr + ran.stdout

    follow(PAGE, type_)
    assert len(installed) == 4


def test_the_tests_of_the_operator_package_pass(acme: Path) -> None:
    """As its author would run them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_acme_costs.py"]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=acme, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "4 passed" in ran.stdout
