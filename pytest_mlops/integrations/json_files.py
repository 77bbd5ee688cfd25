"""JSON Lines, block by block, each with the types that it needs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pyarrow as pa
import pyarrow.json as pajson

from pytest_mlops.errors import DataError
from pytest_mlops.integrations.compression import opened

#: Bytes of text that are parsed at a time, to the end of a line.
BLOCK = 1 << 22

_BOM = b"\xef\xbb\xbf"


class JsonReader:
    """Reads files of JSON objects, one a line.

    The columns are the keys in a file's first block; a key that a later line lacks is
    missing there. Text that looks like a date stays text.

    Attributes:
        retyped: columns that mix numbers or booleans with text within a block.
    """

    missing_is_nan = False

    def __init__(self) -> None:
        self.retyped: Set[str] = set()
        self._texts: Set[str] = set()

    def names(self, path: Path) -> Tuple[str, ...]:
        """The keys in the first block."""
        for batch in self._tables(path):
            return tuple(batch.schema.names)
        raise DataError("is empty")

    def batches(self, path: Path) -> Iterator[Any]:
        """The rows as ``pyarrow.RecordBatch``."""
        names: Tuple[str, ...] = ()
        for table in self._tables(path):
            names = names or tuple(table.schema.names)
            yield from _with_columns(table, names).to_batches()

    def _tables(self, path: Path) -> Iterator[Any]:
        line = 1
        for block in _blocks(path):
            if block.strip():
                yield self._parsed(block, line)
            line += block.count(b"\n")

    def _parsed(self, block: bytes, line: int) -> Any:
        try:
            table = _read(block, self._texts)
            dates = {f.name for f in table.schema if pa.types.is_temporal(f.type)}
            if dates:
                self._texts |= dates
                table = _read(block, self._texts)
            return table
        except pa.ArrowInvalid:
            return self._mixed(_objects(block, line))

    def _mixed(self, objects: List[Dict[str, Any]]) -> Any:
        columns = {}
        for name in dict.fromkeys(key for row in objects for key in row):
            values = [row.get(name) for row in objects]
            try:
                columns[name] = pa.array(values)
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                columns[name] = pa.array([_as_text(name, value) for value in values])
                self.retyped.add(name)
        return pa.table(columns)


def _read(block: bytes, texts: Set[str]) -> Any:
    schema = pa.schema([(name, pa.string()) for name in sorted(texts)])
    return pajson.read_json(
        io.BytesIO(block),
        # One block, so that no row is cut.
        read_options=pajson.ReadOptions(block_size=len(block) + 1),
        parse_options=pajson.ParseOptions(explicit_schema=schema if texts else None),
    )


def _blocks(path: Path) -> Iterator[bytes]:
    with opened(path) as stream:
        rest = stream.read(BLOCK).removeprefix(_BOM)
        while rest:
            more = stream.read(BLOCK)
            cut = rest.rfind(b"\n") + 1 if more else len(rest)
            if cut:
                yield rest[:cut]
            rest = rest[cut:] + more


def _objects(block: bytes, first_line: int) -> List[Dict[str, Any]]:
    objects = []
    for number, line in enumerate(block.splitlines(), first_line):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DataError(f"line {number} is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise DataError(
                f"line {number} is not a JSON object; write one object a line"
            )
        objects.append(value)
    return objects


def _as_text(name: str, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise DataError(f"column '{name}' mixes lists or objects with other values")


def _with_columns(table: Any, names: Tuple[str, ...]) -> Any:
    known = set(table.schema.names)
    nothing = pa.nulls(table.num_rows)
    return pa.table({name: table[name] if name in known else nothing for name in names})
