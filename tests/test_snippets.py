"""The PyTorch snippets run, and do what the proposal does."""

from __future__ import annotations

from typing import Any

import pytest

from archlint.analyzer.cost import count
from archlint.analyzer.engine import run
from archlint.analyzer.load import load
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import Flags, Rule, RuleContext
from archlint.explain.example import example_of
from archlint.rules import all_rules, cases_of

torch: Any = pytest.importorskip("torch", reason="snippets are for torch")
flop_counter: Any = pytest.importorskip("torch.utils.flop_counter", reason="snippets are for torch")

CASES = [
    pytest.param(rule, case, id=f"{rule.code}: {case.title}")
    for rule in all_rules()
    for case in cases_of(rule)
    if isinstance(case, Flags) and case.macs is not None  # what is only advised has no graph
]
# Rules some of whose proposals are no chain of modules: they pad, add, join, or multiply by a
# matrix.
NO_CHAINS = {"ARC105", "ARC403", "ARC406", "ARC408", "ARC501", "ARC504"}


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_snippets_run_in_torch(rule: type[Rule], case: Flags) -> None:
    """A snippet takes the nodes' input, gives their output's shape, and costs what was priced."""
    costs = count(load(from_text(case.onnx_text)))
    for finding in run([rule(**case.options)], RuleContext(costs.graph, costs)):
        priced = finding.priced
        assert priced is not None
        if not priced.steps:  # a proposal that only removes
            assert priced.snippet == ""
            continue
        if not priced.snippet:
            assert rule.code in NO_CHAINS
            continue
        module = eval(priced.snippet, {"nn": torch.nn})  # noqa: S307 - code that archlint wrote
        x = torch.zeros(costs.graph.value(priced.proposal.graph.input[0].name).static_shape)
        with flop_counter.FlopCounterMode(display=False) as counter:
            y = module(x)
        assert tuple(y.shape) == costs.graph.value(finding.nodes[-1].outputs[0]).static_shape
        assert counter.get_total_flops() == 2 * priced.after.macs
        parameters = sum(parameter.numel() for parameter in module.parameters())
        assert parameters == priced.parameters_after


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.code) for rule in all_rules()])
def test_modules_of_pages_are_those_of_the_example(rule: type[Rule]) -> None:
    """What is flagged and what is suggested take the same input, give outputs of one shape, and
    cost what the finding says."""
    example = example_of(rule)
    assert example is not None
    priced = example.report.findings[0].priced
    written = example.modules_before, example.modules_after
    assert priced is not None or not any(written)
    if priced is None or not all(written):
        return
    graph = example.report.costs.graph
    x = torch.zeros(graph.value(priced.proposal.graph.input[0].name).static_shape)
    shapes = []
    for text, cost in zip(written, (priced.before, priced.after), strict=True):
        module = eval(text, {"nn": torch.nn})  # noqa: S307 - code that archlint wrote
        with flop_counter.FlopCounterMode(display=False) as counter:
            shapes.append(tuple(module(x).shape))
        assert counter.get_total_flops() == 2 * cost.macs
    assert shapes[0] == shapes[1]
