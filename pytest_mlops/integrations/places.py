"""Where a URI points on this machine, without touching it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional
from urllib.parse import unquote, urlsplit

from pytest_mlops.integrations.objects import is_reference

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def local_path(uri: str, root: Path) -> Optional[Path]:
    """The path that *uri* means; relative ones start at *root*.

    Returns:
        None for anything but a path and a ``file:`` URI.
    """
    if not uri or is_reference(uri):
        return None
    if uri.startswith("file:"):
        return root / unquote(urlsplit(uri).path)
    if _SCHEME.match(uri):
        return None
    return root / uri


def shown(path: Path, root: Path) -> str:
    """*path* as people write it: relative to *root* where it lies below."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return str(path)
