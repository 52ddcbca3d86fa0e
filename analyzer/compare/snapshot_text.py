"""The words of a snapshot: names made harmless so that they can be read back, lists and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from archlint.analyzer.text import safe

TITLE = "# archlint snapshot 1"
DIGEST = "# digest: "
INPUT = "# input: "
OUTPUT = "# output: "
BODY = "# body: "
GONE = "# gone: "
TOTALS: Mapping[str, str] = {  # the words of the header, and the fields of Totals that they tell
    "operations": "operations",
    "operations of unknown cost": "unknown",
    "MACs": "macs",
    "parameters": "parameters",
    "file bytes": "file_bytes",
    "weight bytes": "weight_bytes",
    "peak activation bytes": "peak_activation_bytes",
}
OF_FILES = frozenset({"file_bytes", "weight_bytes", "peak_activation_bytes"})  # bodies have none
NONE = "-"  # a list without items
_EMPTY = "\\-"  # an item without characters
_PLAIN = re.compile(r"[\w/*+=<>?-][\w./:*+=<>?-]*", re.ASCII)  # nothing in it is odd
_ODD = re.compile(r"[\s\\#,()]")
_ODD_IN_PHRASE = re.compile(r"[^\S ]|[\\#]|^ |(?<= ) | $")
_WRITTEN = re.compile(r"\\(-|\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_NUMBER = re.compile(r"\d{1,3}(,\d{3})*", re.ASCII)
_MOST_DIGITS = 1_000
_NO_LIMIT = 1 << 60


@lru_cache(maxsize=4096)  # the operators, shapes and scopes of a network repeat themselves
def word(text: str, also: str = "") -> str:
    """The text as one word: blanks, separators and what cannot be seen are written out, and so is
    the character ``also``."""
    if text == NONE:
        return _code(text)
    if _PLAIN.fullmatch(text) and not (also and also in text):
        return text
    odd = _ODD.sub(lambda found: _code(found[0]), text)
    if also:
        odd = odd.replace(also, _code(also))
    return safe(odd, _NO_LIMIT) or _EMPTY


@lru_cache(maxsize=4096)
def phrase(text: str) -> str:
    """The text with its single blanks, commas and brackets left as they are."""
    odd = _ODD_IN_PHRASE.sub(lambda found: _code(found[0]), text)
    return safe(odd, _NO_LIMIT) or _EMPTY


def _code(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def plain(text: str) -> str:
    """What was written as a word or a phrase; raises ValueError for a backslash of no meaning."""
    if "\\" not in text:
        return text
    left = _WRITTEN.sub("", text)
    if "\\" in left:
        raise ValueError(f"'{text}' has a backslash that stands for nothing")
    return _WRITTEN.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    if found[1] == "-":
        return ""
    if found[1] == "\\":
        return "\\"
    code = int(found[1][1:], 16)
    if code > 0x10FFFF:
        raise ValueError(f"'{found[0]}' is no character")
    return chr(code)


def listing(items: Iterable[str]) -> str:
    """The items as words, separated by commas."""
    return ", ".join(map(word, items)) or NONE


@lru_cache(maxsize=4096)
def items(text: str) -> tuple[str, ...]:
    """The items of a listing; raises ValueError where one is no word."""
    return () if text == NONE else tuple([plain(_whole(item)) for item in text.split(", ")])


def path(parts: Sequence[str], sign: str = ".") -> str:
    """The parts as one word, separated by a sign."""
    joined = sign.join([word(part, sign) for part in parts])
    return joined or NONE


@lru_cache(maxsize=4096)
def parts(text: str, sign: str = ".") -> tuple[str, ...]:
    """The parts of a path; raises ValueError where one is no word."""
    return () if text == NONE else tuple([plain(_whole(part)) for part in text.split(sign)])


def _whole(text: str) -> str:
    if not text or " " in text or "," in text:
        raise ValueError(f"'{text}' is no single word" if text else "a word is missing")
    return text


def count(number: int | None) -> str:
    """A number with its thousands set apart; ``?`` where it is unknown."""
    return "?" if number is None else f"{number:,}"


def counted(text: str) -> int | None:
    """The number that was written; raises ValueError for what is none."""
    if text == "?":
        return None
    return whole_number(text)


def whole_number(text: str) -> int:
    """The number that was written, which must be known; raises ValueError for what is none."""
    if len(text) > _MOST_DIGITS or not _NUMBER.fullmatch(text):
        raise ValueError(f"'{text[:40]}' is no number such as 1,234")
    return int(text.replace(",", ""))
