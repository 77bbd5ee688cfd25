"""One process at a time: a lock on a file, waited for within bounds."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Callable, ContextManager, Iterator, Optional

fcntl: Optional[ModuleType]
try:
    import fcntl
except ImportError:  # there is none on Windows
    fcntl = None

#: Seconds between two attempts; whoever has the lock has it for a few milliseconds.
_PAUSE = 0.01

#: A file that stands for a lock is nobody's when it is older than these seconds.
STALE = 60.0


def locked(path: Path, seconds: float) -> ContextManager[None]:
    """Hold the lock at *path*.

    The lock of a process that died is free at once where the system keeps it (flock),
    else after ``STALE`` seconds.

    Args:
        path: a file, made where there is none.
        seconds: how long it may be waited for.

    Raises:
        TimeoutError: somebody else has it all the while.
        OSError: the file cannot be made.
    """
    return _held_by_system(path, seconds) if fcntl else _held_by_file(path, seconds)


@contextmanager
def _held_by_system(path: Path, seconds: float) -> Iterator[None]:
    with path.open("ab") as file:
        _wait(lambda: _flock(file), path, seconds)
        yield  # closing the file lets go


@contextmanager
def _held_by_file(path: Path, seconds: float) -> Iterator[None]:
    held = path.with_name(f"{path.name}.held")
    _wait(lambda: _made(held), path, seconds)
    try:
        yield
    finally:
        held.unlink(missing_ok=True)


def _wait(attempt: Callable[[], bool], path: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not attempt():
        if time.monotonic() >= end:
            raise TimeoutError(None, f"{path.name} is held by another process")
        time.sleep(_PAUSE)


def _flock(file: IO[bytes]) -> bool:
    assert fcntl is not None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _made(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        # If two take it over at once, one update is lost, and no entry is damaged.
        if _age(path) > STALE:
            path.unlink(missing_ok=True)
        return False
    return True


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
