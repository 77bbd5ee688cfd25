"""One check in one sentence: for failures, annotations and the verdict itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Tuple

import pytest

from pytest_mlops.core.checks import Check
from pytest_mlops.core.outcomes import OnInconclusive, Outcome
from pytest_mlops.reporting.sentences import check_message, reason_line

MakeCheck = Callable[..., Check]
NO_VALUE = {"value": None, "interval": None}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "recall is 0.81 [0.77, 0.845] on 412 rows; the rule is >= 0.75"),
        (
            {"value": 0.71, "interval": (0.66, 0.74), "outcome": Outcome.FAIL},
            "recall is 0.71 [0.66, 0.74] on 412 rows; the rule is >= 0.75; "
            "missed by 0.04",
        ),
        (
            {
                "value": 0.71,
                "interval": (0.66, 0.76),
                "outcome": Outcome.INCONCLUSIVE,
                "reason": "interval_straddles",
                "rows_needed": 1900,
            },
            "recall is 0.71 [0.66, 0.76] on 412 rows; the rule is >= 0.75; the "
            "interval reaches over the limit; about 1,900 rows would settle it",
        ),
        (
            {"reason": "within_margin", "margin": 0.02},
            "recall is 0.81 [0.77, 0.845] on 412 rows; the rule is >= 0.75; it keeps "
            "the rule, and the whole interval lies within the margin",
        ),
        (
            {"slice": {"region": "north", "age": 65}, "interval": None, "rows": 1},
            "recall for region = north, age = 65 is 0.81 on 1 row; the rule is >= 0.75",
        ),
        (
            {"baseline_value": 0.8, "rule": ">= baseline", "threshold": 0.8},
            "recall is 0.81 [0.77, 0.845] on 412 rows, the baseline's 0.8; the rule is "
            ">= baseline",
        ),
        (
            {
                **NO_VALUE,
                "rows": 0,
                "outcome": Outcome.INCONCLUSIVE,
                "reason": "undefined",
                "message": "no row is labelled 1",
            },
            "recall has no value on 0 rows: no row is labelled 1; the rule is >= 0.75",
        ),
        (
            {**NO_VALUE, "rows": None, "reason": "undefined"},
            "recall has no value: the metric is undefined on these rows; the rule is "
            ">= 0.75",
        ),
        (
            {
                **NO_VALUE,
                "rows": None,
                "rule": None,
                "outcome": Outcome.ERROR,
                "reason": "instrument",
                "message": "no token=abc here",
            },
            "recall could not be measured: no token=*** here",
        ),
        (
            {
                **NO_VALUE,
                "rows": None,
                "outcome": Outcome.FAIL,
                "reason": "baseline_missing",
                "message": "the alias 'champion' does not exist",
            },
            "recall has no value: the alias 'champion' does not exist; the rule is "
            ">= 0.75",
        ),
        (
            {**NO_VALUE, "rows": None, "rule": None},
            "recall has no value",
        ),
        ({"rule": None, "rows": None}, "recall is 0.81 [0.77, 0.845]"),
        (
            {"outcome": Outcome.INCONCLUSIVE, "reason": "a_new_code"},
            "recall is 0.81 [0.77, 0.845] on 412 rows; the rule is >= 0.75; a new code",
        ),
        (
            {"metric": None, "message": "AssertionError: assert 3 == 4"},
            "AssertionError: assert 3 == 4",
        ),
        ({"metric": None}, "recall: pass"),
    ],
)
def test_sentences(
    make_check: MakeCheck, changes: dict[str, Any], sentence: str
) -> None:
    assert check_message(make_check(**changes)) == sentence


def test_telling_it_again_changes_nothing(mixed: Tuple[Check, ...]) -> None:
    for check in mixed:
        told = replace(check, message=check_message(check))
        assert check_message(told) == told.message
        assert reason_line(told) == reason_line(check)


def test_a_waiver_is_named(make_check: MakeCheck) -> None:
    waived = {"reason": "known", "owner": "me", "expires": "2026-12-15"}
    check = make_check(outcome=Outcome.FAIL, value=0.7, waived=waived)
    assert check_message(check).endswith("; waived by me until 2026-12-15: known")
    missing = replace(check, value=None)
    assert check_message(missing).endswith("; waived by me until 2026-12-15: known")


@pytest.mark.parametrize(
    ("policy", "ending"),
    [
        (OnInconclusive.HOLD, "interval reaches over the limit"),
        (OnInconclusive.FAIL, "undecided fails here"),
        (OnInconclusive.WARN, "undecided only warns here"),
        (OnInconclusive.PASS, "undecided passes here"),
    ],
)
def test_what_an_undecided_check_does_is_said(
    make_check: MakeCheck, policy: OnInconclusive, ending: str
) -> None:
    check = make_check(
        outcome=Outcome.INCONCLUSIVE,
        reason="interval_straddles",
        on_inconclusive=policy,
    )
    assert reason_line(check).endswith(ending)


def test_a_failure_exactly_on_an_excluded_limit(make_check: MakeCheck) -> None:
    check = make_check(value=0.75, rule="> 0.75", outcome=Outcome.FAIL)
    assert reason_line(check) == "fail"
