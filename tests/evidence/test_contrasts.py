"""Differences of estimates from different rows, and the correction for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.metrics import Estimate
from pytest_mlops.evidence.contrast import benjamini_yekutieli, independent_difference
from pytest_mlops.evidence.intervals import wilson

COUNTS = st.integers(1, 200).flatmap(
    lambda trials: st.tuples(st.integers(0, trials), st.just(trials))
)


def share(successes, trials):
    return Estimate(successes / trials, trials, interval=wilson(successes, trials))


def test_the_interval_is_newcombes():
    # The first example of his paper, method 10.
    found = independent_difference(share(56, 70), share(48, 80))
    assert found.value == pytest.approx(0.2)
    assert found.interval(0.95) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(COUNTS, COUNTS)
def test_the_interval_contains_the_value_and_widens(first, second):
    found = independent_difference(share(*first), share(*second))
    low, high = found.interval(0.9)
    lower, higher = found.interval(0.99)
    assert lower <= low <= found.value <= high <= higher
    back = independent_difference(share(*second), share(*first)).interval(0.9)
    assert back == pytest.approx((-high, -low))


def test_it_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(3)
    first, second = draw.binomial(80, 0.75, 3000), draw.binomial(900, 0.85, 3000)
    inside = 0
    for one, other in zip(first.tolist(), second.tolist()):
        low, high = independent_difference(share(one, 80), share(other, 900)).interval(
            0.95
        )
        inside += low <= -0.1 <= high
    assert 0.935 <= inside / 3000 <= 0.965


def test_what_has_no_value_or_no_interval_has_none_of_the_difference():
    undefined = Estimate(None, 0, "there are no rows")
    assert independent_difference(share(1, 2), undefined).reason == "there are no rows"
    bare = Estimate(0.5, 2)
    found = independent_difference(share(2, 2), bare)
    assert (found.value, found.interval) == (0.5, None)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_adjusted_p_values_are_those_of_the_definition(p_values):
    count = len(p_values)
    harmonic = sum(1 / rank for rank in range(1, count + 1))
    ordered = sorted(p_values)
    expected = [
        min(
            min(1.0, count * harmonic * p / rank)
            for rank, p in enumerate(ordered, 1)
            if p >= own
        )
        for own in p_values
    ]
    assert benjamini_yekutieli(p_values) == pytest.approx(expected)
