"""What went wrong in somebody else's code, in one line."""

from __future__ import annotations

import traceback
from pathlib import Path

from pytest_mlops.core.redaction import redact


def last_line(error: BaseException) -> str:
    """The last line of the error's own text that says something, without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return redact(lines[-1]) if lines else type(error).__name__


def described(error: BaseException) -> str:
    """``KeyError: 'x'``: the error's type and the last line of its text."""
    text = last_line(error)
    name = type(error).__name__
    return name if text == name else f"{name}: {text}"


def located(error: BaseException) -> str:
    """``KeyError: 'x' (acme/features.py:12)``, with the innermost frame.

    The error must have been raised.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{described(error)} ({_short(frame.filename)}:{frame.lineno})"


def _short(filename: str) -> str:
    parts = Path(filename).parts
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") + 1 :])
    try:
        return str(Path(filename).relative_to(Path.cwd()))
    except ValueError:
        return filename
