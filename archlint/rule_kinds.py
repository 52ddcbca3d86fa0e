"""The kinds of settings that speak of rules: selectors, options, and what is ignored."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.rule import Rule
from archlint.analyzer.targets import load_target, names
from archlint.discovery import shown_path
from archlint.kinds import Kind, Place, expect, listed, text, unknown
from archlint.options import Options, checked, find_option, is_whole, may_be_none
from archlint.patterns import Pattern
from archlint.remarks import REMARKS
from archlint.rule_plugins import LocalPlugin, local_plugin
from archlint.rules import Rules
from archlint.selection import Named, check_selector, find_rule, specificity

if TYPE_CHECKING:
    from datetime import date


SELECTOR_SCHEMA = "selector"  # its name among the definitions, where those of rules are by code
OPTIONS_SCHEMA = "options"
FOREIGN_CODE = "^(?!ARC)[A-Z]{2,6}[0-9]{3}$"  # of a rule that only some configuration knows
FOREIGN_SELECTOR = "^(?!ARC)[A-Z]{2,6}[0-9]{0,3}$"


@dataclass(frozen=True, slots=True)
class Ignore:
    """Findings that are known and accepted: of which rules, where, why and how long."""

    rule: str
    path: Pattern | None = None
    node: str | None = None
    op: str | None = None
    reason: str | None = None
    expires: date | None = None
    place: str = ""
    folder: str = ""

    def speaks_of(self, path: str) -> bool:
        """Whether it is about the model of the path."""
        return self.path is None or self.path.matches(path)

    def said(self) -> dict[str, object]:
        """What its table says, by key."""
        found = {key: getattr(self, key) for key in _IGNORE}
        return {key: value for key, value in found.items() if value is not None}


def _selector(place: Place, value: object) -> str:
    """A selector as codes are written: exact ones by the code, prefixes in capitals."""
    selector = expect(place, value, str).strip()
    check_selector(place.whole, selector, place.rules)
    named: Sequence[Named] = (*place.rules, *REMARKS)
    return next((r.code for r in named if r.name == selector.lower()), selector.upper())


def selector_schema(rules: Sequence[Named]) -> dict[str, Any]:
    """Every selector that means one of the rules, as codes and names are written, or one of a
    plugin by its code."""
    codes = [rule.code for rule in rules]
    letters = {code.rstrip("0123456789") for code in codes}
    prefixes = {code[:end] for code in codes for end in range(2, len(code))}
    whole = sorted(prefix for prefix in prefixes if prefix.rstrip("0123456789") in letters)
    known = ["ALL", *whole, *codes, *(rule.name for rule in rules)]
    return {"anyOf": [{"enum": known}, {"type": "string", "pattern": FOREIGN_SELECTOR}]}


SELECTOR = Kind(_selector, lambda: {"$ref": f"#/$defs/{SELECTOR_SCHEMA}"})
SELECTORS = listed(SELECTOR)


def _pattern(place: Place, value: object) -> Pattern:
    return Pattern(text().read(place, value), place.folder)


PATTERN = Kind(_pattern, text().schema)


def _options(place: Place, value: object) -> Options:
    """Options of rules by the rule's code or name."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, entries in expect(place, value, dict).items():
        here = place.inside(name)
        rule = find_rule(here.whole, name, place.rules)
        if rule.code in found:
            raise here.wrong(f"sets options of {rule.code} again")
        found[rule.code] = dict(_rule_options(here, rule, expect(here, entries, dict)))
    return found


def _rule_options(
    place: Place, rule: type[Rule], entries: Mapping[str, object]
) -> Iterator[tuple[str, Any]]:
    for name, value in entries.items():
        here = place.inside(name)
        option = find_option(place.whole, rule, name)
        yield option.name, checked(here.whole, option, value)


def options_schema(rules: Rules) -> dict[str, Any]:
    """The options of the rules; those of another plugin's are not known."""
    named = {name: rule.code for rule in rules for name in (rule.code, rule.name)}
    return {
        "type": "object",
        "properties": {name: {"$ref": f"#/$defs/{code}"} for name, code in named.items()},
        "patternProperties": {FOREIGN_CODE: {"type": "object"}},
        "additionalProperties": False,
    }


def rule_schema(rule: type[Rule]) -> dict[str, Any]:
    """The options of a rule, spelt with dashes or underscores."""
    options = {}
    for entry in dataclasses.fields(rule):
        for name in dict.fromkeys((entry.name, entry.name.replace("_", "-"))):
            options[name] = {"description": entry.metadata["help"], **_option_schema(entry)}
    about = f"Options of {rule.name}."
    held = {"type": "object", "properties": options, "additionalProperties": False}
    return {"description": about, **held}


def _option_schema(entry: dataclasses.Field[Any]) -> dict[str, Any]:
    bounds = {name: entry.metadata[name] for name in ("minimum", "maximum")}
    number = {"type": "integer" if is_whole(entry) else "number"}
    number |= {name: bound for name, bound in bounds.items() if bound is not None}
    if may_be_none(entry):
        return {"anyOf": [number, {"const": "none"}], "default": "none"}
    return {**number, "default": entry.default}


def _plugin(place: Place, value: object) -> LocalPlugin:
    """The rules of a file or folder, which are imported: only where the file is trusted."""
    path = text().read(place, value)
    if not place.trusted:
        folder = os.path.join(place.folder, "")
        why = "runs code, which a file can ask for only in or above the working directory"
        raise place.wrong(f"{why}: run archlint from {folder}, or give the file by --config")
    whole = os.path.normpath(os.path.join(place.folder, os.path.expanduser(path)))
    return local_plugin(place.whole, whole, shown_path(whole))


def _date(place: Place, value: object) -> date:
    from datetime import date, datetime  # late: few files have one

    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(expect(place, value, str))
    except (ConfigError, ValueError) as error:
        raise place.wrong("must be a date, as in 2027-03-31") from error


def _rule(place: Place, value: object) -> str:
    """A selector of rules: remarks are told of entries, and no entry hides them."""
    selector = _selector(place, value)
    if not any(specificity(selector, rule) for rule in place.rules):
        raise place.wrong(f"{selector} is no finding in a model; leave it out by its code alone")
    return selector


def _rule_schema() -> dict[str, Any]:
    codes = [remark.code for remark in REMARKS]
    letters = codes[0].rstrip("0123456789")
    parts = {code[:end] for code in codes for end in range(len(letters) + 1, len(code) + 1)}
    names = [remark.name for remark in REMARKS]
    return {"allOf": [SELECTOR.schema()], "not": {"enum": [*sorted(parts), *names]}}


_IGNORE: Mapping[str, Kind[Any]] = {
    "rule": Kind(_rule, _rule_schema),
    "path": PATTERN,
    "node": text(),
    "op": text(),
    "reason": text(),
    "expires": Kind(_date, lambda: {"type": "string", "format": "date"}),
}


def _ignore(place: Place, value: object) -> str | Ignore:
    """A selector, or a table that says more."""
    if isinstance(value, str):
        return _selector(place, value)
    entries = expect(place, value, dict)
    for name in entries:
        if name not in _IGNORE:
            raise unknown(place, name, list(_IGNORE))
    if "rule" not in entries:
        raise place.wrong('says no rule, as in rule = "ARC101"')
    read = {name: _IGNORE[name].read(place.inside(name), item) for name, item in entries.items()}
    return Ignore(**read, place=place.whole, folder=place.folder)


def _ignore_schema() -> dict[str, Any]:
    entries = {name: kind.schema() for name, kind in _IGNORE.items()}
    described = {
        "type": "object",
        "properties": entries,
        "required": ["rule"],
        "additionalProperties": False,
    }
    return {"anyOf": [SELECTOR.schema(), described]}


def _target(place: Place, value: object) -> str:
    """The name of a profile, or the path of a file of one."""
    name = text().read(place, value)
    found = os.path.join(place.folder, os.path.expanduser(name)) if _is_file(name) else name
    try:
        load_target(found)
    except ConfigError as error:
        raise place.wrong(error.why) from error
    return found


def _is_file(target: str) -> bool:
    return target.endswith(".toml")


def _target_schema() -> dict[str, Any]:
    return {"anyOf": [{"enum": list(names())}, {"type": "string", "pattern": r"\.toml$"}]}


TARGET = Kind(_target, _target_schema)
OPTIONS = Kind(_options, lambda: {"$ref": f"#/$defs/{OPTIONS_SCHEMA}"})
PLUGIN = Kind(_plugin, text().schema)
IGNORE = Kind(_ignore, _ignore_schema)
