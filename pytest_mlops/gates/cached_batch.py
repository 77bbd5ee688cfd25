"""A batch whose columns are read once, however many gates ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Sequence, Union

from pytest_mlops.core.rows import Batch, Labels
from pytest_mlops.errors import DataError

if TYPE_CHECKING:
    import pandas

    from pytest_mlops.core.rows import Floats


class CachedBatch:
    """Implements ``core.rows.Batch`` on another one; forget it with its rows."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._numbers: Dict[str, Union[Floats, DataError]] = {}
        self._labels: Dict[str, Labels] = {}
        self.first_row = batch.first_row
        self.rows = batch.rows
        self.names = batch.names

    def numbers(self, name: str) -> Floats:
        """A column as the batch gives it; do not write to it.

        Raises:
            DataError: the batch refused it.
        """
        if name not in self._numbers:
            try:
                self._numbers[name] = self._batch.numbers(name)
            except DataError as error:
                self._numbers[name] = error
        found = self._numbers[name]
        if isinstance(found, DataError):
            raise found
        return found

    def labels(self, name: str) -> Labels:
        """A column as labels."""
        if name not in self._labels:
            self._labels[name] = self._batch.labels(name)
        return self._labels[name]

    def frame(self, names: Sequence[str]) -> pandas.DataFrame:
        """Some columns as a data frame, a new one each time."""
        return self._batch.frame(names)
