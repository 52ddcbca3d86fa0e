"""The fenced blocks of the documentation, and whether a page shows what a command prints."""

from __future__ import annotations

import datetime as dt
import doctest
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
ELISION = "…"  # a line of it stands for lines that the page leaves out
Typed = Callable[[Sequence[str]], tuple[int, str]]  # arguments to the exit code and the output

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# ([\w./-]+\.\w+)\n")
_NUMBER = re.compile(r"(?<![\w.])[−+-]?\d[\d,.]*(?: ?[kMGTµ](?=B?\b))?")
_VERDICT = re.compile(r"\b(confirmed|refuted|inconclusive|too small to matter)(?= on )")
_DIRECTION = re.compile(r"\b(faster|slower|neither faster nor slower)(?= with its | on )")


def text_of(page: str) -> str:
    """The Markdown of a page of docs/."""
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    """The same in one line, so that it does not matter where lines end."""
    return " ".join(text_of(page).split())


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``file`` is the name in its first line, where that is a comment with one."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that it is."""
        named = _FILE.match(self.text)
        return named[1] if named else None


@dataclass(frozen=True, slots=True)
class Example:
    """A command as it is typed, and the output that the page shows for it."""

    typed: str
    output: str

    @property
    def words(self) -> list[str]:
        """The command and its arguments, without a comment behind it."""
        return shlex.split(self.typed, comments=True)

    @property
    def is_timed(self) -> bool:
        """Whether its numbers differ from run to run."""
        times = self.words[:2] in (["archlint", "time"], ["archlint", "fix"])
        return "--verify" in self.words or (times and "--diff" not in self.words)


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in their order."""
    return [Block(*found.groups()) for found in _FENCE.finditer(text_of(page))]


def examples(block: Block) -> Iterator[Example]:
    """The commands of a console block with what they print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        typed, _, output = part.partition("\n")
        yield Example(typed, output)


def shows(expected: str, printed: str) -> bool:
    """Whether the page shows what is printed, but for the lines that it leaves out."""
    parts = re.split(rf"^{ELISION}\n", expected, flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?".join(map(re.escape, parts))
    return re.fullmatch(pattern, printed) is not None


def likeness(text: str) -> list[str]:
    """The lines of a timed report without numbers, verdicts and spaces that follow from them."""
    text = _DIRECTION.sub("DIRECTION", _VERDICT.sub("VERDICT", text))
    return [" ".join(_NUMBER.sub("#", line).split()) for line in text.splitlines()]


def shows_alike(expected: str, printed: str) -> list[str]:
    """Lines of a timed report on the page that are printed nowhere, numbers aside."""
    there = set(likeness(printed))
    shown = [line for line in likeness(expected) if line and line != ELISION]
    return [line for line in shown if line not in there]


def run_session(page: str, *, only: str = "", without: str = "\0") -> tuple[int, int]:
    """Run the Python sessions of a page as one; how many of its lines say something else, and how
    many there are. Blocks are told by what is in them."""
    sessions = [block.text for block in blocks(page) if block.language == "pycon"]
    text = "".join(one for one in sessions if only in one and without not in one)
    test = doctest.DocTestParser().get_doctest(text, {}, page, f"{page}.md", 0)
    result = doctest.DocTestRunner().run(test)
    return result.failed, result.attempted


def follow(page: str, typed: Typed) -> None:
    """Do what a page says, in its order: write its configuration, type its commands.

    Raises AssertionError where a command prints something else than the page shows.
    """
    last = 0
    for block in blocks(page):
        if block.file == "archlint.toml":
            _write_configuration(block)
        if block.language != "console":
            continue
        for example in examples(block):
            match example.words:
                case ["echo", "$?"]:
                    assert example.output == f"{last}\n", page
                case ["archlint", *arguments] if example.is_timed:
                    _, printed = typed(_hurried(arguments))
                    assert shows_alike(_static_part(example), printed) == [], example.typed
                case ["archlint", *arguments]:
                    last, printed = typed(arguments)
                    assert shows(example.output, printed), f"{example.typed}\n{printed}"
                case [program, *_]:
                    assert program in {"pip", "python3", "cp"}, f"{page}: {program} is not tested"


def _write_configuration(block: Block) -> None:
    """The file with tomorrow for every date, so that nothing in it has expired."""
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    text = re.sub(r"\d{4}-\d\d-\d\d", tomorrow.isoformat(), block.text)
    Path("archlint.toml").write_text(text, encoding="utf-8")


def _hurried(arguments: Sequence[str]) -> list[str]:
    """The same with fewer runs, and with all rows."""
    words = [word for word in arguments if word != "--top" and not word.isdecimal()]
    return [*words, "--budget", "0.3"]


def _static_part(example: Example) -> str:
    """What is printed on every processor: onnxruntime has a blocked layout on some."""
    lines = example.output.splitlines(keepends=True)
    return "".join(line for line in lines if "added by onnxruntime" not in line)
