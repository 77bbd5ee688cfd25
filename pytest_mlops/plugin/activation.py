"""Whether a pytest run is ours, and which gates files it means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Tuple

import pytest
from _pytest.mark.expression import Expression

#: The mark of everything that judges a model.
GATES = "gates"
#: Options that say that a model is to be judged.
MODEL_OPTIONS = ("mlops_model_uri", "mlops_baseline_uri", "mlops_gates", "mlops_data")


def selects_gates(config: pytest.Config) -> bool:
    """Whether ``-m`` asks for gates: an item with that mark alone is selected, one
    without any is not."""
    written = config.option.markexpr
    if not written:
        return False
    try:
        expression = Expression.compile(written)
    except SyntaxError:
        return False  # pytest says so itself, in its own words

    def marked(name: str, /, **_: object) -> bool:
        return name == GATES

    def unmarked(name: str, /, **_: object) -> bool:
        return False

    return expression.evaluate(marked) and not expression.evaluate(unmarked)


def paths_of(config: pytest.Config) -> Tuple[Path, ...]:
    """The paths that were typed, absolute, without ``::`` and what follows."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return ()
    start = config.invocation_params.dir
    typed = (argument.split("::", 1)[0] for argument in config.args)
    return tuple(Path(os.path.normpath(start / path)) for path in typed)


def gates_paths(config: pytest.Config) -> Tuple[Path, ...]:
    """The typed paths that are gates: a TOML file, ``<rootdir>/gates``, or below."""
    folder = config.rootpath / GATES
    return tuple(
        path
        for path in paths_of(config)
        if path.suffix == ".toml" or path == folder or folder in path.parents
    )


def is_active(config: pytest.Config) -> bool:
    """Whether this run judges a model; a bare ``pytest`` never does."""
    typed = any(getattr(config.option, name, None) for name in MODEL_OPTIONS)
    return typed or selects_gates(config) or bool(gates_paths(config))


def narrowed(config: pytest.Config) -> bool:
    """Whether the run is a part of the suite by a node id or ``--lf``."""
    if any("::" in argument for argument in config.args):
        return True
    failed_only = getattr(config.option, "lf", False)
    cache = getattr(config, "cache", None)
    return bool(failed_only and cache and cache.get("cache/lastfailed", {}))
