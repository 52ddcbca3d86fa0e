"""Rules explained for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from archlint.analyzer.rule import Flags
from archlint.analyzer.text import to_json
from archlint.explain.documentation import (
    REFERENCES,
    floor_of,
    listed_cases,
    options_of,
    section_of,
    sections_of,
    summary_of,
)  # fmt: skip
from archlint.explain.references import addresses
from archlint.explain.safety import fix_command_of, safety_of
from archlint.selection import Named, is_default

_KEYS = {
    "why": ("Why it costs", "Why it matters"),
    "what_to_do": ("What to do",),
    "not_flagged": ("Not flagged",),
    "when_not_to_apply": ("When not to apply",),
    "known_limits": ("Known limits",),
}


def as_json(rules: Sequence[Named]) -> str:
    """A list of objects, one a rule."""
    return to_json([_object(rule) for rule in rules])


def _object(rule: Named) -> dict[str, Any]:
    counted = Counter(isinstance(case, Flags) for case in listed_cases(rule))
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": summary_of(rule),
        "group": str(rule.group),
        "default": is_default(rule),
        "severity": str(rule.severity),
        "confidence": str(rule.confidence),
        "fix": str(rule.kind),
        "fix_safety": safety_of(rule),
        "fix_command": fix_command_of(rule),
        "since": rule.since,
        "origin": rule.origin or "archlint",
        "floor": floor_of(rule),
        "options": [asdict(option) for option in options_of(rule)],
        **{key: _text(rule, titles) for key, titles in _KEYS.items()},
        "references": _references(rule),
        "cases": {"flags": counted[True], "passes": counted[False]},
        "explanation": _explanation(rule),
    }


def _text(rule: Named, titles: Sequence[str]) -> str | None:
    section = section_of(rule, *titles)
    return None if section is None else "\n\n".join(section.paragraphs)


def _references(rule: Named) -> list[dict[str, Any]]:
    section = section_of(rule, REFERENCES)
    return [
        {"text": source, "urls": [address for *_, address in addresses(source)]}
        for source in (section.paragraphs if section else ())
    ]


def _explanation(rule: Named) -> str:
    """All sections as one text."""
    bodies = (f"{s.title}\n{chr(10).join(s.paragraphs)}" for s in sections_of(rule))
    return "\n\n".join([summary_of(rule), *bodies])
