"""The settings of a run, checked: which rules with which options, and bound dims."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.rule import DEFAULT_GROUPS, Rule
from archlint.analyzer.text import nearest
from archlint.rules import all_rules

_EXACT = 1_000  # how specific a selector is: ALL is 1, a prefix its length, a code or name this


def choose_rules(
    select: Sequence[str] = (), ignore: Sequence[str] = (), options: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """The rules with their options. The more specific of ``select`` and ``ignore`` wins.

    Raises ConfigError for a selector, rule, option or value that does not exist.
    """
    wanted, unwanted = _listed("--select", select), _listed("--ignore", ignore)
    return _made((r for r in all_rules() if _selected(r, wanted, unwanted)), options)


def choose_alternatives(
    select: Sequence[str] = (), ignore: Sequence[str] = (), options: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """The rules that find nothing unless they are selected, but whose proposals are worth showing.

    None where the user selects: then those are all that is asked for.
    """
    if _listed("--select", select):
        return ()
    unwanted = _listed("--ignore", ignore)
    silent = (rule for rule in all_rules() if rule.group not in DEFAULT_GROUPS)
    return _made(
        (r for r in silent if not any(_specificity(selector, r) for selector in unwanted)), options
    )


def _made(rules: Iterable[type[Rule]], options: Sequence[str]) -> tuple[Rule, ...]:
    given = _options(options)
    return tuple(rule(**given.get(rule.code, {})) for rule in rules)


def find_rule(source: str, name: str) -> type[Rule]:
    """The rule of a code or a name; raises ConfigError with the nearest one."""
    for rule in all_rules():
        if name.upper() == rule.code or name.lower() == rule.name:
            return rule
    known = [part for rule in all_rules() for part in (rule.code, rule.name)]
    near = nearest(name, known) or "; see: archlint rule --all"
    raise ConfigError(source, f"there is no rule '{name}'{near}")


def _listed(source: str, selectors: Sequence[str]) -> list[str]:
    parts = [part.strip() for text in selectors for part in text.split(",") if part.strip()]
    for part in parts:
        if not any(_specificity(part, rule) for rule in all_rules()):
            find_rule(f"{source} {part}", part)
    return parts


def _specificity(selector: str, rule: type[Rule]) -> int:
    if selector.upper() == "ALL":
        return 1
    if selector.upper() == rule.code or selector.lower() == rule.name:
        return _EXACT
    return len(selector) if rule.code.startswith(selector.upper()) else 0


def _selected(rule: type[Rule], wanted: Sequence[str], unwanted: Sequence[str]) -> bool:
    against = max((_specificity(selector, rule) for selector in unwanted), default=0)
    if not wanted:
        return rule.group in DEFAULT_GROUPS and not against
    return max(_specificity(selector, rule) for selector in wanted) > against


def _options(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``RULE.option=value`` by the code of the rule."""
    found: dict[str, dict[str, Any]] = {}
    for setting in settings:
        source = f"--set {setting}"
        target, equals, text = setting.partition("=")
        name, dot, option = target.partition(".")
        if not (equals and dot):
            raise ConfigError(source, "write it as RULE.option=value, as in ARC101.width=20")
        rule = find_rule(source, name.strip())
        fields = {entry.name: entry for entry in dataclasses.fields(rule)}
        option = option.strip().replace("-", "_")
        if option not in fields:
            near = nearest(option, fields) or f"; it has {', '.join(sorted(fields))}"
            raise ConfigError(source, f"{rule.code} has no option '{option}'{near}")
        found.setdefault(rule.code, {})[option] = _value(source, fields[option], text.strip())
    return found


def _value(source: str, entry: dataclasses.Field[Any], text: str) -> Any:
    """The text as the option's type, within its bounds."""
    kind = str(entry.type)
    if "None" in kind and text.lower() == "none":
        return None
    number = int if "int" in kind else float
    try:
        value = number(text)
    except ValueError as error:
        what = "a whole number" if number is int else "a number"
        raise ConfigError(source, f"{entry.name} must be {what}, not '{text}'") from error
    low, high = entry.metadata["minimum"], entry.metadata["maximum"]
    if not (low is None or value >= low) or not (high is None or value <= high):
        bounds = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
        raise ConfigError(source, f"{entry.name} must be {bounds}, not {text}")
    return value


def parse_bindings(dims: Sequence[str], shapes: Sequence[str]) -> Bindings:
    """``name=128`` and ``input=1,3,224,224``; raises ConfigError for anything else."""
    return Bindings(dict(_dim(text) for text in dims), dict(_input_shape(text) for text in shapes))


def _dim(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name or not _is_size(number):
        raise ConfigError(
            f"--dim {text}", "write it as name=size with a positive whole number, as in batch=8"
        )
    return name.strip(), int(number)


def _is_size(text: str) -> bool:
    """Whether it is a positive number that a dim of ONNX may have."""
    digits = text.strip()
    return digits.isdecimal() and len(digits) < 20 and 0 < int(digits) < 2**63


def _input_shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, numbers = text.rpartition("=")
    sizes = numbers.split(",")
    if not name or not all(map(_is_size, sizes)):
        raise ConfigError(
            f"--input-shape {text}",
            "write it as input=sizes with positive whole numbers, as in x=1,3,224,224",
        )
    return name.strip(), tuple(map(int, sizes))


def check_used(bindings: Bindings, dims: AbstractSet[str], inputs: AbstractSet[str]) -> None:
    """Raise ConfigError for a binding that no model of the run has."""
    for option, given, known in (
        ("--dim", bindings.dims, dims),
        ("--input-shape", bindings.shapes, inputs),
    ):
        for name in given:
            if name not in known:
                listed = ", ".join(sorted(known)) or "none"
                what = "dim" if option == "--dim" else "input"
                near = nearest(name, known) or f"; its {what}s are: {listed}"
                raise ConfigError(f"{option} {name}=…", f"no model has the {what} '{name}'{near}")
