"""Settling: for any history of an item, pytest's word and the checks' are the same."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.checks import Check, Policy, Waiver, blocks
from pytest_mlops.core.outcomes import OnInconclusive, Outcome
from pytest_mlops.workflow.settling import Ended, Phase, Recorder, settle

ID = "gates/test_m.py::test_it"
ended = st.sampled_from([Ended.PASSED, Ended.SKIPPED, Ended.ASSERTION, Ended.CRASH])
comparisons = st.lists(
    st.builds(
        Check,
        name=st.just(ID),
        node_id=st.just(ID),
        metric=st.sampled_from(["recall", "f1"]),
        rule=st.sampled_from([">= 0.5", ">= 0.9"]),
        outcome=st.sampled_from([Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE]),
        on_inconclusive=st.sampled_from(OnInconclusive),
    ),
    max_size=3,
)
phases = st.tuples(comparisons, ended, st.sampled_from(["", "assert <recall = 0>"]))


@given(st.tuples(phases, phases, phases), st.booleans())
def test_an_item_is_green_exactly_where_nothing_blocks(history, enforce):
    policy = Policy(enforce=enforce)
    recorder, green = Recorder(shown={"<recall = 0>"}), True
    for when, (checks, how, message) in zip(("setup", "call", "teardown"), history):
        if when == "call" and not green:
            continue  # pytest does not call what was not set up
        for check in checks:
            recorder.record(check)
        settlement = settle(recorder, Phase(ID, when, how, message), policy, ())
        green = green and how is Ended.PASSED and settlement.refused is None
    blocking = any(blocks(check, policy) for check in recorder.checks)
    if green:
        assert recorder.checks
        assert not blocking
    elif enforce and all(how is not Ended.SKIPPED for _, how, _ in history):
        assert blocking


@given(comparisons)
def test_equal_checks_are_kept_once(checks):
    recorder = Recorder()
    for check in [*checks, *checks]:
        recorder.record(check)
    identities = [check.identity for check in recorder.checks]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("when", ["setup", "teardown"])
@pytest.mark.parametrize("how", [Ended.ASSERTION, Ended.CRASH])
def test_what_fails_around_a_test_is_the_instruments(when, how):
    recorder = Recorder()
    settle(recorder, Phase(ID, when, how, "no disk\nat all"), Policy(), ())
    (check,) = recorder.checks
    assert (check.outcome, check.message) == (Outcome.ERROR, "no disk")


def test_a_failure_without_a_message_has_one():
    recorder = Recorder()
    settle(recorder, Phase(ID, "call", Ended.ASSERTION), Policy(), ())
    assert recorder.checks[0].message == "it failed without a message"


def test_a_waiver_forgives_an_assertion_and_not_what_else_blocks():
    waiver = Waiver(ID, "relabelling", "risk", date(2030, 1, 1))
    recorder = Recorder()
    settled = settle(
        recorder, Phase(ID, "call", Ended.ASSERTION, "x"), Policy(), [waiver]
    )
    assert settled.waived == "waived by risk until 2030-01-01"
    recorder.record(Check(name="other", node_id=ID, metric="f1", outcome=Outcome.FAIL))
    again = settle(
        recorder, Phase(ID, "call", Ended.ASSERTION, "x"), Policy(), [waiver]
    )
    assert again.waived is None


def test_a_comparison_that_turns_bad_while_tearing_down_is_noticed():
    good = Check(name=ID, node_id=ID, metric="f1", outcome=Outcome.PASS)
    recorder = Recorder()
    recorder.record(good)
    settle(recorder, Phase(ID, "call", Ended.PASSED), Policy(), ())
    recorder.record(Check(name=ID, node_id=ID, metric="f1", outcome=Outcome.FAIL))
    settled = settle(recorder, Phase(ID, "teardown", Ended.PASSED), Policy(), ())
    assert settled.refused is not None


def test_a_comparison_that_turned_good_again_has_failed_all_the_same():
    bad = Check(name=ID, node_id=ID, metric="f1", outcome=Outcome.FAIL)
    recorder = Recorder(shown={"<f1 = 0>"})
    recorder.record(bad)
    message = "assert <f1 = 0> >= 1"
    settle(recorder, Phase(ID, "call", Ended.ASSERTION, message), Policy(), ())
    recorder.record(Check(name=ID, node_id=ID, metric="f1", outcome=Outcome.PASS))
    settle(recorder, Phase(ID, "teardown", Ended.PASSED), Policy(), ())
    assert recorder.checks == [bad]
