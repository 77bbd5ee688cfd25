"""Parquet and Feather, a bounded number of values at a time."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any, FrozenSet, Iterator, Tuple

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from pytest_mlops.integrations.compression import unpacked

#: Values in a batch: 32 MB as float64.
VALUES = 1 << 22

_READ_AHEAD = 1 << 20

# What pandas calls an index without a name, which is no column of the data.
_INDEX = re.compile(r"__index_level_\d+__")


def batch_rows(columns: int) -> int:
    """Rows that make a batch of about ``VALUES`` values, between 2¹⁰ and 2¹⁶."""
    return max(1 << 10, min(1 << 16, VALUES // max(columns, 1)))


class ParquetReader:
    """Reads Parquet files, buffered, so that a row group need not fit into memory."""

    missing_is_nan = False
    retyped: FrozenSet[str] = frozenset()

    def names(self, path: Path) -> Tuple[str, ...]:
        """The columns in the footer."""
        with self._opened(path) as file:
            names = file.schema_arrow.names
        return tuple(name for name in names if not _INDEX.fullmatch(name))

    def batches(self, path: Path) -> Iterator[Any]:
        """The rows as ``pyarrow.RecordBatch``."""
        with self._opened(path) as file:
            rows = batch_rows(len(file.schema_arrow.names))
            yield from file.iter_batches(batch_size=rows)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Any]:
        with unpacked(path) as plain:
            with pa.parquet.ParquetFile(
                str(plain), buffer_size=_READ_AHEAD, pre_buffer=False
            ) as file:
                yield file


class FeatherReader:
    """Reads Feather files, which are Arrow's IPC files, and those of version 1."""

    missing_is_nan = False
    retyped: FrozenSet[str] = frozenset()

    def names(self, path: Path) -> Tuple[str, ...]:
        """The columns of the schema."""
        with unpacked(path) as plain:
            if _is_version_1(plain):
                return tuple(_version_1(plain).schema.names)
            with pa.OSFile(str(plain)) as file:
                return tuple(pa.ipc.open_file(file).schema.names)

    def batches(self, path: Path) -> Iterator[Any]:
        """The rows as ``pyarrow.RecordBatch``."""
        with unpacked(path) as plain:
            if _is_version_1(plain):
                yield from cut(_version_1(plain))
                return
            with pa.OSFile(str(plain)) as file:
                reader = pa.ipc.open_file(file)
                for index in range(reader.num_record_batches):
                    yield from cut(pa.table(reader.get_batch(index)))


def cut(table: Any) -> Iterator[Any]:
    """A table as batches of a bounded size, without a copy."""
    yield from table.to_batches(max_chunksize=batch_rows(table.num_columns))


def _is_version_1(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"FEA1"


def _version_1(path: Path) -> Any:
    with warnings.catch_warnings():
        # It is deprecated, which whoever wrote the file must know, not who reads it.
        warnings.simplefilter("ignore", DeprecationWarning)
        return pa.feather.read_table(str(path), memory_map=True)
