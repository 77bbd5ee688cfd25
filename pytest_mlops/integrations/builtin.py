"""The loaders that come with the package; each loads its libraries on first use."""

from __future__ import annotations

import importlib
import os
import warnings
from pathlib import Path
from typing import Any, List, Optional

from pytest_mlops.core.sources import (
    DataLoader,
    DataSource,
    Model,
    ModelLoader,
    Site,
    Subject,
)
from pytest_mlops.errors import MissingLibraryError
from pytest_mlops.integrations.objects import is_reference
from pytest_mlops.integrations.places import local_path

_HERE = "pytest_mlops.integrations"
_DATA_LIBRARIES = {"pyarrow", "pandas"}
_MLFLOW_LIBRARIES = {"mlflow", "pandas", "sqlalchemy", "alembic", "yaml"}


def data_loaders() -> List[DataLoader]:
    """Files and folders, and functions of the project."""
    return [
        DataLoader("function", _is_reference, _open_function, "package.module:load"),
        DataLoader("file", _is_path, _open_files, "data/validation.parquet"),
    ]


def model_loaders() -> List[ModelLoader]:
    """MLflow's models, and objects of the project."""
    return [
        ModelLoader("callable", _is_reference, _load_callable, "package.module:model"),
        ModelLoader("mlflow", _is_mlflow, _load_mlflow, "models:/name@alias"),
    ]


def _is_reference(uri: str, site: Site) -> bool:
    return is_reference(uri)


def _is_path(uri: str, site: Site) -> bool:
    return local_path(uri, site.root) is not None


def _is_mlflow(uri: str, site: Site) -> bool:
    return uri.startswith(("models:", "runs:")) or _is_path(uri, site)


def _open_files(uri: str, site: Site) -> DataSource:
    module = _module("data_files", "data", f"reading {uri}")
    source: DataSource = module.open_files(uri, site)
    return source


def _open_function(uri: str, site: Site) -> DataSource:
    module = _module("data_functions", "data", f"reading {uri}")
    source: DataSource = module.open_function(uri, site)
    return source


def _load_callable(uri: str, site: Site) -> Model:
    module = _module("callable_model", "data", f"loading {uri}")
    model: Model = module.load_callable(uri, site)
    return model


def _load_mlflow(uri: str, site: Site) -> Model:
    # Before it is imported, and for good: it counts from the first call on.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

    def mlflow_model() -> Any:
        return _module("mlflow_model", "mlflow", f"loading {uri}")

    def load(subject: Subject, path: Path, root: Path) -> Any:
        return mlflow_model().load_files(subject, path, root)

    files = _module("mlflow_files", "mlflow", f"loading {uri}")
    folder: Optional[Model] = files.open_folder(uri, site, load)
    if folder is not None:
        return folder
    fetched: Model = mlflow_model().fetch_mlflow(uri, site, load)
    return fetched


def _module(name: str, extra: str, purpose: str) -> Any:
    try:
        with warnings.catch_warnings():
            # Importing MLflow warns of all sorts of things, which may be errors here.
            warnings.simplefilter("ignore")
            return importlib.import_module(f"{_HERE}.{name}")
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _DATA_LIBRARIES | _MLFLOW_LIBRARIES:
            raise
        raise MissingLibraryError(library, extra, purpose) from error
