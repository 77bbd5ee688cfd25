"""The plugin's front door: options, and one decision whether there is work to do.

Every pytest run loads this module, so it imports nothing that a bare run does not need.
"""

from __future__ import annotations

from typing import Any, Callable, Generator, List, Optional

import pytest

from pytest_mlops import hookspecs
from pytest_mlops.plugin.activation import (
    DRIFT,
    GATES,
    RUN,
    is_active,
    suite_of,
    suites,
)
from pytest_mlops.settings.options import OPTIONS

_MARKS = (
    f"{GATES}: what must hold before a model is promoted (pytest-mlops)",
    f"{DRIFT}: what must hold of the data that a model gets (pytest-mlops)",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Publish the hooks."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the long forms, which nobody else has."""
    group = parser.getgroup("mlops", "pytest-mlops: the gate before production")
    for option in OPTIONS:
        group.addoption(
            option.long, default=None, help=option.help, **option.declaration
        )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    parser: pytest.Parser,
) -> Generator[None, None, None]:
    """Register the short forms that nobody has taken, conftest files included."""
    result = yield
    groups = [*parser._groups, parser._anonymous]
    taken = {name for g in groups for option in g.options for name in option.names()}
    for option in OPTIONS:
        if option.short is not None and option.short not in taken:
            parser.getgroup("mlops").addoption(
                option.short,
                default=None,
                help=f"the same as {option.long}",
                **option.declaration,
            )
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Decide once whether this run judges a model."""
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)
    if is_active(config):
        from pytest_mlops.plugin.session import start

        start(config)
    elif config.option.mlops_verdict:
        raise pytest.UsageError(
            "pytest-mlops: --verdict has nothing to write: say what is judged, such as "
            "'-m gates'"
        )


def pytest_collection_modifyitems(
    config: pytest.Config, items: List[pytest.Item]
) -> None:
    """Leave out the suites that were not asked for; a bare run touches no model."""
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        return
    judged = suites(config) if _run_of(config) else ()
    left_out = [item for item in items if suite_of(item) not in (None, *judged)]
    if left_out:
        items[:] = [item for item in items if suite_of(item) in (None, *judged)]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def metric(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Measure the model: ``assert metric("recall") >= 0.70``.

    ``metric(name, average=None, beta=None, where=None)`` gives a value that judges and
    records itself when it is compared with a number.
    """
    run = _run_of(request.config)
    if run is None:
        pytest.fail(
            "metric() needs a model to measure: run with '-m gates'", pytrace=False
        )
    measure: Callable[..., Any] = run.metric_of(request.node)
    return measure


def _run_of(config: pytest.Config) -> Optional[Any]:
    return config.pluginmanager.get_plugin(RUN)
