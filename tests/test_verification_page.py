"""What benchmarks/verification.py says of its measurements. No test times anything."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from agreement import Agreement, Errors, Row, again, factor, reference_verdict, with_reference
from archlint.analyzer.timing.measurement import Verdict
from cases import CASES
from pairs import Case, Reference
from timed import Figures, Timed
from verification_page import Figure, Network, page, summary

BRANCH = CASES[0]  # elsewhere 0.122 [0.119, 0.128] of 2.527 ms, on OpenVINO 0.131


def made(ratio: float, low: float, high: float, verdict: str = "confirmed") -> Timed:
    return Timed("t", Figures(2e6, 2e6 * ratio, ratio, low, high, 40, verdict, "1.2.3", 0.02))


def row(case: Case, cpu: Timed | None, other: Timed | None = None) -> Row:
    return Row(case, (1000, 100), (4e6, 1e6), cpu, other)


@pytest.mark.parametrize(("one", "other", "expected"), [(2, 1, 2), (1, 2, 2), (3, 3, 1)])
def test_factor_has_no_direction(one: float, other: float, expected: float) -> None:
    assert factor(one, other) == expected


def test_errors_are_quantiles_of_factors() -> None:
    """Of the factors 1, 2, 3, 4, 5 the median is 3, nine tenths of the way 4.6, the largest 5."""
    errors = Errors.of([(1, 1), (2, 1), (1, 3), (4, 1), (1, 5)])
    assert errors is not None
    assert (errors.count, errors.median, errors.most) == (5, 3, 5)
    assert errors.p90 == pytest.approx(4.6)
    assert Errors.of([]) is None


@pytest.mark.parametrize(
    ("reference", "verdict"),
    [
        (Reference(2.5, 0.9, 0.88, 0.94), Verdict.CONFIRMED),
        (Reference(2.5, 0.98, 0.96, 0.99), Verdict.REFUTED),
        (Reference(2.5, 0.95, 0.93, 0.97), Verdict.INCONCLUSIVE),
        (Reference(0.09, 0.5, 0.4, 0.6), Verdict.TOO_SMALL),
    ],
)
def test_verdict_elsewhere(reference: Reference, verdict: Verdict) -> None:
    """It follows from the interval and from what the layer takes."""
    assert reference_verdict(reference) == verdict


def test_agreement_with_the_other_machine() -> None:
    """Each of the four ways to agree is counted for itself; what was not timed counts nowhere."""
    rows = [
        row(BRANCH, made(0.125, 0.12, 0.13)),  # overlaps, near
        row(BRANCH, made(0.14, 0.135, 0.145)),  # no overlap, near: 0.14 / 0.122 = 1.148
        row(BRANCH, made(0.1, 0.09, 0.11)),  # 1.22 times less
        row(BRANCH, made(1.2, 0.11, 2.0, "inconclusive")),  # overlaps alone
        row(BRANCH, Timed("t", None, "why")),
        row(BRANCH, None),
    ]
    assert with_reference(rows, 1.0) == Agreement(
        4, overlapping=2, widened=2, near=2, wider=3, same_verdict=3
    )
    assert with_reference(rows, 1e3).widened == 4


def test_another_process_is_compared_where_both_measured() -> None:
    rows = [
        row(BRANCH, made(0.2, 0.19, 0.21), made(0.1, 0.09, 0.11)),
        row(BRANCH, made(0.1, 0.08, 0.12), made(0.11, 0.1, 0.12)),
        row(BRANCH, made(0.1, 0.08, 0.12), Timed("t", None, "why")),
    ]
    errors, overlapping = again(rows)
    assert errors is not None
    assert (errors.count, errors.most, overlapping) == (2, 2, 1)


def test_summary_compares_the_prediction_with_macs() -> None:
    """Predicted 1 of 4 against 0.125 is twice too much, MACs of 100 of 1000 are 1.25 times less."""
    lines = summary([row(BRANCH, made(0.125, 0.12, 0.13))], [])
    figures = {line.what: line.figure for line in lines}
    assert figures["error of the predicted ratio"].startswith("median ×2.00")
    assert figures["error of the ratio of MACs"].startswith("median ×1.25")
    assert Figure("timed on the CPU provider", "1 of 1") in lines
    assert Figure("the same verdict elsewhere", "1 of 1") in lines
    assert "verdicts on OpenVINO" not in figures


def test_page_has_every_comparison_and_what_failed() -> None:
    """All cases are there, with the reason where one was not timed; so are whole networks."""
    rows = [row(case, made(0.5, 0.4, 0.6)) for case in CASES[1:]]
    rows.append(row(CASES[0], Timed("t", None, "crashed")))
    rows = [replace(one, openvino=made(0.131, 0.13, 0.14)) for one in rows]
    networks = [Network("net", 2_000_000, 4e6, made(1.01, 0.99, 1.02))]
    text = page(rows, networks, "python benchmarks/verification.py")
    for case in CASES:
        assert f"| {case.title} |" in text
    assert "not timed: crashed" in text
    assert "| timed on the CPU provider | 83 of 84 |" in text
    assert "| net | 2 | 4.0 | 2.0 | 1.010 [0.990, 1.020] |" in text
    assert "| error of a network's predicted time | median ×2.00" in text
    assert "onnxruntime 1.2.3" in text.replace("\n", " ")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert not any("None" in line for line in lines)
