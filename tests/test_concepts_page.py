"""The numbers and words of the page of concepts are those of the analyzer."""

from __future__ import annotations

import re

import pytest

from archlint.analyzer.algorithms import critical_path
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.finding import Confidence, Severity
from archlint.analyzer.load import load
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.reader import read
from archlint.analyzer.reader.text import from_text
from archlint.analyzer.rule import DEFAULT_GROUPS, RuleGroup
from archlint.analyzer.timing.measurement import WORTHWHILE, Verdict
from pages import DOCS, prose_of, text_of

SAMPLE = DOCS.parent / "samples" / "inception_5x5.onnx"


def counted(graph: str) -> CostTable:
    return count(load(from_text(graph)))


LAYERS = {
    "5×5 convolution 192→32 on 28×28": None,  # the sample
    "fully connected 25088→4096": """agraph (float[1,25088] x) => (y) <float[25088,4096] w> {
        y = MatMul (x, w) }""",
    "3×3 depthwise convolution of 32 on 112×112": """agraph (float[1,32,112,112] x) => (y)
        <float[32,1,3,3] w> { y = Conv <group = 32, pads = [1,1,1,1]> (x, w) }""",
    "Relu of 32 channels on 112×112": "agraph (float[1,32,112,112] x) => (y) { y = Relu (x) }",
}


@pytest.mark.parametrize("layer", LAYERS)
def test_the_roofline_is_that_of_the_costs(layer: str) -> None:
    """MACs, bytes and intensity by the analyzer; the floors by the speeds that the page gives."""
    page = text_of("concepts")
    graph = LAYERS[layer]
    table = count(load(read(str(SAMPLE)))) if graph is None else None
    cost = counted(graph).total() if graph else table.costs[0] if table else None
    assert cost is not None
    (row,) = re.findall(rf"^\| {layer} \| (.*) \|$", page, flags=re.MULTILINE)
    giga_macs, giga_bytes = map(float, *re.findall(r"2·([\d.]+) / ([\d.]+) = ", page))
    assert row.split(" | ") == [
        f"{cost.macs:,}",
        f"{cost.bytes:,}",
        f"{cost.intensity:.1f}",
        f"{cost.macs / giga_macs / 1e6:.2f} ms",
        f"{cost.bytes / giga_bytes / 1e6:.2f} ms",
    ]


@pytest.mark.parametrize(
    ("layer", "milliseconds"),
    [("5×5 192→32 on 28×28: 1×1 to 16 before it", 4), ("Flatten, 25088→4096 at batch 1", 42)],
)
def test_times_of_the_roofline_are_those_of_verification(layer: str, milliseconds: int) -> None:
    """Within a quarter, which another hour of the same machine changes."""
    rows = [line for line in text_of("verification").splitlines() if line.startswith(f"| {layer}")]
    measured = [float(found) for row in rows for found in re.findall(r"\| ([\d.]+) → ", row)[-1:]]
    assert measured[0] == pytest.approx(milliseconds, rel=0.25)
    assert f"about {milliseconds} ms" in prose_of("concepts")


def test_concepts_know_every_word_of_reports() -> None:
    """Groups with their defaults, severities, confidences, kinds and verdicts."""
    page = text_of("concepts")
    for group in RuleGroup:
        (default,) = re.findall(rf"^\| {group} \| .* \| (\w+)", page, flags=re.MULTILINE)
        assert (default == "yes") == (group in DEFAULT_GROUPS)
    for kind in (*FixKind, *Verdict):
        assert re.search(rf"^\| {kind} \| ", page, flags=re.MULTILINE), kind
    for level in (*Severity, *Confidence):
        assert f"`{level}`" in page
    assert page.count(f"lies below {WORTHWHILE}") == page.count(f"lies above {WORTHWHILE}") == 1


def test_the_numbers_of_concepts_are_counted() -> None:
    """Those of the sample's first layer, by the analyzer."""
    table = count(load(read(str(SAMPLE))))
    cost, page = table.costs[0], prose_of("concepts")
    activations = cost.bytes_read, cost.bytes_written
    for number in (cost.macs, cost.ops, cost.flops, cost.weight_bytes, *activations, cost.bytes):
        assert f"{number:,}" in page
    assert f"= {table.parameter_count:,} for the weight and the bias" in page
    assert f"{sum(activations):,} bytes. Weights are not in it" in page


def test_the_parallelism_is_that_of_the_module() -> None:
    """All MACs and those of the longest path, by the analyzer."""
    table = count(load(read(str(SAMPLE.with_name("inception_module_naive.onnx")))))
    assert f"{table.total().macs:,} / {critical_path(table).macs:,} = 1.78" in prose_of("concepts")
