"""The rules that there are: those of archlint, of installed packages, and of local plugins.

A package offers rules by the entry point group ``archlint.rules``; its rules are known everywhere.
A local plugin is a file or folder that a configuration names; its rules are known where that
configuration holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.rule import Rule
from archlint.entry_points import entry_points, package_of
from archlint.remarks import REMARKS, Remark
from archlint.rules import Rules, all_rules

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from archlint.settings import Layer

GROUP = "archlint.rules"


@dataclass(frozen=True, slots=True)
class LocalPlugin:
    """A file or folder of rules, by its path from the working directory."""

    path: str
    rules: Rules

    def __str__(self) -> str:
        return self.path


@cache
def known_rules() -> Rules:
    """The rules of archlint and of all installed packages, by code.

    Raises ConfigError for a plugin that cannot be used.
    """
    known = all_rules()
    for point in entry_points(GROUP):
        source = f"plugin '{package_of(point)}' (entry point '{point.name}')"
        known = joined(source, known, _installed(source, point))
    return known


def _installed(source: str, point: EntryPoint) -> Rules:
    from archlint.rule_modules import rules_of_point  # late: most runs have no plugins

    rules = _usable(f"{source}: cannot be used", lambda: rules_of_point(point))
    for rule in rules:
        rule.origin = package_of(point)
    return rules


def local_plugin(source: str, path: str, shown: str) -> LocalPlugin:
    """The plugin of a file or folder; raises ConfigError for one that cannot be used."""
    from archlint.rule_modules import file_of, rules_at  # late: most runs have no plugins

    rules = _usable(f"{source}: '{shown}'", lambda: rules_at(path))
    for rule in rules:
        rule.origin = file_of(rule, shown)
    return LocalPlugin(shown, rules)


def rules_of(layers: Iterable[Layer], known: Rules) -> Rules:
    """The rules that are known, and those of the plugins that the layers name.

    Raises ConfigError for two of one code or name.
    """
    for layer in layers:
        for plugin in layer.settings.plugins:
            known = joined(f"{layer.source}: plugins: '{plugin}'", known, plugin.rules)
    return known


def joined(source: str, known: Rules, more: Rules) -> Rules:
    """All these rules by code; raises ConfigError for two of one code or name.

    A rule may be among both: a plugin can be named twice.
    """
    found = list(known)
    for rule in more:
        others: Sequence[type[Rule | Remark]] = (*found, *REMARKS)
        for other in others:
            if other is not rule and (other.code == rule.code or other.name == rule.name):
                what = rule.code if other.code == rule.code else rule.name
                whose = f"the plugin {other.origin}" if other.origin else "archlint"
                why = f"rule {rule.code} ({rule.__name__}): {what} is a rule of {whose} already"
                raise ConfigError(source, why)
        if rule not in found:
            found.append(rule)
    return tuple(sorted(found, key=lambda rule: rule.code))


def _usable(source: str, load: Callable[[], Rules]) -> Rules:
    """The rules, if each has what a run needs of it; raises ConfigError."""
    from archlint.rule_contract import metadata_flaws, option_flaws, title_of
    from archlint.rule_modules import UnusableError

    try:
        rules = load()
    except UnusableError as error:
        raise ConfigError(source, str(error)) from error
    for rule in rules:
        for flaw in (*metadata_flaws(rule), *option_flaws(rule)):
            raise ConfigError(source, f"rule {title_of(rule)} ({rule.__name__}): {flaw}")
    return rules
