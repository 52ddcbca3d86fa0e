"""Explain rules from their docstrings, fields and metadata."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from inspect import cleandoc
from typing import Any

from archlint.analyzer.rule import Rule


def as_text(rules: Sequence[type[Rule]]) -> str:
    """One section a rule: title, metadata, documentation, options."""
    return "\n".join("\n".join(_lines(rule)) + "\n" for rule in rules)


def _lines(rule: type[Rule]) -> Iterable[str]:
    yield f"{rule.code} {rule.name}"
    yield f"group {rule.group} · {rule.severity} · confidence {rule.confidence} · {rule.kind}"
    yield ""
    yield from cleandoc(rule.__doc__ or "").splitlines()
    yield ""
    yield f"Options (--set {rule.code}.option=value)"
    for option in _options(rule):
        default = "none" if option["default"] is None else option["default"]
        yield f"    {option['name']} = {default}: {option['help']}"


def as_json(rules: Sequence[type[Rule]]) -> str:
    """A list of objects, one a rule."""
    return json.dumps([_object(rule) for rule in rules], indent=2) + "\n"


def _object(rule: type[Rule]) -> dict[str, Any]:
    explanation = cleandoc(rule.__doc__ or "")
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": explanation.splitlines()[0],
        "group": str(rule.group),
        "severity": str(rule.severity),
        "confidence": str(rule.confidence),
        "fix": str(rule.kind),
        "since": rule.since,
        "options": _options(rule),
        "explanation": explanation,
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
