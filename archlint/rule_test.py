"""``archlint rule --test``: run what a rule promises, and tell what holds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.rule import Rule
from archlint.analyzer.text import plural, safe, to_json
from archlint.choices import RuleFormat
from archlint.entry_points import entry_points, package_of
from archlint.output import EXIT_FINDINGS
from archlint.rule_cases import Check, checks_of
from archlint.rule_contract import is_ours, title_of
from archlint.rule_modules import UnusableError, file_of, rules_at, rules_of_module, rules_of_point
from archlint.rule_plugins import GROUP
from archlint.rules import Rules, all_rules

Tested = Sequence[tuple[Check, list[str]]]  # with what does not hold

_WIDTH = 600  # of what a check tells, which is one line


def checks_at(path: str) -> list[Check]:
    """All checks of the rules of a file, a folder, an installed package or a module, rule by rule.

    Raises ConfigError where there are no rules to test.
    """
    try:
        rules = _rules(path)
    except UnusableError as error:
        raise ConfigError(f"rule --test {path}", str(error)) from error
    order = sorted(rules, key=lambda rule: (title_of(rule), rule.__name__))
    return [check for rule in order for check in (*checks_of(rule), _unique(rule, rules))]


def tested_text(path: str, output_format: RuleFormat) -> tuple[str, int]:
    """What holds of the rules that a path or name means, and the exit code."""
    if output_format is RuleFormat.MARKDOWN:
        raise ConfigError("rule --test", "is written as text or json")
    tested = [(check, check.flaws()) for check in checks_at(path)]
    rules = [(rule, list(checks)) for rule, checks in groupby(tested, lambda pair: pair[0].rule)]
    code = EXIT_FINDINGS if any(flaws for _, flaws in tested) else 0
    if output_format is RuleFormat.JSON:
        return to_json([_object(rule, checks) for rule, checks in rules]), code
    lines = [line for rule, checks in rules for line in _lines(rule, checks)]
    return "".join(f"{line}\n" for line in (*lines, _summary(len(rules), tested))), code


def _rules(path: str) -> Rules:
    """The rules that a path or name means, marked with it."""
    if os.path.exists(path):
        rules = _ours_at(os.path.realpath(path))
        if not rules:
            rules = rules_at(path)
            for rule in rules:
                rule.origin = file_of(rule, path)
    else:
        points = [p for p in entry_points(GROUP) if _normal(package_of(p)) == _normal(path)]
        rules = tuple(rule for point in points for rule in rules_of_point(point))
        if not points:
            rules = _of_module(path)
        for rule in rules:
            rule.origin = "" if is_ours(rule) else path
    return tuple(dict.fromkeys(rules))


def _ours_at(path: str) -> Rules:
    """Those of archlint's own rules whose file, or the folder of it, is the path."""
    files = [
        (rule, os.path.realpath(str(sys.modules[rule.__module__].__file__))) for rule in all_rules()
    ]
    return tuple(rule for rule, file in files if path in (file, os.path.dirname(file)))


def _of_module(name: str) -> Rules:
    if name.endswith(".py") or not all(part.isidentifier() for part in name.split(".")):
        raise UnusableError("there is no such file or folder, and no package of this name")
    return rules_of_module(name)


def _normal(package: str) -> str:
    return package.replace("_", "-").replace(".", "-").lower()


def _unique(rule: type[Rule], rules: Rules) -> Check:
    """That no other rule has its code or name."""

    def find() -> Iterator[str]:
        for other in (*rules, *(() if is_ours(rule) else all_rules())):
            for key in ("code", "name"):
                mine = getattr(rule, key, None)
                if other is not rule and getattr(other, key, "") == mine:
                    yield f"the {key} {mine!r} is that of {other.__name__} too"

    return Check(rule, "unique", find)


def _lines(rule: type[Rule], checks: Tested) -> list[str]:
    lines = [safe(f"{title_of(rule)} {getattr(rule, 'name', '')}".rstrip())]
    for check, flaws in checks:
        told = "; ".join(flaws)
        lines.append(
            f"  failed  {safe(check.title)}: {safe(told, _WIDTH)}"
            if flaws
            else f"  ok      {safe(check.title)}"
        )
    return [*lines, ""]


def _summary(rules: int, tested: Tested) -> str:
    failed = sum(bool(flaws) for _, flaws in tested)
    told = f"{failed:,} of them failed" if failed else "all of them hold"
    return f"{plural(rules, 'rule')}, {plural(len(tested), 'check')}: {told}"


def _object(rule: type[Rule], checks: Tested) -> dict[str, Any]:
    return {
        "code": getattr(rule, "code", None),
        "name": getattr(rule, "name", None),
        "class": rule.__name__,
        "checks": [
            {"check": check.title, "ok": not flaws, "flaws": flaws} for check, flaws in checks
        ],
    }
