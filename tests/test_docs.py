"""The documentation says what archlint does."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archlint import __version__
from archlint.commands import app
from archlint.rules import all_rules
from generate import LIGHT, PAGES, networks

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

# What a good engineer expects of each network by default: whether its channels are too wide.
WIDE = {
    "AlexNet, grouped", "ZFNet-512", "VGG-19", "Inception module, naive", "AlexNet", "VGG-16",
    "ResNet-18",
}  # fmt: skip
REDUCED = {
    "Inception v1", "Inception v2", "ResNet-50", "DenseNet-121", "SqueezeNet", "ShuffleNet",
    "Inception module", "GoogLeNet", "ResNet-50, samples", "DenseNet-121, samples", "MobileNet v1",
    "GoogLeNet with its auxiliary classifiers",
}  # fmt: skip
# Szegedy et al. 2015, figure 10: the 3x3 of stride 2 from 35x35 has no 1x1 before it.
UNREDUCED_ONCE = {"Inception v3"}


@cache
def codes_of_networks() -> dict[str, Counter[str]]:
    return {title: Counter(f.code for f in report.findings) for title, report in networks()}


needs_light_models = pytest.mark.skipif(
    not LIGHT.is_dir(), reason="this onnx package ships no light models"
)


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_fresh(page: str) -> None:
    """docs/ holds what ``python docs/generate.py`` writes."""
    if page in {"networks.md", "precision.md"} and not LIGHT.is_dir():
        pytest.skip("this onnx package ships no light models")
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == PAGES[page]()


@needs_light_models
def test_width_findings_are_where_they_belong() -> None:
    """Wide networks have findings of the family ARC1xx, reduced ones none."""
    found = {
        title: sum(count for code, count in codes.items() if code.startswith("ARC1"))
        for title, codes in codes_of_networks().items()
    }
    assert {title for title, count in found.items() if count > 1} | {"AlexNet, grouped"} == WIDE
    assert {title for title, count in found.items() if count == 0} == REDUCED
    assert {title for title, count in found.items() if count == 1} == {
        "AlexNet, grouped", *UNREDUCED_ONCE,
    }  # fmt: skip


@needs_light_models
def test_heads_are_found() -> None:
    """Flattened heads of the classics, and the training heads of GoogLeNet alone."""
    codes = codes_of_networks()
    flattened = {title for title, found in codes.items() if found["ARC301"]}
    assert flattened == {"AlexNet, grouped", "AlexNet", "ZFNet-512", "VGG-19", "VGG-16"}
    auxiliary = {title: found["ARC302"] for title, found in codes.items() if found["ARC302"]}
    assert auxiliary == {"GoogLeNet with its auxiliary classifiers": 2}


def test_readme_shows_what_archlint_prints() -> None:
    """The first example is the report of the first command."""
    example = README.partition("```text\n")[2].partition("```")[0]
    output = CliRunner().invoke(app, ["check", str(ROOT / "samples" / "inception_5x5.onnx")]).output
    assert example.rstrip() in output.replace(f"{ROOT}/", "")


def test_readme_has_two_commands_that_do_all() -> None:
    """Each makes its environment, installs and runs; CI takes them from here."""
    main_job, tests = re.findall(r"^\$ (python3 -m venv .*)$", README, flags=re.MULTILINE)
    assert "pip install" in main_job
    assert "archlint samples/inception_5x5.onnx" in main_job
    assert "pip install" in tests
    assert "pytest" in tests


def test_readme_names_every_rule_and_command() -> None:
    """No rule, command or option of check is missing from the README."""
    for rule in all_rules():
        assert f"{rule.code}" in README
        assert rule.name in README
    commands = ("check", "cost", "time", "calibrate", "providers", "rule", "ops", "schema")
    for command in (*commands, "config", "files", "fix", "sketch"):
        assert f"archlint {command}" in README
    shown = CliRunner().invoke(app, ["check", "--help"]).output
    for option in set(re.findall(r"--[a-z-]+", shown)) - {"--help", "--output-file"}:
        assert option in README


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "samples/README.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link names a file of the repository."""
    path = ROOT / page
    for target in re.findall(r"\]\((?!http)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


DOCS = ROOT / "docs"
SITE_PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
_CODE = re.compile(r"^(`{3,})\w*\n.*?^\1$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The headings of a page as Python-Markdown names them."""
    found: Counter[str] = Counter()
    for title in re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        plain = re.sub(r"<[^>]*>|[`*\\]|\]\([^)]*\)|\[", "", title)
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
        found[re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())] += 1
    again = {f"{name}_{n}" for name, count in found.items() for n in range(1, count)}
    return {*found, *again}


@pytest.mark.parametrize("page", SITE_PAGES)
def test_pages_of_the_site_link_within_it(page: str) -> None:
    """To pages and headings that there are, or to addresses of the web, never to a file of the
    repository: the site is read without it."""
    path = DOCS / page
    prose = _CODE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]*)\)", prose):
        if re.match(r"https?://[^\s/]+\.", target):
            continue
        name, _, heading = target.partition("#")
        goal = (path.parent / name).resolve() if name else path
        assert goal.is_file(), target
        assert goal.is_relative_to(DOCS), target
        assert not heading or heading in anchors(goal), target


@pytest.mark.parametrize("page", SITE_PAGES)
def test_lists_and_tables_are_seen_as_such(page: str) -> None:
    """Python-Markdown wants an empty line before the first entry, where GitHub does without."""
    lines = _CODE.sub("code", (DOCS / page).read_text(encoding="utf-8")).splitlines()
    for before, line in itertools.pairwise(lines):
        for mark in (r"[-*] |\d+\. ", r"\|"):
            begins = re.match(mark, line) and not re.match(rf"{mark}|\s", before)
            assert not begins or not before, f"{before}\n{line}"


def test_changelog_has_the_version_or_unreleased() -> None:
    """The version is released there, or its changes are collected."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {__version__}" in changelog or "## Unreleased" in changelog
