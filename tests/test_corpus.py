"""The models that onnx's wheel holds, and those that it tests its operators with: each one ends in
a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from archlint.analyzer.analysis import Analyses
from archlint.analyzer.choices import By, SortKey
from archlint.analyzer.report import as_json, concise, cost_table, full
from archlint.analyzer.text import Paint
from archlint.config import Chosen, choose_rules
from archlint.pipeline import lint
from archlint.run import plain
from fuzz import node_tests

WHEEL = Path(onnx.__file__).parent / "backend" / "test" / "data"


def rendered(analyses: Analyses) -> Iterator[str]:
    """The report in every format."""
    rows = [cost_table.rows(model, By.NODE, SortKey.GRAPH) for model in analyses.models]
    report = plain(analyses)
    yield full.render(report, Paint(), 80)
    yield concise.render(report, Paint())
    yield as_json.render(report, rows)
    for model, groups in zip(analyses.models, rows, strict=True):
        yield cost_table.render(model, groups, By.NODE, Paint(), 80)


def failures(paths: list[str]) -> list[str]:
    """Why models could not be analysed, or by which rules not."""
    report = lint(paths, lambda _path: Chosen(choose_rules(["ALL"])))
    assert all(rendered(report))
    crashed = [f"{finding.message}" for finding in report.findings if finding.code == "ARC900"]
    return [f"{failure.path}: {failure.why}" for failure in report.failures] + crashed


def test_the_models_of_the_wheel() -> None:
    """Light classics, converted PyTorch layers, operators; 149 of them in onnx 1.23."""
    paths = sorted(str(path) for path in WHEEL.rglob("*.onnx"))
    assert len(paths) >= 140
    assert failures(paths) == []


@pytest.mark.slow
def test_the_models_of_operators(tmp_path: Path) -> None:
    """One to three nodes, made by onnx; 1,884 of them in onnx 1.23."""
    for name, data in node_tests():
        (tmp_path / f"{name}.onnx").write_bytes(data)
    paths = sorted(str(path) for path in tmp_path.iterdir())
    assert len(paths) >= 1800
    assert failures(paths) == []
