"""The cache's files: whole or not there, bounded, and safe between processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

import pytest

from pytest_mlops.workflow.cache import files as files_module
from pytest_mlops.workflow.cache import lock as lock_module
from pytest_mlops.workflow.cache.files import CacheFiles, DamagedError
from pytest_mlops.workflow.cache.lock import locked

HOLDING = """\
import sys
from pathlib import Path
from pytest_mlops.workflow.cache.lock import locked
with locked(Path(sys.argv[1]), 5):
    print("held", flush=True)
    sys.stdin.read()
"""

ADDING = """\
import sys
from pathlib import Path
from pytest_mlops.workflow.cache.files import CacheFiles
files = CacheFiles(Path(sys.argv[1]), 1_000_000)
for number in range(50):
    files.update("evidence-1.json", lambda before: {
        "all": [*(before or {"all": []})["all"], f"{sys.argv[2]}-{number}"]
    })
"""


def filled(size: int) -> Any:
    return lambda before: {"text": "x" * size}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(params=["system", "file"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to lock; the second is for systems without the first."""
    if request.param == "file":
        monkeypatch.setattr(lock_module, "fcntl", None)
    return str(request.param)


def test_what_is_written_is_read(folder: Path) -> None:
    files = CacheFiles(folder, 1000)
    assert files.read("evidence-1.json") is None
    content = {"x": 0.1, "text": "ä"}
    assert files.update("evidence-1.json", lambda before: content) == content
    assert CacheFiles(folder, 1000).read("evidence-1.json") == content


def test_a_change_is_told_what_is_there(folder: Path) -> None:
    files = CacheFiles(folder, 1000)
    seen = []

    def change(before: Optional[Any]) -> Any:
        seen.append(before)
        return {"n": len(seen)}

    for _ in range(3):
        files.update("evidence-1.json", change)
    (folder / "evidence-1.json").write_bytes(b"garbage")
    files.update("evidence-1.json", change)
    assert seen == [None, {"n": 1}, {"n": 2}, None]


@pytest.mark.parametrize("position", range(0, 120, 7))
def test_no_flipped_bit_goes_unnoticed(folder: Path, position: int) -> None:
    files = CacheFiles(folder, 1000)
    files.update("evidence-1.json", filled(30))
    path = folder / "evidence-1.json"
    data = bytearray(path.read_bytes())
    data[position] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedError):
        files.read("evidence-1.json")


def test_the_longest_unused_goes_first(folder: Path) -> None:
    files = CacheFiles(folder, 1000)
    for number in range(3):
        files.update(f"evidence-{number}.json", filled(200))
        os.utime(folder / f"evidence-{number}.json", (number, number))
    files.update("candidates-1.json", filled(2000), lasting=True)
    files.read("evidence-0.json")  # a use
    files.update("evidence-3.json", filled(200))
    left = sorted(path.name for path in folder.glob("evidence-*"))
    assert left == ["evidence-0.json", "evidence-2.json", "evidence-3.json"]
    assert (folder / "candidates-1.json").exists()


def test_what_is_larger_than_the_limit_is_refused(folder: Path) -> None:
    files = CacheFiles(folder, 1000)
    files.update("evidence-0.json", filled(200))
    with pytest.raises(OSError, match="larger than evidence_cache_mb"):
        files.update("evidence-1.json", filled(2000))
    assert [path.name for path in folder.glob("evidence-*")] == ["evidence-0.json"]


def test_a_failed_write_leaves_the_old_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = CacheFiles(folder, 1000)
    files.update("evidence-0.json", filled(1))

    def full(source: Any, target: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files_module.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        files.update("evidence-0.json", filled(2))
    assert files.read("evidence-0.json") == {"text": "x"}
    assert not list(folder.glob("*.unfinished"))


def test_what_a_killed_process_left_goes(folder: Path) -> None:
    files = CacheFiles(folder, 1000)
    files.update("evidence-0.json", filled(1))
    left = folder / "evidence-9.json.123.unfinished"
    left.write_bytes(b"half of")
    files.update("evidence-1.json", filled(1))
    assert not left.exists()


def test_no_update_between_processes_is_lost(folder: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", ADDING, str(folder), name])
        for name in "abc"
    ]
    assert [child.wait() for child in children] == [0, 0, 0]
    content = CacheFiles(folder, 1_000_000).read("evidence-1.json")
    assert content is not None
    expected = {f"{name}-{number}" for name in "abc" for number in range(50)}
    assert len(content["all"]) == 150 and set(content["all"]) == expected


# --- the lock ----------------------------------------------------------------------


def test_a_lock_is_held_by_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lock"
    with locked(path, 0):
        with pytest.raises(TimeoutError, match="held by another process"):
            with locked(path, 0.05):
                raise AssertionError("two have it")
    with locked(path, 0):
        pass


def test_a_lock_is_let_go_after_an_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(KeyError):
        with locked(tmp_path / "lock", 0):
            raise KeyError
    with locked(tmp_path / "lock", 0):
        pass


def holding(path: Path) -> Any:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == b"held"
    return child


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    child = holding(tmp_path / "lock")
    with pytest.raises(TimeoutError):
        with locked(tmp_path / "lock", 0):
            raise AssertionError("two have it")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with locked(tmp_path / "lock", 5):
        pass


def test_a_file_that_a_killed_process_left_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "fcntl", None)
    held = tmp_path / "lock.held"
    held.touch()
    with pytest.raises(TimeoutError):
        with locked(tmp_path / "lock", 0.05):
            raise AssertionError("it is young")
    os.utime(held, (1, 1))
    with locked(tmp_path / "lock", 5):
        assert held.exists()
    assert not held.exists()


def test_whoever_does_not_get_the_lock_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "PATIENCE", 0.05)
    files = CacheFiles(folder, 1000)
    files.update("evidence-0.json", filled(1))
    with locked(folder / "lock", 0):
        with pytest.raises(TimeoutError):
            files.update("evidence-0.json", filled(2))
        assert files.read("evidence-0.json") == {"text": "x"}
