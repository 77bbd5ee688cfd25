"""What follows from checks: the run's outcome, its action and its exit code."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.checks import Check, Policy, Waiver, blocks, with_waiver
from pytest_mlops.core.outcomes import Action, Decide, OnInconclusive, Outcome
from pytest_mlops.core.sources import Subject
from pytest_mlops.core.verdicts import Conclusion, Verdict

outcomes = st.sampled_from(Outcome)
checks = st.builds(
    Check,
    name=st.sampled_from(["a", "b", "c"]),
    node_id=st.just("gates/m.toml::a"),
    outcome=outcomes,
    on_inconclusive=st.sampled_from(OnInconclusive),
    waived=st.sampled_from([None, {"owner": "x", "reason": "y", "expires": "z"}]),
)
policies = st.builds(
    Policy,
    decide=st.sampled_from(Decide),
    on_inconclusive=st.sampled_from(OnInconclusive),
    enforce=st.booleans(),
)


def check(outcome, **more):
    return Check(name="recall", node_id="gates/m.toml::recall", outcome=outcome, **more)


@pytest.mark.parametrize(
    ("found", "outcome", "action", "code"),
    [
        ([], Outcome.ERROR, Action.HOLD, 12),
        ([check(Outcome.PASS)], Outcome.PASS, Action.PROMOTE, 0),
        ([check(Outcome.FAIL)], Outcome.FAIL, Action.BLOCK, 1),
        ([check(Outcome.ERROR)], Outcome.ERROR, Action.HOLD, 12),
        ([check(Outcome.INCONCLUSIVE)], Outcome.INCONCLUSIVE, Action.HOLD, 12),
        (
            [check(Outcome.FAIL), check(Outcome.ERROR)],
            Outcome.FAIL,
            Action.BLOCK,
            1,
        ),
        (
            [check(Outcome.FAIL, on_fail=Action.ROLL_BACK), check(Outcome.ERROR)],
            Outcome.FAIL,
            Action.ROLL_BACK,
            1,
        ),
        (
            [check(Outcome.ERROR, on_fail=Action.ROLL_BACK)],
            Outcome.ERROR,
            Action.HOLD,
            12,
        ),
    ],
)
def test_the_gravest_check_decides(found, outcome, action, code):
    assert Conclusion.of(found, Policy(), partial=False) == Conclusion(
        outcome, action, code
    )


@pytest.mark.parametrize(
    ("policy", "action", "code"),
    [
        (OnInconclusive.HOLD, Action.HOLD, 12),
        (OnInconclusive.FAIL, Action.BLOCK, 1),
        (OnInconclusive.WARN, Action.PROMOTE, 0),
        (OnInconclusive.PASS, Action.PROMOTE, 0),
    ],
)
def test_an_undecided_check_does_what_its_policy_says(policy, action, code):
    found = [check(Outcome.INCONCLUSIVE, on_inconclusive=policy)]
    assert Conclusion.of(found, Policy(), partial=False) == Conclusion(
        Outcome.INCONCLUSIVE, action, code
    )


@given(st.lists(checks), policies)
def test_a_partial_run_never_acts(found, policy):
    assert Conclusion.of(found, policy, partial=True).action is Action.HOLD


@given(st.lists(checks, min_size=1), policies)
def test_promotion_exit_code_and_blocking_agree(found, policy):
    stopped = any(blocks(one, policy) for one in found)
    conclusion = Conclusion.of(found, policy, partial=False)
    unmeasured = conclusion.outcome is Outcome.ERROR
    assert (conclusion.action is Action.PROMOTE) != (stopped or unmeasured)
    assert (conclusion.exit_code == 0) != stopped


@given(st.lists(checks, min_size=1))
def test_nothing_blocks_where_nothing_is_enforced(found):
    assert Conclusion.of(found, Policy(enforce=False), partial=False).exit_code == 0


@given(st.lists(checks), policies)
def test_an_instrument_alone_never_rolls_back(found, policy):
    errors = [replace(one, on_fail=Action.ROLL_BACK) for one in found]
    errors = [one for one in errors if one.outcome is not Outcome.FAIL]
    kept = [one for one in errors if one.on_inconclusive is not OnInconclusive.FAIL]
    conclusion = Conclusion.of(kept, policy, partial=False)
    assert conclusion.action is not Action.ROLL_BACK


@given(checks)
def test_only_what_failed_or_is_open_is_waived(found):
    waiver = Waiver(found.name, "relabelling", "risk", date(2030, 1, 1))
    bare = replace(found, waived=None)
    waived = with_waiver(bare, [waiver]).waived is not None
    assert waived == (found.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE))


def test_a_waiver_covers_its_check_and_slice_alone():
    waiver = Waiver("recall", "relabelling", "risk", date(2030, 1, 1), {"r": "north"})
    assert waiver.covers(check(Outcome.FAIL, slice={"r": "north"}))
    assert not waiver.covers(check(Outcome.FAIL, slice={"r": "south"}))
    assert not waiver.covers(check(Outcome.FAIL))
    assert waiver.to_json()["expires"] == "2030-01-01"


@given(st.lists(checks, max_size=3), policies)
def test_a_verdict_survives_its_json(found, policy):
    conclusion = Conclusion.of(found, policy, partial=False)
    verdict = Verdict(
        outcome=conclusion.outcome,
        action=conclusion.action,
        exit_code=conclusion.exit_code,
        created="2026-11-23T10:00:00Z",
        checks=tuple(replace(one, interval=(0.1, 0.2)) for one in found),
        policy=policy,
        subject=Subject("models:/m@candidate", "models:/m/7", "sha256:00"),
        evidence=({"key": "k", "tables": {"s": {"file": "f"}, "t": {}}},),
    )
    assert Verdict.from_json({**verdict.to_json(), "unknown": 1}) == verdict
    assert verdict.side_files == ("f",)
    assert verdict.ended_with(7).exit_code == 7
    assert verdict.unwritten().action is Action.HOLD
    assert verdict.unwritten().exit_code != 0
