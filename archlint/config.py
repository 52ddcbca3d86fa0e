"""What models are checked with: rules with options, severities, and bound dims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.rule import Rule
from archlint.analyzer.targets import Target
from archlint.analyzer.text import nearest
from archlint.options import made, parse_options
from archlint.rules import Rules, all_rules
from archlint.selection import Named, Selection, selected, split_selectors

if TYPE_CHECKING:
    from archlint.rule_kinds import Ignore


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one model is checked with.

    ``alternatives`` are rules whose proposals are listed with the findings of ``rules``;
    ``severities`` are by the codes of rules and stand in place of the rules' own;
    ``target`` is the device that the model is meant for; ``ignores`` are the entries about findings
    that speak of it, with those in the model if ``model_ignores``, each with a reason if
    ``require_reason``; they can mean all rules that are ``known``. ``silent`` are the codes of the
    remarks that are not told. With ``weights`` it is told what they use.
    """

    rules: Sequence[Rule] = ()
    alternatives: Sequence[Rule] = ()
    bindings: Bindings = field(default_factory=Bindings)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    target: Target | None = None
    ignores: Sequence[Ignore] = ()
    model_ignores: bool = False
    require_reason: bool = False
    known: Rules = ()
    silent: AbstractSet[str] = frozenset()
    weights: bool = False

    def severity_of(self, kind: Named) -> Severity:
        """The severity of a finding of a rule, or of a remark."""
        return self.severities.get(kind.code, kind.severity)


Choose = Callable[[str], Chosen]  # by the path of a model


def choose_rules(
    select: Sequence[str] = (), ignore: Sequence[str] = (), options: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """Those of archlint's own rules, with their options. The more specific of ``select`` and
    ``ignore`` wins.

    Raises ConfigError for a selector, rule, option or value that does not exist.
    """
    rules = all_rules()
    wanted = split_selectors("--select", select, rules)
    selection = Selection(wanted or None, (), split_selectors("--ignore", ignore, rules))
    return made(selected(rules, [selection]), parse_options(options, rules))


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
