"""What no output of archlint may hold, whatever the model."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, NoReturn

REPORTED, REFUSED = (0, 1), 3
JSON: Final = frozenset({"json", "json-lines", "sarif", "gitlab", "rdjson"})  # formats
_OUTPUT_BYTES: Final = 100_000_000
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMMANDS: Final = ("##[", "##vso[", "##teamcity[")  # of build services, anywhere in a line
# Lines that are commands of archlint's own, with properties that are its own; nothing in one ends
# it, and it holds no second one.
_OWN: Final = {
    "github": re.compile(
        r"::(?:error|warning|notice) (?:(?:file|line|endLine|title)=[^:,]*,?)+::(?!.*##).*"
    ),
    "azure": re.compile(
        r"##vso\[task\.logissue (?:(?:type|sourcepath|linenumber|code)=[^;\]]*;?)+\](?!.*##).*"
    ),
}
# Pages keep a number and its unit, or a count, on one line.
_TIED: Final = re.compile(r"(?<=[0-9])\u00a0|\u00a0(?=×[0-9])")


def wrong_with(code: int, out: str, err: str, form: str = "full") -> Iterator[str]:
    """What is wrong with a run: no report and no refusal of one line, or text that is obeyed."""
    lines = err.count("\n")
    if code not in (*REPORTED, REFUSED):
        yield f"exit code {code}: {(err or out)[:300]!r}"
    elif lines != (code == REFUSED):
        yield f"exit code {code} with {lines} lines on stderr: {err[:300]!r}"
    if len(out) > _OUTPUT_BYTES:
        yield f"{len(out):,} bytes of output"
    own = _OWN.get(form)
    if form == "html":
        out = _TIED.sub(" ", out)
    if form in JSON:
        yield from _wrong_text(err)
        for document in out.splitlines() if form == "json-lines" else [out]:
            yield from _wrong_json(document)
    else:
        yield from _wrong_text(out + err, own)


def _wrong_text(text: str, own: re.Pattern[str] | None = None) -> Iterator[str]:
    for line in text.split("\n"):
        if not line.isprintable() or any(
            unicodedata.category(character) in _INVISIBLE for character in line
        ):
            yield f"characters that a terminal obeys or hides: {line[:200]!r}"
        if own is not None and own.fullmatch(line):
            continue
        if line.lstrip().startswith("::") or any(command in line for command in _COMMANDS):
            yield f"a command of a build service: {line[:200]!r}"


def _wrong_json(out: str) -> Iterator[str]:
    if not out.isascii():
        yield "JSON that is not ASCII"
    try:
        document = json.loads(out, parse_constant=_no_number)
    except ValueError as error:
        yield f"no JSON: {error}"
        return
    yield from _negative(document, "")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _negative(part: Any, key: str) -> Iterator[str]:
    """Costs and dims below zero; operator sets and evidence say what the file says."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name not in ("opset", "evidence"):
                yield from _negative(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from _negative(inner, key)
    elif isinstance(part, (int, float)) and part < 0:
        yield f"{key} of {part}"
