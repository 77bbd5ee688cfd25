"""Where MLflow's registry is, and whether it may be touched."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Optional
from urllib.parse import unquote, urlsplit

import mlflow

from pytest_mlops.core.redaction import redact
from pytest_mlops.core.sources import Site
from pytest_mlops.errors import RegistryError

_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Store:
    """MLflow's two addresses.

    Attributes:
        tracking: of runs and logged models.
        registry: of registered models.
    """

    tracking: str
    registry: str

    @property
    def is_local(self) -> bool:
        """Whether it lies in files of this machine, where nothing can hang."""
        return _local(self.tracking) is not None and _local(self.registry) is not None

    def __str__(self) -> str:
        return redact(self.registry.partition("?")[0])


def find_store(site: Site) -> Store:
    """The store that the site names, or else MLflow's own default.

    Relative paths of the site start at its root, those of MLflow in the current folder.

    Raises:
        RegistryError: it is a file or a folder that does not exist, or a database that
            is not MLflow's or newer than it. Asking MLflow would create or change it.
    """
    if site.tracking_uri is None:
        store = Store(mlflow.get_tracking_uri(), mlflow.get_registry_uri())
    else:
        tracking = _anchored(site.tracking_uri, site.root)
        store = Store(tracking, os.environ.get("MLFLOW_REGISTRY_URI", tracking))
    for uri in dict.fromkeys((store.tracking, store.registry)):
        _check(uri)
    return store


def _anchored(uri: str, root: Path) -> str:
    if uri.startswith(_SQLITE):
        path, mark, query = uri[len(_SQLITE) :].partition("?")
        return f"{_SQLITE}{root / path}{mark}{query}" if path else uri
    return uri if ":" in uri else str(root / uri)


def _local(uri: str) -> Optional[Path]:
    if uri.startswith(_SQLITE):
        name = uri[len(_SQLITE) :].partition("?")[0]
        # SQLAlchemy decodes it since 2.0.4x; MLflow encodes its own default.
        return Path(name if Path(name).exists() else unquote(name))
    if uri.startswith("file:"):
        return Path(unquote(urlsplit(uri).path))
    return None if ":" in uri or uri == "databricks" else Path(uri)


def _check(uri: str) -> None:
    path = _local(uri)
    if path is None:
        return
    if not path.exists():
        raise RegistryError(
            f"the model registry {path} does not exist; train and register a model "
            "first, or set tracking_uri or MLFLOW_TRACKING_URI to where the models are"
        )
    if uri.startswith(_SQLITE):
        _check_database(path)


def _check_database(path: Path) -> None:
    """Look without MLflow, which would set up or migrate what it finds."""
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        ) as db:
            found = db.execute(
                "SELECT version_num FROM alembic_version, sqlite_master "
                "WHERE name = 'registered_models'"
            ).fetchone()
    except sqlite3.Error as error:
        raise RegistryError(
            f"the model registry {path} is no database of MLflow's: {error}"
        ) from error
    if found is None:
        raise RegistryError(
            f"the model registry {path} is no database of MLflow's: it has no models"
        )
    migrations = Path(mlflow.__file__).parent / "store" / "db_migrations" / "versions"
    if migrations.is_dir() and not any(migrations.glob(f"{found[0]}_*.py")):
        raise RegistryError(
            f"the model registry {path} was written by a newer MLflow than the "
            f"installed {mlflow.__version__} (its revision {found[0]} is not known): "
            "pip install --upgrade mlflow"
        )
