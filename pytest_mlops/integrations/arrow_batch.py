"""A batch of rows in Arrow's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, FrozenSet, List, Sequence, Tuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pytest_mlops.core.rows import Label, Labels
from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import DataError
from pytest_mlops.integrations.labels import as_label, as_written

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


class ArrowBatch:
    """Implements ``core.rows.Batch``.

    Args:
        batch: a ``pyarrow.RecordBatch``.
        source: what the data set is called in messages.
        first_row: number of its first row in the data set, from 1.
        retyped: columns that became text only when a later row turned out to hold
            some; earlier batches gave their labels as numbers.
        missing_is_nan: whether a frame has NaN for a missing object, and not None.
    """

    def __init__(
        self,
        batch: Any,
        *,
        source: str,
        first_row: int = 1,
        retyped: FrozenSet[str] = frozenset(),
        missing_is_nan: bool = False,
    ) -> None:
        self._batch = batch
        self._source = source
        self._retyped = retyped
        self._missing_is_nan = missing_is_nan
        self.first_row = first_row

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self._batch.num_rows)

    @property
    def names(self) -> Tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self._batch.schema.names)

    def numbers(self, name: str) -> Floats:
        """A column as float64, shape ``(rows,)``; missing values are NaN.

        Raises:
            DataError: there is no such column, or it holds no numbers; with the row
                and the value.
        """
        column = _plain(self._column(name))
        kind = column.type
        if pa.types.is_null(kind):
            return np.full(self.rows, np.nan)
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        elif not _is_number(kind):
            return self._refuse_text(name, column)
        numbers: Floats = column.cast(pa.float64(), safe=False).to_numpy(
            zero_copy_only=False
        )
        return numbers

    def labels(self, name: str) -> Labels:
        """A column as labels.

        Raises:
            DataError: there is no such column, or it holds lists or the like.
        """
        try:
            encoded = _plain(self._column(name)).dictionary_encode()
            found = [as_label(value) for value in encoded.dictionary.to_pylist()]
        except pa.ArrowNotImplementedError as error:
            raise DataError(
                f"{self._source}: column '{name}' holds no labels but values of the "
                f"type {self._column(name).type}"
            ) from error
        except DataError as error:
            raise DataError(f"{self._source}: column '{name}': {error}") from error
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        if name in self._retyped:
            found = [as_written(v) if isinstance(v, str) else v for v in found]
        return _distinct(codes.astype(np.int64), found)

    def frame(self, names: Sequence[str]) -> Any:
        """Some columns as a ``pandas.DataFrame`` with their own types, for a model.

        Raises:
            DataError: there is no such column.
        """
        columns = [self._column(name) for name in names]
        frame = pa.RecordBatch.from_arrays(columns, names=list(names)).to_pandas()
        if self._missing_is_nan:
            for name in frame.columns[frame.dtypes == object]:
                frame[name] = frame[name].where(frame[name].notna(), np.nan)
        return frame

    def _column(self, name: str) -> Any:
        index = self._batch.schema.get_field_index(name)
        if index < 0:
            raise DataError(
                f"{self._source} has no column '{name}'."
                f"{did_you_mean(name, self.names)} Its columns: {', '.join(self.names)}"
            )
        return self._batch.column(index)

    def _refuse_text(self, name: str, column: Any) -> Floats:
        for index, value in enumerate(column):
            wrong = value.as_py()
            if wrong is None or self._was_number(name, wrong):
                continue
            raise DataError(
                f"{self._source}: column '{name}' must hold numbers, but row "
                f"{self.first_row + index} holds {wrong!r}"
            )
        if column.null_count == len(column):
            return np.full(len(column), np.nan)
        # Only a retyped column gets here: this batch holds nothing but numbers.
        values = column.to_pylist()
        return np.array([np.nan if v is None else float(as_written(v)) for v in values])

    def _was_number(self, name: str, value: Any) -> bool:
        return name in self._retyped and not isinstance(as_written(value), str)


def _plain(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    return column


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    )


def _distinct(codes: Codes, found: List[Any]) -> Labels:
    """Labels where *found* may name a label twice, or hold a missing one."""
    categories: List[Label] = [v for v in dict.fromkeys(found) if v is not None]
    if len(categories) == len(found):
        return Labels(codes, tuple(categories))
    places = {label: index for index, label in enumerate(categories)}
    # One more place at the end, for the code -1.
    moved = np.array([places.get(label, -1) for label in found] + [-1], dtype=np.int64)
    return Labels(moved[codes], tuple(categories))
