"""CSV, block by block, whose columns may turn out to be of a wider type later on."""

from __future__ import annotations

import csv
import io
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import pyarrow as pa
import pyarrow.csv as pacsv

from pytest_mlops.errors import DataError
from pytest_mlops.integrations.compression import opened

#: Bytes of text that are parsed at a time; no line may be longer.
BLOCK = 1 << 22

_CONVERSION = re.compile(r"In CSV column #(\d+): .*?invalid value '(.*)'", re.DOTALL)


class CsvReader:
    """Reads CSV files in order; what is known of the columns' types is kept.

    Columns are of integers, floats, booleans or text, as pandas would read them: dates
    stay text, and an empty field or ``NA`` is missing.

    Attributes:
        retyped: columns that gave numbers or booleans before they became text.
    """

    missing_is_nan = True

    def __init__(self) -> None:
        self.retyped: Set[str] = set()
        self._types: Dict[str, Any] = {}

    def names(self, path: Path) -> Tuple[str, ...]:
        """The names in the header."""
        with opened(path) as stream, _lines(stream) as lines:
            try:
                return tuple(next(csv.reader(lines)))
            except StopIteration:
                raise DataError("is empty") from None

    def batches(self, path: Path) -> Iterator[Any]:
        """The rows as ``pyarrow.RecordBatch``, a block of the file each.

        A block that does not fit the types so far is read again with wider ones, at
        most three times a column.
        """
        done, again = 0, True
        while True:
            try:
                for batch in self._from_row(path, done):
                    done += batch.num_rows
                    yield batch
                return
            except pa.ArrowInvalid as error:
                if _is_header_alone(path):
                    return
                if self._widened(self.names(path), str(error)):
                    continue
                reason = _explained(path, error)
                if str(reason) != _last(error) or not again:
                    raise reason from error
                # Nothing is wrong with the file: the reader, which reads ahead in
                # threads, may succeed where it stopped.
                again = False

    def _from_row(self, path: Path, done: int) -> Iterator[Any]:
        with self._reader(path, done) as reader:
            told = {field.name: _text_if_temporal(field) for field in reader.schema}
            self._types = self._types or told
            # A reader is given up only where it must be: it is reading ahead already.
            if all(self._types[f.name] == f.type for f in reader.schema):
                yield from (batch for batch in reader if batch.num_rows)
                return
        with self._reader(path, done) as reader:
            yield from (batch for batch in reader if batch.num_rows)

    @contextmanager
    def _reader(self, path: Path, done: int) -> Iterator[Any]:
        with opened(path) as stream:
            yield pacsv.open_csv(
                stream,
                read_options=pacsv.ReadOptions(
                    block_size=BLOCK, skip_rows_after_names=done
                ),
                parse_options=pacsv.ParseOptions(newlines_in_values=True),
                convert_options=pacsv.ConvertOptions(
                    column_types=self._types, strings_can_be_null=True
                ),
            )

    def _widened(self, names: Tuple[str, ...], message: str) -> bool:
        found = _CONVERSION.search(message)
        if found is None:
            return False
        name, value = names[int(found.group(1))], found.group(2)
        old = self._types[name]
        self._types[name] = new = _wider(old, value)
        if new == pa.string() and not pa.types.is_null(old):
            self.retyped.add(name)
        return bool(new != old)


def _wider(old: Any, value: str) -> Any:
    """The narrowest type that holds what *old* holds, and *value*."""
    cell = io.BytesIO('"x"\n"{}"\n'.format(value.replace('"', '""')).encode())
    options = pacsv.ParseOptions(newlines_in_values=True)
    new = _text_if_temporal(pacsv.read_csv(cell, parse_options=options).schema[0])
    if pa.types.is_null(old) or (pa.types.is_integer(old) and new == pa.float64()):
        return new
    return pa.string()


def _text_if_temporal(field: Any) -> Any:
    if pa.types.is_binary(field.type):
        raise DataError(f"column '{field.name}' is not encoded as UTF-8")
    return pa.string() if pa.types.is_temporal(field.type) else field.type


@contextmanager
def _lines(stream: Any) -> Iterator[Any]:
    with io.TextIOWrapper(
        stream, encoding="utf-8-sig", errors="replace", newline=""
    ) as text:
        yield (line for line in text if line.strip())


def _is_header_alone(path: Path) -> bool:
    """Whether there is nothing after a header that no line end follows."""
    with opened(path) as stream, _lines(stream) as lines:
        return len([line for line, _ in zip(lines, range(2))]) == 1


def _last(error: Exception) -> str:
    return str(error).splitlines()[-1]


def _explained(path: Path, error: Exception) -> DataError:
    """The error with the line where it comes from, found by reading it all again."""
    message = _last(error)
    if "UTF8" in message:
        return DataError(f"it is not encoded as UTF-8 ({message})")
    if "straddl" in message:
        return DataError(
            f"a line is longer than {BLOCK >> 20} MB; is there a quote that nothing "
            "closes?"
        )
    broken = _broken_line(path)
    return DataError(message if broken is None else broken)


def _broken_line(path: Path) -> Optional[str]:
    with (
        opened(path) as stream,
        io.TextIOWrapper(
            stream, encoding="utf-8-sig", errors="replace", newline=""
        ) as text,
    ):
        rows = csv.reader(text)
        header: List[str] = []
        for row in rows:
            if row and not header:
                header = row
            elif row and len(row) != len(header):
                return (
                    f"line {rows.line_num} has {len(row)} values, "
                    f"but the header has {len(header)}"
                )
    return None
