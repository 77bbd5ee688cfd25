"""Options: declared once, resolved by precedence, found when typed with a blank."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.settings.options import OPTIONS, space_separated
from pytest_mlops.settings.resolution import resolve_options, tracking_setting
from pytest_mlops.settings.values import Options, Project, Setting

ROOT = Path("/project")


def test_the_flags_and_variables() -> None:
    assert [(o.name, *o.flags, o.variable) for o in OPTIONS] == [
        ("model_uri", "--model-uri", "--mlops-model-uri", "MLOPS_MODEL_URI"),
        (
            "baseline_uri",
            "--baseline-uri",
            "--mlops-baseline-uri",
            "MLOPS_BASELINE_URI",
        ),
        ("gates", "--gates", "--mlops-gates", "MLOPS_GATES"),
        ("env", "--env", "--mlops-env", "MLOPS_ENV"),
        ("data", "--data", "--mlops-data", "MLOPS_DATA"),
        ("reference", "--reference", "--mlops-reference", "MLOPS_REFERENCE"),
        ("verdict", "--verdict", "--mlops-verdict", "MLOPS_VERDICT"),
        ("config", "--mlops-config", "MLOPS_CONFIG"),
        (
            "tracking_uri",
            "--tracking-uri",
            "--mlops-tracking-uri",
            "MLFLOW_TRACKING_URI",
        ),
        (
            "no_evidence_cache",
            "--no-evidence-cache",
            "--mlops-no-evidence-cache",
            "MLOPS_NO_EVIDENCE_CACHE",
        ),
    ]
    assert {option.dest for option in OPTIONS} == {f"mlops_{o.name}" for o in OPTIONS}
    assert all(option.help for option in OPTIONS)
    flags = [option.name for option in OPTIONS if option.metavar is None]
    assert flags == ["no_evidence_cache"]


def test_declaring_options_imports_next_to_nothing() -> None:
    # A module of its own process: this one has long imported everything.
    code = (
        "import sys, dataclasses, typing, __future__; before = set(sys.modules); "
        "import pytest_mlops.settings.options; "
        "print(*sorted(set(sys.modules) - before))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split() == [
        "pytest_mlops",
        "pytest_mlops.settings",
        "pytest_mlops.settings.options",
    ]


def test_nothing_is_given() -> None:
    options = resolve_options({}, {}, cwd=ROOT, root=ROOT)
    assert options == Options(
        settings=tuple(Setting(option.name, None, "default") for option in OPTIONS)
    )


def test_everything_is_typed() -> None:
    typed = {option.name: f"v-{option.name}" for option in OPTIONS}
    environ = {option.variable: "unused" for option in OPTIONS}
    options = resolve_options(typed, environ, cwd=ROOT / "sub", root=ROOT)
    assert options == Options(
        model_uri="v-model_uri",
        baseline_uri="v-baseline_uri",
        gates="v-gates",
        environment="v-env",
        data="v-data",
        reference="v-reference",
        verdict=ROOT / "sub" / "v-verdict",
        config_file=ROOT / "sub" / "v-config",
        tracking_uri="v-tracking_uri",
        no_evidence_cache=True,
        settings=tuple(
            Setting(option.name, f"v-{option.name}", "command line")
            for option in OPTIONS
        ),
    )


@pytest.mark.parametrize(
    ("typed", "variable", "value", "origin"),
    [
        ("a", "b", "a", "command line"),
        ("", "b", "b", "MLOPS_ENV"),
        (None, "b", "b", "MLOPS_ENV"),
        (None, "", None, "default"),
        ("", None, None, "default"),
    ],
)
def test_the_command_line_comes_before_the_environment(
    typed: str, variable: str, value: str, origin: str
) -> None:
    environ = {} if variable is None else {"MLOPS_ENV": variable}
    options = resolve_options({"env": typed}, environ, cwd=ROOT, root=ROOT)
    assert options.environment == value
    assert Setting("env", value, origin) in options.settings


@pytest.mark.parametrize(
    ("typed", "variable", "on"),
    [
        ("true", None, True),
        ("true", "0", True),
        (None, "1", True),
        (None, "False", False),
        (None, "", False),
        (None, None, False),
    ],
)
def test_a_flag_is_on_unless_its_variable_says_no(
    typed: str, variable: str, on: bool
) -> None:
    environ = {} if variable is None else {"MLOPS_NO_EVIDENCE_CACHE": variable}
    given = {"no_evidence_cache": typed}
    options = resolve_options(given, environ, cwd=ROOT, root=ROOT)
    assert options.no_evidence_cache is on


def test_what_is_typed_starts_where_one_is(tmp_path: Path) -> None:
    here = tmp_path / "sub"
    here.mkdir()
    (here / "rows.csv").touch()
    typed = {"data": "rows.csv", "model_uri": "models:/m@a", "baseline_uri": "none"}
    away = resolve_options(typed, {}, cwd=here, root=tmp_path)
    assert away.data == str(here / "rows.csv")
    assert (away.model_uri, away.baseline_uri) == ("models:/m@a", "none")
    assert Setting("data", "rows.csv", "command line") in away.settings
    assert resolve_options(typed, {}, cwd=here, root=here).data == "rows.csv"


@pytest.mark.parametrize(
    ("environ", "project", "value", "origin"),
    [
        ({}, Project(), None, "default"),
        (
            {},
            Project(ROOT / "pyproject.toml", "http://project"),
            "http://project",
            "pyproject.toml",
        ),
        (
            {"MLFLOW_TRACKING_URI": "http://environment"},
            Project(ROOT / "pyproject.toml", "http://project"),
            "http://environment",
            "MLFLOW_TRACKING_URI",
        ),
        ({}, Project(None, "http://made-up"), "http://made-up", "default"),
    ],
)
def test_the_registry_that_holds(
    environ: Dict[str, str], project: Project, value: str, origin: str
) -> None:
    options = resolve_options({}, environ, cwd=ROOT, root=ROOT)
    expected = Setting("tracking_uri", value, origin)
    assert tracking_setting(options, project, ROOT) == expected


@pytest.mark.parametrize(
    ("args", "corrected"),
    [
        ("-m gates --data=x.csv tests", ""),
        ("-m gates --data x.csv tests", "-m gates --data=x.csv tests"),
        ("--mlops-data /a/x.csv -q", "--mlops-data=/a/x.csv -q"),
        (
            "--data x --verdict v.json --env=e",
            "--data=x --verdict=v.json --env=e",
        ),
        ("--data x -- --data y", "--data=x -- --data y"),
        ("-- --data y", ""),
        ("--no-evidence-cache --data=x tests", ""),
        ("-q --data", ""),
        ("", ""),
    ],
)
def test_values_after_a_blank(args: str, corrected: str) -> None:
    assert space_separated(args.split()) == tuple(corrected.split())


WORDS = st.sampled_from(["-q", "--", "tests", "--data=x", "--data", "--env", "x"])


@given(st.lists(WORDS))
def test_corrected_words_need_no_correction(words: Sequence[str]) -> None:
    corrected = space_separated(words)
    told = " ".join(corrected or words)
    assert told.replace("=", " ") == " ".join(words).replace("=", " ")
    assert space_separated(corrected) == ()
