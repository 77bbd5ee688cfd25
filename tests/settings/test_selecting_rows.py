"""``where``, ``by``, ``bins`` and ``min_rows`` of a gate, as they are read."""

from __future__ import annotations

from typing import Callable

import pytest

from pytest_mlops.core.outcomes import OnInconclusive
from pytest_mlops.core.selection import Selection
from pytest_mlops.settings.values import Gate, GatesFile

FILE = """
model = "m"
task = "classification"
on_inconclusive = "fail"
[data]
uri = "u"
target = "t"
positive = 1
[gates]
"""

Read = Callable[..., GatesFile]
Refused = Callable[[str], str]


@pytest.fixture
def gate(read: Read) -> Callable[[str], Gate]:
    def one(keys: str) -> Gate:
        text = f"{FILE}g = {{ metric = 'recall', rule = '>= 0.7', {keys} }}"
        (found,) = read(text).gates
        return found

    return one


def test_a_condition_is_kept_in_its_one_spelling(gate: Callable[[str], Gate]) -> None:
    spellings = ["where = 'age>=65 and not (x = 1)'", "where='age >= 65 AND NOT x==1'"]
    first, second = (gate(keys).selection for keys in spellings)
    assert first == second
    assert Selection.of(first.key) == first


def test_slices_only_warn_when_undecided_unless_the_gate_says_otherwise(
    gate: Callable[[str], Gate],
) -> None:
    assert gate("where = 'age > 1'").on_inconclusive is OnInconclusive.FAIL
    assert gate("by = ['a']").on_inconclusive is OnInconclusive.WARN
    own = gate("by = ['a'], on_inconclusive = 'hold'")
    assert own.on_inconclusive is OnInconclusive.HOLD


def test_bins_and_rows_arrive(gate: Callable[[str], Gate]) -> None:
    found = gate("by = ['age', 'sex'], bins = { age = [18, 65.5] }, min_rows = 200")
    assert found.min_rows == 200
    assert found.selection == Selection(None, ("age", "sex"), (("age", (18, 65.5)),))
    assert Selection.of(found.selection.key) == found.selection


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("by = 'region'", "'by' must be an array of different column names"),
        ("by = []", "'by' must be an array of different column names"),
        ("by = ['a', 'a']", "'by' must be an array of different column names"),
        ("by = ['a', 3]", "'by' must be an array of different column names"),
        ("by = ['age'], bins = { age = [3, 1] }", "'bins' must be a table of asc"),
        ("by = ['age'], bins = { age = [] }", "'bins' must be a table of asc"),
        ("by = ['age'], bins = { age = ['x'] }", "'bins' must be a table of asc"),
        ("by = ['age'], bins = { ag = [3] }", "'bins': 'ag' is not a known column"),
        ("by = ['age'], bins = { ag = [3] }", "Did you mean 'age'?"),
        ("min_rows = 3", "'min_rows' needs 'by' or 'where' beside it"),
        ("by = ['a'], min_rows = -1", "'min_rows' must be a whole number"),
        ("by = ['a'], min_rows = 1.5", "'min_rows' must be a whole number"),
        ("by = ['a'], min_rows = true", "'min_rows' must be a whole number"),
        ("where = 'age >='", "'where': "),
        ("where = '__import__(1)'", "'where': "),
    ],
)
def test_what_cannot_choose_rows_is_refused(
    keys: str, words: str, refused: Refused
) -> None:
    text = f"{FILE}g = {{ metric = 'recall', rule = '>= 0.7', {keys} }}"
    assert words in refused(text)


def test_an_environment_that_needs_more_rows_is_looser(read: Read) -> None:
    gate = "g = { metric = 'recall', rule = '>= 0.7', by = ['a'], min_rows = 10 }\n"
    more = "[environments.production]\ngates.g = { min_rows = 20 }"
    found = read(FILE + gate + more, environment="production")
    assert any("min_rows = 20 instead of 10" in line for line in found.warnings)


def test_a_waiver_of_a_slice_names_columns_of_the_gate(refused: Refused) -> None:
    gate = "g = { metric = 'recall', rule = '>= 0.7', by = ['region'] }\n"
    waiver = (
        "[[waivers]]\ncheck = 'g'\nslice = { regio = 'north' }\n"
        "reason = 'r'\nowner = 'o'\nexpires = 2099-01-01\n"
    )
    assert "the gate 'g' has no slices by 'regio'" in refused(FILE + gate + waiver)


def test_a_margin_as_wide_as_the_metric_is_refused(
    read: Read, refused: Refused
) -> None:
    wide = f"{FILE}g = {{ metric = 'recall', rule = '>= 0.7', margin = 1 }}"
    assert "'margin' is as wide as the whole range of recall (0 to 1), got 1" in (
        refused(wide)
    )
    assert read(wide.replace("margin = 1", "margin = 0.99")).gates
