"""Which loader takes which URI, and what a missing library says."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, List, Optional

import pytest

from pytest_mlops.core.sources import Site
from pytest_mlops.errors import MissingLibraryError
from pytest_mlops.integrations.builtin import data_loaders, model_loaders


def taken(loaders: List[Any], uri: str) -> Optional[str]:
    names = [x.name for x in loaders if x.accepts(uri, Site(Path("/nowhere")))]
    assert len(names) <= 1
    return names[0] if names else None


@pytest.mark.parametrize(
    "uri, data, model",
    [
        ("models:/m/7", None, "mlflow"),
        ("models:/m@champion", None, "mlflow"),
        ("runs:/abc/model", None, "mlflow"),
        ("data/validation.parquet", "file", "mlflow"),
        ("file:///data/x.csv", "file", "mlflow"),
        ("/data/x.csv", "file", "mlflow"),
        ("acme.data:load", "function", "callable"),
        ("acme:Models.best", "function", "callable"),
        ("s3://bucket/x.csv", None, None),
        ("https://example.org/x.csv", None, None),
        ("", None, None),
    ],
)
def test_each_uri_has_one_loader(
    uri: str, data: Optional[str], model: Optional[str]
) -> None:
    assert taken(data_loaders(), uri) == data
    assert taken(model_loaders(), uri) == model


def test_every_loader_accepts_its_example() -> None:
    for loaders in (data_loaders(), model_loaders()):
        for loader in loaders:
            assert taken(loaders, loader.example) == loader.name


@pytest.mark.parametrize(
    "library, module, uri, extra",
    [
        ("pyarrow", "data_files", "x.csv", "data"),
        ("pyarrow", "data_functions", "acme:load", "data"),
        ("mlflow", "mlflow_model", "models:/m/1", "mlflow"),
    ],
)
def test_a_missing_library_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, library: str, module: str, uri: str, extra: str
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == library or name.startswith(
            "pytest_mlops.integrations."
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    loader: Any = next(
        loader
        for loader in ([*model_loaders()] if extra == "mlflow" else [*data_loaders()])
        if loader.accepts(uri, Site(Path("/nowhere")))
    )
    act = loader.load if extra == "mlflow" else loader.open
    with pytest.raises(MissingLibraryError) as caught:
        act(uri, Site(Path("/nowhere")))
    assert f"{uri} needs {library}, which is not installed: " in str(caught.value)
    assert f"pip install 'pytest-mlops[{extra}]'" in str(caught.value)


def test_telemetry_is_off_unless_somebody_asked_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loader = model_loaders()[1]
    for before, after in ((None, "true"), ("false", "false")):
        monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
        if before is not None:
            monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", before)
        with pytest.raises(Exception, match="does not exist"):
            loader.load("no-such-folder", Site(tmp_path))
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == after
