"""The extension manual: every hook that a plugin may implement, typed.

Implement them in a ``conftest.py``, in a pytest plugin, or in a module that a package
names under the entry point group ``pytest_mlops`` (loaded only when pytest-mlops has
work to do). The built-ins come in through the same hooks. A name that two owners
register is an error that names both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable

import pluggy

if TYPE_CHECKING:  # every pytest run loads this module, and few need the types
    from pytest_mlops.core.metrics import Metric
    from pytest_mlops.core.sources import DataLoader, ModelLoader

hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_mlops_metrics() -> Iterable[Metric]:
    """Metrics that gates may name.

    A metric brings the kind of its table: reuse one of ``pytest_mlops.evidence``, or
    bring your own, which needs ``merge`` and ``to_json`` (see
    ``pytest_mlops.core.metrics.Table``).
    """
    return ()


@hookspec
def pytest_mlops_model_loaders() -> Iterable[ModelLoader]:
    """Ways to load a model from a URI.

    The loaders of plugins are asked before the built-in ones; the first that accepts
    the URI loads it.
    """
    return ()


@hookspec
def pytest_mlops_data_loaders() -> Iterable[DataLoader]:
    """Ways to open a data set from a URI; asked as the model loaders are."""
    return ()
