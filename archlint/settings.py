"""All settings that a file or ``--config`` can make, with their defaults, and which of them win."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archlint.analyzer.finding import Severity
from archlint.choices import FailOn, Format
from archlint.options import Options
from archlint.patterns import Pattern

if TYPE_CHECKING:  # most runs have no file, and do without what reads one
    from archlint.budget_kinds import Budget, Located
    from archlint.rule_kinds import Ignore
    from archlint.rule_plugins import LocalPlugin

_BARE = re.compile("[A-Za-z0-9_-]+")  # keys that TOML takes without quotes


EXCLUDED = tuple(
    Pattern(name, os.sep)
    for name in (".*", "__pycache__", "__pypackages__", "node_modules", "site-packages", "venv")
)


def setting(default: Any, help_text: str) -> Any:
    """A setting: a field with its help."""
    metadata = {"help": help_text}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one place says: the fields that are ``given``, the others have their defaults.

    The key of a field has dashes where its name has underscores.
    """

    extend: str | None = setting(
        None, "Another file, whose settings hold where this one says nothing."
    )
    required_version: str | None = setting(
        None, "Versions of archlint that may read the file, as in '>=0.1,<1'."
    )
    plugins: tuple[LocalPlugin, ...] = setting(
        (), "Files of rules, and folders of such files, beside those of installed packages."
    )
    exclude: tuple[Pattern, ...] = setting(
        EXCLUDED, "Files and folders that are left out where a folder is searched."
    )
    extend_exclude: tuple[Pattern, ...] = setting((), "Files and folders to leave out as well.")
    force_exclude: bool = setting(
        False, "Whether files and folders that are named are left out too."
    )
    select: tuple[str, ...] | None = setting(
        None, "Rules to run, instead of those that run by default."
    )
    extend_select: tuple[str, ...] = setting((), "Rules to run as well.")
    ignore: tuple[str | Ignore, ...] = setting(
        (), "Rules to leave out, and tables of findings that are accepted."
    )
    per_file_ignores: Mapping[Pattern, tuple[str, ...]] = setting(
        {}, "Rules to leave out of the models that a pattern means."
    )
    severity: Mapping[str, Severity] = setting(
        {}, "Severities of rules; the more specific selector wins."
    )
    rules: Options = setting(  # noqa: RUF009 - a field
        {}, "Options of rules, by the rule's code or name."
    )
    fail_on: FailOn = setting(  # noqa: RUF009 - a field
        FailOn.WARNING, "Lowest severity that makes the exit code 1."
    )
    output_format: Format = setting(  # noqa: RUF009 - a field
        Format.FULL, "How findings are written; that of the working directory counts."
    )
    budget: tuple[Budget, ...] = setting((), "Tables of what models may cost.")
    baseline: Located | None = setting(  # noqa: RUF009 - a field
        None, "The file of accepted findings; else .archlint-baseline.json beside this file."
    )
    baseline_tolerance: str = setting(
        "0%", "By how much an accepted finding may grow before it is told again."
    )
    target: str | None = setting(
        None, "The device that the models are meant for: a name, or a file with a profile."
    )
    dims: Mapping[str, int] = setting({}, "Sizes of symbolic dims, for the models that have them.")
    input_shapes: Mapping[str, tuple[int, ...]] = setting(
        {}, "Shapes of inputs, for the models that have them."
    )
    model_ignores: bool = setting(
        True,
        "Whether entries of 'archlint.ignore' in the models themselves, and comments in their "
        "snapshots, accept findings.",
    )
    require_reason: bool = setting(
        False, "Whether a table of 'ignore' without a reason is a finding."
    )
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one place, and what it is called."""

    source: str
    settings: Settings


def key_of(name: str) -> str:
    """The key of a field."""
    return name.replace("_", "-")


FIELDS = {
    key_of(entry.name): entry for entry in dataclasses.fields(Settings) if entry.name != "given"
}


def settings_of(**given: Any) -> Settings:
    """Settings of which these are given."""
    return Settings(**given, given=frozenset(given))


# What a place says of these adds to what others say.
_ADDED = ("plugins", "extend_exclude", "extend_select", "ignore", "budget")


Combined = tuple[Settings, Mapping[str, str]]  # with the source of each, by its dotted key


def combine(layers: Iterable[Layer]) -> Combined:
    """The settings that hold where later layers win, and the source of each by its dotted key.

    Tables are merged entry by entry.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        for name in sorted(layer.settings.given):
            value = getattr(layer.settings, name)
            for key, _ in flat(key_of(name), value):
                added = name in _ADDED and key in sources
                sources[key] = f"{sources[key]}, {layer.source}" if added else layer.source
            if name in _ADDED:
                values[name] = (*values.get(name, ()), *value)
            else:
                values[name] = _merged(values.get(name), value)
    return settings_of(**values), sources


def _merged(old: object, new: object) -> object:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def flat(key: str, value: object) -> Iterable[tuple[str, Any]]:
    """What is no table, by its dotted key as TOML writes it."""
    if not isinstance(value, Mapping):
        return [(key, value)]
    inner = ((f"{key}.{_quoted(str(name))}", item) for name, item in value.items())
    return [pair for name, item in inner for pair in flat(name, item)]


def _quoted(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)
