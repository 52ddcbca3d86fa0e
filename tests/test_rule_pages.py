"""Every page of a rule, read back: its models are made and checked, and say what it shows.

Nothing here uses what writes the pages: a page is taken as its reader takes it.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest
from onnx import parser

from archlint import outputs as front
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import DEFAULT_GROUPS, Flags, Passes, Rule
from archlint.analyzer.text import Paint
from archlint.remarks import REMARKS, Remark
from archlint.rules import all_rules, cases_of
from archlint.selection import Named
from command_line import Run

PAGES = Path(__file__).parent.parent / "docs" / "rules"
MODEL = "model.onnx"
EVERY: list[Named] = [*all_rules(), *REMARKS]
RULES = [pytest.param(rule, id=rule.code) for rule in all_rules()]
PROPOSING = [
    pytest.param(rule, id=rule.code) for rule in all_rules() if rule.kind is not FixKind.DECISION
]
_FENCE = re.compile(r"^(`{3,})(\w+)\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
_FINDS_NOTHING = re.compile(r"```\n\n`(archlint [^`]*)` finds nothing\.")


@dataclass(frozen=True)
class Page:
    """The Markdown of a rule's page, by its headings."""

    text: str

    @classmethod
    def of(cls, code: str) -> Page:
        """That of a rule."""
        return cls((PAGES / f"{code}.md").read_text(encoding="utf-8"))

    def part(self, heading: str) -> str:
        """What stands under a heading, up to the next of its level or above."""
        level = len(heading) - len(heading.lstrip("#"))
        pattern = rf"^{re.escape(heading)}\b[^\n]*\n(.*?)(?=^#{{1,{level}}} |\Z)"
        found = re.search(pattern, self.text, re.MULTILINE | re.DOTALL)
        return found[1] if found else ""

    def blocks(self, heading: str, language: str) -> list[str]:
        """The fenced blocks of a language under a heading."""
        return [text for _, kind, text in _FENCE.findall(self.part(heading)) if kind == language]

    @property
    def command(self) -> list[str]:
        """The command of the example, without the program."""
        (command,) = re.findall(r"^`archlint ([^`]*)` says:$", self.text, re.MULTILINE)
        return shlex.split(command)

    def rows(self, heading: str) -> list[list[str]]:
        """The cells of the table under a heading, without its head."""
        lines = [line for line in self.part(heading).splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]

    def passing(self) -> list[tuple[str, list[str]]]:
        """The models that are not flagged, each with its command."""
        found = [(m.start(), shlex.split(m[1])[1:]) for m in _FINDS_NOTHING.finditer(self.text)]
        fences = [(m.end(), m[3]) for m in _FENCE.finditer(self.text)]
        return [(text, command) for at, command in found for end, text in fences if end == at + 3]


Printed = Callable[[str, list[str]], str]  # a model and the arguments of a command to its output


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Printed:
    """What archlint prints of a model on a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(front, "terminal", lambda _file: (Paint(), 80))

    def print_(text: str, arguments: list[str]) -> str:
        onnx.save(parser.parse_model(text), MODEL)
        output: str = run(*arguments).out
        return output

    return print_


def check_example(page: Page, printed: Printed) -> None:
    """The model before is flagged in these words, those that are not flagged are not."""
    before, said = page.blocks("## Example", "text")[:2]
    finding, _, totals = printed(before, page.command).partition(f"\n{MODEL}: ")
    assert finding.rstrip() == said
    assert totals
    for text, command in page.passing():
        assert printed(text, command).endswith("\nNo findings in 1 model.\n"), text


def check_after(page: Page, printed: Printed) -> None:
    """Nothing is found in the model after, and each costs what the table says."""
    (after,) = page.blocks("### After", "text")
    said = printed(after, page.command)
    assert said.endswith("\nNo findings in 1 model.\n")
    before = printed(page.blocks("### Before", "text")[0], page.command)
    columns = list(zip(*page.rows("### After"), strict=True))
    assert [*columns[1]] == totals(before)
    assert [*columns[2]] == totals(said)
    for old, new, change in [row[1:] for row in page.rows("### After")][:4:2]:  # written in full
        a, b = (int(text.replace(",", "")) for text in (old, new))
        assert change == (f"{100 * (b - a) / a:+.1f} %".replace("-", "−") if a != b else "±0 %")


def totals(report: str) -> list[str]:
    """MACs, other operations, parameters, weights read and peak activations of a report."""
    text = " ".join(report.rpartition(f"\n{MODEL}: ")[2].split()) or report
    text = text.removeprefix(f"{MODEL}: ")
    patterns = (
        r"^([\d,]+) MACs", r" (\S+(?: [kMG])?) other operations,", r"MACs, ([\d,]+) parameters",
        r"operations, (\S+ \S+) of weights read", r"peak activations (\S+ k?M?G?B)",
    )  # fmt: skip
    return [found[1] for pattern in patterns if (found := re.search(pattern, text))]


def check_options(page: Page, rule: type[Rule]) -> None:
    """The options that there are, with their defaults; what sets one sets it to its default."""
    fields = {field.name: field for field in dataclasses.fields(rule)}
    rows = page.rows("## Options")
    assert [row[0] for row in rows] == [f"`{name}`" for name in fields]
    for _, default, bounds, help_text in rows:
        field = fields[rows[[row[3] for row in rows].index(help_text)][0].strip("`")]
        number = None if default == "none" else float(default.replace(",", ""))
        assert number == field.default
        low, high = field.metadata["minimum"], field.metadata["maximum"]
        ends = [float(end.replace(",", "")) for end in re.findall(r"[\d.,]+", bounds)]
        assert ends == [end for end in (low, high) if end is not None]
    if fields:
        part = page.part("## Options")
        ((name, value),) = re.findall(rf"`--set {rule.code}\.(\w+)=(\S+)`", part)
        assert float(value) == fields[name].default
        (block,) = page.blocks("## Options", "toml")
        assert tomllib.loads(block) == {"rules": {rule.code: {name: fields[name].default}}}


@pytest.mark.parametrize("rule", RULES)
def test_examples_say_what_the_page_shows(rule: type[Rule], printed: Printed) -> None:
    """Of the first flagging case, and of every near miss."""
    page = Page.of(rule.code)
    check_example(page, printed)
    assert len(page.passing()) == sum(isinstance(case, Passes) for case in cases_of(rule))


@pytest.mark.parametrize("rule", PROPOSING)
def test_what_is_suggested_is_not_flagged(rule: type[Rule], printed: Printed) -> None:
    """Nor is it more than the page says."""
    check_after(Page.of(rule.code), printed)


@pytest.mark.parametrize("rule", RULES)
def test_pages_tell_the_rule(rule: type[Rule]) -> None:
    """Title, metadata, options, sources; no section is empty."""
    page = Page.of(rule.code)
    assert page.text.startswith(f"# {rule.code} {rule.name}\n")
    default = "on by default" if rule.group in DEFAULT_GROUPS else "off by default"
    if rule.reads_weights:
        default = "off by default: it reads the weights"
    assert (
        f"Group **{rule.group}, {default}** · severity **{rule.severity}** · "
        f"confidence **{rule.confidence}** · fix **[{rule.kind}](#fix-safety)** · "
        f"since **{rule.since}**\n" in page.text
    )
    check_options(page, rule)
    for paper in re.findall(r"arXiv:(\S+\d)", rule.__doc__ or ""):
        assert f"[arXiv:{paper}](https://arxiv.org/abs/{paper})" in page.part("## References")
    for heading in re.findall(r"^## .*$", page.text, re.MULTILINE):
        assert page.part(heading).strip(), heading
    assert page.part("## Fix safety").lower().startswith(f"\n{rule.kind}: ")


@pytest.mark.parametrize("rule", RULES)
def test_what_the_page_says_of_ignoring_works(
    rule: type[Rule], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """With its entry in a configuration nothing is found in the example."""
    page = Page.of(rule.code)
    (entry,) = page.blocks("## Ignore it", "toml")
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    Path("archlint.toml").write_text(entry, encoding="utf-8")
    onnx.save(parser.parse_model(page.blocks("### Before", "text")[0]), f"models/{MODEL}")
    said = run(f"models/{MODEL}", *page.command[1:])
    assert said.code == 0
    assert re.fullmatch(r"No findings in 1 model, \d ignored\.", said.out.splitlines()[-1])


@pytest.mark.parametrize("remark", [pytest.param(remark, id=remark.code) for remark in REMARKS])
def test_remarks_have_pages_without_examples(remark: type[Remark]) -> None:
    """No model makes them, and no entry hides them."""
    page = Page.of(remark.code)
    assert page.text.startswith(f"# {remark.code} {remark.name}\n")
    assert not page.part("## Example")
    assert not page.part("## Ignore it")
    assert page.part("## Why it matters")


SPOILT = [  # what is changed on the page of ARC101, what it is, and what it becomes
    ("a number of the finding", "120,422,400 →", "120,422,401 →"),
    ("the model before", "<float[32,192,5,5] w>", "<float[32,192,3,3] w>"),
    ("the model after", "float[16,192,1,1] reduce_weight", "float[17,192,1,1] reduce_weight"),
    ("a cost", "| MACs | 120,422,400 | 12,443,648 |", "| MACs | 120,422,400 | 12,443,649 |"),
    ("a near miss", "<float[4,64,3,3] w>", "<float[64,64,3,3] w>"),
    ("an option", "| `min_channels` | 64 |", "| `min_channels` | 32 |"),
    ("its name", "`min_channels`", "`min_channel`"),
    ("how it is set", "reduction = 0.25", "reduction = 0.5"),
]


@pytest.mark.parametrize(("what", "old", "new"), SPOILT)
def test_a_spoilt_page_is_noticed(what: str, old: str, new: str, printed: Printed) -> None:
    """These tests can fail."""
    (rule,) = (rule for rule in all_rules() if rule.code == "ARC101")
    page = Page.of(rule.code)
    assert old in page.text, what
    page = Page(page.text.replace(old, new))
    with pytest.raises((AssertionError, parser.ParseError, KeyError)):
        check_example(page, printed)
        check_after(page, printed)
        check_options(page, rule)


def test_every_rule_has_a_page_and_no_other() -> None:
    """And the table of all of them leads to each."""
    codes = {rule.code for rule in EVERY}
    assert {path.stem for path in PAGES.iterdir()} == {*codes, "index"}
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\| \[(\w+) ([\w-]+)\]\((\w+)\.md\) ", index, re.MULTILINE)
    assert sorted(linked) == sorted((rule.code, rule.name, rule.code) for rule in EVERY)


def test_a_page_has_the_first_case_that_flags() -> None:
    """Its title is the heading of the example."""
    for rule in all_rules():
        first = next(case for case in cases_of(rule) if isinstance(case, Flags))
        plain = re.sub(r"[`<>&]", "", first.title)
        assert plain in re.sub(r"</?code>|&\w+;", "", Page.of(rule.code).text)
