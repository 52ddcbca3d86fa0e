"""The pages that people write: every command prints what they show, every number is right.

The tutorial wants the packages with models: ARCHLINT_MODELS names the folder.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from archlint import __version__
from archlint.explain.safety import fix_command_of
from archlint.rules import all_rules
from command_line import Run
from kernels import models_folder
from pages import DOCS, Block, Typed, blocks, follow, prose_of, run_session, text_of

PROSE = (
    "index",
    "tutorial",
    "concepts",
    "ci",
    "snapshots",
    "many-models",
    "writing-an-operator",
    "github",
    "gitlab",
    "pre-commit",
    "pytest",
    "html-report",
    "python",
    "weights",
    "low-rank",
    "sketch",
    "fix",
)
ROOT = DOCS.parent
SAMPLES = ROOT / "samples"
DETECTOR = "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx"
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345678\n"
)


@pytest.fixture
def typed(run: Run) -> Typed:
    """Runs archlint here."""

    def type_(arguments: Sequence[str]) -> tuple[int, str]:
        ran = run(*arguments)
        assert isinstance(ran.code, int)
        return ran.code, ran.err + ran.out

    return type_


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    for folder, names in {
        "samples": (
            "inception_5x5", "inception_module", "inception_module_naive", "lenet5", "two_3x3",
        ),
        "models": ("inception_5x5", "lenet5", "two_3x3"),
    }.items():  # fmt: skip
        (tmp_path / folder).mkdir()
        for name in names:
            shutil.copy(SAMPLES / f"{name}.onnx", tmp_path / folder)
    for folder, name in {"before": "inception_module", "after": "inception_module_naive"}.items():
        (tmp_path / folder).mkdir()
        shutil.copy(SAMPLES / f"{name}.onnx", tmp_path / folder / "net.onnx")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "detector.onnx").write_text(POINTER)
    return tmp_path


@pytest.mark.parametrize(
    "page", ["index", "concepts", "ci", "many-models", "html-report", "sketch"]
)
def test_commands_print_what_the_page_shows(page: str, desk: Path, typed: Typed) -> None:
    """To the letter, but for lines that it leaves out."""
    follow(page, typed)


def test_python_says_what_the_page_shows(desk: Path) -> None:
    """To the letter; what needs torch is tested where that is."""
    failed, tried = run_session("python", without="torch")
    assert failed == 0
    assert tried > 15


def test_weights_are_told_as_the_page_shows(desk: Path, typed: Typed) -> None:
    """Of the model that its session makes."""
    failed, tried = run_session("weights", without="archlint")
    assert (failed, tried) == (0, 7)
    follow("weights", typed)
    failed, tried = run_session("weights", only="archlint")
    assert (failed, tried) == (0, 3)


@pytest.mark.slow
def test_fixes_are_told_as_the_page_shows(desk: Path, typed: Typed) -> None:
    """Of the model and the samples that its sessions make; what is timed by its words alone."""
    failed, tried = run_session("fix")
    assert (failed, tried) == (0, 10)
    follow("fix", typed)
    assert {one.name for one in desk.glob("*.onnx")} == {"net.onnx", "fixed.onnx", "smaller.onnx"}


CODE = re.compile(r"ARC\d{3}(?=\])")
FIXED = re.compile(r"^\| (\[ARC.*?) \|", re.MULTILINE)


def test_the_page_of_fixes_lists_what_fix_does() -> None:
    """Every rule that is fixed without being asked for, and those with an option of their own."""
    by_itself = {code for row in FIXED.findall(text_of("fix")) for code in CODE.findall(row)}
    commands = {rule.code: fix_command_of(rule) for rule in all_rules()}
    assert by_itself == {code for code, command in commands.items() if command == "archlint fix"}
    for code, command in commands.items():
        if command and code not in by_itself:
            option = command.split()[2]
            assert re.search(rf"^\| `{option}.*{code}", text_of("fix"), flags=re.MULTILINE), code


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows(desk: Path, typed: Typed) -> None:
    """With the model that it installs; what is timed is held by its words, not by its numbers."""
    folder = models_folder()
    if folder is None:
        pytest.skip("ARCHLINT_MODELS names no folder of packages with models")
    shutil.copy(folder / DETECTOR, desk / "det.onnx")
    follow("tutorial", typed)


def test_the_tutorial_installs_what_is_tested() -> None:
    """The package and version that CI has, and its file."""
    (wanted,) = re.findall(r"rapidocr-onnxruntime==\S+", text_of("tutorial"))
    assert wanted in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"cp ocr/{DETECTOR} det.onnx\n" in text_of("tutorial")


SUM = re.compile(r"([\d,.]+(?: ?[·+/] ?[\d,.]+)+) = ([\d,]+(?:\.\d+)?)")


@pytest.mark.parametrize("page", PROSE)
def test_products_are_right(page: str) -> None:
    """Every product, sum and quotient that a page writes out, to the digits that it gives."""
    for terms, result in SUM.findall(prose_of(page)):
        value = eval(terms.replace(",", "").replace("·", "*"))  # noqa: S307 - numbers and signs
        digits = len(result.partition(".")[2])
        assert f"{value:,.{digits}f}" == result, f"{page}: {terms}"


COMMAND = re.compile(r"(?:- run:|-|entry:) (archlint .*)")
EXAMPLES = [
    block
    for page in ("ci", "github", "gitlab", "pre-commit")
    for block in blocks(page)
    if block.language == "yaml" and COMMAND.search(block.text)
]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.file)
def test_ci_examples_run(block: Block, desk: Path, typed: Typed) -> None:
    """They install this version, and archlint takes the commands in them."""
    for wheel in re.findall(r"pip install tools/(\S+)", block.text):
        assert wheel == f"archlint-{__version__}-py3-none-any.whl"
    for command in COMMAND.findall(block.text):
        _, *arguments = command.split()
        paths = [] if "models" in arguments else ["models/two_3x3.onnx"]
        code, printed = typed([*arguments, *paths])
        assert code == (0 if "never" in arguments else 1), printed


def test_ci_is_as_fast_as_it_says() -> None:
    """By the tables of the performance page, rounded as here."""
    table = text_of("performance").partition("## Other counters")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \w+, (\d+) MB \| ([\d.]+) \|", table, flags=re.MULTILINE)
    megabytes, seconds = [int(mb) for mb, _ in rows], [float(s) for _, s in rows]
    page = prose_of("ci")
    assert f"{min(seconds):.1f} to {max(seconds):.1f} s of CPU time" in page
    assert len(rows) == 10
    assert f"each of ten networks of {min(megabytes)} to {max(megabytes)} MB" in page
    whole = text_of("performance")
    (swin,) = re.findall(r"^\| swin, \d+ MB \| ([\d.]+) \|", whole, flags=re.MULTILINE)
    (many,) = re.findall(r"^\| 100,000 \| [\d.]+ \| ([\d.]+) \| (\d+) \|", whole, re.MULTILINE)
    assert f"7,000 nodes takes {float(swin):.1f} s" in page
    assert f"100,000 nodes {float(many[0]):.0f} s and {int(many[1]) / 1000:.1f} GB" in page


@pytest.mark.parametrize("page", PROSE)
def test_links_lead_to_pages(page: str) -> None:
    """Relative links are to pages of docs/, and to headings that they have."""
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text_of(page)):
        name, _, heading = target.partition("#")
        assert (DOCS / name).is_file(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", (DOCS / name).read_text("utf-8"), flags=re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, target
