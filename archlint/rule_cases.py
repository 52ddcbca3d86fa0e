"""Hold a rule to its contract and to its cases, each check by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from onnx.parser import ParseError

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.engine import CRASH_CODE, run
from archlint.analyzer.errors import ArchlintError, ConfigError
from archlint.analyzer.finding import Finding
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind, Priced
from archlint.analyzer.reader import Model
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Case, Flags, Passes, Rule, RuleContext
from archlint.analyzer.splicing import splice
from archlint.analyzer.targets import load_target
from archlint.rule_contract import (
    documentation_flaws,
    is_ours,
    metadata_flaws,
    option_flaws,
    title_of,
)
from archlint.rules import cases_of

_FIRST = "archlint0/"  # how the names of the nodes begin that the first proposal adds


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold of a rule; ``find`` yields what does not."""

    rule: type[Rule]
    title: str
    find: Callable[[], Iterator[str]]

    def __str__(self) -> str:
        return f"{title_of(self.rule)}: {self.title}"

    def flaws(self) -> list[str]:
        """What does not hold; an error of the rule is told as one."""
        found: list[str] = []
        try:
            found += self.find()
        except ArchlintError as error:
            found.append(str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - of whoever wrote the rule
            found.append(f"{type(error).__name__}: {error}")
        return found


def checks_of(rule: type[Rule]) -> list[Check]:
    """What must hold of a rule: its metadata, options, documentation, and each of its cases."""
    checks = [
        Check(rule, "metadata", lambda: metadata_flaws(rule)),
        Check(rule, "options", lambda: option_flaws(rule)),
        Check(rule, "documentation", lambda: documentation_flaws(rule)),
    ]
    try:
        cases = cases_of(rule)
    except TypeError as error:
        why = str(error)
        return [*checks, Check(rule, "cases", lambda: iter([why]))]
    checks.append(Check(rule, "cases", lambda: _set_flaws(rule, cases)))
    return [*checks, *(_check(rule, case) for case in cases)]


def _check(rule: type[Rule], case: Case) -> Check:
    if isinstance(case, Flags):
        return Check(rule, f"flags: {case.title}", lambda: _flags_flaws(rule, case))
    return Check(rule, f"passes: {case.title}", lambda: _passes_flaws(rule, case))


def _set_flaws(rule: type[Rule], cases: Sequence[Case]) -> Iterator[str]:
    """What the cases lack together: near misses are the tests that matter."""
    least = 2 if is_ours(rule) else 1
    if not any(isinstance(case, Flags) for case in cases):
        yield "CASES has no Flags: a graph that the rule must find"
    if sum(isinstance(case, Passes) for case in cases) < least:
        yield f"CASES has fewer than {least} Passes: near misses that the rule must not find"
    titles = [case.title for case in cases]
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        yield f"two cases have the title '{twice[0]}'"


def _passes_flaws(rule: type[Rule], case: Passes) -> Iterator[str]:
    costs = count(load(_model(case)))
    yield from _unknown(rule, costs)
    for found in _findings(rule, case, costs):
        yield f"expected nothing, got {_told(found)}"


def _flags_flaws(rule: type[Rule], case: Flags) -> Iterator[str]:
    model = _model(case)
    costs = count(load(model))
    yield from _unknown(rule, costs)
    findings = _findings(rule, case, costs)
    here = [f for f in findings if case.at in _names(f) or not (case.at or f.nodes)]
    if len(here) != 1 or here[0].code != rule.code:
        place = f"at node '{case.at}'" if case.at else "without a node"
        told = "; ".join(map(_told, findings)) or "nothing"
        yield f"expected one finding {place}, got {told}"
    elif here[0].priced is None:
        if case.macs is not None:
            yield f"expected {_macs(*case.macs)}, and the rule proposes nothing: leave macs out"
    else:
        yield from _price_flaws(rule, case, here[0].priced)
        yield from _splice_flaws(rule, case, model, here[0].priced)


def _price_flaws(rule: type[Rule], case: Flags, priced: Priced) -> Iterator[str]:
    """A flagged node costs now and then what the case says, by a proposal of the rule's kind."""
    got = priced.before.macs, priced.after.macs
    if case.macs is None:
        yield f"states no macs, the MACs now and then: write a product that gives {_macs(*got)}"
    elif got != tuple(case.macs):
        yield f"expected {_macs(*case.macs)}, got {_macs(*got)}"
    if priced.proposal.kind is not rule.kind:
        yield f"the proposal is of the kind {priced.proposal.kind}, the rule {rule.kind}"


def _splice_flaws(rule: type[Rule], case: Flags, model: Model, priced: Priced) -> Iterator[str]:
    """Spliced in, a proposal keeps the shapes of the outputs, saves what was priced, and is not
    flagged again."""
    before = count(load(model))
    after = count(load(splice(model, [priced.proposal])))
    for node, causes in after.unknown:
        told = "; ".join(sorted(map(str, causes)))
        yield f"with the proposal in place the cost of '{node.label}' is unknown: {told}"
    saved = before.total().macs - after.total().macs
    if saved != priced.saved_macs:
        yield f"in place the proposal saves {saved:,} MACs, and was priced at {priced.saved_macs:,}"
    for name in after.graph.outputs:
        was, now = before.graph.value(name).shape, after.graph.value(name).shape
        if was != now:
            yield f"with the proposal in place output '{name}' has the shape {now} instead of {was}"
    for found in _findings(rule, case, after):
        if any(name.startswith(_FIRST) for name in _names(found)):
            yield f"the rule flags its own proposal: {_told(found)}"


def _findings(rule: type[Rule], case: Case, costs: CostTable) -> list[Finding]:
    return run([rule(**case.options)], RuleContext(costs.graph, costs, load_target(case.target)))


def _model(case: Case) -> Model:
    """The model of a case; raises ConfigError with the parser's word where it is none."""
    try:
        return from_text(case.onnx_text)
    except ParseError as error:
        said = str(error).removeprefix("b'").removesuffix("'").replace("\\n", ", ")
        raise ConfigError("the graph is no ONNX text", said) from error


def _unknown(rule: type[Rule], costs: CostTable) -> Iterator[str]:
    """Unknown costs are what some decisions are about; what is proposed must be priced."""
    if rule.kind is not FixKind.DECISION:
        for node, causes in costs.unknown:
            told = "; ".join(sorted(map(str, causes)))
            yield f"the cost of node '{node.label}' is unknown: {told}"


def _names(finding: Finding) -> Sequence[str]:
    return [node.name for node in finding.nodes]


def _told(finding: Finding) -> str:
    if finding.code == CRASH_CODE:
        return finding.message
    at = ", ".join(f"'{node.label}'" for node in finding.nodes)
    return f"a finding at {at}: {finding.message}" if at else f"a finding: {finding.message}"


def _macs(before: int, after: int) -> str:
    return f"{before:,} → {after:,} MACs"
