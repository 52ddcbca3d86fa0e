"""Plugins: other packages' formulas, loaded late, once, and only beside what is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from archlint.analyzer.cost.base import HANDLERS
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.reader.text import from_text
from archlint.plugins import load_plugins
from rule_packages import describe

PAGE = (Path(__file__).parent.parent / "docs" / "writing-an-operator.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"```python\n# acme_costs.py\n(.*?)```", PAGE, flags=re.DOTALL)
(ENTRY,) = re.findall(r'^acme = "(.*)"$', PAGE, flags=re.MULTILINE)
FOREIGN = """<ir_version: 9, opset_import: ["" : 21, "acme" : 1]>
agraph (float[2,7,64] x) => (y) <float[64,32] w> { y = acme.SparseLinear (x, w) }"""
PLAIN = "agraph (float[2,7,64] x) => (y) <float[64,32] w> { y = MatMul (x, w) }"
TRACE = "\nimport sys\nprint('plugin loaded', file=sys.stderr)\n"


def install(folder: Path, source: str, entry: str = ENTRY, package: str = "acme-costs") -> None:
    """A package with one module and one entry point, as pip would leave it in ``folder``."""
    module = entry.partition(":")[0]
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    describe(folder, package, "archlint.costs", **{module: entry})


def archlint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run that finds the packages of ``folder``: registries are those of a process."""
    return subprocess.run(
        [sys.executable, "-m", "archlint", *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )


@pytest.fixture
def models(tmp_path: Path) -> tuple[str, str]:
    """A model with an operator that archlint does not know, and one without."""
    paths = tmp_path / "foreign.onnx", tmp_path / "plain.onnx"
    for path, text in zip(paths, (FOREIGN, PLAIN), strict=True):
        onnx.save(from_text(text).proto, path)
    return str(paths[0]), str(paths[1])


def test_without_it_the_operator_is_unknown(tmp_path: Path, models: tuple[str, str]) -> None:
    """So that what the example gives is due to it."""
    ran = archlint(tmp_path, "cost", models[0])
    assert "acme.SparseLinear node 'y': " in ran.stdout
    assert "the cost of 1 of 1 node is unknown" in ran.stdout


def test_the_example_of_the_page_works(tmp_path: Path, models: tuple[str, str]) -> None:
    """Its operator is counted by its formula: a quarter of the products of a MatMul."""
    install(tmp_path, EXAMPLE)
    ran = archlint(tmp_path, "cost", models[0])
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"{2 * 7 * 32 * 64 // 4:,} MACs, {64 * 32:,} parameters" in ran.stdout
    assert "unknown" not in ran.stdout
    listed = archlint(tmp_path, "ops", "--domain", "acme").stdout
    assert (
        "SparseLinear  acme           yes     counted  Π(out) · K/4 MACs, K the inner dim" in listed
    )


def test_it_is_loaded_once_and_only_where_needed(tmp_path: Path, models: tuple[str, str]) -> None:
    """A model of known operators does not pay for it; several models that need it pay once."""
    install(tmp_path, EXAMPLE + TRACE)
    foreign, plain = models
    assert archlint(tmp_path, plain).stderr == ""
    assert archlint(tmp_path, plain, foreign, str(tmp_path)).stderr == "plugin loaded\n"
    assert archlint(tmp_path, "--version").stderr == ""


def test_an_operator_in_a_subgraph_needs_it_too(tmp_path: Path) -> None:
    """Wherever it stands, but not where the file itself defines it."""
    install(tmp_path, EXAMPLE + TRACE)
    inner = from_text("""<ir_version: 9, opset_import: ["" : 21, "acme" : 1]>
        agraph (bool c, float[7,64] x) => (y) <float[64,32] w> {
            y = If (c) <
                then_branch = a () => (p) { p = acme.SparseLinear (x, w) },
                else_branch = b () => (q) { q = MatMul (x, w) }
            >
        }""")
    own = from_text("""<ir_version: 9, opset_import: ["" : 21, "acme" : 1]>
        agraph (float[7,64] x) => (y) <float[64,32] w> { y = acme.SparseLinear (x, w) }
        <domain: "acme", opset_import: ["" : 21]>
        SparseLinear (x, w) => (y) { y = MatMul (x, w) }""")
    onnx.save(inner.proto, tmp_path / "inner.onnx")
    onnx.save(own.proto, tmp_path / "own.onnx")
    assert archlint(tmp_path, str(tmp_path / "inner.onnx")).stderr == "plugin loaded\n"
    ran = archlint(tmp_path, "cost", str(tmp_path / "own.onnx"))
    assert ran.stderr == ""
    assert f"{7 * 32 * 64:,} MACs" in ran.stdout


def test_a_function_registers_when_it_is_called(tmp_path: Path, models: tuple[str, str]) -> None:
    """The entry point may name one."""
    body = "".join(f"    {line}\n" for line in EXAMPLE.splitlines())
    install(tmp_path, f"def register():\n{body}", "acme_late:register")
    assert f"{2 * 7 * 32 * 64 // 4:,} MACs" in archlint(tmp_path, "cost", models[0]).stdout


BASE = "from archlint.analyzer.cost.base import HANDLERS, Handler, Work, handles\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param("import not_there\n", "ModuleNotFoundError: No module named 'not_there'",
                     id="import"),
        pytest.param("1 / 0\n", "ZeroDivisionError: division by zero", id="crash"),
        pytest.param("raise SystemExit(7)\n", "SystemExit: 7", id="exit"),
        pytest.param(BASE + "@handles('Conv')\ndef conv(view): return Work()\n",
                     "ValueError: Conv has two formulas", id="registers-a-built-in"),
        pytest.param(BASE + "HANDLERS['MatMul'] = Handler(lambda view: Work(), 'x')\n",
                     "ValueError: it replaces MatMul, which archlint counts itself",
                     id="replaces-a-built-in"),
        pytest.param(BASE + "del HANDLERS['MatMul']\n", "it replaces MatMul", id="removes"),
    ],
)  # fmt: skip
def test_a_broken_plugin_is_told(
    source: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the name of its package; the registries are as they were."""
    install(tmp_path, source)
    monkeypatch.syspath_prepend(tmp_path)
    load_plugins.cache_clear()
    before = dict(HANDLERS)
    with pytest.raises(ConfigError) as raised:
        load_plugins()
    sys.modules.pop(ENTRY, None)
    start = "plugin 'acme-costs' (entry point 'acme_costs'): cannot be used: "
    assert str(raised.value).startswith(start)
    assert told in str(raised.value)
    assert dict(HANDLERS) == before


def test_a_broken_plugin_is_one_line(tmp_path: Path, models: tuple[str, str]) -> None:
    """With exit code 2; models whose operators archlint knows do not mind it."""
    install(tmp_path, "1 / 0\n")
    ran = archlint(tmp_path, "cost", models[0])
    assert (ran.returncode, ran.stdout) == (2, "")
    (line,) = ran.stderr.splitlines()
    assert line.startswith("archlint: error: plugin 'acme-costs' (entry point 'acme_costs'): ")
    assert line.endswith("ZeroDivisionError: division by zero; correct or uninstall it")
    assert archlint(tmp_path, "cost", models[1]).returncode == 0


def test_two_plugins_for_one_operator_are_refused(tmp_path: Path, models: tuple[str, str]) -> None:
    """The second by name is told."""
    install(tmp_path, EXAMPLE)
    install(tmp_path, EXAMPLE, "zeta_costs", "zeta-costs")
    ran = archlint(tmp_path, models[0])
    assert ran.returncode == 2
    assert (
        "plugin 'zeta-costs' (entry point 'zeta_costs'): cannot be used: ValueError: " in ran.stderr
    )
    assert "acme.SparseLinear" in ran.stderr
