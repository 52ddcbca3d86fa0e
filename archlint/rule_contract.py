"""What every rule must say of itself, and how: its metadata, its options, its documentation."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Rule, RuleGroup
from archlint.rules import all_rules

_CODE = re.compile("[A-Z]{2,6}[0-9]{3}")
_NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)+")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")
_RESERVED = "ARC"
_TYPES = ("int", "float", "int | None", "float | None")  # as annotations are written
_KINDS: dict[str, type] = {
    "group": RuleGroup,
    "severity": Severity,
    "confidence": Confidence,
    "kind": FixKind,
    "since": str,
    "advice": str,
}
_SECTIONS = (
    "What to do", "When not to apply", "Not flagged", "Known limits", "References",
)  # fmt: skip
_WANTED = {"What to do", "Not flagged", "References"}  # of a plugin's rule
_SOURCE = re.compile(r"https?://\S+|\b(19|20)\d\d\b")  # an address, or a paper with its year
_PAPER = re.compile(r"(19|20)\d\d, arXiv:\d{4}\.\d{4,5}")
_PAGE = re.compile(r"[^,]+, .+, (19|20)\d\d, https://\S+")
_STANDARD = re.compile(r"(ONNX, .*20\d\d|CVE-20\d\d-\d+)")


def is_ours(rule: type[Rule]) -> bool:
    """Whether archlint brings the rule."""
    return rule in all_rules()


def title_of(rule: type[Rule]) -> str:
    """What to call a rule that may lack a code."""
    code = getattr(rule, "code", None)
    return code if isinstance(code, str) and code else rule.__name__


def metadata_flaws(rule: type[Rule]) -> Iterator[str]:
    """What is wrong with its code, name and the words that it is told by."""
    for key, pattern, wanted in (
        ("code", _CODE, "2 to 6 capital letters and three digits, as in 'ACME101'"),
        ("name", _NAME, "two words or more in lower case with dashes, as in 'wide-head'"),
        ("since", _VERSION, "a version, as in '1.0.0'"),
    ):
        value = getattr(rule, key, None)
        if value is None:
            yield f"has no {key}: write {wanted}"
        elif not isinstance(value, str) or not pattern.fullmatch(value):
            yield f"has the {key} {value!r}: write {wanted}"
        elif key == "code" and value.startswith(_RESERVED) and not is_ours(rule):
            yield f"has the code {value!r}; codes with {_RESERVED} are archlint's own"
    for key, kind in _KINDS.items():
        if not isinstance(getattr(rule, key), kind):
            yield f"{key} must be a {kind.__name__}, not {getattr(rule, key)!r}"
    if rule.match is Rule.match:
        yield "has no method match"
    if rule.kind is FixKind.DECISION and not rule.advice:
        yield "has the kind decision and no advice, which says what to do"
    if rule.kind is not FixKind.DECISION and rule.propose is Rule.propose:
        yield f"has the kind {rule.kind} and no method propose; one without has the kind decision"


def option_flaws(rule: type[Rule]) -> Iterator[str]:
    """What is wrong with its options."""
    if "__dataclass_fields__" not in vars(rule):
        yield "is no dataclass: write @dataclass(frozen=True) above it"
        return
    fields = dataclasses.fields(rule)
    for entry in fields:
        if (flaw := _option_flaw(entry)) is not None:
            yield f"option {entry.name}: {flaw}"
            return
    try:
        rule()
    except Exception as error:  # noqa: BLE001 - of whoever wrote the rule
        yield f"cannot be made with its defaults: {type(error).__name__}: {error}"


def _option_flaw(entry: dataclasses.Field[Any]) -> str | None:
    missing = {"help", "minimum", "maximum"} - set(entry.metadata)
    if missing:
        return "is no option: write name: int = option(default, help, minimum=…)"
    kind = entry.type.__name__ if isinstance(entry.type, type) else str(entry.type)
    kind = re.sub(r"\s*\|\s*", " | ", kind)
    if kind not in _TYPES:
        return f"is a {kind}; options are {', '.join(_TYPES)}"
    if not (isinstance(entry.metadata["help"], str) and entry.metadata["help"].strip()):
        return "has no help"
    if entry.default is None:
        return None if kind.endswith("None") else "has no default"
    wanted = (int,) if kind.startswith("int") else (int, float)
    if not isinstance(entry.default, wanted) or isinstance(entry.default, bool):
        return f"has the default {entry.default!r}, which is no {kind}"
    low, high = entry.metadata["minimum"], entry.metadata["maximum"]
    if low is None:
        return "has no minimum"
    if not (low <= entry.default and (high is None or entry.default <= high)):
        return f"has the default {entry.default!r}, which is beyond its bounds"
    return None


def documentation_flaws(rule: type[Rule]) -> Iterator[str]:
    """What its docstring lacks: a sentence, the sections in their order, sources."""
    text = cleandoc(rule.__doc__ or "")
    summary = text.partition("\n\n")[0]
    if not summary.endswith(".") or "\n" in summary:
        yield "the docstring must begin with one sentence on a line of its own"
    why = "Why it matters" if rule.kind is FixKind.DECISION else "Why it costs"
    order = (why, *_SECTIONS)
    sections = re.findall(r"^(\w[\w ]+)$(?=\n +\S)", text, flags=re.MULTILINE)
    wanted = set(order) if is_ours(rule) else {why, *_WANTED}
    if foreign := [title for title in sections if title not in order]:
        yield f"there is no section '{foreign[0]}'; there are: {', '.join(order)}"
    elif lacking := [title for title in order if title in wanted and title not in sections]:
        yield f"there is no section '{lacking[0]}'"
    elif sections != [title for title in order if title in sections]:
        yield f"the sections must stand in this order: {', '.join(order)}"
    else:
        yield from _reference_flaws(rule, text.partition("\nReferences\n")[2].split("\n"))
    options = {entry.name for entry in dataclasses.fields(rule)}
    for name in re.findall(r"``((?:min|max)_\w+)``", text):
        if name not in options:
            yield f"the docstring speaks of an option {name}, which there is not"


def _reference_flaws(rule: type[Rule], lines: list[str]) -> Iterator[str]:
    """Ours are papers with year and number, or pages with author, title, year and address, those of
    advice also standards and reports of faults; another's are addresses, or papers with their year.
    """
    for line in filter(None, map(str.strip, lines)):
        cited = _PAPER.search(line) or _PAGE.fullmatch(line)
        ours = cited or (rule.kind is FixKind.DECISION and _STANDARD.match(line))
        if not (ours if is_ours(rule) else _SOURCE.search(line)):
            yield f"the reference '{line}' has neither a year nor an address"
