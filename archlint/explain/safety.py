"""What following a rule does to a model, and whether ``archlint fix`` does it."""

from __future__ import annotations

from typing import Final

from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Rule
from archlint.selection import FIX_GROUPS, Named

_FIX: Final = "archlint fix"
_WITH: Final = {  # what users must ask for by an option of its own
    "ARC104": "--unsafe --energy 0.9",
    "ARC302": "--drop-output NAME",
    "ARC501": "--pad-channels",
}
_ONLY_PRICED: Final = "`archlint check` prices the proposal and leaves the model file as it is."
_SAFETY: Final = {
    FixKind.EQUIVALENT: (
        "Equivalent: the proposal computes the same function, with weights that follow from the "
        f"old ones, up to the rounding of floating-point numbers. {_ONLY_PRICED} `--verify` times "
        "it with made-up weights, so it tells what it saves and nothing about outputs."
    ),
    FixKind.APPROXIMATE: (
        "Approximate: shapes stay, and the weights of the proposal are derived from the old ones, "
        f"so that outputs are near but not the same. {_ONLY_PRICED} Fine-tune and measure the "
        "accuracy before you ship it. `--verify` tells what it saves in time, not what it costs in "
        "accuracy."
    ),
    FixKind.RETRAIN: (
        "Retrain: shapes stay, but the network becomes another function, whose new weights nothing "
        f"gives but training. {_ONLY_PRICED} Let `--verify` confirm first that it saves time "
        "where you run the model; then train, and measure the accuracy."
    ),
    FixKind.DECISION: (
        "Decision: there is no graph to put in place, because what is right depends on what the "
        "model is for. archlint says what it found and what to do, and `--verify` "
        "has nothing to time."
    ),
}
_TIDIED: Final = (
    "Decision: `archlint check` says what it found and what to do, and `--verify` has nothing to "
    "time. What the model computes stays the same."
)
_BY_HAND: Final = (
    "After you have made the change, compare the outputs of both models on real inputs."
)


def fix_command_of(rule: Named) -> str | None:
    """The command that does what the rule says; None where archlint leaves it to the user."""
    if option := _WITH.get(rule.code):
        return f"{_FIX} {option}"
    if not issubclass(rule, Rule) or rule.group not in FIX_GROUPS:
        return None
    writes = rule.kind is FixKind.EQUIVALENT or rule.fixes is not Rule.fixes
    return _FIX if writes else None


def safety_of(rule: Named) -> str:
    """What following it does to the model, and what is left to the user."""
    command = fix_command_of(rule)
    tidies = command is not None and rule.kind is FixKind.DECISION
    said = _TIDIED if tidies else _SAFETY[rule.kind]
    if command is not None:
        return f"{said} {_told(rule, command)}"
    return f"{said} {_BY_HAND}" if rule.kind is FixKind.EQUIVALENT else said


def _told(rule: Named, command: str) -> str:
    if command == _FIX:
        where = ", where the proposal derives its weights" if rule.origin else ""
        return f"`{_FIX}` does it by itself{where}, and compares the outputs of both models."
    option = command.removeprefix(f"{_FIX} ")
    kept = " of what is left" if "drop" in option else ""
    return f"`{_FIX}` does it with `{option}`, and compares the outputs{kept}."
