"""The comparisons of benchmarks/: what they cost, who proposes them, and that nobody proposes what
does not pay. No test times anything."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.engine import run
from archlint.analyzer.finding import Finding
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.load import load
from archlint.analyzer.proposal import as_model
from archlint.analyzer.reader import Model
from archlint.analyzer.rule import Rule, RuleContext
from archlint.rules import all_rules
from archlint.selection import is_default
from cases import CASES
from pairs import GRID, MAP, Case, Network

RULES = {rule.code: rule for rule in all_rules()}
DEFAULT = [rule() for rule in all_rules() if is_default(rule)]
MACS = {
    "5×5 192→32 on 28×28: 1×1 to 16 before it": (28*28*25*192*32, 28*28*(192*16+25*16*32)),
    "5×5 200→55 on 30×40: 1×1 to 20 before it": (30*40*25*200*55, 30*40*(200*20+25*20*55)),
    "3×3 256→256 on 56×56: 1×1, 3×3, 1×1 at 64": (56*56*9*256*256, 56*56*(256*64+9*64*64+64*256)),
    "3×3 512→512 on 28×28: 1×1, 3×3, 1×1 at 128":
        (28*28*9*512*512, 28*28*(512*128+9*128*128+128*512)),
    "3×3 512→512 on 14×14: 1×1, 3×3, 1×1 at 128":
        (14*14*9*512*512, 14*14*(512*128+9*128*128+128*512)),
    "3×3 1024→1024 on 14×14: 1×1, 3×3, 1×1 at 256":
        (14*14*9*1024*1024, 14*14*(1024*256+9*256*256+256*1024)),
    "3×3 512→512 on 7×7: 1×1, 3×3, 1×1 at 128": (7*7*9*512*512, 7*7*(512*128+9*128*128+128*512)),
    "3×3 1024→1024 on 7×7: 1×1, 3×3, 1×1 at 256":
        (7*7*9*1024*1024, 7*7*(1024*256+9*256*256+256*1024)),
    "3×3 2048→2048 on 7×7: 1×1, 3×3, 1×1 at 512":
        (7*7*9*2048*2048, 7*7*(2048*512+9*512*512+512*2048)),
    "5×5 64→64 on 56×56: 3×3, 3×3": (56*56*25*64*64, 56*56*(3*3+3*3)*64*64),
    "5×5 128→128 on 28×28: 3×3, 3×3": (28*28*25*128*128, 28*28*(3*3+3*3)*128*128),
    "5×5 256→256 on 14×14: 3×3, 3×3": (14*14*25*256*256, 14*14*(3*3+3*3)*256*256),
    "7×7 192→192 on 17×17: 1×7, 7×1": (17*17*49*192*192, 17*17*(1*7+7*1)*192*192),
    "3×3 128→128 on 28×28: 1×3, 3×1": (28*28*9*128*128, 28*28*(1*3+3*1)*128*128),
    "7×7/2 3→64 on 224×224: 3×3/2 to 32, 3×3, 3×3": (112*112*49*3*64, 112*112*9*(3*32+32*32+32*64)),
    "3×3 32→64 on 112×112: depthwise 3×3, 1×1": (112*112*9*32*64, 112*112*(9*32+32*64)),
    "3×3 64→64 on 112×112: depthwise 3×3, 1×1": (112*112*9*64*64, 112*112*(9*64+64*64)),
    "3×3 128→128 on 56×56: depthwise 3×3, 1×1": (56*56*9*128*128, 56*56*(9*128+128*128)),
    "3×3 256→256 on 28×28: depthwise 3×3, 1×1": (28*28*9*256*256, 28*28*(9*256+256*256)),
    "3×3 512→512 on 14×14: depthwise 3×3, 1×1": (14*14*9*512*512, 14*14*(9*512+512*512)),
    "3×3 1024→1024 on 7×7: depthwise 3×3, 1×1": (7*7*9*1024*1024, 7*7*(9*1024+1024*1024)),
    "Flatten, 25088→4096 at batch 1: global average pooling, 512→4096": (512*7*7*4096, 512*4096),
    "Flatten, 25088→4096 at batch 8: global average pooling, 512→4096":
        (8*512*7*7*4096, 8*512*4096),
    "Flatten, 25088→4096→4096→1000: global average pooling, 512→1000":
        (512*7*7*4096+4096*4096+4096*1000, 512*1000),
    "3×3 256→256 on 28×28: 2 groups": (28*28*9*256*256, 28*28*9*256*128),
    "3×3 256→256 on 28×28: 4 groups": (28*28*9*256*256, 28*28*9*256*64),
    "3×3 256→256 on 28×28: 8 groups": (28*28*9*256*256, 28*28*9*256*32),
    "3×3 256→256 on 28×28: 32 groups": (28*28*9*256*256, 28*28*9*256*8),
    "3×3 256→256 on 28×28: 256 groups": (28*28*9*256*256, 28*28*9*256*1),
    "3×3 128→128 on 56×56: 2 groups": (56*56*9*128*128, 56*56*9*128*64),
    "3×3 128→128 on 56×56: 4 groups": (56*56*9*128*128, 56*56*9*128*32),
    "3×3 128→128 on 56×56: 8 groups": (56*56*9*128*128, 56*56*9*128*16),
    "3×3 128→128 on 56×56: 32 groups": (56*56*9*128*128, 56*56*9*128*4),
    "3×3 128→128 on 56×56: 128 groups": (56*56*9*128*128, 56*56*9*128*1),
    "3×3 512→512 on 14×14: 2 groups": (14*14*9*512*512, 14*14*9*512*256),
    "3×3 512→512 on 14×14: 4 groups": (14*14*9*512*512, 14*14*9*512*128),
    "3×3 512→512 on 14×14: 8 groups": (14*14*9*512*512, 14*14*9*512*64),
    "3×3 512→512 on 14×14: 32 groups": (14*14*9*512*512, 14*14*9*512*16),
    "3×3 512→512 on 14×14: 512 groups": (14*14*9*512*512, 14*14*9*512*1),
    "3×3 64→64 on 56×56: 1×1 to 16 before it": (56*56*9*64*64, 56*56*(64*16+9*16*64)),
    "3×3 128→128 on 28×28: 1×1 to 32 before it": (28*28*9*128*128, 28*28*(128*32+9*32*128)),
    "3×3 256→64 on 28×28: 1×1 to 64 before it": (28*28*9*256*64, 28*28*(256*64+9*64*64)),
    "5×5 480→96 on 14×14: 1×1 to 24 before it": (14*14*25*480*96, 14*14*(480*24+25*24*96)),
    "5×5 832→128 on 7×7: 1×1 to 48 before it": (7*7*25*832*128, 7*7*(832*48+25*48*128)),
    "5×5 96→32 on 28×28: 1×1 to 16 before it": (28*28*25*96*32, 28*28*(96*16+25*16*32)),
    "1×1 512→64 on 14×14: 1×1 to 16 before it": (14*14*512*64, 14*14*(512*16+16*64)),
    "1×1 256→256 on 28×28: 1×1 to 64 before it": (28*28*256*256, 28*28*(256*64+64*256)),
    "3×3 32→32 on 112×112: 1×1 to 8 before it": (112*112*9*32*32, 112*112*(32*8+9*8*32)),
    "3×3 16→16 on 112×112: 1×1 to 4 before it": (112*112*9*16*16, 112*112*(16*4+9*4*16)),
    "3×3 2048→512 on 1×1: 1×1 to 128 before it": (1*1*9*2048*512, 1*1*(2048*128+9*128*512)),
    "1×1 512→512 on 14×14: 1×1 to 64 before it": (14*14*512*512, 14*14*(512*64+64*512)),
    "3×3 64→64 on 28×28: 60→60": (28*28*9*64*64, 28*28*9*60*60),
    "3×3 64→64 on 28×28: 63→63": (28*28*9*64*64, 28*28*9*63*63),
    "3×3 64→64 on 28×28: 65→65": (28*28*9*64*64, 28*28*9*65*65),
    "3×3 64→64 on 28×28: 72→72": (28*28*9*64*64, 28*28*9*72*72),
    "3×3 64→64 on 28×28: 80→80": (28*28*9*64*64, 28*28*9*80*80),
    "3×3 16→16 on 112×112: 1×1 to 8 before it": (112*112*9*16*16, 112*112*(16*8+9*8*16)),
    "3×3 16→16 on 112×112: 1×1 to 12 before it": (112*112*9*16*16, 112*112*(16*12+9*12*16)),
    "3×3 24→24 on 112×112: 1×1 to 12 before it": (112*112*9*24*24, 112*112*(24*12+9*12*24)),
    "3×3 32→32 on 56×56: 1×1 to 16 before it": (56*56*9*32*32, 56*56*(32*16+9*16*32)),
    "3×3 32→32 on 112×112: 1×1 to 16 before it": (112*112*9*32*32, 112*112*(32*16+9*16*32)),
    "3×3 8→8 on 224×224: 1×1 to 4 before it": (224*224*9*8*8, 224*224*(8*4+9*4*8)),
    "3×3 32→16 on 112×112: 1×1 to 16 before it": (112*112*9*32*16, 112*112*(32*16+9*16*16)),
    "3×3 64→64 on 56×56: 1×1 to 32 before it": (56*56*9*64*64, 56*56*(64*32+9*32*64)),
    "3×3 64→64 on 56×56: 1×1 to 48 before it": (56*56*9*64*64, 56*56*(64*48+9*48*64)),
    "3×3 64→64 on 28×28: 1×1 to 17 before it": (28*28*9*64*64, 28*28*(64*17+9*17*64)),
    "3×3 64→64 on 28×28: 1×1 to 31 before it": (28*28*9*64*64, 28*28*(64*31+9*31*64)),
    "3×3 64→64 on 28×28: 1×1 to 16 before it": (28*28*9*64*64, 28*28*(64*16+9*16*64)),
    "3×3 128→128 on 7×7: 1×1 to 32 before it": (7*7*9*128*128, 7*7*(128*32+9*32*128)),
    "3×3 64→64 on 7×7: 1×1 to 16 before it": (7*7*9*64*64, 7*7*(64*16+9*16*64)),
    "3×3 32→32 on 7×7: 1×1 to 8 before it": (7*7*9*32*32, 7*7*(32*8+9*8*32)),
    "3×3 16→16 on 7×7: 1×1 to 4 before it": (7*7*9*16*16, 7*7*(16*4+9*4*16)),
    "3×3 256→32 on 14×14: 1×1 to 16 before it": (14*14*9*256*32, 14*14*(256*16+9*16*32)),
    "5×5 192→32 on 28×28: 1×1 to 8 before it": (28*28*25*192*32, 28*28*(192*8+25*8*32)),
    "5×5 192→32 on 28×28: 1×1 to 12 before it": (28*28*25*192*32, 28*28*(192*12+25*12*32)),
    "5×5 192→32 on 28×28: 1×1 to 20 before it": (28*28*25*192*32, 28*28*(192*20+25*20*32)),
    "5×5 192→32 on 28×28: 1×1 to 24 before it": (28*28*25*192*32, 28*28*(192*24+25*24*32)),
    "5×5 192→32 on 28×28: 1×1 to 32 before it": (28*28*25*192*32, 28*28*(192*32+25*32*32)),
    "5×5 192→32 on 28×28: 1×1 to 48 before it": (28*28*25*192*32, 28*28*(192*48+25*48*32)),
    "5×5 192→32 on 28×28: 1×1 to 64 before it": (28*28*25*192*32, 28*28*(192*64+25*64*32)),
    "5×5 192→32 on 28×28: 1×1 to 17 before it": (28*28*25*192*32, 28*28*(192*17+25*17*32)),
    "3×3 3→32 on 224×224: 1×1 to 16 before it": (224*224*9*3*32, 224*224*(3*16+9*16*32)),
    "5×5 192→32 on 28×28, batch 8: 1×1 to 16 before it":
        (8*28*28*25*192*32, 8*28*28*(192*16+25*16*32)),
    "3×3 64→64 on 56×56, batch 8: 1×1 to 16 before it": (8*56*56*9*64*64, 8*56*56*(64*16+9*16*64)),
}  # fmt: skip
"""Multiply-accumulates before and after: map, taps, channels in, channels out."""


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.title)


def counted(network: Network) -> CostTable:
    return count(load(Model("case", network.model(), 0)))


def found(rules: Iterable[Rule], case: Case) -> list[Finding]:
    costs = counted(case.before)
    return run(rules, RuleContext(costs.graph, costs))


def proposed(findings: Iterable[Finding], opset: int) -> list[Graph]:
    """The graphs that findings propose, first or as an alternative."""
    return [
        load(Model("proposal", as_model(priced.proposal, opset), 0))
        for finding in findings
        for priced in (finding.priced, *(other.priced for other in finding.alternatives))
        if priced is not None
    ]


def operators(graph: Graph) -> list[tuple[object, ...]]:
    """What a network is made of: shapes read, and what decides the work.

    Without names, and without the activations of rules, which runtimes fuse into convolutions.
    """
    return [
        (
            node.op_type,
            *(graph.value(name).static_shape for name in node.inputs),
            *(node.attributes.get(key) for key in ("group", "strides", "pads", "dilations")),
        )
        for node in graph.operators()
        if node.op_type != "Relu"
    ]


def conv_width(graph: Graph, node: Node) -> int:
    """Output channels of a convolution: the first dim of its weight."""
    shape = graph.value(node.input(1)).static_shape
    assert shape
    return shape[0]


def test_every_case_is_counted() -> None:
    """Titles are unique, and each has its products."""
    assert [case.title for case in CASES] == list(MACS)
    assert len(MACS) == 1 + 1 + 7 + 6 + 6 + 3 + 15 + 12 + 5 + 28


@each(CASES)
def test_multiply_accumulates(case: Case) -> None:
    """archlint counts what the formula of a convolution and of a fully connected layer says."""
    tables = counted(case.before), counted(case.after)
    assert not any(table.uncosted for table in tables)
    assert tuple(table.total().macs for table in tables) == MACS[case.title]


@each(CASES)
def test_both_are_valid_and_exchangeable(case: Case) -> None:
    """onnx's checker takes both; inputs and outputs agree, but where the channels are the case."""
    for network in (case.before, case.after):
        inferred = onnx.shape_inference.infer_shapes(network.model(), strict_mode=True)
        onnx.checker.check_model(inferred)
    one, other = counted(case.before).graph, counted(case.after).graph
    shapes = [
        [graph.value(name).static_shape for name in (*graph.inputs, *graph.outputs)]
        for graph in (one, other)
    ]
    assert (shapes[0] == shapes[1]) == (case.group != "channel grid")
    assert shapes[0][0] == case.before.shape


@each([case for case in CASES if case.rule])
def test_rule_proposes_the_alternative(case: Case) -> None:
    """The rule of the case, with its options, proposes that network and no other."""
    (finding,) = found([RULES[case.rule](**case.options)], case)
    alternative = counted(case.after).graph
    (graph,) = proposed([finding], alternative.opset)
    assert finding.code == case.rule
    assert operators(graph) == operators(alternative)


@each(CASES)
def test_default_rules_propose_what_the_case_says(case: Case) -> None:
    """The alternative is among what the default rules propose exactly where the case says so."""
    alternative = counted(case.after).graph
    graphs = proposed(found(DEFAULT, case), alternative.opset)
    assert (operators(alternative) in map(operators, graphs)) == case.by_default


@each([case for case in CASES if case.trap])
def test_default_rules_propose_no_trap(case: Case) -> None:
    """Where time does not follow MACs the default rules are silent, or propose widths on the
    grid, or the layer's own, without groups."""
    graphs = proposed(found(DEFAULT, case), 17)
    if case.trap not in (GRID, MAP):
        assert not graphs
    for graph in graphs:
        convolutions = [node for node in graph.operators() if node.op_type != "Relu"]
        widths = [conv_width(graph, node) for node in convolutions]
        assert {(node.op_type, node.attributes["group"]) for node in convolutions} == {("Conv", 1)}
        assert all(width % 16 == 0 or width == widths[-1] for width in widths)
