"""What archlint makes of the cases of a rule: each is run as a model of a user's would be."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from archlint import __version__
from archlint.analyzer.analysis import Analysis
from archlint.analyzer.engine import accepted
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.report import Report, full
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.rule import Case, Flags, Passes, Rule
from archlint.analyzer.snippet import pytorch
from archlint.analyzer.targets import DEFAULT, load_target
from archlint.analyzer.text import Paint
from archlint.config import Chosen
from archlint.explain.documentation import as_value, listed_cases
from archlint.explain.onnx_text import tidied, to_text
from archlint.explain.spliced import readable
from archlint.pipeline import lint_model
from archlint.selection import Named

PATH = "model.onnx"
_COLUMNS = 80


@dataclass(frozen=True, slots=True)
class Example:
    """The first flagging case of a rule: as ONNX text, what archlint prints of it, and the same
    with its proposals in place, if it has some.

    ``modules_before`` and ``modules_after`` are the flagged nodes and the proposal in PyTorch,
    where they are chains of modules.
    """

    case: Flags
    command: str
    before: str
    printed: str
    report: Analysis
    modules_before: str = ""
    modules_after: str = ""
    after: str = ""
    report_after: Analysis | None = None


def example_of(rule: Named) -> Example | None:
    """The example of a rule; None where its first case is not flagged."""
    case = next((case for case in listed_cases(rule) if isinstance(case, Flags)), None)
    if case is None or not issubclass(rule, Rule):
        return None
    before = tidied(case.onnx_text)
    report = _lint(rule, case, before)
    if {finding.code for finding in report.findings} != {rule.code}:
        return None
    example = Example(case, command_of(rule, case), before, _printed(report), report)
    priced = report.findings[0].priced
    if priced is None:
        return example
    proposals = accepted(report.findings)
    after = to_text(readable(from_text(before), proposals))
    return replace(
        example,
        modules_before=_modules(report.costs.graph, priced.proposal.replaces),
        modules_after=priced.snippet,
        after=after,
        report_after=_lint(rule, case, after),
    )


def near_misses(rule: Named) -> list[Passes]:
    """The cases in which a rule finds nothing; first the one whose graph is most like that of the
    example, and not the same under other options."""
    cases = listed_cases(rule)
    flagged = next((case for case in cases if isinstance(case, Flags)), None)
    passing = [case for case in cases if isinstance(case, Passes)]
    if flagged is None:
        return passing
    words = flagged.onnx_text.split()

    def likeness(case: Passes) -> float:
        others = case.onnx_text.split()
        same = SequenceMatcher(None, words, others, autojunk=False).ratio()
        return same if others != words else 0

    first = max(passing, key=likeness, default=None)
    return sorted(passing, key=lambda case: case is not first)


def command_of(rule: Named, case: Case) -> str:
    """The command that checks a case with its rule alone."""
    words = ["archlint", PATH, "--select", rule.code]
    for name, value in case.options.items():
        words += ["--set", f"{rule.code}.{name}={as_value(value)}"]
    if case.target != DEFAULT:
        words += ["--target", case.target]
    return shlex.join(words)


def _lint(rule: type[Rule], case: Case, text: str) -> Analysis:
    try:
        chosen = Chosen([rule(**case.options)], target=load_target(case.target))
        return lint_model(replace(from_text(text), path=PATH), chosen)
    except Exception as error:
        if not rule.origin:
            raise
        why = f"its case '{case.title}' cannot be run: {type(error).__name__}: {error}"
        raise ConfigError(f"rule {rule.code} of {rule.origin}", why) from error


def _printed(report: Analysis) -> str:
    """The findings as the full report has them, without the totals behind them."""
    text = full.render(Report(__version__, (reported(report),)), Paint(), _COLUMNS)
    return text.partition(f"\n{PATH}:")[0].rstrip()


def _modules(graph: Graph, nodes: tuple[Node, ...]) -> str:
    """The nodes in PyTorch; empty unless each reads the one before it and weights alone, or is
    the product of x·sigmoid(x)."""
    made: list[str] = []
    for node in nodes:
        read = [name for name in node.inputs if name and not graph.value(name).constant]
        made = made or read
        if made[-1:] != read[-1:] and not {made[-1]} <= set(read) <= set(made[-2:]):
            return ""
        made += node.outputs
    return pytorch(replace(graph, nodes=nodes))
