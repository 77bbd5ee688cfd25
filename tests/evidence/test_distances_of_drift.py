"""Distances between two profiles, scipy as the oracle, and how sure one can be."""

from __future__ import annotations

import math
from typing import Any, Dict, Tuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from pytest_mlops.core.metrics import Estimate, MetricOptions
from pytest_mlops.evidence.drift.cells import Cells, ColumnPair, cells_of
from pytest_mlops.evidence.drift.distances import (
    jensen_shannon,
    psi,
    total_variation,
)
from pytest_mlops.evidence.drift.divergences import JENSEN_SHANNON, PSI, estimated
from pytest_mlops.evidence.drift.metrics import drift_metrics
from pytest_mlops.evidence.drift.noncentral import lower_tail, noncentrality
from pytest_mlops.evidence.drift.variation import variation
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables.features import FeatureTable

METRICS = {metric.name: metric for metric in drift_metrics()}
NAMES = sorted(METRICS)


def column(values: Any) -> FeatureTable:
    if isinstance(values, list):
        values = encode(np.array(values, dtype=object))
    return FeatureTable.of({"x": values}, len(values))


def pair(reference: Any, current: Any) -> ColumnPair:
    return ColumnPair.of(column(reference), column(current), "x")


def estimate(name: str, reference: Any, current: Any) -> Estimate:
    found: Estimate = METRICS[name].estimate(pair(reference, current), MetricOptions())
    return found


def normal(rows: int, shift: float = 0.0, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(shift, 1, rows)


shares = st.lists(st.integers(1, 500), min_size=2, max_size=12)


class TestDefinitions:
    @given(first=shares, second=shares)
    def test_they_are_scipys(self, first: Any, second: Any) -> None:
        size = min(len(first), len(second))
        p, q = (np.array(c[:size]) / sum(c[:size]) for c in (first, second))
        expected = jensenshannon(p, q, base=2) ** 2
        assert jensen_shannon(p, q) == pytest.approx(expected, abs=1e-12)
        both = stats.entropy(p, q) + stats.entropy(q, p)
        assert psi(p, q) == pytest.approx(both, abs=1e-12)
        assert total_variation(p, q) == pytest.approx(
            max(0.0, (p - q)[p > q].sum()), abs=1e-12
        )

    @pytest.mark.parametrize("shift", [0.0, 0.3, 1.5])
    def test_kolmogorov_smirnov_of_few_values_is_scipys(self, shift: float) -> None:
        first, second = normal(250), normal(200, shift, seed=1)
        expected = stats.ks_2samp(first, second).statistic
        share = 1 / 250 + 1 / 200
        squared = max(expected**2 - math.pi**2 / 12 * share, 0)
        found = estimate("kolmogorov_smirnov", first, second)
        assert found.value == pytest.approx(math.sqrt(squared), abs=1e-12)
        assert (found.error_bound, found.flags) == (0.0, ())

    def test_kolmogorov_smirnov_in_bins_keeps_its_error_bound(self) -> None:
        first, second = normal(40_000), normal(30_000, 0.2, seed=1)
        expected = stats.ks_2samp(first, second).statistic
        found = estimate("kolmogorov_smirnov", first, second)
        assert found.value is not None and found.flags == ("binned",)
        assert found.value <= expected <= found.value + found.error_bound + 1e-3
        assert found.error_bound < 0.01


class TestNoncentral:
    @pytest.mark.parametrize("degrees", [9.0, 19.5])
    @pytest.mark.parametrize("ncp", [1.0, 30.0, 1e4])
    def test_tails_are_scipys(self, degrees: float, ncp: float) -> None:
        exact = stats.ncx2(degrees, ncp)
        for tail in (0.025, 0.5, 0.975):
            found = lower_tail(float(exact.ppf(tail)), degrees, ncp)
            assert found == pytest.approx(tail, abs=0.005)

    @pytest.mark.parametrize("degrees", [0.7, 1.0, 3.0])
    def test_with_few_degrees_the_upper_tail_is_scipys(self, degrees: float) -> None:
        for ncp in (0.1, 4.0, 30.0):
            exact = stats.ncx2(degrees, ncp)
            upper = lower_tail(float(exact.ppf(0.975)), degrees, ncp)
            lower = lower_tail(float(exact.ppf(0.025)), degrees, ncp)
            assert upper == pytest.approx(0.975, abs=0.003)
            # Too large a lower tail makes the interval longer above, never shorter.
            assert lower >= 0.0245

    def test_a_noncentrality_gives_its_tail_back(self) -> None:
        found = noncentrality(50.0, 9.0, 0.025)
        assert lower_tail(50.0, 9.0, found) == pytest.approx(0.025, abs=1e-9)

    def test_where_none_is_so_large_it_is_nothing(self) -> None:
        assert noncentrality(0.1, 9.0, 0.975) == 0.0


class TestCells:
    def test_numbers_are_cut_at_quantiles_of_the_reference(self) -> None:
        cells = cells_of(pair(normal(20_000), normal(5000, seed=1)))
        assert len(cells) == 10
        assert cells.reference / 20_000 == pytest.approx(0.1, abs=0.01)
        assert cells.sizes == (20_000, 5000)

    def test_few_values_have_a_cell_each_and_new_ones_another(self) -> None:
        before, after = np.repeat([0.0, 1.0], 50), np.repeat([0.0, 2.0], 50)
        cells = cells_of(pair(before, after))
        rows = set(zip(cells.reference.tolist(), cells.current.tolist()))
        assert rows == {(50, 50), (50, 0), (0, 50)}

    def test_missing_values_are_a_cell(self) -> None:
        gone = np.where(np.arange(100) < 40, np.nan, 1.0)
        cells = cells_of(pair(np.ones(100), gone))
        assert sorted(cells.current.tolist()) == [40, 60]

    def test_rare_categories_are_one_cell(self) -> None:
        names = ["a"] * 500 + ["b"] * 400 + [f"r{i % 15}" for i in range(60)]
        cells = cells_of(pair(names, names))
        assert sorted(cells.reference.tolist()) == [60, 400, 500]

    def test_what_is_too_rare_even_together_joins_the_next(self) -> None:
        names = ["a"] * 500 + ["b"] * 400 + ["c"] * 2
        cells = cells_of(pair(names, names))
        assert sorted(cells.reference.tolist()) == [402, 500]

    def test_names_of_too_many_categories_still_meet(self) -> None:
        many = [f"id{i}" for i in range(1500)]
        cells = cells_of(pair(many, ["id1", "id2"] * 50))
        assert cells.sizes == (1500, 100)


SAMPLES: Dict[str, Tuple[Any, Any]] = {
    "same": (normal(1000), normal(800, seed=1)),
    "shifted": (normal(1000), normal(800, 0.6, seed=1)),
    "far": (normal(1000), normal(800, 9.0, seed=1)),
    "constant": (np.ones(300), np.ones(200)),
    "texts": (["a"] * 300 + ["b"] * 50, ["a"] * 100 + ["b"] * 60 + ["c"] * 40),
    "gone": (np.ones(300), np.full(200, np.nan)),
    "mixed up": (["a", "b"] * 100, ["b", "a"] * 90),
}


class TestIntervals:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("sample", SAMPLES)
    def test_they_contain_the_value_and_grow(self, name: str, sample: str) -> None:
        found = estimate(name, *SAMPLES[sample])
        if found.value is None:
            assert found.reason and found.interval is None
            return
        assert found.interval is not None
        low, high = METRICS[name].limits
        ends = [found.interval(c) for c in (0.5, 0.9, 0.95, 0.999, 1 - 1e-9)]
        for (inner, outer), (below, above) in zip(ends, ends[1:]):
            assert low <= below <= inner <= found.value <= outer <= above <= high

    @given(first=shares, second=shares)
    @settings(deadline=None)
    def test_of_any_cells(self, first: Any, second: Any) -> None:
        size = min(len(first), len(second))
        cells = Cells(np.array(first[:size]), np.array(second[:size]))
        for found in (estimated(PSI, cells), variation(cells)):
            assert found.interval is not None and found.value is not None
            (below, above), (low, high) = found.interval(0.95), found.interval(0.5)
            assert 0 <= below <= low <= found.value <= high <= above

    def test_ten_million_rows_do_not_make_a_trifle_large(self) -> None:
        p = np.full(10, 10**6)
        trifle = np.array([5000, -5000] * 5)
        found = estimated(PSI, Cells(p, p + trifle))
        assert found.interval is not None
        low, high = found.interval(0.95)
        assert 0 < low < high < 1e-4

    def test_three_hundred_rows_do_not_make_noise_an_alarm(self) -> None:
        found = estimate("psi", normal(300), normal(300, seed=1))
        plain = psi(*cells_of(pair(normal(300), normal(300, seed=1))).shares())
        assert found.value is not None and found.interval is not None
        assert found.value < plain / 2
        assert found.interval(1 - 0.05 / 50)[0] == 0.0
        assert found.interval(0.95)[1] < 0.2

    def test_the_square_root_of_nothing_is_nothing(self) -> None:
        found = estimate("jensen_shannon", np.ones(300), np.ones(300))
        assert found.value == 0.0

    def test_too_few_rows_are_undefined(self) -> None:
        found = estimate("psi", np.ones(9), np.ones(100))
        assert found.value is None and "9 rows are too few" in (found.reason or "")


class TestCoverage:
    """Samples of cells whose true distance is known; seeds are fixed."""

    @pytest.mark.parametrize(("rows", "shift"), [(300, 0.0), (1000, 0.3), (5000, 0.45)])
    def test_of_divergences(self, rows: int, shift: float) -> None:
        p, q = np.full(10, 0.1), shifted(shift)
        draw = np.random.default_rng(5)
        above = below = 0
        for _ in range(250):
            cells = Cells(draw.multinomial(rows, p), draw.multinomial(1000, q))
            for divergence, true in (
                (PSI, psi(p, q)),
                (JENSEN_SHANNON, jensen_shannon(p, q)),
            ):
                interval = estimated(divergence, cells).interval
                assert interval is not None
                low, high = interval(0.95)
                above += low > true + 1e-12
                below += high < true
        # 2.5 % of 500 are expected on each side.
        assert above <= 24 and below <= 24

    @pytest.mark.parametrize("shift", [0.0, 0.3])
    def test_of_total_variation(self, shift: float) -> None:
        p, q = np.full(10, 0.1), shifted(shift)
        true, draw = total_variation(p, q), np.random.default_rng(6)
        missed = 0
        for _ in range(200):
            cells = Cells(draw.multinomial(2000, p), draw.multinomial(500, q))
            interval = variation(cells).interval
            assert interval is not None
            low, high = interval(0.95)
            missed += not low - 1e-12 <= true <= high
        assert missed <= 16


def shifted(shift: float) -> Any:
    """The deciles of a normal distribution after a shift."""
    edges = stats.norm.ppf(np.arange(1, 10) / 10)
    return np.diff(np.concatenate([[0], stats.norm.cdf(edges - shift), [1]]))


class TestShares:
    def test_a_change_of_missing_values(self) -> None:
        gone = np.where(np.arange(100) < 40, np.nan, 1.0)
        found = estimate("missing_change", np.ones(100), gone)
        back = estimate("missing_change", gone, np.ones(100))
        assert found.value == back.value == pytest.approx(0.4)
        assert found.interval is not None and found.interval(0.95)[0] > 0.25

    def test_no_change_may_be_none(self) -> None:
        found = estimate("missing_change", np.ones(100), np.ones(100))
        assert found.interval is not None
        assert found.interval(0.95)[0] == 0.0 < found.interval(0.95)[1] < 0.06

    def test_unseen_categories(self) -> None:
        found = estimate("unseen_share", ["a", "b"] * 50, ["a"] * 60 + ["z"] * 40)
        assert found.value == pytest.approx(0.4)

    def test_rare_categories_of_the_reference_explain_as_many(self) -> None:
        # Each row a category of its own: all that comes is unseen, and none is news.
        ids = [f"i{n}" for n in range(200)]
        found = estimate("unseen_share", ids, [f"j{n}" for n in range(100)])
        assert found.value == 0.0

    def test_what_cannot_be_told_is_undefined(self) -> None:
        many = [f"i{n}" for n in range(1100)]
        found = estimate("unseen_share", many, many)
        assert found.value is None and "too many categories" in (found.reason or "")
        for name in ("unseen_share", "kolmogorov_smirnov"):
            nothing = np.full(20, np.nan)
            assert estimate(name, nothing, nothing).value is None
