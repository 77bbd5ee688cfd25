"""Figures are short, and never on the wrong side of what they are held against."""

from __future__ import annotations

import math
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.checks import Check
from pytest_mlops.reporting.figures import (
    about,
    figure,
    interval,
    limits,
    rows_words,
    shortfall,
)


@pytest.mark.parametrize(
    ("value", "held_against", "expected"),
    [
        (0.8712345, (), "0.8712"),
        (0.71, (0.75,), "0.71"),
        (0.8499, (0.85,), "0.8499"),
        (0.84999999, (0.85,), "0.84999999"),
        (0.85, (0.85,), "0.85"),
        (0.8500001, (0.85,), "0.8500001"),
        (12.3456, (12.5,), "12.35"),
        (1234567.0, (), "1234567"),
        (1.5e12, (), "1.5e+12"),
        (0.00001234567, (), "0.00001235"),
        (1.2345678e-9, (), "1.235e-09"),
        (0.0, (), "0"),
        (-0.0, (), "0"),
        (-0.01234567, (-0.01,), "-0.01235"),
        (100.0, (), "100"),
        (math.inf, (0.5,), "inf"),
        (0.30000000000000004, (0.3,), "0.30000000000000004"),
    ],
)
def test_figures(value: float, held_against: tuple[float, ...], expected: str) -> None:
    assert figure(value, held_against) == expected


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, st.lists(NUMBERS, max_size=3))
def test_no_figure_crosses_a_limit(value: float, held_against: list[float]) -> None:
    shown = float(figure(value, held_against))
    for limit in held_against:
        assert (shown < limit) == (value < limit)
        assert (shown > limit) == (value > limit)


@given(st.floats(0.001, 1e6), st.sampled_from([-1, 1]))
def test_the_nearest_neighbours_of_a_limit_differ_from_it(
    limit: float, direction: int
) -> None:
    beside = float.fromhex((limit + direction * limit * 2**-52).hex())
    if beside != limit:
        assert figure(beside, [limit]) != figure(limit, [limit])


@given(st.floats(-1e300, 1e300))
def test_a_figure_is_right_to_four_digits(value: float) -> None:
    assert math.isclose(float(figure(value)), value, rel_tol=5.01e-4, abs_tol=1e-320)


MakeCheck = Callable[..., Check]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"threshold": None}, ()),
        ({"threshold": 0.75}, (0.75,)),
        ({"threshold": [0.25, 0.5]}, (0.25, 0.5)),
        ({"threshold": 0.75, "margin": 0.25}, (0.75, 1.0, 0.5)),
    ],
)
def test_limits_of_a_check(
    make_check: MakeCheck, changes: dict[str, Any], expected: tuple[float, ...]
) -> None:
    assert limits(make_check(**changes)) == expected


def test_interval_ends_stay_on_their_side(make_check: MakeCheck) -> None:
    assert interval(make_check(interval=(0.749999, 0.8))) == "[0.749999, 0.8]"
    assert interval(make_check(interval=None)) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"value": 0.71}, "0.04"),
        ({"value": 0.75}, None),
        ({"value": 1.25, "rule": "<= 1.2", "threshold": 1.2}, "0.05"),
        ({"value": 0.1, "rule": "in [0.2, 0.4]", "threshold": [0.2, 0.4]}, "0.1"),
        ({"value": 0.5, "rule": "in [0.2, 0.4]", "threshold": [0.2, 0.4]}, "0.1"),
        ({"value": 0.3, "rule": "in [0.2, 0.4]", "threshold": [0.2, 0.4]}, None),
        ({"value": None}, None),
        ({"threshold": None}, None),
        ({"rule": None}, None),
    ],
)
def test_shortfall(
    make_check: MakeCheck, changes: dict[str, Any], expected: str | None
) -> None:
    assert shortfall(make_check(**changes)) == expected


def test_rows_in_words() -> None:
    assert [rows_words(n) for n in (0, 1, 5000)] == ["0 rows", "1 row", "5,000 rows"]


@given(st.integers(1, 10**9))
def test_an_estimate_has_two_digits_and_is_never_too_low(rows: int) -> None:
    shown = int(about(rows).replace(",", ""))
    assert rows <= shown <= max(rows, rows * 1.1)
    assert str(shown)[2:].strip("0") == ""


def test_estimates() -> None:
    assert [about(n) for n in (7, 99, 359, 1850, 1900)] == [
        "7",
        "99",
        "360",
        "1,900",
        "1,900",
    ]
