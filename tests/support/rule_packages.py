"""Plugins of rules for tests: the example of samples/plugin, and packages as pip leaves them."""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

from archlint import rule_modules
from archlint.rule_plugins import known_rules
from pages import blocks

EXAMPLE = Path(__file__).parents[2] / "samples" / "plugin"
_OF_PAGE = {str(block.file): block.text for block in blocks("writing-a-rule")}
PROPOSING = _OF_PAGE["lint_rules/wide_linear.py"]
ADVISING = _OF_PAGE["lint_rules/embedded_nms.py"]


def forget() -> None:
    """What this process knows of plugins: each run of archlint begins without."""
    known_rules.cache_clear()
    rule_modules._rules_at.cache_clear()
    for name in list(sys.modules):
        if name.partition(".")[0] in _INSTALLED or name.startswith("_archlint_plugin"):
            del sys.modules[name]


_INSTALLED = {"house_rules", "acme_rules"}  # what tests install


def install_example(site: Path) -> None:
    """The example's package with what its pyproject.toml says."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(EXAMPLE / "house_rules", site / "house_rules")
    ((group, points),) = project["entry-points"].items()
    describe(site, project["name"], group, **points)


def install(
    site: Path, source: str, value: str = "acme_rules", package: str = "acme-rules"
) -> None:
    """A package of one module with the source, and one entry point."""
    (site / "acme_rules.py").write_text(source, encoding="utf-8")
    describe(site, package, "archlint.rules", acme=value)


def describe(site: Path, package: str, group: str, **points: str) -> None:
    """The metadata of a package."""
    info = site / f"{package.replace('-', '_')}-1.0.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")
