"""Models of MLflow: predictions, probabilities, and files that are broken."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Tuple

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from pytest_mlops.core.rows import Batch
from pytest_mlops.core.sources import DataSource, Deferred, Model, Site
from pytest_mlops.errors import ModelError

Load = Callable[[str, Site], Model]
Open = Callable[[str, Site], DataSource]

FEATURES = ("age", "income", "visits", "score")


@pytest.fixture()
def rows(store_site: Site, open_data: Open) -> Batch:
    """The validation rows of the store."""
    (batch,) = open_data("validation.parquet", store_site).batches()
    return batch


def by_hand(store: Any, name: str, version: str) -> Any:
    path = mlflow.MlflowClient(store.tracking_uri).get_model_version_download_uri(
        name, version
    )
    return mlflow.pyfunc.load_model(path)


def test_predictions_are_those_of_mlflow(
    store: Any, store_site: Site, load_model: Load, rows: Batch
) -> None:
    for name in ("classifier", "regressor"):
        model = load_model(f"models:/{name}/1", store_site)
        assert model.inputs == FEATURES
        found = model.predict(rows, rows.names, probabilities=False)
        expected = by_hand(store, name, "1").predict(store.features)
        np.testing.assert_array_equal(found.values, expected)
        assert found.probabilities is None


def test_probabilities_are_those_of_the_estimator(
    store: Any, store_site: Site, load_model: Load, rows: Batch
) -> None:
    model = load_model("models:/classifier@champion", store_site)
    found = model.predict(rows, rows.names, probabilities=True)
    raw = by_hand(store, "classifier", "1").get_raw_model()
    assert found.classes == (0, 1)
    assert found.probabilities is not None
    expected = raw.predict_proba(store.features)
    # The rows lie in memory in another order, which moves the last bit.
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-12)
    regressor = load_model("models:/regressor/1", store_site)
    without = regressor.predict(rows, rows.names, probabilities=True)
    assert (without.probabilities, without.classes) == (None, ())


def test_versions(store_site: Site, load_model: Load) -> None:
    import sklearn

    versions = load_model("models:/classifier/1", store_site).versions
    assert versions["mlflow"] == mlflow.__version__
    assert versions["scikit-learn"] == sklearn.__version__
    assert versions["python"] == "{}.{}.{}".format(*sys.version_info[:3])


def test_without_a_signature_it_gets_the_columns_it_is_given(
    store: Any, stores: Any, store_site: Site, load_model: Load, rows: Batch
) -> None:
    raw = LogisticRegression().fit(store.features, store.data["label"])
    stores.register(store, "unsigned", raw, signature=False)
    model = load_model("models:/unsigned/1", store_site)
    assert model.inputs is None
    found = model.predict(rows, FEATURES, probabilities=False)
    np.testing.assert_array_equal(found.values, raw.predict(store.features))
    with pytest.raises(ModelError, match="the model's predict raised ValueError: "):
        model.predict(rows, rows.names, probabilities=False)


def test_missing_columns_are_listed(
    store_site: Site, load_model: Load, open_data: Open
) -> None:
    (store_site.root / "narrow.csv").write_text("age,visits\n1.0,2.0\n")
    (batch,) = open_data("narrow.csv", store_site).batches()
    model = load_model("models:/classifier/1", store_site)
    with pytest.raises(ModelError) as caught:
        model.predict(batch, batch.names, probabilities=False)
    assert str(caught.value) == (
        "the data lacks columns that the model models:/classifier/1 asks for: income, "
        "score. Its columns: age, visits"
    )


def test_data_that_the_signature_refuses(
    store_site: Site, load_model: Load, open_data: Open
) -> None:
    path = store_site.root / "typed.csv"
    path.write_text("age,income,visits,score\nyoung,1.0,2.0,3.0\n")
    (batch,) = open_data("typed.csv", store_site).batches()
    model = load_model("models:/classifier/1", store_site)
    with pytest.raises(ModelError) as caught:
        model.predict(batch, batch.names, probabilities=False)
    # Which of the two it is differs between the versions of MLflow.
    assert "the model models:/classifier/1 refuses the data: " in str(
        caught.value
    ) or "the model's predict raised ValueError: " in str(caught.value)
    assert "\n" not in str(caught.value)


def gone(frame: pd.DataFrame) -> Any:
    return {}["gone"]  # type: ignore[index]


def not_today(frame: pd.DataFrame) -> Any:
    raise mlflow.exceptions.MlflowException("not today")


def with_reasons(frame: pd.DataFrame) -> Any:
    count = len(frame)
    return pd.DataFrame({"prediction": np.arange(count), "why": ["x"] * count})


@pytest.mark.parametrize(
    "function, message",
    [
        (gone, "the model's predict raised KeyError: 'gone' ("),
        (not_today, "the model's predict raised MlflowException: not today ("),
    ],
)
def test_a_model_that_raises_is_located(
    store: Any,
    stores: Any,
    store_site: Site,
    load_model: Load,
    rows: Batch,
    function: Any,
    message: str,
) -> None:
    custom = stores.python_model(function)
    stores.register(store, function.__name__, custom, signature=False)
    model = load_model(f"models:/{function.__name__}/1", store_site)
    with pytest.raises(ModelError) as caught:
        model.predict(rows, FEATURES, probabilities=True)
    assert str(caught.value).startswith(message)
    assert "test_mlflow_models.py:" in str(caught.value)


def test_a_model_of_the_projects_own(
    store: Any, stores: Any, store_site: Site, load_model: Load, rows: Batch
) -> None:
    custom = stores.python_model(with_reasons)
    stores.register(store, "custom", custom, signature=False)
    model = load_model("models:/custom/1", store_site)
    found = model.predict(rows, FEATURES, probabilities=True)
    np.testing.assert_array_equal(found.values, np.arange(rows.rows))
    assert found.probabilities is None


def test_a_model_logged_to_predict_probabilities(
    store: Any, stores: Any, store_site: Site, load_model: Load, rows: Batch
) -> None:
    names = np.where(store.data["label"] == 1, "yes", "no")
    raw = LogisticRegression().fit(store.features, names)
    stores.register(
        store, "soft", raw, signature=False, pyfunc_predict_fn="predict_proba"
    )
    found = load_model("models:/soft/1", store_site).predict(
        rows, FEATURES, probabilities=True
    )
    assert found.classes == ("no", "yes")
    assert list(found.values) == list(raw.predict(store.features))
    expected = raw.predict_proba(store.features)
    # The rows lie in memory in another order, which moves the last bit.
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-12)


# --- broken files ------------------------------------------------------------------


@pytest.fixture()
def folder(store: Any, tmp_path: Path) -> Tuple[Path, Path]:
    """A copy of a model's files, and the file that holds the estimator."""
    client = mlflow.MlflowClient(store.tracking_uri)
    uri = client.get_model_version_download_uri("classifier", "1")
    source = Path(uri.partition("file://")[2] or uri)
    copy = Path(shutil.copytree(source, tmp_path / "model"))
    (weights,) = copy.glob("model.*")
    return copy, weights


def loaded(model: Model) -> None:
    assert isinstance(model, Deferred)
    model.load()


def broken(load_model: Load, site: Site) -> str:
    with pytest.raises(ModelError) as caught:
        loaded(load_model("model", site))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_broken_estimator(
    site: Site, load_model: Load, folder: Tuple[Path, Path], content: Any
) -> None:
    if content is None:
        folder[1].unlink()
    else:
        folder[1].write_bytes(content)
    said = broken(load_model, site)
    assert said.startswith("the model model cannot be loaded: ")
    assert "MLmodel" not in said


@pytest.mark.parametrize("content", [b"", b"{", b"- 7"])
def test_a_broken_description(
    site: Site, load_model: Load, folder: Tuple[Path, Path], content: bytes
) -> None:
    (folder[0] / "MLmodel").write_bytes(content)
    said = broken(load_model, site)
    assert said.startswith("the model model cannot be loaded: its file MLmodel is ")


def test_no_description(
    site: Site, load_model: Load, folder: Tuple[Path, Path]
) -> None:
    (folder[0] / "MLmodel").unlink()
    said = broken(load_model, site)
    assert said == "the model model cannot be loaded: it has no file MLmodel"


def test_a_library_that_is_not_installed(
    site: Site, load_model: Load, folder: Tuple[Path, Path]
) -> None:
    path = folder[0] / "MLmodel"
    path.write_text(path.read_text().replace("mlflow.sklearn", "acme_boost.flavor"))
    said = broken(load_model, site)
    assert "needs the module 'acme_boost', which is not installed: pip install " in said
    assert "pip install acme_boost (" in said


def test_no_such_folder(site: Site, load_model: Load) -> None:
    with pytest.raises(ModelError) as caught:
        load_model("modles:/m/1".replace("modles:", "modles"), site)
    assert str(caught.value) == (
        f"the model folder modles/m/1 does not exist (in {site.root}); registered "
        "models are named like models:/name/7"
    )


def test_files_that_are_gone(
    store: Any, stores: Any, store_site: Site, load_model: Load
) -> None:
    raw = LinearRegression().fit(store.features, store.data["value"])
    logged = stores.register(store, "fileless", raw)
    shutil.rmtree(logged.folder)
    with pytest.raises(ModelError) as caught:
        load_model("models:/fileless/1", store_site)
    assert str(caught.value).startswith(
        "the files of the model models:/fileless/1 cannot be fetched: "
    )
