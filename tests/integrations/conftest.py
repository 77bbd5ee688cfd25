"""Fixtures for the loaders: sites, and ways to open things."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from pytest_mlops.core.sources import DataSource, Model, Site
from pytest_mlops.integrations.builtin import data_loaders, model_loaders


@pytest.fixture()
def site(tmp_path: Path) -> Site:
    """A site at the test's own folder, with no registry."""
    return Site(tmp_path)


@pytest.fixture()
def store_site(store: Any) -> Site:
    """A site at the store, whose registry is written as people do."""
    return Site(store.root, tracking_uri="sqlite:///mlflow.db")


@pytest.fixture(scope="session")
def open_data() -> Callable[[str, Site], DataSource]:
    """Opens data with the first built-in loader that accepts the URI."""

    def opening(uri: str, site: Site) -> DataSource:
        return next(x for x in data_loaders() if x.accepts(uri, site)).open(uri, site)

    return opening


@pytest.fixture(scope="session")
def load_model() -> Callable[[str, Site], Model]:
    """Loads a model with the first built-in loader that accepts the URI."""

    def loading(uri: str, site: Site) -> Model:
        return next(x for x in model_loaders() if x.accepts(uri, site)).load(uri, site)

    return loading
