"""Labelled data in a file, or in a folder of files."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path
from typing import AbstractSet, Any, Callable, Dict, Iterator, List, Protocol, Tuple

import pyarrow as pa

from pytest_mlops.core.sources import Site
from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import DataError
from pytest_mlops.integrations.arrow_batch import ArrowBatch
from pytest_mlops.integrations.columnar_files import FeatherReader, ParquetReader
from pytest_mlops.integrations.compression import CODECS
from pytest_mlops.integrations.csv_files import CsvReader
from pytest_mlops.integrations.failures import last_line
from pytest_mlops.integrations.json_files import JsonReader
from pytest_mlops.integrations.places import local_path, shown

#: Data of at most so many bytes is told apart by its content, which takes 0.1 s.
WHOLE = 64 << 20

_TAIL = 1 << 16
_CHUNK = 1 << 20


class FileReader(Protocol):
    """Reads files of one format, one after the other.

    Attributes:
        missing_is_nan: whether pandas' reader of that format has NaN for a missing
            text or boolean, and not None.
    """

    missing_is_nan: bool

    @property
    def retyped(self) -> AbstractSet[str]:
        """Columns that gave numbers in earlier batches and give text now."""

    def names(self, path: Path) -> Tuple[str, ...]:
        """The names of a file's columns."""

    def batches(self, path: Path) -> Iterator[Any]:
        """A file's rows as ``pyarrow.RecordBatch``."""


_FORMATS: Dict[str, Callable[[], FileReader]] = {
    ".csv": CsvReader,
    ".parquet": ParquetReader,
    ".feather": FeatherReader,
    ".arrow": FeatherReader,
    ".jsonl": JsonReader,
    ".ndjson": JsonReader,
    ".json": JsonReader,
}


def open_files(uri: str, site: Site) -> FileSource:
    """Open a file or a folder.

    Raises:
        DataError: it does not exist, or nothing reads files of that name.
    """
    path = local_path(uri, site.root)
    if path is None or not path.exists():
        raise DataError(f"data file {uri} does not exist (in {site.root})")
    files = _listed(path, site.root) if path.is_dir() else [path]
    for file in files:
        _format(file, shown(file, site.root))
    return FileSource(uri, files, site.root)


class FileSource:
    """Implements ``core.sources.DataSource`` on files with the same columns.

    Args:
        uri: as it was asked for.
        files: in the order of their rows; at least one.
        root: where the names in messages start.
    """

    def __init__(self, uri: str, files: List[Path], root: Path) -> None:
        self.uri = uri
        self._files = files
        self._root = root

    def columns(self) -> Tuple[str, ...]:
        """The columns' names.

        Raises:
            DataError: a file is empty or broken, names a column twice, or has other
                columns than the first file.
        """
        readers = _Readers()
        first = self._names(readers, self._files[0])
        for file in self._files[1:]:
            self._same(first, self._names(readers, file), file)
        return first

    def fingerprint(self) -> str:
        """``sha256:…`` over each file's name, size and content.

        Of more than ``WHOLE`` bytes in all, the time of change and the last bytes
        stand for the content.

        Raises:
            DataError: a file cannot be read.
        """
        digest = hashlib.sha256()
        for file in self._files:
            with _named(shown(file, self._root)):
                digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        total = sum(file.stat().st_size for file in self._files)
        for file in self._files:
            with _named(shown(file, self._root)), file.open("rb") as stream:
                if total > WHOLE:
                    stat = file.stat()
                    digest.update(f"{stat.st_mtime_ns}\0".encode())
                    stream.seek(max(0, stat.st_size - _TAIL))
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        return f"sha256:{digest.hexdigest()}"

    def batches(self) -> Iterator[ArrowBatch]:
        """The rows of all files.

        Raises:
            DataError: a file is broken; with the file and, where known, the line.
        """
        first = self.columns()
        readers, row = _Readers(), 1
        for file in self._files:
            reader, name = readers.of(file), shown(file, self._root)
            with _named(name):
                for batch in reader.batches(file):
                    retyped = frozenset(reader.retyped)
                    yield ArrowBatch(
                        batch.select(list(first)),
                        source=self.uri,
                        first_row=row,
                        retyped=retyped,
                        missing_is_nan=reader.missing_is_nan,
                    )
                    row += batch.num_rows

    def _names(self, readers: _Readers, file: Path) -> Tuple[str, ...]:
        with _named(shown(file, self._root)):
            names = readers.of(file).names(file)
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise DataError(f"names more than one column '{twice[0]}'")
        return names

    def _same(self, first: Tuple[str, ...], names: Tuple[str, ...], file: Path) -> None:
        missing, extra = set(first) - set(names), set(names) - set(first)
        if missing or extra:
            wrong = [f"lacks '{name}'" for name in sorted(missing)]
            wrong += [f"has '{name}'" for name in sorted(extra)]
            raise DataError(
                f"{shown(file, self._root)}: the columns differ from those of "
                f"{shown(self._files[0], self._root)}: it {', '.join(wrong)}"
            )


class _Readers:
    """One reader a format, so that it may remember types from file to file."""

    def __init__(self) -> None:
        self._readers: Dict[Callable[[], FileReader], FileReader] = {}

    def of(self, file: Path) -> FileReader:
        """The reader for a file."""
        kind = _format(file, file.name)
        return self._readers.setdefault(kind, kind())


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        raise DataError(f"{name} cannot be read: {last_line(error)}") from error


def _listed(folder: Path, root: Path) -> List[Path]:
    files = sorted(p for p in folder.iterdir() if p.name[0] not in "._")
    for path in files:
        if path.is_dir():
            raise DataError(
                f"{shown(path, root)} is a folder within a folder of data; "
                "put the files side by side"
            )
    if not files:
        raise DataError(f"the folder {shown(folder, root)} holds no data files")
    return files


def _format(path: Path, name: str) -> Callable[[], FileReader]:
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in CODECS]
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in _FORMATS:
        raise DataError(
            f"{name}: no data format has the suffix '{suffix}'."
            f"{did_you_mean(suffix, _FORMATS)} Known: {', '.join(_FORMATS)}, each also "
            f"compressed ({', '.join(CODECS)})"
        )
    return _FORMATS[suffix]
