"""A row whose probabilities cannot be used is named by its number in the data."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pytest_mlops.core.metrics import Task
from pytest_mlops.core.selection import Selection
from pytest_mlops.errors import RowsError
from pytest_mlops.evidence.tables import CALIBRATION, LOSSES
from pytest_mlops.gates.asking import Ask, Contest
from pytest_mlops.gates.measure import measure
from pytest_mlops.integrations.arrow_batch import ArrowBatch
from pytest_mlops.settings.values import DataSettings

SETTINGS = DataSettings(
    uri="rows.csv", target="y", positive=1, prediction="p", score="s"
)


class Source:
    """Scores in batches of three rows."""

    uri = "rows.csv"

    def __init__(self, scores, regions):
        self._columns = {
            "y": [0, 1] * (len(scores) // 2),
            "p": [0, 1] * (len(scores) // 2),
            "s": scores,
            "region": regions,
        }

    def columns(self):
        return tuple(self._columns)

    def fingerprint(self):
        return "rows"

    def batches(self):
        table = pa.table(self._columns)
        for number, batch in enumerate(table.to_batches(max_chunksize=3)):
            yield ArrowBatch(batch, source=self.uri, first_row=1 + 3 * number)


def reasons(scores, asks):
    source = Source(scores, ["north", "south"] * (len(scores) // 2))
    task = Task.CLASSIFICATION
    return measure(source, SETTINGS, task, Contest(None), asks).unavailable


def test_the_row_is_counted_from_the_beginning_of_the_data():
    found = reasons([0.1, 0.2, 0.3, 0.4, 1.5, -0.5], [Ask(LOSSES), Ask(CALIBRATION)])

    expected = "a probability lies outside of 0 to 1 in row 5 (and in 1 more row)"
    assert found == {"losses": expected, "calibration": expected}


@pytest.mark.parametrize("kind", [LOSSES, CALIBRATION])
def test_the_row_of_a_slice_is_that_of_the_data(kind):
    by_region = Selection(by=("region",))

    found = reasons([0.1, 0.2, 0.3, 0.4, 0.5, 1.5], [Ask(kind, by_region)])

    [reason] = found.values()
    assert reason == "a probability lies outside of 0 to 1 in row 6"


def test_an_error_of_some_rows_finds_its_way_back():
    error = RowsError("a score is missing", 1, 3, "; fill it")

    assert str(error) == (
        "a score is missing in row 2 of the batch (and in 2 more rows); fill it"
    )
    assert error.among([4, 7]).numbered(101) == (
        "a score is missing in row 108 (and in 2 more rows); fill it"
    )
