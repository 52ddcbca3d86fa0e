"""Read configuration files, and those that they extend."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archlint import __version__
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.budget_kinds import BUDGET, LOCATED, TOLERANCE, Budget
from archlint.choices import FailOn, Format
from archlint.discovery import PYPROJECT, is_around, shown_path
from archlint.kinds import Kind, Place, choice, expect, flag, listed, size, table, text, unknown
from archlint.rule_kinds import (
    IGNORE,
    OPTIONS,
    PATTERN,
    PLUGIN,
    SELECTOR,
    SELECTORS,
    TARGET,
    Ignore,
)
from archlint.rule_plugins import known_rules, rules_of
from archlint.settings import FIELDS, Layer, Settings, settings_of

_LARGEST = 8_000_000  # bytes of a file that a person wrote

KINDS: Mapping[str, Kind[Any]] = {
    "extend": text(),
    "required-version": text(),
    "plugins": listed(PLUGIN),
    "exclude": listed(PATTERN),
    "extend-exclude": listed(PATTERN),
    "force-exclude": flag(),
    "select": SELECTORS,
    "extend-select": SELECTORS,
    "ignore": listed(IGNORE),
    "per-file-ignores": table(SELECTORS, PATTERN.read),
    "severity": table(choice(Severity), SELECTOR.read, SELECTOR.schema),
    "rules": OPTIONS,
    "fail-on": choice(FailOn),
    "output-format": choice(Format),
    "budget": listed(BUDGET),
    "baseline": LOCATED,
    "baseline-tolerance": TOLERANCE,
    "target": TARGET,
    "dims": table(size()),
    "input-shapes": table(listed(size(), least=1)),
    "model-ignores": flag(),
    "require-reason": flag(),
}


def read_settings(place: Place, entries: Mapping[str, object]) -> Settings:
    """The settings of a table of TOML, which may speak of the rules of its own plugins.

    Raises ConfigError for an unknown key or a wrong value.
    """
    found: dict[str, Any] = {}
    for key, value in sorted(entries.items(), key=lambda entry: entry[0] != "plugins"):
        if key not in KINDS:
            raise unknown(place, key, list(KINDS))
        found[FIELDS[key].name] = KINDS[key].read(place.inside(key), value)
        if key == "plugins":
            layer = Layer(place.source, settings_of(**found))
            place = replace(place, rules=rules_of([layer], place.rules))
    return settings_of(**found)


def layers_of(
    path: str, source: str = "", chain: tuple[str, ...] = (), *, trusted: bool = False
) -> tuple[Layer, ...]:
    """The settings of a file after those of the files that it extends.

    Raises ConfigError for a file that cannot be read or used, and for one that extends itself;
    ``chain`` are the files that lead here. A file may have plugins where it is ``trusted``, or
    stands around the working directory; so may those that it extends.
    """
    shown = shown_path(path)
    if os.path.realpath(path) in chain:
        raise ConfigError(source, f"extend: '{shown}' extends itself")
    document = parse_file(path)
    place = Place(shown, os.path.dirname(os.path.abspath(path)))
    own: Mapping[str, Any] | None = document
    if os.path.basename(path) == PYPROJECT:
        place = place.inside("tool.archlint")
        own = own_table(path, document)
    elif "tool" in document:
        raise place.wrong("only pyproject.toml has a table [tool.archlint]: leave its name out")
    if own is None:
        raise ConfigError(shown, "has no table [tool.archlint]")
    check_version(place, own)
    trusted = trusted or is_around(path)
    extended: tuple[Layer, ...] = ()
    if "extend" in own:
        further = _extended(place.inside("extend"), own["extend"])
        chain = (*chain, os.path.realpath(path))
        extended = layers_of(further, shown, chain, trusted=trusted)
    rules = rules_of(extended, known_rules())
    settings = read_settings(replace(place, rules=rules, trusted=trusted), own)
    return (*extended, Layer(shown, settings))


def _extended(place: Place, value: object) -> str:
    """The file that is extended; raises ConfigError where there is none."""
    path = os.path.join(place.folder, os.path.expanduser(KINDS["extend"].read(place, value)))
    if not os.path.isfile(path):
        raise place.wrong(f"there is no file '{shown_path(path)}'")
    return path


def check_version(place: Place, entries: Mapping[str, object]) -> None:
    """Raise ConfigError where a file asks for another version: before its keys are read, which may
    be those of that version."""
    if "required-version" not in entries:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # late: few files ask

    here = place.inside("required-version")
    wanted = expect(here, entries["required-version"], str).strip()
    try:
        versions = SpecifierSet(f"=={wanted}" if wanted[:1].isdigit() else wanted)
    except InvalidSpecifier as error:
        raise here.wrong(f"'{wanted}' names no versions, as '>=0.1,<1' does") from error
    if not versions.contains(__version__, prereleases=True):
        raise here.wrong(f"archlint {wanted} is wanted, and this is {__version__}")


def own_table(path: str, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table for archlint of a pyproject.toml; None if it has none."""
    tools = document.get("tool", {})
    if not isinstance(tools, dict) or "archlint" not in tools:
        return None
    place = Place(shown_path(path), "", "tool.archlint")
    own: Mapping[str, Any] = expect(place, tools["archlint"], dict)
    return own


def read_bytes(path: str, largest: int = _LARGEST) -> bytes:
    """The content of a file; raises ConfigError for one that is unreadable or too large."""
    try:
        with open(path, "rb") as file:
            found = file.read(largest + 1)
    except OSError as error:
        raise ConfigError(shown_path(path), f"cannot be read: {error.strerror}") from error
    if len(found) > largest:
        raise ConfigError(shown_path(path), f"is larger than {largest // 10**6} MB")
    return found


def parse_file(path: str) -> dict[str, Any]:
    """The document of a file; raises ConfigError for one that is no TOML."""
    return parse(shown_path(path), read_bytes(path))


def parse(source: str, content: bytes) -> dict[str, Any]:
    """The document of a text in TOML; raises ConfigError where the parser stops."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise ConfigError(source, "is no TOML: it is nested too deeply") from error
    except ValueError as error:  # also of text that is no UTF-8, and of numbers without end
        raise ConfigError(source, f"is no TOML: {error}") from error


def plain(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, (Ignore, Budget)):
        return {key: plain(item) for key, item in value.said().items()}
    return value if value is None or type(value) in (bool, int, float) else str(value)
