"""Compressed files, as plain ones."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional

import pyarrow as pa

#: The codec of a file name's last suffix.
CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}


def codec(path: Path) -> Optional[str]:
    """By the file's name; None for a plain file."""
    return CODECS.get(path.suffix.lower())


def opened(path: Path) -> Any:
    """The plain bytes as a ``pyarrow.NativeFile`` to be read from start to end."""
    return pa.input_stream(str(path), compression=codec(path))


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The file itself, or its plain bytes in a temporary one; it can be sought in."""
    if codec(path) is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="pytest-mlops-") as folder:
        plain = Path(folder) / path.stem
        with opened(path) as stream, plain.open("wb") as target:
            shutil.copyfileobj(stream, target)
        yield plain
