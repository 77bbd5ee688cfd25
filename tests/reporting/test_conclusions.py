"""The line that says what a run came to, and the one that ends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable

import pytest

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.outcomes import Action, Decide, OnInconclusive, Outcome
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.conclusion import closing_line, conclusion, policy_words

MakeCheck = Callable[..., Check]
MakeVerdict = Callable[..., Verdict]


@pytest.fixture
def failed(make_check: MakeCheck) -> Check:
    return make_check(outcome=Outcome.FAIL, value=0.7)


@pytest.fixture
def undecided(make_check: MakeCheck) -> Check:
    return make_check(outcome=Outcome.INCONCLUSIVE)


@pytest.fixture
def broken(make_check: MakeCheck) -> Check:
    return make_check(outcome=Outcome.ERROR, value=None)


def test_promote(make_verdict: MakeVerdict, make_check: MakeCheck) -> None:
    assert conclusion(make_verdict(make_check(), make_check())) == (
        "PROMOTE: every gate passed (2 of 2): this model may be promoted."
    )


def test_block(make_verdict: MakeVerdict, failed: Check, make_check: MakeCheck) -> None:
    assert conclusion(make_verdict(failed, failed, make_check())) == (
        "BLOCK: 2 of 3 gates failed: this model must not be promoted."
    )


def test_hold(make_verdict: MakeVerdict, undecided: Check, broken: Check) -> None:
    assert conclusion(make_verdict(undecided)) == (
        "HOLD: 1 of 1 gate is undecided: nothing is decided."
    )
    assert conclusion(make_verdict(undecided, undecided, broken)) == (
        "HOLD: 1 of 3 gates could not be measured, 2 are undecided: nothing is decided."
    )


def test_undecided_that_fails(make_verdict: MakeVerdict, undecided: Check) -> None:
    check = replace(undecided, on_inconclusive=OnInconclusive.FAIL)
    assert conclusion(make_verdict(check)) == (
        "BLOCK: 1 of 1 gate is undecided (fails): this model must not be promoted."
    )


def test_promoted_although(
    make_verdict: MakeVerdict, failed: Check, make_check: MakeCheck
) -> None:
    waived = replace(failed, waived={"reason": "", "owner": "", "expires": ""})
    assert conclusion(make_verdict(make_check(), waived, waived)) == (
        "PROMOTE: 2 of 3 gates are waived: this model may be promoted."
    )
    assert conclusion(make_verdict(failed, policy=Policy(enforce=False))) == (
        "PROMOTE: 1 of 1 gate failed: nothing is enforced here (enforce = false), so "
        "the model may go on."
    )


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            Action.ROLL_BACK,
            "ROLL BACK: 1 of 1 gate failed: the last good revision must",
        ),
        (Action.RETRAIN, "RETRAIN: 1 of 1 gate failed: a new model must be trained."),
        (Action.KEEP, "KEEP: 1 of 1 gate failed: what runs may stay."),
    ],
)
def test_other_actions(
    make_verdict: MakeVerdict, failed: Check, action: Action, words: str
) -> None:
    assert conclusion(make_verdict(failed, action=action)).startswith(words)


def test_closing_lines(
    make_verdict: MakeVerdict, failed: Check, make_check: MakeCheck
) -> None:
    assert closing_line(make_verdict(failed), 7, 7) == (
        "pytest-mlops: FAIL, block (exit 1)"
    )
    assert closing_line(make_verdict(failed, action=Action.ROLL_BACK), 7, 7) == (
        "pytest-mlops: FAIL, roll back (exit 1)"
    )
    assert closing_line(make_verdict(make_check(), partial=True), 3, 3) == (
        "pytest-mlops: PASS, hold (exit 0), partial: not all gates ran; a partial run "
        "never promotes"
    )
    assert closing_line(make_verdict(make_check(), partial=True), 3, 7) == (
        "pytest-mlops: PASS, hold (exit 0), partial: 3 of 7 gates ran; a partial run "
        "never promotes"
    )


@pytest.mark.parametrize(
    ("policy", "environment", "words"),
    [
        (
            Policy(decide=Decide.CONFIDENT, confidence=0.999, margin=0.02),
            "production",
            "production: decided by 99.9 % intervals, undecided holds, margin 0.02",
        ),
        (
            Policy(on_inconclusive=OnInconclusive.WARN, enforce=False),
            None,
            "no environment: decided by the value alone, undecided only warns, nothing "
            "is enforced",
        ),
    ],
)
def test_the_policy_in_words(
    make_verdict: MakeVerdict, policy: Policy, environment: str | None, words: str
) -> None:
    assert policy_words(make_verdict(policy=policy, environment=environment)) == words
