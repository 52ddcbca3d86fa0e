"""The settings of every model of a run, from the files above it and from the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.rule import DEFAULT_GROUPS, RuleGroup
from archlint.analyzer.targets import load_target
from archlint.choices import FailOn, Format
from archlint.config import Chosen, parse_bindings
from archlint.discovery import nearest_file
from archlint.environment import layers as environment_layers
from archlint.environment import settings_file
from archlint.options import made, parse_options
from archlint.patterns import Pattern
from archlint.remarks import REMARKS
from archlint.rule_plugins import known_rules, rules_of
from archlint.rules import Rules
from archlint.selection import (
    Named,
    Selection,
    find_rule,
    is_exact,
    left_out,
    most_specific,
    selected,
    severities,
    split_selectors,
    unselected_alternatives,
    weight_rules,
)
from archlint.settings import Combined, Layer, Settings, combine, flat, settings_of

if TYPE_CHECKING:  # most runs have no file, and do without what reads one
    from archlint.budget_kinds import Budget

COMMAND = "command line"  # the source of its options
_OF_FILES = ("extend", "required_version")  # what only files can say


@dataclass(frozen=True)
class Configuration:
    """``overrides`` hold over the ``file`` of all models, or over that found above each of them.

    ``bindings`` are those of the command line, which some model of the run must have. With
    ``isolated`` no file is looked for. With ``weights`` what is in the weights is told too.
    """

    overrides: tuple[Layer, ...] = ()
    bindings: Bindings = field(default_factory=Bindings)
    file: str | None = None
    isolated: bool = False
    weights: bool = False
    _nearest: dict[str, str | None] = field(default_factory=dict)
    _layers: dict[str | None, tuple[Layer, ...]] = field(default_factory=dict)
    _combined: dict[str | None, Combined] = field(default_factory=dict)
    _rules: dict[str | None, Rules] = field(default_factory=dict)
    _chosen: dict[str, Chosen] = field(default_factory=dict)

    def file_for(self, path: str) -> str | None:
        """The file whose settings hold for a model or a folder; None if there is none."""
        if self.file is not None or self.isolated:
            return self.file
        folder = os.getcwd() if path == STANDARD_INPUT else os.path.dirname(path)
        return nearest_file(os.path.abspath(folder), self._nearest)

    def layers(self, path: str) -> tuple[Layer, ...]:
        """The settings of each place that speaks for a model, weakest first."""
        file = self.file_for(path)
        if file is not None and file not in self._layers:
            from archlint.reading import layers_of  # late: most runs have no file

            found = layers_of(file, trusted=self.file is not None)
            self._layers[file] = (*found, *self.overrides)
        return self._layers.get(file, self.overrides)

    def combined(self, path: str) -> Combined:
        """The settings that hold for a model, and the source of each."""
        file = self.file_for(path)
        if file not in self._combined:
            self._combined[file] = combine(self.layers(path))
        return self._combined[file]

    def settings(self, path: str) -> Settings:
        """The settings that hold for a model."""
        return self.combined(path)[0]

    def rules(self, path: str) -> Rules:
        """The rules that a model can be checked with: all that are known, and those of the plugins
        that its configuration names."""
        file = self.file_for(path)
        if file not in self._rules:
            self._rules[file] = rules_of(self.layers(path), known_rules())
        return self._rules[file]

    def output_format(self) -> Format:
        """How the run writes its findings: as the working directory has it."""
        return self.settings(STANDARD_INPUT).output_format

    def fail_on(self, path: str) -> FailOn:
        """The lowest severity of a finding in this model that makes the run fail."""
        return self.settings(path).fail_on

    def budgets(self, path: str) -> Sequence[Budget]:
        """The budgets that hold for a model: all that speak of it."""
        whole = os.path.abspath(path)
        return [budget for budget in self.settings(path).budget if budget.speaks_of(whole)]

    def counted(self, path: str) -> Chosen:
        """What a model is counted with: no rules; raises ConfigError as ``chosen`` does."""
        settings = self.settings(path)
        places = self._places(path) if settings.input_shapes else {}
        return Chosen(bindings=Bindings(settings.dims, settings.input_shapes, places))

    def _places(self, path: str) -> Mapping[str, str]:
        """Where shapes of inputs stand that are no options."""
        settings, sources = self.combined(path)
        keys = (key for key, _ in flat("input-shapes", settings.input_shapes))
        named = zip(settings.input_shapes, keys, strict=True)
        return {name: f"{sources[key]}: {key}" for name, key in named if sources[key] != COMMAND}

    def chosen(self, path: str) -> Chosen:
        """What a model is checked with; raises ConfigError for a file that cannot be used."""
        if path not in self._chosen:
            self._chosen[path] = self._choose(path)
        return self._chosen[path]

    def _choose(self, path: str) -> Chosen:
        """As ``chosen``. Who names a target wants its rules too."""
        settings = self.settings(path)
        groups, target = DEFAULT_GROUPS, None
        if settings.target is not None:
            groups, target = groups | {RuleGroup.TARGET}, load_target(settings.target)
        known = self.rules(path)
        whole = os.path.abspath(path)
        selections = [_selection(layer.settings) for layer in self.layers(path)]
        ignored = [
            selector
            for pattern, selectors in settings.per_file_ignores.items()
            if pattern.matches(whole)
            for selector in selectors
        ]
        running = set(selected(known, selections, groups))
        if self.weights:
            running.update(weight_rules(known, selections, groups))
        kept, others = (
            [rule for rule in rules if not most_specific(ignored, rule)]
            for rules in (
                [rule for rule in known if rule in running],
                unselected_alternatives(known, selections, groups),
            )
        )
        return replace(
            self.counted(path),
            rules=made(kept, settings.rules),
            alternatives=made(others, settings.rules),
            severities=severities(settings.severity, (*known, *REMARKS)),
            target=target,
            ignores=[
                entry
                for entry in settings.ignore
                if not isinstance(entry, str) and entry.speaks_of(whole)
            ],
            model_ignores=settings.model_ignores,
            require_reason=settings.require_reason,
            known=known,
            silent=left_out(selections, ignored),
            weights=self.weights,
        )


def _selection(settings: Settings) -> Selection:
    ignored = [selector for selector in settings.ignore if isinstance(selector, str)]
    return Selection(settings.select, settings.extend_select, ignored)


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
    exclude: Sequence[str] = (),
    extend_exclude: Sequence[str] = (),
    force_exclude: bool | None = None,
    weights: bool = False,
) -> Configuration:
    """The configuration of a run by the options of its command, and by the environment.

    Raises ConfigError for an option that cannot be used.
    """
    files = [text for text in config if os.path.isfile(text)]
    if len(files) > 1:
        raise ConfigError(f"--config {files[1]}", f"{files[0]} is given already; one can extend it")
    if files and isolated:
        raise ConfigError(f"--config {files[0]}", "--isolated uses no file; leave one out")
    inline = [text for text in config if text not in files]
    bindings = parse_bindings(dims, shapes)
    file = files[0] if files else None if isolated else settings_file()
    overrides: tuple[Layer, ...] = ()
    rules: Rules = ()
    if inline or select or extend_select or ignore or options:  # they can speak of rules
        rules = Configuration(file=file, isolated=isolated).rules(STANDARD_INPUT)
        overrides = tuple(_inline(inline, rules))
        rules = rules_of(overrides, rules)
    here = os.getcwd()
    given = {
        "select": split_selectors("--select", select, rules),
        "extend_select": split_selectors("--extend-select", extend_select, rules),
        "ignore": split_selectors("--ignore", ignore, rules),
        "rules": parse_options(options, rules),
        "dims": bindings.dims,
        "input_shapes": bindings.shapes,
        "fail_on": fail_on,
        "output_format": output_format,
        "target": target,
        "exclude": tuple(Pattern(text, here) for text in exclude),
        "extend_exclude": tuple(Pattern(text, here) for text in extend_exclude),
        "force_exclude": force_exclude,
    }
    own = settings_of(**{n: value for n, value in given.items() if value or value is False})
    overrides = (*environment_layers(), *overrides, Layer(COMMAND, own))
    return Configuration(overrides, bindings, file, isolated, weights)


def explained_rules(name: str | None = None) -> Sequence[Named]:
    """All rules and remarks that are known in the working directory, or the one of a code or name.

    The configuration there is read only for what is not known without. Raises ConfigError.
    """
    known: Sequence[Named] = (*known_rules(), *REMARKS)
    if name is None or not any(is_exact(name, one) for one in known):
        known = (*configure().rules(STANDARD_INPUT), *REMARKS)
    return known if name is None else [find_rule(f"rule {name}", name, known)]


def _inline(texts: Sequence[str], rules: Rules) -> Iterator[Layer]:
    """The settings of ``--config key=value``, which may speak of the rules and of those of plugins
    that one before names."""
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
        settings = read_settings(Place(source, os.getcwd(), rules=rules, trusted=True), entries)
        if said := settings.given.intersection(_OF_FILES):
            raise ConfigError(source, f"only a file can say {min(said).replace('_', '-')}")
        layer = Layer(source, settings)
        rules = rules_of([layer], rules)
        yield layer
