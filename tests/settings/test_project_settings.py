"""The project's table, and the environment that a run judges for."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional, Sequence

import pytest

from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.project import choose_environment, read_project
from pytest_mlops.settings.values import Environment, Project

FULL = """
[tool.pytest_mlops]
tracking_uri = "http://${HOST}:${PORT}/${HOST}"
registry_timeout = 3
[tool.pytest_mlops.environments.local]
default = true
[tool.pytest_mlops.environments.staging]
"""


def written(folder: Path, text: str, name: str = "pyproject.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def refusal(
    root: Path,
    config: Optional[Path] = None,
    environ: Optional[Dict[str, str]] = None,
) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_project(root, config, environ=environ or {})
    return str(caught.value)


def test_all_of_it(tmp_path: Path) -> None:
    root = written(tmp_path, FULL)
    project = read_project(root, environ={"HOST": "h", "PORT": "5000"})
    assert project == Project(
        source=tmp_path / "pyproject.toml",
        tracking_uri="http://h:5000/h",
        registry_timeout=3.0,
        environments={
            "local": Environment("local", default=True),
            "staging": Environment("staging"),
        },
    )
    assert list(project.environments) == ["local", "staging"]


@pytest.mark.parametrize("text", [None, "", "[tool.black]", "tool = 3"])
def test_nothing_is_configured(tmp_path: Path, text: Optional[str]) -> None:
    if text is not None:
        written(tmp_path, text)
    assert read_project(tmp_path) == Project()


def test_the_environment_of_the_process_counts_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY", "sqlite:///x.db")
    root = written(tmp_path, '[tool.pytest_mlops]\ntracking_uri = "${REGISTRY}"')
    assert read_project(root).tracking_uri == "sqlite:///x.db"


@pytest.mark.parametrize("absolute", [True, False])
def test_another_file_takes_the_place(tmp_path: Path, absolute: bool) -> None:
    written(tmp_path, FULL)
    written(tmp_path, "registry_timeout = 7\n[environments.ci]", "other.toml")
    path = tmp_path / "other.toml" if absolute else Path("other.toml")
    assert read_project(tmp_path, path, environ={}) == Project(
        source=tmp_path / "other.toml",
        registry_timeout=7.0,
        environments={"ci": Environment("ci")},
    )


def test_another_file_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path, Path("other.toml")) == (
        "other.toml: cannot be read: No such file or directory"
    )


def test_problems_of_another_file_have_no_prefix(tmp_path: Path) -> None:
    written(tmp_path, "[environments.ci]\ndefalt = true", "other.toml")
    assert refusal(tmp_path, Path("other.toml")) == (
        "1 problem in other.toml\n"
        "  [environments.ci]\n"
        "    'defalt' is not a known key. Did you mean 'default'? Known keys: default"
    )


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = """
[tool.pytest-mlops]
[tool.pytest_mlops]
tracking_url = "x"
tracking_uri = "${HOST}/${SECRET}/${HOST}/${MY-VAR}"
registry_timeout = 0
[tool.pytest_mlops.environments]
ci = 3
[tool.pytest_mlops.environments.local]
default = true
[tool.pytest_mlops.environments.staging]
default = true
[tool.pytest_mlops.environments.production]
default = "no"
"""
    assert refusal(written(tmp_path, text), environ={"SECRET": "", "HOST": "h"}) == (
        "8 problems in pyproject.toml\n"
        "  [tool.pytest-mlops]\n"
        "    is not read: the table is called [tool.pytest_mlops]\n"
        "  [tool.pytest_mlops]\n"
        "    'tracking_url' is not a known key. Did you mean 'tracking_uri'? "
        "Known keys: environments, evidence_cache_mb, registry_timeout, tracking_uri\n"
        "    'registry_timeout' must be a number of seconds above 0, got 0\n"
        "    'tracking_uri' names the environment variable 'SECRET', which is not set\n"
        "    'tracking_uri' names the environment variable 'MY-VAR', which is not set\n"
        "  [tool.pytest_mlops.environments]\n"
        "    'ci' must be a table, got 3\n"
        "    only one can be the default, not local and staging\n"
        "  [tool.pytest_mlops.environments.production]\n"
        "    'default' must be true or false, got 'no'"
    )


def test_the_table_is_no_table(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, "[tool]\npytest_mlops = []")) == (
        "1 problem in pyproject.toml\n"
        "  [tool]\n"
        "    'pytest_mlops' must be a table, got an array"
    )


DECLARED = Project(
    environments={
        "staging": Environment("staging", default=True),
        "production": Environment("production"),
    }
)


@pytest.mark.parametrize(
    ("project", "requested", "sections", "chosen"),
    [
        (DECLARED, None, (), "staging"),
        (DECLARED, "production", (), "production"),
        (DECLARED, "staging", ("production",), "staging"),
        (Project(), None, ("ci",), None),
        (Project(), "ci", ("ci",), "ci"),
        (Project(environments={"a": Environment("a")}), None, (), None),
    ],
)
def test_the_environment_that_is_meant(
    project: Project,
    requested: Optional[str],
    sections: Sequence[str],
    chosen: Optional[str],
) -> None:
    assert choose_environment(project, requested, sections) == chosen


@pytest.mark.parametrize(
    ("project", "requested", "sections", "message"),
    [
        (
            DECLARED,
            "prodction",
            (),
            "--env: 'prodction' is not a known environment. Did you mean "
            "'production'? Known environments: production, staging",
        ),
        (
            DECLARED,
            "ci",
            ("ci",),
            "--env: 'ci' is not a known environment. Known environments: production, "
            "staging",
        ),
        (
            Project(),
            "c",
            ("ci",),
            "--env: 'c' is not a known environment. Did you mean 'ci'? Known "
            "environments: ci",
        ),
        (
            Project(),
            "ci",
            (),
            "--env: 'ci' is not a known environment. None is declared: add "
            "[tool.pytest_mlops.environments.ci] to pyproject.toml, or "
            "[environments.ci] to the gates file",
        ),
    ],
)
def test_an_environment_that_nobody_declares(
    project: Project, requested: str, sections: Sequence[str], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_environment(project, requested, sections)
    assert str(caught.value) == message
