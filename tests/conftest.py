"""What every test stands on: nobody's environment, and the demo, run once."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any, List, NamedTuple

# An in-process run of pytest forgets the modules that it imported, and numpy cannot be
# imported twice: so all that such runs need is here before the first.
import pandas  # noqa: F401
import pyarrow.csv  # noqa: F401
import pytest
import scipy.special  # noqa: F401
from hypothesis import settings

import pytest_mlops.plugin.session  # noqa: F401
from pytest_mlops.workflow.demo import run_demo

# How long an example takes depends on what else the machine is doing.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


class Demo(NamedTuple):
    """A demo that was run: where, what it returned, what it said."""

    folder: Path
    code: int
    said: List[str]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that steer pytest-mlops or MLflow must come from the test itself."""
    for name in os.environ:
        if name.startswith(("MLOPS_", "MLFLOW_", "GITHUB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def scripts() -> Path:
    """Where this interpreter's commands are, ``pytest-mlops`` among them."""
    return Path(sysconfig.get_path("scripts"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run in a folder of its own; do not change what is in there."""
    folder = tmp_path_factory.mktemp("demo") / "mlops-demo"
    said: List[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "100")
        code = run_demo(folder, lambda text: said.extend(text.split("\n")))
    return Demo(folder, code, said)


@pytest.fixture(scope="session")
def stores() -> ModuleType:
    """The module ``tests/support/mlflow_store.py``."""
    name = "mlflow_store_for_tests"
    spec = importlib.util.spec_from_file_location(
        name, Path(__file__).with_name("support") / "mlflow_store.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def store(stores: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store of models; add to it under names of your own, change nothing."""
    return stores.make_store(tmp_path_factory.mktemp("store"))
