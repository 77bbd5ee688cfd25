"""The built-in metrics and loaders, through the same hooks as everybody's."""

from __future__ import annotations

from typing import Iterable

import pluggy

from pytest_mlops.core.metrics import Metric
from pytest_mlops.core.sources import DataLoader, ModelLoader
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.integrations.builtin import data_loaders, model_loaders

hookimpl = pluggy.HookimplMarker("pytest")


@hookimpl
def pytest_mlops_metrics() -> Iterable[Metric]:
    """The metrics of ``pytest-mlops show metrics``."""
    return builtin_metrics()


@hookimpl
def pytest_mlops_model_loaders() -> Iterable[ModelLoader]:
    """MLflow's URIs and folders, and ``module:callable``."""
    return model_loaders()


@hookimpl
def pytest_mlops_data_loaders() -> Iterable[DataLoader]:
    """Files, folders of files, and ``module:function``."""
    return data_loaders()
