"""Whether a pytest run is ours, what it collects, and whether that is all there is."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, FrozenSet, List, Optional, Set, Tuple

import pytest
from _pytest.mark.expression import Expression

if TYPE_CHECKING:  # every pytest run loads this module
    from pytest_mlops.workflow.judging import Assignment

#: The mark of everything that judges a model, and the folder where that lies.
GATES = "gates"
#: The mark of everything that judges drift.
DRIFT = "drift"
#: The suites of a gates file, a mark each.
SUITES = (GATES, DRIFT)
#: The name under which a run of ours is registered.
RUN = "mlops-run"
#: Options that say that a model is to be judged.
_MODEL_OPTIONS = (
    "mlops_model_uri",
    "mlops_baseline_uri",
    "mlops_gates",
    "mlops_data",
    "mlops_reference",
)
_WORDS = {"and", "or", "not", "True", "False", "None"}


def asked_suites(config: pytest.Config) -> FrozenSet[str]:
    """The suites that ``-m`` asks for."""
    return frozenset(mark for mark in SUITES if _asks_for(config, mark))


def suites(config: pytest.Config) -> FrozenSet[str]:
    """The suites that are judged: those of ``-m``, else the gates."""
    return asked_suites(config) or frozenset({GATES})


def suite_of(item: pytest.Item) -> Optional[str]:
    """The suite that an item belongs to; None where it is none of ours."""
    return next((mark for mark in SUITES if item.get_closest_marker(mark)), None)


def _asks_for(config: pytest.Config, mark: str) -> bool:
    """Whether a mark makes a difference to what ``-m`` selects."""
    written = config.option.markexpr
    if not written:
        return False
    try:
        expression = Expression.compile(written)
    except SyntaxError:
        return False  # pytest says so itself, in its own words
    # Beside other marks too, as in "gates and slow"; nobody writes more than a few.
    others = sorted(set(re.findall(r"[^\W\d]\w*", written)) - {mark, *_WORDS})[:6]
    for chosen in product((False, True), repeat=len(others)):
        marks = {name for name, is_set in zip(others, chosen) if is_set}
        if _selects(expression, marks | {mark}) and not _selects(expression, marks):
            return True
    return False


def _selects(expression: Expression, marks: Set[str]) -> bool:
    def marked(name: str, /, **_: object) -> bool:
        return name in marks

    return expression.evaluate(marked)


def gates_paths(config: pytest.Config) -> Tuple[Path, ...]:
    """The typed paths that are gates: a TOML file, ``<rootdir>/gates``, or below."""
    folder = config.rootpath / GATES
    return tuple(
        path
        for path in _typed_paths(config)
        if path.suffix == ".toml" or path == folder or folder in path.parents
    )


def is_active(config: pytest.Config) -> bool:
    """Whether this run judges a model; a bare ``pytest`` never does."""
    typed = any(getattr(config.option, name, None) for name in _MODEL_OPTIONS)
    return typed or bool(asked_suites(config)) or bool(gates_paths(config))


def aim(config: pytest.Config) -> List[str]:
    """What is collected: what was typed; else the gates, and with a model option the
    project's own test paths too."""
    folder = config.rootpath / GATES
    if config.args_source is pytest.Config.ArgsSource.ARGS or not folder.is_dir():
        return config.args
    if asked_suites(config):
        return [str(folder)]
    start = config.invocation_params.dir
    if any(_covers(start / path, folder) for path in config.args):
        return config.args
    return [*config.args, str(folder)]


def is_narrowed(config: pytest.Config, assignment: Optional[Assignment]) -> bool:
    """Whether a part of the suite was asked for in a way that no count shows.

    The suite is the gates file, and the test files beside it.
    """
    if any("::" in argument for argument in config.args):
        return True
    suite = _test_files(config)
    if assignment is not None:
        suite.append(assignment.gates_file.path)
    return any(_is_left_out(config, path) for path in suite) or _failed_only(config)


def _test_files(config: pytest.Config) -> List[Path]:
    try:
        patterns = config.getini("python_files")
    except ValueError:  # without pytest's own plugin for Python there are none
        return []
    return [
        path
        for path in sorted((config.rootpath / GATES).rglob("*.py"))
        if any(fnmatch(path.name, pattern) for pattern in patterns)
    ]


def _is_left_out(config: pytest.Config, path: Path) -> bool:
    start = config.invocation_params.dir
    if not any(_covers(start / typed, path) for typed in config.args):
        return True
    ignored = config.option.ignore or ()
    if any(_covers(start / name, path) for name in ignored):
        return True
    patterns = config.option.ignore_glob or ()
    return any(fnmatch(str(path), str(start / pattern)) for pattern in patterns)


def _failed_only(config: pytest.Config) -> bool:
    """Whether ``--lf`` leaves gates out: it does when one of them failed last time."""
    cache = getattr(config, "cache", None)
    if not getattr(config.option, "lf", False) or cache is None:
        return False
    failed = cache.get("cache/lastfailed", {})
    return any(node_id.startswith(f"{GATES}/") for node_id in failed)


def _typed_paths(config: pytest.Config) -> Tuple[Path, ...]:
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return ()
    start = config.invocation_params.dir
    typed = (argument.split("::", 1)[0] for argument in config.args)
    return tuple(Path(os.path.normpath(start / path)) for path in typed)


def _covers(path: Path, below: Path) -> bool:
    found = Path(os.path.normpath(path))
    return found == below or found in below.parents
