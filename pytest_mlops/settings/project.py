"""Read ``[tool.pytest_mlops]``: where things run, and which environment is meant."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.suggestions import unknown
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.kinds import BOOLEAN, TABLE, TEXT, number
from pytest_mlops.settings.reader import (
    Key,
    Problems,
    Section,
    one_line,
    read_toml,
    shown_path,
)
from pytest_mlops.settings.values import Environment, Project

TRACKING_URI: Key[Optional[str]] = Key("tracking_uri", TEXT, None, "the model registry")
REGISTRY_TIMEOUT: Key[float] = Key(
    "registry_timeout",
    number("a number of seconds above 0", lambda x: x > 0),
    Project.registry_timeout,
    "seconds that looking a model up may take in all",
)
EVIDENCE_CACHE_MB: Key[float] = Key(
    "evidence_cache_mb",
    number("a number of megabytes, 0 or above", lambda x: x >= 0),
    Project.evidence_cache_mb,
    "how much evidence is kept at most; 0 keeps none",
)
ENVIRONMENTS: Key[Mapping[str, object]] = Key(
    "environments", TABLE, {}, "where models are judged for"
)
DEFAULT: Key[bool] = Key(
    "default", BOOLEAN, False, "the environment that is meant without --env"
)
PROJECT_KEYS = (TRACKING_URI, REGISTRY_TIMEOUT, EVIDENCE_CACHE_MB, ENVIRONMENTS)
PROJECT_ENVIRONMENT_KEYS = (DEFAULT,)

_ROOT_FILES = ("pyproject.toml", "pytest.ini", "pytest.toml", "tox.ini", "setup.cfg")
_TABLE_NAME = "tool.pytest_mlops"
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def find_root(start: Path) -> Path:
    """The project's folder outside of a pytest run: the nearest one, from *start* up,
    with a file that configures pytest or this project; else *start*."""
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in _ROOT_FILES):
            return folder
    return start


def read_project(
    root: Path,
    config_file: Optional[Path] = None,
    *,
    environ: Mapping[str, str] = os.environ,
) -> Project:
    """Read the project's configuration.

    Args:
        root: the folder of ``pyproject.toml``; a relative *config_file* starts there.
        config_file: a TOML file that takes the place of ``[tool.pytest_mlops]``.
        environ: what ``${NAME}`` in a string stands for.

    Returns:
        the defaults where nothing is configured.

    Raises:
        ConfigurationError: with all problems of the file.
    """
    path = root / (config_file or "pyproject.toml")
    if config_file is None and not path.is_file():
        return Project()
    document = read_toml(path, shown_path(path, root))
    problems = Problems(document.source)
    if config_file is None:
        table, prefix = _own_table(document.table, problems), f"{_TABLE_NAME}."
    else:
        table, prefix = document.table, ""
    section = Section(table or {}, PROJECT_KEYS, problems, prefix[:-1])
    environments = _environments(section, prefix, problems)
    project = Project(
        source=path if table is not None else None,
        tracking_uri=_expanded(TRACKING_URI, section, environ),
        registry_timeout=section.get(REGISTRY_TIMEOUT),
        evidence_cache_mb=section.get(EVIDENCE_CACHE_MB),
        environments=environments,
    )
    problems.raise_all()
    return project


def choose_environment(
    project: Project, requested: Optional[str], file_environments: Sequence[str]
) -> Optional[str]:
    """Which environment a run judges for.

    Args:
        project: declares the environments, if it declares any.
        requested: what ``--env`` or ``MLOPS_ENV`` says.
        file_environments: the sections of the gates file; they count as declared
            where the project declares none.

    Returns:
        without a request the project's default, or None for the base rules.

    Raises:
        ConfigurationError: the request is not a declared environment.
    """
    if requested is None:
        defaults = (e.name for e in project.environments.values() if e.default)
        return next(defaults, None)
    declared = tuple(project.environments) or tuple(file_environments)
    if requested in declared:
        return requested
    message = unknown("environment", requested, declared)
    if not declared:
        message += (
            f" None is declared: add [{_TABLE_NAME}.environments.{requested}] to "
            f"pyproject.toml, or [environments.{requested}] to the gates file"
        )
    raise ConfigurationError.one(one_line(message), source="--env")


def _own_table(
    document: Mapping[str, Any], problems: Problems
) -> Optional[Mapping[str, Any]]:
    tools = document.get("tool", {})
    if not isinstance(tools, dict):
        return None
    if "pytest-mlops" in tools:
        problems.add(
            "tool.pytest-mlops", f"is not read: the table is called [{_TABLE_NAME}]"
        )
    written = tools.get("pytest_mlops")
    table = TABLE.read(written)
    if table is None and written is not None:
        problems.add("tool", TABLE.complaint("pytest_mlops", written))
    return table


def _environments(
    section: Section, prefix: str, problems: Problems
) -> Dict[str, Environment]:
    found = {}
    where = f"{prefix}environments"
    for name, value in section.get(ENVIRONMENTS).items():
        table = TABLE.read(value)
        if table is None:
            problems.add(where, TABLE.complaint(name, value))
            continue
        keys = Section(table, PROJECT_ENVIRONMENT_KEYS, problems, f"{where}.{name}")
        found[name] = Environment(name, keys.get(DEFAULT))
    defaults = [name for name, environment in found.items() if environment.default]
    if len(defaults) > 1:
        problems.add(where, f"only one can be the default, not {_listed(defaults)}")
    return found


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _expanded(
    key: Key[Optional[str]], section: Section, environ: Mapping[str, str]
) -> Optional[str]:
    text, unset = _expand(section.get(key) or "", environ)
    for name in unset:
        section.problem(
            f"'{key.name}' names the environment variable '{name}', which is not set"
        )
    return text or None


def _expand(text: str, environ: Mapping[str, str]) -> Tuple[str, Tuple[str, ...]]:
    # A variable that is set to nothing is as good as unset: that is what a missing
    # secret looks like in a pipeline.
    names = dict.fromkeys(_VARIABLE.findall(text))
    unset = tuple(name for name in names if not environ.get(name))
    return _VARIABLE.sub(lambda match: environ.get(match[1], ""), text), unset
