"""The package is installed under one name, whole."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import archlint

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = {"archlint": "archlint", "analyzer": "archlint.analyzer", "rules": "archlint.rules"}


def packages(folder: str, name: str) -> set[str]:
    root = ROOT / folder
    inner = (path.parent.relative_to(root) for path in root.rglob("__init__.py"))
    return {".".join((name, *path.parts)) for path in inner if path.parts[:1] not in SKIPPED}


SKIPPED = {("analyzer",), ("rules",)}  # the links inside archlint/


def test_every_package_is_listed() -> None:
    """The list in pyproject.toml is the tree."""
    found = {name for folder, base in FOLDERS.items() for name in packages(folder, base)}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_links_lead_to_the_folders() -> None:
    """Type checkers see the folders under their import names."""
    for name in ("analyzer", "rules"):
        link = ROOT / "archlint" / name
        assert link.is_symlink()
        assert link.resolve() == ROOT / name


def test_version() -> None:
    """The installed version is that of the package."""
    assert metadata.version("archlint") == archlint.__version__


def test_py_typed() -> None:
    """The marker that the package is typed is there."""
    assert (ROOT / "archlint" / "py.typed").is_file()


@pytest.mark.parametrize("module", ["onnx", "onnxruntime", "networkx", "numpy", "rich"])
def test_version_imports_little(module: str) -> None:
    """``archlint --version`` does not wait for what only an analysis needs."""
    code = f"import sys, archlint.cli; sys.exit('{module}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_static_check_never_imports_onnxruntime() -> None:
    """Linting runs nothing of the model, and loads no runtime."""
    sample = ROOT / "samples" / "lenet5.onnx"
    code = (
        "import sys; from archlint.analyzer.reader import read; from archlint.pipeline import *;"
        "from archlint.config import Chosen, choose_rules;"
        f"lint_model(read({str(sample)!r}), Chosen(choose_rules(['ALL'])));"
        "sys.exit('onnxruntime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
