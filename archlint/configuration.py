"""The settings of every model of a run, from the files above it and from the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.rule import DEFAULT_GROUPS, RuleGroup
from archlint.analyzer.targets import default_target, load_target
from archlint.choices import FailOn, Format
from archlint.config import Chosen, parse_bindings
from archlint.discovery import nearest_file
from archlint.options import made, parse_options
from archlint.rules import all_rules
from archlint.selection import (
    Selection,
    most_specific,
    selected,
    specificity,
    split_selectors,
    unselected_alternatives,
)
from archlint.settings import Layer, Settings, combine, settings_of

_OF_FILES = ("extend", "required_version")  # what only files can say


@dataclass(frozen=True)
class Configuration:
    """``overrides`` hold over the ``file`` of all models, or over that found above each of them.

    ``bindings`` are those of the command line, which some model of the run must have. With
    ``isolated`` no file is looked for.
    """

    overrides: tuple[Layer, ...] = ()
    bindings: Bindings = field(default_factory=Bindings)
    file: str | None = None
    isolated: bool = False
    _nearest: dict[str, str | None] = field(default_factory=dict)
    _layers: dict[str | None, tuple[Layer, ...]] = field(default_factory=dict)
    _settings: dict[str | None, Settings] = field(default_factory=dict)

    def _file(self, path: str) -> str | None:
        if self.file is not None or self.isolated:
            return self.file
        folder = os.getcwd() if path == STANDARD_INPUT else os.path.dirname(path)
        return nearest_file(os.path.abspath(folder), self._nearest)

    def layers(self, path: str) -> tuple[Layer, ...]:
        """The settings of each place that speaks for a model, weakest first."""
        file = self._file(path)
        if file is not None and file not in self._layers:
            from archlint.reading import layers_of  # late: most runs have no file

            self._layers[file] = (*layers_of(file), *self.overrides)
        return self._layers.get(file, self.overrides)

    def settings(self, path: str) -> Settings:
        """The settings that hold for a model."""
        file = self._file(path)
        if file not in self._settings:
            self._settings[file] = combine(self.layers(path))[0]
        return self._settings[file]

    def output_format(self) -> Format:
        """How the run writes its findings: as the working directory has it."""
        return self.settings(STANDARD_INPUT).output_format

    def fail_on(self, path: str) -> FailOn:
        """The lowest severity of a finding in this model that makes the run fail."""
        return self.settings(path).fail_on

    def counted(self, path: str) -> Chosen:
        """What a model is counted with: no rules; raises ConfigError as ``chosen`` does."""
        settings = self.settings(path)
        return Chosen(bindings=Bindings(settings.dims, settings.input_shapes))

    def chosen(self, path: str) -> Chosen:
        """What a model is checked with; raises ConfigError for a file that cannot be used.

        Who names a target wants its rules too.
        """
        settings = self.settings(path)
        groups, target = DEFAULT_GROUPS, default_target()
        if settings.target is not None:
            groups, target = groups | {RuleGroup.TARGET}, load_target(settings.target)
        selections = [_selection(layer.settings) for layer in self.layers(path)]
        ignored = [
            selector
            for pattern, selectors in settings.per_file_ignores.items()
            if pattern.matches(path)
            for selector in selectors
        ]
        kept, others = (
            [rule for rule in rules if not most_specific(ignored, rule)]
            for rules in (
                selected(selections, groups),
                unselected_alternatives(selections, groups),
            )
        )
        return replace(
            self.counted(path),
            rules=made(kept, settings.rules),
            alternatives=made(others, settings.rules),
            severities=_severities(settings.severity),
            target=target,
            ignores=[
                entry
                for entry in settings.ignore
                if not isinstance(entry, str) and entry.speaks_of(path)
            ],
            require_reason=settings.require_reason,
        )


def _selection(settings: Settings) -> Selection:
    ignored = [selector for selector in settings.ignore if isinstance(selector, str)]
    return Selection(settings.select, settings.extend_select, ignored)


def _severities(given: Mapping[str, Severity]) -> Mapping[str, Severity]:
    """Severities by the codes of rules, each by the selector that means the rule most narrowly."""
    found = {}
    for rule in all_rules() if given else ():
        selector = max(given, key=lambda selector: specificity(selector, rule))
        if specificity(selector, rule):
            found[rule.code] = given[selector]
    return found


def configure(
    config: Sequence[str] = (),
    *,
    isolated: bool = False,
    select: Sequence[str] = (),
    extend_select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    options: Sequence[str] = (),
    dims: Sequence[str] = (),
    shapes: Sequence[str] = (),
    fail_on: FailOn | None = None,
    output_format: Format | None = None,
    target: str | None = None,
) -> Configuration:
    """The configuration of a run by the options of its command.

    Raises ConfigError for an option that cannot be used.
    """
    files = [text for text in config if os.path.isfile(text)]
    if len(files) > 1:
        raise ConfigError(f"--config {files[1]}", f"{files[0]} is given already; one can extend it")
    if files and isolated:
        raise ConfigError(f"--config {files[0]}", "--isolated uses no file; leave one out")
    inline = [text for text in config if text not in files]
    bindings = parse_bindings(dims, shapes)
    given = {
        "select": split_selectors("--select", select),
        "extend_select": split_selectors("--extend-select", extend_select),
        "ignore": split_selectors("--ignore", ignore),
        "rules": parse_options(options),
        "dims": bindings.dims,
        "input_shapes": bindings.shapes,
        "fail_on": fail_on,
        "output_format": output_format,
        "target": target,
    }
    own = settings_of(**{name: value for name, value in given.items() if value})
    overrides = (*_inline(inline), Layer("command line", own))
    return Configuration(overrides, bindings, files[0] if files else None, isolated)


def _inline(texts: Sequence[str]) -> Iterator[Layer]:
    """The settings of ``--config key=value``."""
    if not texts:
        return
    from archlint.kinds import Place  # late: few runs have such options
    from archlint.reading import parse, read_settings

    for text in texts:
        source = f"--config {text}"
        if "=" not in text:
            raise ConfigError(source, "there is no such file, and it is no KEY=VALUE")
        try:
            entries = parse(source, text.encode())
        except ConfigError as error:
            why = f"{error.why}; write the value as TOML, as in 'fail-on=\"error\"'"
            raise ConfigError(source, why) from error
        settings = read_settings(Place(source, os.getcwd()), entries)
        if said := settings.given.intersection(_OF_FILES):
            raise ConfigError(source, f"only a file can say {min(said).replace('_', '-')}")
        yield Layer(source, settings)
