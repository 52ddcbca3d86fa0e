"""Amounts with units: what is written is exactly what counts."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archlint.quantities import (
    COUNTS,
    SIZES,
    TIMES,
    Scale,
    amount_of,
    amount_schema,
    change_of,
    change_schema,
    share_of,
)


@pytest.mark.parametrize(
    ("scale", "written", "value", "text"),
    [
        pytest.param(COUNTS, "600M", 600 * 10**6, "600M", id="mega"),
        pytest.param(COUNTS, "1.5G", 15 * 10**8, "1.5G", id="giga"),
        pytest.param(COUNTS, " 2 k ", 2_000, "2 k", id="blanks"),
        pytest.param(COUNTS, "3T", 3 * 10**12, "3T", id="tera"),
        pytest.param(COUNTS, "12", 12, "12", id="digits"),
        pytest.param(COUNTS, 5_000_000, 5 * 10**6, "5,000,000", id="number"),
        pytest.param(COUNTS, 6e8, 6 * 10**8, "600,000,000", id="power"),
        pytest.param(COUNTS, 0, 0, "0", id="nothing"),
        pytest.param(SIZES, "20MB", 20 * 10**6, "20MB", id="decimal"),
        pytest.param(SIZES, "2MiB", 2 * 2**20, "2MiB", id="binary"),
        pytest.param(SIZES, "1.5 KiB", 1_536, "1.5 KiB", id="part-of-a-unit"),
        pytest.param(SIZES, "1GiB", 2**30, "1GiB", id="gibi"),
        pytest.param(SIZES, "7B", 7, "7B", id="bytes"),
        pytest.param(SIZES, 20_000, 20_000, "20,000 B", id="bytes-by-number"),
        pytest.param(TIMES, "12ms", 12, "12ms", id="milliseconds"),
        pytest.param(TIMES, "250us", Fraction(1, 4), "250us", id="microseconds"),
        pytest.param(TIMES, "1.5s", 1_500, "1.5s", id="seconds"),
        pytest.param(TIMES, 2.5, Fraction(5, 2), "2.5 ms", id="milliseconds-by-number"),
    ],
)
def test_an_amount_is_exact(scale: Scale, written: object, value: Fraction, text: str) -> None:
    """By the prefixes of the SI, and by IEC 80000-13 where there is an i; a number alone is in
    bytes or milliseconds. The JSON Schema takes it as well."""
    amount = amount_of(scale, written)
    assert (amount.value, amount.text) == (value, text)
    Draft202012Validator(amount_schema(scale)).validate(written)


def test_no_digit_is_lost() -> None:
    """As it would be in a float."""
    assert amount_of(COUNTS, "0.1").value == Fraction(1, 10)
    assert amount_of(COUNTS, "9007199254.740993M").value == 9007199254740993


@pytest.mark.parametrize(
    ("scale", "written", "told"),
    [
        pytest.param(COUNTS, "600m", "no unit 'm' in '600m'; it can be k, M, G, T", id="case"),
        pytest.param(COUNTS, "5B", "no unit 'B' in '5B'; it can be k", id="of-bytes"),
        pytest.param(SIZES, "20MBit", "no unit 'MBit'", id="bits"),
        pytest.param(SIZES, "20mb", "it can be B, kB, MB, GB, TB, KiB, MiB", id="small"),
        pytest.param(TIMES, "12 min", "no unit 'min' in '12 min'; it can be us, ms, s", id="min"),
        pytest.param(COUNTS, "much", "'much' is no amount; write it as '600M'", id="word"),
        pytest.param(COUNTS, "-5M", "is no amount", id="negative"),
        pytest.param(COUNTS, "1,000", "there is no unit ',000'", id="comma"),
        pytest.param(COUNTS, "٣M", "is no amount", id="digits-of-another-script"),
        pytest.param(COUNTS, "9" * 400, "there is no unit '99", id="endless"),
        pytest.param(COUNTS, -1, "between 0 and 1,000,000,000,000,000,000", id="below"),
        pytest.param(COUNTS, 10**400, "between 0 and", id="huge"),
        pytest.param(COUNTS, float("nan"), "must be a finite number", id="nan"),
        pytest.param(COUNTS, float("inf"), "must be a finite number", id="infinite"),
        pytest.param(COUNTS, True, "must be a number, or a text as '600M'", id="truth"),
        pytest.param(SIZES, [1], "must be a number, or a text as '20MB'", id="list"),
    ],
)
def test_what_is_no_amount_is_told(scale: Scale, written: Any, told: str) -> None:
    """With what would be one; the JSON Schema takes none of them either."""
    with pytest.raises(ValueError, match=re.escape(told)):
        amount_of(scale, written)
    finite = written == written and written != float("inf")  # noqa: PLR0124 - no number is itself
    assert not finite or not Draft202012Validator(amount_schema(scale)).is_valid(written)


@pytest.mark.parametrize(
    ("scale", "written", "before", "most"),
    [
        pytest.param(COUNTS, "+2%", 1_000, 1_020, id="share"),
        pytest.param(COUNTS, "2 %", 1_000, 1_020, id="without-sign"),
        pytest.param(COUNTS, "0.5%", 1_000, 1_005, id="part-of-a-percent"),
        pytest.param(COUNTS, "+0", 1_000, 1_000, id="none"),
        pytest.param(COUNTS, 0, 1_000, 1_000, id="none-as-a-number"),
        pytest.param(COUNTS, "+3k", 1_000, 4_000, id="amount"),
        pytest.param(SIZES, "+1MB", 500, 1_000_500, id="bytes"),
        pytest.param(SIZES, "+2%", 0, 0, id="share-of-nothing"),
    ],
)
def test_a_growth_is_a_share_or_an_amount(
    scale: Scale, written: Any, before: int, most: int
) -> None:
    """On top of what was there."""
    assert change_of(scale, written).most(before) == most
    Draft202012Validator(change_schema(scale)).validate(written)


@pytest.mark.parametrize("written", ["-2%", "+2 percent", "+", "%", "", "++2%", "+-2", None])
def test_what_is_no_growth_is_told(written: Any) -> None:
    with pytest.raises(ValueError, match=r"a share is written as|must be a number"):
        change_of(COUNTS, written)
    assert not Draft202012Validator(change_schema(COUNTS)).is_valid(written)


def test_a_share_alone() -> None:
    """An amount is none."""
    assert share_of("1M") is None
    assert share_of("150%") == change_of(COUNTS, "150%")
