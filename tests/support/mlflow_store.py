"""A small MLflow store with trained models, made once and looked at by many tests."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression, LogisticRegression

from pytest_mlops.integrations.quiet import quiet

FEATURES = ("age", "income", "visits", "score")
ROWS = 400


@dataclass(frozen=True)
class Store:
    """A store in a folder.

    Attributes:
        root: holds ``mlflow.db``, ``validation.csv`` and ``validation.parquet``.
        tracking_uri: absolute; ``sqlite:///mlflow.db`` seen from ``root``.
        data: the validation rows: FEATURES, ``label`` (0/1), ``value`` (a number).
    """

    root: Path
    tracking_uri: str
    data: pd.DataFrame

    @property
    def features(self) -> pd.DataFrame:
        """What the models predict from."""
        return self.data[list(FEATURES)]


@dataclass(frozen=True)
class Logged:
    """A model in the store.

    Attributes:
        version: of the registered model.
        model_id: ``m-…``.
        run_id: its run, whose model is named ``model``.
        folder: its files.
    """

    version: str
    model_id: str
    run_id: str
    folder: Path


def make_store(folder: Path) -> Store:
    """Train and register models in *folder*.

    ``classifier`` has two versions: 1, the better one, is ``@champion`` and
    ``@candidate``; 2 is ``@weak``. ``regressor`` has one, ``@champion``. All have a
    signature. Takes 5 to 10 seconds, most of them MLflow's migrations.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder, f"sqlite:///{folder / 'mlflow.db'}", _rows(1))
    store.data.to_csv(folder / "validation.csv", index=False)
    store.data.to_parquet(folder / "validation.parquet", index=False)
    train = _rows(0)
    good = LogisticRegression().fit(train[list(FEATURES)], train["label"])
    register(store, "classifier", good, alias="champion")
    weak = LogisticRegression().fit(train[["visits"]], train["label"])
    register(store, "classifier", weak, alias="weak", frame=train[["visits"]])
    line = LinearRegression().fit(train[list(FEATURES)], train["value"])
    register(store, "regressor", line, alias="champion")
    _client(store).set_registered_model_alias("classifier", "candidate", "1")
    return store


def register(
    store: Store,
    name: str,
    model: Any,
    *,
    alias: Optional[str] = None,
    frame: Optional[pd.DataFrame] = None,
    signature: bool = True,
    **options: Any,
) -> Logged:
    """Log *model* and register it as the next version of *name*.

    Args:
        model: a scikit-learn estimator, or a ``mlflow.pyfunc.PythonModel``.
        frame: what its signature is inferred from; the store's features by default.
        options: passed to ``log_model``.
    """
    frame = store.features if frame is None else frame
    custom = not hasattr(model, "fit")
    options["python_model" if custom else "sk_model"] = model
    with quiet(silent=True):
        if signature:
            options["signature"] = infer_signature(frame, model.predict(frame))
        mlflow.set_tracking_uri(store.tracking_uri)
        try:
            mlflow.set_experiment(experiment_id=_experiment(store))
            with mlflow.start_run() as run:
                log = mlflow.pyfunc.log_model if custom else mlflow.sklearn.log_model
                logged = log(
                    name="model",
                    registered_model_name=name,
                    # Finding them out takes MLflow half a minute.
                    pip_requirements=["scikit-learn"],
                    **options,
                )
        finally:
            mlflow.set_tracking_uri(None)
    version = str(logged.registered_model_version)
    if alias is not None:
        _client(store).set_registered_model_alias(name, alias, version)
    folder = Path(logged.artifact_path.partition("file://")[2])
    model_id = logged.model_uri.rpartition("/")[2]
    return Logged(version, model_id, run.info.run_id, folder)


def python_model(function: Callable[[pd.DataFrame], Any]) -> Any:
    """A ``mlflow.pyfunc.PythonModel`` that answers with *function*."""
    # MLflow shows its advice on type hints whatever the filters are.
    with quiet(silent=True), warnings.catch_warnings(record=True):

        class Custom(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
            def predict(self, context, model_input, params=None):  # type: ignore
                return function(model_input)

    return Custom()


def client(store: Store) -> Any:
    """A ``mlflow.MlflowClient`` of the store."""
    return _client(store)


def _client(store: Store) -> Any:
    with quiet(silent=True):
        made = mlflow.MlflowClient(store.tracking_uri, store.tracking_uri)
        made.search_registered_models(max_results=1)  # sets the database up
    return made


def _experiment(store: Store) -> str:
    client = _client(store)
    found = client.get_experiment_by_name("tests")
    if found is not None:
        return str(found.experiment_id)
    artifacts = (store.root / "artifacts").as_uri()
    return str(client.create_experiment("tests", artifact_location=artifacts))


def _rows(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    data = pd.DataFrame(random.normal(size=(ROWS, len(FEATURES))), columns=FEATURES)
    value = data.to_numpy() @ np.array([1.0, -2.0, 0.5, 1.5])
    data["value"] = value + random.normal(scale=0.5, size=ROWS)
    data["label"] = (value + random.normal(size=ROWS) > 0).astype(np.int64)
    return data
