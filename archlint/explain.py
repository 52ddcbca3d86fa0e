"""Explain rules from their docstrings, fields and metadata."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from inspect import cleandoc
from textwrap import fill
from typing import Any

from archlint.analyzer.rule import Rule
from archlint.analyzer.text import to_json

_COLUMNS = 80


def as_text(rules: Sequence[type[Rule]]) -> str:
    """One section a rule: title, metadata, documentation, options."""
    return "\n".join("\n".join(_text(rule)) + "\n" for rule in rules).replace("``", "")


def _text(rule: type[Rule]) -> Iterator[str]:
    yield f"{rule.code} {rule.name}"
    yield _metadata(rule)
    for title, paragraphs in _sections(rule):
        yield ""
        if title:
            yield title
        indent = "    " if title else ""
        hanging = f"{indent}    " if title == "References" else indent
        for paragraph in paragraphs:
            yield fill(paragraph, _COLUMNS, initial_indent=indent, subsequent_indent=hanging)
    options = _options(rule)
    if options:
        yield ""
        yield f"Options (--set {rule.code}.option=value)"
    for option in options:
        line = f"{option['name']} = {_default(option)}: {option['help']}"
        yield fill(line, _COLUMNS, initial_indent="    ", subsequent_indent="        ")


def as_markdown(rules: Sequence[type[Rule]]) -> str:
    """A page of all rules, made from the same text."""
    blocks = ["# Rules", "Made by `python docs/generate.py` from what `archlint rule` prints."]
    for rule in rules:
        lines = [f"## {rule.code} {rule.name}", "", _metadata(rule)]
        for title, paragraphs in _sections(rule):
            if title == "References":
                lines += ["", f"**{title}**", "", *(f"- {source}" for source in paragraphs)]
            else:
                lines += ["", f"**{title}.** {paragraphs[0]}" if title else paragraphs[0]]
        if options := _options(rule):
            lines += ["", "| option | default | |", "|---|--:|---|"]
            lines += [f"| `{o['name']}` | {_default(o)} | {o['help']} |" for o in options]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks).replace("``", "`") + "\n"


def as_json(rules: Sequence[type[Rule]]) -> str:
    """A list of objects, one a rule."""
    return to_json([_object(rule) for rule in rules])


def _metadata(rule: type[Rule]) -> str:
    return f"group {rule.group} · {rule.severity} · confidence {rule.confidence} · {rule.kind}"


def _sections(rule: type[Rule]) -> Iterable[tuple[str, list[str]]]:
    """The summary under an empty title, then each section; every reference is a paragraph."""
    summary, *rest = re.split(
        r"^(\w[\w ]+)\n(?= )", cleandoc(rule.__doc__ or ""), flags=re.MULTILINE
    )
    yield "", [" ".join(summary.split())]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        if title == "References":
            yield title, [line.strip() for line in body.strip().splitlines()]
        else:
            yield title, [" ".join(body.split())]


def _default(option: dict[str, Any]) -> str:
    return "none" if option["default"] is None else f"{option['default']:g}"


def _object(rule: type[Rule]) -> dict[str, Any]:
    sections = [
        f"{title}\n{chr(10).join(paragraphs)}" if title else paragraphs[0]
        for title, paragraphs in _sections(rule)
    ]
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": sections[0],
        "group": str(rule.group),
        "severity": str(rule.severity),
        "confidence": str(rule.confidence),
        "fix": str(rule.kind),
        "since": rule.since,
        "options": _options(rule),
        "explanation": "\n\n".join(sections),
    }


def _options(rule: type[Rule]) -> list[dict[str, Any]]:
    return [
        {
            "name": field.name,
            "default": field.default,
            "help": field.metadata["help"],
            "minimum": field.metadata["minimum"],
            "maximum": field.metadata["maximum"],
        }
        for field in dataclasses.fields(rule)
    ]
