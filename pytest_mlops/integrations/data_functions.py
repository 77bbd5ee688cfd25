"""Labelled data that a function of the project returns."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional, Tuple

import pyarrow as pa

from pytest_mlops.core.sources import UNVERSIONED, Site
from pytest_mlops.errors import DataError
from pytest_mlops.integrations.arrow_batch import ArrowBatch
from pytest_mlops.integrations.columnar_files import cut
from pytest_mlops.integrations.failures import located
from pytest_mlops.integrations.objects import (
    import_object,
    project_path,
    stated_version,
)


def open_function(uri: str, site: Site) -> FunctionSource:
    """Import the function; it is called when its rows are needed.

    Raises:
        DataError: it cannot be imported, or is no function.
    """
    function = import_object(uri, site.root, DataError)
    if not callable(function):
        raise DataError(f"'{uri}' is no function but {_kind(function)}")
    return FunctionSource(uri, function, site.root)


class FunctionSource:
    """Implements ``core.sources.DataSource`` on a function without arguments.

    It returns a ``pandas.DataFrame``, a ``pyarrow.Table`` or ``RecordBatch``, or a
    mapping of names to columns; or it yields such parts, all with the same columns.

    Args:
        uri: as it was asked for.
        function: what to call.
        root: the project's folder, importable while the function runs.
    """

    def __init__(self, uri: str, function: Callable[[], Any], root: Path) -> None:
        self.uri = uri
        self._function = function
        self._root = root
        self._begun: Optional[Tuple[Any, Iterator[Any]]] = None

    def columns(self) -> Tuple[str, ...]:
        """The columns' names in the first part; the call goes on with ``batches``.

        Raises:
            DataError: the function raised, or gave nothing that is a table.
        """
        if self._begun is None:
            parts = self._parts()
            first = next(parts, None)
            if first is None:
                raise DataError(f"'{self.uri}' gave no data")
            self._begun = (first, parts)
        return tuple(self._begun[0].schema.names)

    def fingerprint(self) -> str:
        """Of the function's name and its attribute ``__version__``, if it has one."""
        version = stated_version(self._function)
        if version is None:
            return UNVERSIONED + self.uri
        text = f"{self.uri}\0{version}"
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def batches(self) -> Iterator[ArrowBatch]:
        """The rows, in batches of a bounded size.

        Raises:
            DataError: as ``columns``, or a part has other columns than the first.
        """
        names = self.columns()
        first, parts = self._begun or (None, iter(()))
        self._begun = None
        row = 1
        for part in _chained(first, parts):
            if set(part.schema.names) != set(names):
                raise DataError(
                    f"'{self.uri}': the part from row {row} has the columns "
                    f"{', '.join(part.schema.names)}, the first had {', '.join(names)}"
                )
            for batch in cut(part.select(list(names))):
                yield ArrowBatch(batch, source=self.uri, first_row=row)
                row += batch.num_rows

    def _parts(self) -> Iterator[Any]:
        result = self._called(self._function)
        if _is_part(result):
            yield self._checked(result)
            return
        try:
            parts = iter(result)
        except TypeError:
            raise self._no_table(result) from None
        end = object()
        while True:
            part = self._called(lambda: next(parts, end))
            if part is end:
                return
            if not _is_part(part):
                raise self._no_table(part)
            yield self._checked(part)

    def _called(self, function: Callable[[], Any]) -> Any:
        try:
            with project_path(self._root):
                return function()
        except Exception as error:
            raise DataError(f"'{self.uri}' raised {located(error)}") from error

    def _checked(self, part: Any) -> Any:
        table = self._table(part)
        names = table.schema.names
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise DataError(f"'{self.uri}' names more than one column '{twice[0]}'")
        return table

    def _table(self, part: Any) -> Any:
        try:
            if isinstance(part, pa.Table):
                return part
            if isinstance(part, pa.RecordBatch):
                return pa.Table.from_batches([part])
            if isinstance(part, Mapping):
                return pa.table({str(name): pa.array(part[name]) for name in part})
            return pa.Table.from_pandas(part, preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError) as error:
            message = " ".join(str(error).split())
            raise DataError(
                f"'{self.uri}' gave a table with columns of mixed types or lengths: "
                f"{message}"
            ) from error

    def _no_table(self, value: Any) -> DataError:
        return DataError(
            f"'{self.uri}' gave {_kind(value)}; return or yield pandas.DataFrame, "
            "pyarrow.Table or a dict of columns"
        )


def _is_part(value: Any) -> bool:
    return isinstance(value, (pa.Table, pa.RecordBatch, Mapping)) or (
        type(value).__name__ == "DataFrame" and hasattr(value, "iloc")
    )


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"
