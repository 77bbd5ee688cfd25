"""False alarms over 50 columns and power of drift rules, ours beside the usual two.

``python benchmarks/drift.py`` prints the first table of docs/drift.md, with the word
``coverage`` the second one. The usual rules are a plain PSI above 0.2 and a two-sample
Kolmogorov–Smirnov test with p < .05, by column. Samples are drawn as counts of fine
cells, so that 10⁷ rows cost no more than 300.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.columns import over_columns
from pytest_mlops.core.metrics import Estimate, MetricOptions
from pytest_mlops.core.outcomes import Decide, OnInconclusive, Outcome
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.evidence.drift.cells import ColumnPair, cells_of
from pytest_mlops.evidence.drift.distances import psi
from pytest_mlops.evidence.drift.metrics import drift_metrics
from pytest_mlops.evidence.tables.features import FeatureColumn, FeatureTable
from pytest_mlops.evidence.tables.number_counts import NumberCounts
from pytest_mlops.gates.drift import Profiles, judge_drift
from pytest_mlops.settings.values import Gate

COLUMNS = 50
ROWS = (300, 100_000, 10_000_000)

#: What happened to a column: by how many standard deviations it moved. Between 0.45 and
#: 0.47 the PSI crosses 0.2.
SHIFTS = {
    "none": 0.0,
    "a trifle": 0.02,
    "just within 0.2": 0.45,
    "just beyond 0.2": 0.47,
    "clear": 0.9,
}

_METRICS = {metric.name: metric for metric in drift_metrics()}
_EDGES = np.linspace(-5, 5, 401)


@dataclass(frozen=True)
class Alarms:
    """Of some runs: how many had an alarm, and how many columns alarmed in all."""

    runs: int
    alarmed: int
    columns: int

    @property
    def words(self) -> str:
        """``12 % of runs, 0.3 % of columns``."""
        columns = self.columns / (self.runs * COLUMNS)
        return f"{self.alarmed / self.runs:6.1%} {columns:7.2%}"


def shares(shift: float) -> NDArray[np.float64]:
    """A normal distribution in cells of 1/40 of a standard deviation."""
    cells = np.diff(stats.norm.cdf(_EDGES - shift))
    found: NDArray[np.float64] = cells / cells.sum()
    return found


def column(draw: np.random.Generator, rows: int, shift: float) -> FeatureColumn:
    """A normal column of so many rows."""
    return counted(draw.multinomial(rows, shares(shift)))


def counted(counts: NDArray[np.int64]) -> FeatureColumn:
    """A column of so many rows in each cell."""
    used = np.flatnonzero(counts)
    keys = _EDGES[used]
    ends = float(keys[0]), float(keys[-1])
    return FeatureColumn(numbers=NumberCounts(keys, counts[used], None, *ends))


def profiles(draw: np.random.Generator, rows: int, shift: float) -> Profiles:
    """A reference and current data of 50 columns."""

    def table(moved: float) -> FeatureTable:
        columns = {f"x{i}": column(draw, rows, moved) for i in range(COLUMNS)}
        return FeatureTable(rows, columns)

    return Profiles(table(0.0), table(shift))


def ours(found: Profiles, metric: str, rule: str) -> Tuple[int, int]:
    """How many columns fail, and how many pass, where intervals decide."""
    gate = Gate(
        name=metric,
        metric=_METRICS[metric],
        options=MetricOptions(),
        rule=parse_rule(rule),
        margin=0.0,
        on_inconclusive=OnInconclusive.HOLD,
        selection=over_columns(()),
    )
    policy = Policy(decide=Decide.CONFIDENT)
    outcomes = [
        check.outcome for check in judge_drift(gate, found, policy, node_id="drift")
    ]
    return outcomes.count(Outcome.FAIL), outcomes.count(Outcome.PASS)


def plain_psi(found: Profiles) -> int:
    """How many columns have a plain PSI above 0.2."""
    pairs = (ColumnPair.of(found.reference, found.current, n) for n in names(found))
    return sum(psi(*cells_of(pair).shares()) > 0.2 for pair in pairs)


def ks_test(found: Profiles) -> int:
    """How many columns have a Kolmogorov–Smirnov test with p < .05."""
    share = 2 / found.reference.rows
    return sum(
        bool(stats.kstwobign.sf(distance(found, name) / share**0.5) < 0.05)
        for name in names(found)
    )


def distance(found: Profiles, name: str) -> float:
    """The Kolmogorov–Smirnov distance, exact for these cells."""
    steps: NDArray[np.float64] = np.zeros(len(_EDGES))
    for side, sign in ((found.reference, 1.0), (found.current, -1.0)):
        numbers = side.columns[name].numbers
        at = np.searchsorted(_EDGES, numbers.keys)
        steps[at] += sign * numbers.counts / side.rows
    return float(np.abs(np.cumsum(steps)).max())


def names(found: Profiles) -> List[str]:
    """The columns."""
    return list(found.reference.columns)


def measure(rows: int, shift: float, runs: int, seed: int) -> Dict[str, Alarms]:
    """The alarms of every rule, and how often ours pass all of their columns."""
    draw = np.random.default_rng([seed, rows])
    counts: Dict[str, List[int]] = {}
    for _ in range(runs):
        found = profiles(draw, rows, shift)
        for metric, rule in (("psi", "<= 0.2"), ("kolmogorov_smirnov", "<= 0.1")):
            fails, passes = ours(found, metric, rule)
            counts.setdefault(f"{metric} {rule}", []).append(fails)
            counts.setdefault(f"{metric} passes", []).append(passes)
        counts.setdefault("plain psi > 0.2", []).append(plain_psi(found))
        counts.setdefault("KS test p < .05", []).append(ks_test(found))
    return {
        rule: Alarms(len(found), sum(n > 0 for n in found), sum(found))
        for rule, found in counts.items()
    }


def coverage(runs: int = 1000) -> None:
    """Print how often intervals lie wholly above, and below, the true distance."""
    print(
        "metric, rows now, shift: truth, mean value, above and below at 95 and 99.9 %"
    )
    for name in ("psi", "jensen_shannon", "total_variation", "kolmogorov_smirnov"):
        for rows in (300, 1000, 100_000):
            for shift in (0.0, 0.2, 0.45):
                print(f"{name:20} {rows:7} {shift:5} {missed(name, rows, shift, runs)}")


def missed(name: str, rows: int, shift: float, runs: int) -> str:
    """The figures of one line of ``coverage``; the reference has 10 000 rows."""
    before = 10_000
    draw = np.random.default_rng([rows, int(100 * shift)])

    def estimate(reference: FeatureColumn, now: FeatureColumn) -> Estimate:
        pair = ColumnPair(reference, now, reference.present, now.present)
        found: Estimate = _METRICS[name].estimate(pair, MetricOptions())
        return found

    whole = (
        counted(np.rint(shares(at) * 1e12).astype(np.int64)) for at in (0.0, shift)
    )
    truth = estimate(*whole).value or 0.0
    values, sides = [], np.zeros(4)
    for _ in range(runs):
        found = estimate(column(draw, before, 0.0), column(draw, rows, shift))
        assert found.interval is not None
        ends = [*found.interval(0.95), *found.interval(0.999)]
        sides += np.array([1, -1, 1, -1]) * (np.array(ends) - truth) > 1e-9
        values.append(found.value or 0.0)
    misses = " ".join(f"{side / runs:5.1%}" for side in sides)
    return f"{truth:.4f} {np.mean(values):.4f}  {misses}"


def main(runs: int = 20) -> None:
    """Print a table: a line a rule, for each size of data and of drift."""
    print(f"{COLUMNS} columns, {runs} runs: runs with an alarm, columns that alarm")
    for seed, (name, shift) in enumerate(SHIFTS.items()):
        for rows in ROWS:
            print(f"\ndrift: {name} (a shift of {shift}), {rows:,} rows")
            for rule, alarms in measure(rows, shift, runs, seed).items():
                print(f"  {rule:28} {alarms.words}")


if __name__ == "__main__":
    coverage() if "coverage" in sys.argv else main()
