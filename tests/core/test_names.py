"""Names: unknown ones are told with the nearest known, double ones with both owners."""

from __future__ import annotations

import pytest

from pytest_mlops.core.registry import Registry
from pytest_mlops.core.suggestions import did_you_mean, unknown
from pytest_mlops.errors import ConfigurationError, MissingLibraryError, Problem


def test_the_nearest_name_is_offered_whatever_its_case():
    assert did_you_mean("Recal", ["recall", "f1"]) == " Did you mean 'recall'?"
    assert did_you_mean("zzz", ["recall", "f1"]) == ""


def test_an_unknown_name_comes_with_the_known_ones():
    assert unknown("metric", "AUC", ["roc_auc", "f1"]) == (
        "'AUC' is not a known metric. Did you mean 'roc_auc'? "
        "Known metrics: f1, roc_auc"
    )
    assert unknown("metric", "x", []) == "'x' is not a known metric."


def test_a_registry_refuses_to_overwrite_and_names_both_owners():
    registry = Registry("metric")
    registry.add("cost", 1, owner="acme")
    with pytest.raises(ConfigurationError, match="by acme and by other") as refused:
        registry.add("cost", 2, owner="other")
    assert "metric 'cost' is registered twice" in str(refused.value)
    assert registry["cost"] == 1
    assert registry.owner("cost") == "acme"
    assert list(registry) == ["cost"] and len(registry) == 1
    assert "Did you mean 'cost'?" in registry.unknown("costs")


def test_all_problems_of_a_file_are_told_by_section():
    error = ConfigurationError(
        [
            Problem("gates/m.toml", "gates.recall", "'rul' is not a known key."),
            Problem("gates/m.toml", "", "'model' is missing"),
            Problem("command line", "", "say which model"),
        ]
    )
    assert str(error) == (
        "2 problems in gates/m.toml\n"
        "  [gates.recall]\n"
        "    'rul' is not a known key.\n"
        "  'model' is missing\n"
        "1 problem in command line\n"
        "  say which model"
    )


def test_a_single_problem_is_a_single_line():
    error = ConfigurationError.one("no such file", source="gates/m.toml")
    assert str(error) == "gates/m.toml: no such file"


def test_a_missing_library_says_what_to_type():
    error = MissingLibraryError("pyarrow", "data", "reading Parquet")
    assert str(error) == (
        "reading Parquet needs pyarrow, which is not installed: "
        "pip install 'pytest-mlops[data]'"
    )
