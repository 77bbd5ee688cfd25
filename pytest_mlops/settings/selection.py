"""Choose the one gates file that a run judges by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple

from pytest_mlops.core.suggestions import did_you_mean, unknown
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.kinds import shown
from pytest_mlops.settings.reader import one_line, read_toml, shown_path

_REGISTERED = re.compile(r"models:/(?P<name>[^/]+)[@/][^@/]+")


@dataclass(frozen=True)
class GatesPeek:
    """As much of a gates file as choosing takes.

    Attributes:
        path: where it is.
        shown: what messages call it.
        model: the registered model that it judges; None where it does not say.
        environments: the names of its sections.
    """

    path: Path
    shown: str
    model: Optional[str]
    environments: Tuple[str, ...]


def find_gates_files(folder: Path) -> Tuple[Path, ...]:
    """The gates files of a folder by name; none where there is no such folder."""
    return tuple(sorted(path for path in folder.glob("*.toml") if path.is_file()))


def peek_gates_file(path: Path, root: Path) -> GatesPeek:
    """Look at a gates file without judging what it says.

    Raises:
        ConfigurationError: it cannot be read or is not TOML.
    """
    name = shown_path(path, root)
    table = read_toml(path, name).table
    model, sections = table.get("model"), table.get("environments")
    return GatesPeek(
        path,
        name,
        model if isinstance(model, str) else None,
        tuple(sections) if isinstance(sections, dict) else (),
    )


def registered_name(model_uri: Optional[str]) -> Optional[str]:
    """``NAME`` of ``models:/NAME@alias`` or ``models:/NAME/version``, else None."""
    match = _REGISTERED.fullmatch(model_uri or "")
    return match["name"] if match else None


def choose_gates_file(
    paths: Sequence[Path], name: Optional[str], model_uri: Optional[str], root: Path
) -> Optional[Path]:
    """The file to judge by; None where there is none to choose from.

    Args:
        paths: the gates files.
        name: what ``--gates`` says: a stem, or the file's name or path.
        model_uri: a registered model is judged by files of that model only; any
            other URI by any file.
        root: where paths in messages start.

    Raises:
        ConfigurationError: no file fits, several do, or the named one is about
            another model.
    """
    if name is not None:
        return _named(paths, name, model_uri, root)
    peeks = [peek_gates_file(path, root) for path in paths]
    if not peeks:
        return None
    model = registered_name(model_uri)
    # One that does not name its model may be meant: reading it says what it lacks.
    meant = [p for p in peeks if model is None or p.model in (None, model)]
    if not meant:
        raise _error("--model-uri", _no_file_for(str(model), peeks))
    if len(meant) > 1:
        raise _error("--gates", _several(meant))
    return meant[0].path


def _named(
    paths: Sequence[Path], name: str, model_uri: Optional[str], root: Path
) -> Path:
    found = [p for p in paths if name in (p.stem, p.name, shown_path(p, root))]
    if not found:
        message = unknown("gates file", name, [path.stem for path in paths])
        raise _error("--gates", message if paths else f"{message} There is none")
    if len(found) > 1:
        raise _error("--gates", _several([peek_gates_file(p, root) for p in found]))
    peek, model = peek_gates_file(found[0], root), registered_name(model_uri)
    if model is not None and peek.model not in (None, model):
        raise _error(
            "--gates",
            f"{peek.shown} judges the model '{peek.model}', and --model-uri names "
            f"'{model}'",
        )
    return found[0]


def _no_file_for(model: str, peeks: Sequence[GatesPeek]) -> str:
    models = [str(peek.model) for peek in peeks]
    judged = ", ".join(f"{shown(peek.model)} ({peek.shown})" for peek in peeks)
    hint = did_you_mean(model, models)
    return f"no gates file judges the model '{model}'.{hint} Judged models: {judged}"


def _several(peeks: Sequence[GatesPeek]) -> str:
    files = ", ".join(f"{peek.path.stem} ({peek.shown})" for peek in peeks)
    return f"several gates files could be meant: {files}. Choose one with --gates NAME"


def _error(source: str, message: str) -> ConfigurationError:
    return ConfigurationError.one(one_line(message), source=source)
