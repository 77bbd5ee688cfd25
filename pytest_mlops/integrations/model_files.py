"""The files that a model is made of, and their digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

# MLflow writes it beside the files when it fetches them by a registered name.
_WRITTEN_ON_DOWNLOAD = "registered_model_meta"

_CHUNK = 1 << 20


def folder_digest(folder: Path) -> str:
    """``sha256:…`` over the names and contents of all files, sorted by name.

    Python's caches of compiled code are left out, for running the model writes them.
    """
    digest = hashlib.sha256()
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*")}
    for name in sorted(files):
        skipped = name == _WRITTEN_ON_DOWNLOAD or "__pycache__" in name.split("/")
        if files[name].is_file() and not skipped:
            # Lengths and digests of fixed size, so that no two folders read alike.
            digest.update(f"{len(name.encode())}:{name}".encode())
            digest.update(_file_digest(files[name]))
    return f"sha256:{digest.hexdigest()}"


def _file_digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
