"""Without a word about it, a registry that is down is given up within 15 seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mlops.core.sources import Site
from pytest_mlops.integrations.quiet import requests_within
from pytest_mlops.settings.project import read_project
from pytest_mlops.settings.values import Project


def test_the_default_is_15_seconds_wherever_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest_mlops]\n")
    assert read_project(tmp_path).registry_timeout == 15
    assert Project().registry_timeout == 15
    assert Site(tmp_path).registry_timeout == 15


def test_all_attempts_and_the_pauses_between_them_fit_into_it() -> None:
    settings = requests_within(Project().registry_timeout)
    retries = int(settings["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
    attempts = (1 + retries) * int(settings["MLFLOW_HTTP_REQUEST_TIMEOUT"])
    factor = float(settings["MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"])
    jitter = float(settings["MLFLOW_HTTP_REQUEST_BACKOFF_JITTER"])
    retry = pytest.importorskip("urllib3").Retry(total=retries, backoff_factor=factor)
    pauses = 0.0
    for _ in range(retries):
        retry = retry.increment(error=OSError())
        pauses += retry.get_backoff_time() + jitter
    assert retries > 0
    assert 0 < attempts + pauses <= 15
