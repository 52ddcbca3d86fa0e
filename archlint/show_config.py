"""Show the settings that hold for a path, and where each comes from."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import nearest, safe, to_json
from archlint.choices import TextFormat
from archlint.configuration import Configuration
from archlint.options import find_option, made
from archlint.reading import plain
from archlint.rules import Rules
from archlint.selection import find_rule
from archlint.settings import FIELDS, Settings, flat
from archlint.toml_entries import quoted

DEFAULT = "default"
_WIDTH = 100  # columns of a list on one line
_OF_FILES = ("extend", "required-version")  # no models have them


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting that holds: its dotted key, its value as JSON has it, and its source."""

    key: str
    value: Any
    source: str


def config_text(
    configuration: Configuration, key: str | None, path: str | None, output_format: TextFormat
) -> str:
    """The settings that hold for a model, or for the models of a folder; those of a key only.

    One argument that is no key is taken as the path. Raises ConfigError for an unknown key.
    """
    if key is not None and path is None and not _is_key(key):
        path, key = _existing(key), None
    model = os.path.join(os.curdir if path is None else _existing(path), "")
    if path is not None and not os.path.isdir(path):
        model = path
    layers = configuration.layers(model)
    settings, sources = configuration.combined(model)
    rules = configuration.rules(model)
    shown = list(_shown(settings, sources, rules))
    if key is not None:
        shown = _under(_canonical(key, rules), shown)
    elif output_format is TextFormat.TEXT:
        shown = [one for one in shown if one.source != DEFAULT or "." not in one.key]
    said = [layer.source for layer in layers if layer.settings.given]
    codes = [rule.code for rule in configuration.chosen(model).rules]
    if output_format is TextFormat.JSON:
        settled = [dataclasses.asdict(one) for one in shown]
        return to_json({"sources": said, "rules": codes, "settings": settled})
    head = [] if key is not None else [f"# rules: {' '.join(codes)}"]
    return "".join(f"{line}\n" for line in (*head, *map(_line, shown)))


def _is_key(key: str) -> bool:
    return key.partition(".")[0] in FIELDS


def _existing(path: str) -> str:
    if not os.path.exists(path):
        near = nearest(path, FIELDS)
        raise ConfigError(f"config {path}", f"there is no such setting, file or folder{near}")
    return path


def _canonical(key: str, rules: Rules) -> str:
    """The key of a rule's options by its code, and of an option with underscores."""
    if not _is_key(key):
        raise ConfigError(f"config {key}", f"there is no such setting{nearest(key, FIELDS)}")
    table, *parts = key.split(".")
    if table != "rules" or not parts:
        return key
    rule = find_rule(f"config {key}", parts[0], rules)
    options = [find_option(f"config {key}", rule, part).name for part in parts[1:]]
    return ".".join((table, rule.code, *options))


def _under(key: str, shown: Sequence[Shown]) -> list[Shown]:
    """The setting of the key, or those of its table; raises ConfigError where there is none."""
    found = [one for one in shown if one.key == key or one.key.startswith(f"{key}.")]
    if not found:
        near = nearest(key, [one.key for one in shown])
        raise ConfigError(f"config {key}", f"there is no such setting{near}")
    return found


def _shown(settings: Settings, sources: Mapping[str, str], rules: Rules) -> Iterator[Shown]:
    """Every setting in its order, tables entry by entry, the options of all rules."""
    for key, entry in FIELDS.items():
        if key in _OF_FILES:
            continue
        value = getattr(settings, entry.name)
        if key == "rules":
            value = {r.code: dataclasses.asdict(r) for r in made(rules, settings.rules)}
        held = list(flat(key, value)) or [(key, value)]
        for name, item in held:
            yield Shown(name, plain(item), sources.get(name, DEFAULT))


def _line(shown: Shown) -> str:
    """The setting as TOML has it, its source as a comment."""
    if shown.value is None:
        return f"# {shown.key} is not set"
    source = f"  # {safe(shown.source)}"
    line = f"{shown.key} = {_toml(shown.value)}"
    if len(line) <= _WIDTH or not isinstance(shown.value, list):
        return line + source
    items = [f"    {_toml(item)}," for item in shown.value]
    return "\n".join((f"{shown.key} = [{source}", *items, "]"))


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_toml(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)
