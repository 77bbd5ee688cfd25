"""How often ``pytest-mlops slices`` finds something where there is nothing.

usage: python benchmarks/discoveries.py [SETS]         200 data sets by default

Each has 4,000 rows, three numeric and two categorical columns that say nothing of
whether the prediction is right.
"""

from __future__ import annotations

import sys
from typing import Dict, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.evidence.labels import encode
from pytest_mlops.gates.cuts import first_look
from pytest_mlops.gates.weak_slices import Figure, SliceTables
from worlds import METRICS, OPTIONS

ROWS, RIGHT, LEVEL = 4000, 0.8, 0.05


class Columns:
    """Implements as much of ``core.rows.Batch`` as a search needs."""

    first_row = 1

    def __init__(self, columns: Dict[str, NDArray[np.float64]]) -> None:
        self._columns = columns
        self.names: Tuple[str, ...] = tuple(columns)
        self.rows = ROWS

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column."""
        return self._columns[name]

    def labels(self, name: str) -> Labels:
        """A column as labels."""
        return encode(self._columns[name])

    def frame(self, names: object) -> object:
        """No model asks."""
        raise NotImplementedError


def p_values(seed: int) -> Tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every slice of one data set: plain, and as they are adjusted."""
    draw = np.random.default_rng(seed)
    columns = {f"n{i}": draw.normal(size=ROWS) for i in range(3)}
    for i in range(2):
        columns[f"c{i}"] = draw.integers(0, 4, ROWS).astype(np.float64)
    batch, true = Columns(columns), draw.integers(0, 2, ROWS)
    predicted = np.where(draw.random(ROWS) < RIGHT, true, 1 - true)
    figure = Figure(METRICS["recall"], OPTIONS, min_rows=50)
    tables = SliceTables(figure, first_look([batch], batch.names).cuts)
    sides = Labels(true, (0, 1)), Labels(predicted, (0, 1))
    tables.take(batch, ClassificationRows(*sides, positive=1))
    found = tables.compared()
    plain = np.sort([one.p_value for one in found])
    return plain, np.array([one.p_adjusted for one in found])


def main() -> None:
    """Search and print."""
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    found = np.zeros(3)
    for seed in range(1000, 1000 + sets):
        plain, adjusted = p_values(seed)
        hochberg = plain * len(plain) / np.arange(1, len(plain) + 1)
        found += [(p <= LEVEL).any() for p in (adjusted, hochberg, plain)]
    print(f"{sets} sets, {len(plain)} slices each; something was found in")
    names = ("Benjamini-Yekutieli", "Benjamini-Hochberg", "no correction")
    for name, share in zip(names, found / sets):
        print(f"  {100 * share:5.1f} %  {name}")


if __name__ == "__main__":
    main()
