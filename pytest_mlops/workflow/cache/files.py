"""The files of a cache: written whole, checked when read, the least used dropped."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from pytest_mlops.workflow.cache.lock import locked

#: What the first line of a file begins with; another format is another name.
_FORMAT = "pytest-mlops/cache/1"
_LOCK = "lock"
_UNFINISHED = ".unfinished"

#: Seconds that the lock is waited for; the run goes on without it.
PATIENCE = 5.0

#: Plain JSON.
Content = Dict[str, Any]


class DamagedError(Exception):
    """A file is not what was written."""


class CacheFiles:
    """Small JSON files by name, for several processes at a time.

    Args:
        folder: made when the first file is written; not for version control.
        limit: bytes that files which may be dropped take at most.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit

    def read(self, name: str) -> Optional[Content]:
        """What is kept under *name*, which counts as a use; None where nothing is.

        Raises:
            DamagedError: the file was cut off or changed.
            OSError: it cannot be read.
        """
        path = self.folder / name
        try:
            content = _checked(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        with suppress(OSError):  # where nothing can be written, nothing is dropped
            os.utime(path)
        return content

    def update(
        self,
        name: str,
        change: Callable[[Optional[Content]], Content],
        *,
        lasting: bool = False,
    ) -> Content:
        """Write what *change* makes of what is there, with nobody in between.

        A damaged file counts as none.

        Args:
            name: of the file.
            change: from the content there, or None, to the new one.
            lasting: whether it is never dropped.

        Raises:
            OSError: it cannot be written, or is larger than the limit; TimeoutError:
                another process has the lock all the while.
        """
        self._make_folder()
        with locked(self.folder / _LOCK, PATIENCE):
            try:
                before = self.read(name)
            except DamagedError:
                before = None
            content = change(before)
            data = _sealed(content)
            if len(data) > self.limit and not lasting:
                raise OSError(errno.EFBIG, "it is larger than evidence_cache_mb")
            self._write(name, data)
            self._drop(lasting=lasting, newest=name)
        return content

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ".gitignore").exists():
            self._write(".gitignore", b"# Made by pytest-mlops.\n*\n")

    def _write(self, name: str, data: bytes) -> None:
        unfinished = self.folder / f"{name}.{os.getpid()}{_UNFINISHED}"
        try:
            unfinished.write_bytes(data)
            os.replace(unfinished, self.folder / name)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise

    def _drop(self, *, lasting: bool, newest: str) -> None:
        """Remove what a killed process left, and what has not been used the longest."""
        for left in self.folder.glob(f"*{_UNFINISHED}"):
            left.unlink(missing_ok=True)
        if lasting:
            return
        kind = newest.partition("-")[0]
        total = 0
        for path in self._latest_first(f"{kind}-*.json"):
            total += path.stat().st_size
            if total > self.limit and path.name != newest:
                path.unlink(missing_ok=True)

    def _latest_first(self, pattern: str) -> List[Path]:
        def used(path: Path) -> float:
            return path.stat().st_mtime

        return sorted(self.folder.glob(pattern), key=used, reverse=True)


def digest_of(data: Any) -> str:
    """``sha256:…`` of plain JSON."""
    text = json.dumps(data, sort_keys=True, allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def file_name(kind: str, digest: str) -> str:
    """The name of a file of a kind that is about what has this digest."""
    return f"{kind}-{digest.replace(':', '-')}.json"


def _sealed(content: Content) -> bytes:
    data = json.dumps(content, allow_nan=False).encode()
    return _head(data) + b"\n" + data


def _head(data: bytes) -> bytes:
    return f"{_FORMAT} sha256:{hashlib.sha256(data).hexdigest()}".encode()


def _checked(sealed: bytes) -> Content:
    head, _, data = sealed.partition(b"\n")
    if head != _head(data):
        raise DamagedError("it is not what was written")
    content: Content = json.loads(data)
    return content
