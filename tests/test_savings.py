"""What a report says that following a proposal changes."""

from __future__ import annotations

import pytest

from archlint.analyzer.cost import Cost
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.report import ProposalReport
from archlint.analyzer.report.savings import brief_saving, savings


def priced(
    before: Cost, after: Cost, parameters_before: int = 0, parameters_after: int = 0
) -> ProposalReport:
    """A proposal by its costs alone."""
    kind, parameters = FixKind.RETRAIN, (parameters_before, parameters_after)
    return ProposalReport("another", kind, "", before, after, *parameters, (), "")


@pytest.mark.parametrize(
    ("found", "lines", "brief"),
    [
        pytest.param(
            priced(Cost(macs=400), Cost(macs=100), 50, 40),
            [
                ("saves", "400 → 100 MACs (−75.0 %), ratio 0.25"),
                ("", "50 → 40 parameters (−20.0 %)"),
            ],
            "400 → 100 MACs (−75.0 %)",
            id="fewer",
        ),
        pytest.param(
            priced(Cost(macs=100), Cost(macs=90), 1000, 100),
            [
                ("saves", "100 → 90 MACs (−10.0 %), ratio 0.90"),
                ("", "1,000 → 100 parameters (−90.0 %)"),
            ],
            "1,000 → 100 parameters (−90.0 %)",
            id="parameters-above-all",
        ),
        pytest.param(
            priced(Cost(macs=100), Cost(macs=200, bytes_read=4)),
            [("costs", "100 → 200 MACs (+100.0 %), ratio 2.00")],
            "100 → 200 MACs (+100.0 %)",
            id="more",
        ),
        pytest.param(
            priced(
                Cost(macs=100, bytes_read=2000, bytes_written=1500, weight_bytes=500),
                Cost(macs=100, bytes_read=500, bytes_written=500),
            ),
            [("keeps", "100 MACs"), ("saves", "4.000 kB → 1.000 kB moved (−75.0 %)")],
            "4.000 kB → 1.000 kB moved (−75.0 %)",
            id="as-many-and-fewer-bytes",
        ),
        pytest.param(
            priced(Cost(macs=100, bytes_read=4), Cost(macs=100, bytes_read=4)),
            [("keeps", "100 MACs")],
            "100 → 100 MACs (±0 %)",
            id="as-many",
        ),
        pytest.param(
            priced(Cost(ops_by_family=(("power", 30),), bytes_read=8), Cost()),
            [("saves", "30 → 0 other operations (−100.0 %)"), ("", "8 B → 0 B moved (−100.0 %)")],
            "8 B → 0 B moved (−100.0 %)",
            id="none-at-all",
        ),
        pytest.param(
            priced(Cost(), Cost(macs=5)),
            [("costs", "0 → 5 MACs (new)")],
            "0 → 5 MACs (new)",
            id="some-where-none-were",
        ),
    ],
)
def test_savings(found: ProposalReport, lines: list[tuple[str, str]], brief: str) -> None:
    """MACs first; where they stay, what is saved in their place."""
    assert list(savings(found)) == lines
    assert brief_saving(found) == brief
