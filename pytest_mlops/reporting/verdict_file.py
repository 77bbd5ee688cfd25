"""Verdicts on disk: written whole or not at all, redacted, and read with care."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Tuple

from pytest_mlops.core.redaction import redact_json
from pytest_mlops.core.verdicts import SCHEMA, Verdict
from pytest_mlops.errors import ConfigurationError, InstrumentError, VerdictError
from pytest_mlops.reporting.schema import problems


def write_verdict(
    verdict: Mapping[str, Any], path: Path, side_files: Mapping[str, bytes]
) -> None:
    """Write a verdict, and the tables that are too large for it beside it.

    Everything is written under other names first and then put in place, the verdict
    last: whoever finds a verdict finds all of it.

    Args:
        verdict: ``Verdict.to_json()``; its secrets are redacted here.
        path: where it goes; an older file is replaced.
        side_files: contents by plain file name.

    Raises:
        InstrumentError: it could not be written; what was begun is removed.
    """
    try:
        contents = {_beside(path, name): data for name, data in side_files.items()}
        contents[path] = _encoded(verdict)
        _put_in_place(contents)
    except (OSError, ValueError) as error:
        raise InstrumentError(
            f"the verdict could not be written to {path}: {_why(error)}"
        ) from error


def check_writable(path: Path) -> None:
    """Make sure, before a run is paid for, that its verdict will find a place.

    Raises:
        ConfigurationError: it would not; nothing is left behind.
    """
    folder = path.parent
    if path.is_dir():
        raise _unusable(f"'{path}' is a folder; name a file in it")
    if path.is_file() and not _may_be_replaced(path):
        raise _unusable(f"'{path}' exists and is no verdict; name another file")
    if path.exists() and not path.is_file():
        raise _unusable(f"'{path}' is not a regular file; name another")
    if not folder.is_dir():
        lacking = "is not a folder" if folder.exists() else "does not exist"
        raise _unusable(f"the folder '{folder}' of '{path}' {lacking}; create it first")
    probe = _temporary(path)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise _unusable(
            f"'{path}' cannot be written ({_why(error)}); name another place"
        ) from error


def remove_stale(path: Path) -> None:
    """Remove the verdict of an earlier run, so that nobody takes it for this one's.

    What is no verdict is left alone.

    Raises:
        ConfigurationError: it is there and cannot be removed.
    """
    if path.is_file() and not _may_be_replaced(path):
        return
    try:
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(
            f"the old verdict '{path}' cannot be removed ({_why(error)})"
        ) from error


def read_verdict(path: Path) -> Tuple[Verdict, Dict[str, Any]]:
    """Read a verdict.

    Returns:
        the verdict, and the JSON as it stands in the file, with what a newer version
        may have added.

    Raises:
        VerdictError: there is none, or it is not a whole one; the message names the
            first key that is missing or wrong.
    """
    raw = _parsed(path)
    if not isinstance(raw, dict) or "schema" not in raw:
        raise VerdictError(f"{path} is not a verdict: it names no schema")
    if raw["schema"] != SCHEMA:
        raise VerdictError(
            f"{path} is a '{raw['schema']}', and this version reads '{SCHEMA}': use "
            "the version of pytest-mlops that wrote it"
        )
    for problem in problems(raw):
        raise VerdictError(f"{path} is not a whole verdict: {problem}")
    return Verdict.from_json(raw), raw


def side_reader(path: Path) -> Callable[[str], bytes]:
    """What reads the files beside the verdict at *path* by their plain names.

    The function raises VerdictError for a file that is not there, and for a name
    that would lead elsewhere.
    """

    def read(name: str) -> bytes:
        try:
            return _beside(path, name).read_bytes()
        except ValueError as error:
            raise VerdictError(f"{path} asks for {error}") from error
        except OSError as error:
            raise VerdictError(
                f"{path} needs the file '{name}' beside it, which cannot be read "
                f"({_why(error)}): keep the two together"
            ) from error

    return read


def _parsed(path: Path) -> Any:
    try:
        text = path.read_bytes().decode("utf-8")
        return json.loads(text, parse_constant=_no_number)
    except OSError as error:
        raise VerdictError(
            f"the verdict {path} cannot be read: {_why(error)}"
        ) from error
    except json.JSONDecodeError as error:
        raise VerdictError(
            f"{path} is not a verdict: no JSON at line {error.lineno}, "
            f"column {error.colno}: {error.msg}"
        ) from error
    except UnicodeDecodeError as error:
        raise VerdictError(f"{path} is not a verdict: it is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise VerdictError(f"{path} is not a verdict: {error}") from error


def _no_number(constant: str) -> Any:
    raise ValueError(f"it holds {constant}, which is no JSON")


def _may_be_replaced(path: Path) -> bool:
    """Whether a file is empty or a verdict, and nothing that somebody would miss."""
    try:
        with path.open("rb") as file:
            head = file.read(256)
    except OSError:
        return True  # writing will say what is wrong with it
    return not head.strip() or b'"pytest-mlops/verdict/' in head


def _encoded(verdict: Mapping[str, Any]) -> bytes:
    told = redact_json(verdict)
    # Tables are figures and labels: one that looks like a secret is data.
    pairs = zip(verdict.get("evidence", ()), told.get("evidence", ()))
    for stored, redacted in pairs:
        redacted["tables"] = stored["tables"]
    text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)
    # A lone surrogate, from a file name that is no UTF-8, becomes its JSON escape.
    return (text + "\n").encode("utf-8", "backslashreplace")


def _put_in_place(contents: Mapping[Path, bytes]) -> None:
    with ExitStack() as cleanup:
        written = []
        for place, data in contents.items():
            temporary = _temporary(place)
            cleanup.callback(_remove, temporary)
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            written.append((temporary, place))
        for temporary, place in written:
            os.replace(temporary, place)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    # In the same folder, for a rename is atomic only within one file system.
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _beside(path: Path, name: str) -> Path:
    if name in ("", ".", "..") or any(sign in name for sign in "/\\:\0"):
        raise ValueError(f"'{name}', which is not the plain name of a file")
    return path.with_name(name)


def _why(error: Exception) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror or error)


def _unusable(message: str) -> ConfigurationError:
    return ConfigurationError.one(f"--verdict: {message}", source="command line")
