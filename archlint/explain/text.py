"""Rules explained in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from archlint.explain.documentation import (
    REFERENCES,
    default_of,
    floor_of,
    number,
    options_of,
    sections_of,
    summary_of,
)  # fmt: skip
from archlint.explain.safety import safety_of
from archlint.selection import Named

_COLUMNS = 80  # more is hard to read, and no terminal says otherwise of a pipe


def as_text(rules: Sequence[Named], columns: int | None = None) -> str:
    """One section a rule: title, metadata, documentation, options; in at most 80 columns."""
    wide = max(min(columns or _COLUMNS, _COLUMNS), 20)
    return "\n".join("\n".join(_lines(rule, wide)) + "\n" for rule in rules)


def _lines(rule: Named, wide: int) -> Iterator[str]:
    yield f"{rule.code} {rule.name}"
    yield from wrap(_metadata(rule), wide)
    yield ""
    yield from wrap(_plain(summary_of(rule)), wide)
    for section in sections_of(rule):
        yield from _section(section.title, section.paragraphs, wide)
    yield from _section("Fix safety", [safety_of(rule)], wide)
    options = options_of(rule)
    if options:
        yield ""
        yield f"Options (--set {rule.code}.option=value)"
    for option in options:
        line = f"{option.name} = {number(option.default)}: {option.help}"
        yield from wrap(_plain(line), wide, initial_indent="    ", subsequent_indent="        ")


def _metadata(rule: Named) -> str:
    words = [
        f"group {rule.group}, {default_of(rule)}",
        str(rule.severity),
        f"confidence {rule.confidence}",
        f"fix {rule.kind}",
        f"since {rule.since}",
    ]
    if floor := floor_of(rule):
        silent = ", ".join(f"{name} {number(value)}" for name, value in floor.items())
        words.append(f"silent below {silent}")
    if rule.origin:
        words.append(f"plugin {rule.origin}")
    return " · ".join(words)


def _section(title: str, paragraphs: Sequence[str], wide: int) -> Iterator[str]:
    yield ""
    yield title
    hanging = "        " if title == REFERENCES else "    "
    for place, paragraph in enumerate(paragraphs):
        if place and title != REFERENCES:
            yield ""
        yield from wrap(_plain(paragraph), wide, initial_indent="    ", subsequent_indent=hanging)


def _plain(text: str) -> str:
    """Without the signs of code."""
    return text.replace("`", "")
