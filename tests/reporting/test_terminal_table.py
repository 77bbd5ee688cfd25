"""What a person reads at the end of a run, to the letter."""

from __future__ import annotations

import textwrap
from typing import Any, Callable, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.outcomes import Outcome
from pytest_mlops.core.sources import Subject
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.page import text_of
from pytest_mlops.reporting.table import render_run

MakeCheck = Callable[..., Check]
MakeVerdict = Callable[..., Verdict]


def rendered(verdict: Verdict, **options: Any) -> str:
    """The lines as one text."""
    told = {"width": 80, **options}
    return "\n".join(text_of(line) for line in render_run(verdict, **told))


def block(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_all_kinds_of_checks_at_80_columns(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...]
) -> None:
    assert rendered(make_verdict(*mixed)) == block("""
        model   models:/m@candidate → models:/m/7 (sha256:0123456789ab)
        data    data/validation.parquet, 5,000 rows, target label, positive 1
        policy  production: decided by 95 % intervals, undecided holds
        gates   gates/m.toml (sha256:abababababab)

        gate       value      95 % interval    rule     rows  outcome
        accuracy   0.8712     [0.861, 0.8808]  ≥ 0.75  5,000  PASS
        recall     0.71       [0.66, 0.76]     ≥ 0.75    412  INCONCLUSIVE *
        cost       1.25       —                ≤ 1.2   5,000  FAIL, waived
        f1         0.7499999  [0.72, 0.74999]  ≥ 0.75    412  FAIL
        roc_auc    —          —                ≥ 0.75      —  ERROR
        precision  —          —                ≥ 0.75      0  INCONCLUSIVE

        recall: the interval reaches over the limit; about 1,900 rows would settle it
        recall: * few rows (low_support)
        cost: missed by 0.05; waived by risk-team until 2026-12-15: relabelling until
          December
        f1: missed by 1e-07
        roc_auc: could not be measured: the model has no probabilities
        precision: has no value on 0 rows: no row is predicted 1; undecided only warns
          here

        BLOCK: 1 of 6 gates failed, 1 could not be measured, 1 is undecided, 1 is
        undecided (only warns), 1 is waived: this model must not be promoted.
        """)


def test_a_narrow_terminal_without_unicode_stacks_the_checks(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...]
) -> None:
    shown = rendered(make_verdict(*mixed), width=48, unicode=False)
    assert shown == block("""
        model   models:/m@candidate -> models:/m/7
                (sha256:0123456789ab)
        data    data/validation.parquet, 5,000 rows,
                target label, positive 1
        policy  production: decided by 95 % intervals,
                undecided holds
        gates   gates/m.toml (sha256:abababababab)

        PASS            accuracy
          0.8712 [0.861, 0.8808], rule >= 0.75, 5,000
          rows
        INCONCLUSIVE *  recall
          0.71 [0.66, 0.76], rule >= 0.75, 412 rows
        FAIL, waived    cost
          1.25, rule <= 1.2, 5,000 rows
        FAIL            f1
          0.7499999 [0.72, 0.74999], rule >= 0.75, 412
          rows
        ERROR           roc_auc
          rule >= 0.75
        INCONCLUSIVE    precision
          rule >= 0.75, 0 rows

        recall: the interval reaches over the limit;
          about 1,900 rows would settle it
        recall: * few rows (low_support)
        cost: missed by 0.05; waived by risk-team until
          2026-12-15: relabelling until December
        f1: missed by 1e-07
        roc_auc: could not be measured: the model has no
          probabilities
        precision: has no value on 0 rows: no row is
          predicted 1; undecided only warns here

        BLOCK: 1 of 6 gates failed, 1 could not be
        measured, 1 is undecided, 1 is undecided (only
        warns), 1 is waived: this model must not be
        promoted.
        """)


def test_everything_passed_and_nothing_more_is_said(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    verdict = make_verdict(
        make_check(interval=None),
        policy=Policy(),
        environment=None,
        subject=Subject("models:/m/7", "models:/m/7"),
        gates_file=None,
        gates_digest=None,
        evidence=(),
    )
    assert rendered(verdict) == block("""
        model   models:/m/7
        policy  no environment: decided by the value alone, undecided holds

        gate    value  rule    rows  outcome
        recall  0.81   ≥ 0.75   412  PASS

        PROMOTE: every gate passed (1 of 1): this model may be promoted.
        """)


def test_a_baseline_brings_its_columns(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    beside = make_check(
        "not_worse",
        metric="f1",
        estimand="difference",
        rule=">= baseline - 0.01",
        value=0.8,
        interval=None,
        baseline_value=0.82,
        difference=-0.02,
        threshold=0.81,
        outcome=Outcome.FAIL,
    )
    better = make_check("f1", baseline_value=0.8, difference=0.01, interval=None)
    verdict = make_verdict(
        beside,
        better,
        baseline=Subject("models:/m@champion", "models:/m/6"),
        evidence=(),
    )
    assert rendered(verdict) == block("""
        model     models:/m@candidate → models:/m/7 (sha256:0123456789ab)
        baseline  models:/m@champion → models:/m/6
        policy    production: decided by 95 % intervals, undecided holds
        gates     gates/m.toml (sha256:abababababab)

        gate            value  baseline  difference  rule               rows  outcome
        not_worse (f1)  0.8    0.82      -0.02       ≥ baseline - 0.01   412  FAIL
        f1              0.81   0.8       +0.01       ≥ 0.75              412  PASS

        not_worse: missed by 0.01

        BLOCK: 1 of 2 gates failed: this model must not be promoted.
        """)
    assert "\n  0.8, baseline 0.82, difference -0.02, rule ≥ baseline" in rendered(
        verdict, width=60
    )


def test_slices_have_a_column(make_verdict: MakeVerdict, make_check: MakeCheck) -> None:
    north = make_check("area", metric="recall", slice={"region": "north"})
    south = make_check(
        "area",
        metric="recall",
        slice={"region": "south"},
        value=0.7,
        interval=(0.65, 0.76),
        outcome=Outcome.INCONCLUSIVE,
        reason="not_significant_after_holm",
    )
    verdict = make_verdict(
        north, south, make_check(), subject=None, evidence=(), gates_digest=None
    )
    assert rendered(verdict, width=90) == block("""
        policy  production: decided by 95 % intervals, undecided holds
        gates   gates/m.toml

        gate           slice           value  95 % interval  rule    rows  outcome
        area (recall)  region = north  0.81   [0.77, 0.845]  ≥ 0.75   412  PASS
        area (recall)  region = south  0.7    [0.65, 0.76]   ≥ 0.75   412  INCONCLUSIVE
        recall                         0.81   [0.77, 0.845]  ≥ 0.75   412  PASS

        area [region = south]: it fails only before the correction for the slices

        HOLD: 1 of 3 checks is undecided: nothing is decided.
        """)
    assert "INCONCLUSIVE  area (recall) [region = south]" in rendered(verdict, width=60)


def test_a_partial_run_and_a_failed_assertion(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    plain = Check(
        "test_shape",
        "gates/test_m.py::test_shape",
        Outcome.FAIL,
        kind="test",
        reason="assertion",
        message="AssertionError: assert 3 == 4",
    )
    verdict = make_verdict(make_check(), plain, partial=True, subject=None, evidence=())
    assert rendered(verdict) == block("""
        policy  production: decided by 95 % intervals, undecided holds
        gates   gates/m.toml (sha256:abababababab)

        check       value  95 % interval  rule    rows  outcome
        recall      0.81   [0.77, 0.845]  ≥ 0.75   412  PASS
        test_shape  —      —              —          —  FAIL

        test_shape: AssertionError: assert 3 == 4

        HOLD: 1 of 2 checks failed: only a part of the suite ran, and a partial run
        never promotes.
        """)


def test_nothing_was_judged(make_verdict: MakeVerdict) -> None:
    assert rendered(make_verdict(subject=None, evidence=())) == block("""
        policy  production: decided by 95 % intervals, undecided holds
        gates   gates/m.toml (sha256:abababababab)

        HOLD: nothing was judged: nothing may act on that.
        """)


def test_styles_say_what_is_good_and_bad(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...]
) -> None:
    lines = render_run(make_verdict(*mixed), width=80)
    styled = {s.text: s.style for line in lines for s in line if s.style != "plain"}
    assert {text: styled[text] for text in styled if text.isupper()} == {
        "PASS": "good",
        "INCONCLUSIVE *": "warn",
        "FAIL": "bad",
        "ERROR": "bad",
        "INCONCLUSIVE": "warn",
        "BLOCK": "bad",
    }
    assert styled["FAIL, waived"] == "warn"
    assert styled["model"] == "dim"
    assert styled["recall:"] == "bold"


def test_secrets_and_control_characters_do_not_show(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    broken = make_check(
        value=None,
        interval=None,
        outcome=Outcome.ERROR,
        message="postgresql://me:hunter2@db\x1b[31m\nis down",
    )
    shown = rendered(make_verdict(broken))
    assert "postgresql://***@db [31m is down" in shown
    assert "hunter2" not in shown and "\x1b" not in shown


def test_ascii_spells_what_it_cannot_show(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    shown = rendered(make_verdict(make_check("précision")), unicode=False)
    assert "pr\\xe9cision" in shown
    assert shown.isascii()


TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30)


@given(
    width=st.integers(1, 120),
    unicode=st.booleans(),
    names=st.lists(TEXTS, min_size=1, max_size=4),
    message=TEXTS,
    value=st.none() | st.floats(0, 1),
)
def test_no_line_is_wider_than_the_terminal_save_for_one_word(
    make_verdict: MakeVerdict,
    make_check: MakeCheck,
    width: int,
    unicode: bool,
    names: list[str],
    message: str,
    value: float | None,
) -> None:
    checks = [
        make_check(name, value=value, outcome=Outcome.ERROR, message=message)
        for name in names
    ]
    verdict = make_verdict(*checks)
    for line in rendered(verdict, width=width, unicode=unicode).split("\n"):
        assert len(line) <= width or len(line.split()) <= 2
        assert line == line.rstrip()
        assert unicode or line.isascii()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_are_the_same_text_in_every_style(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...], width: int
) -> None:
    for line in render_run(make_verdict(*mixed), width=width):
        assert "\n" not in text_of(line)
        assert all(s.style in STYLES for s in line)


STYLES = {"good", "bad", "warn", "plain", "dim", "bold"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, None),
        ({"data": "odd", "question": None}, None),
        ({"data": {"uri": "x.csv"}, "question": {"positive": None}}, "x.csv"),
        ({"data": {"rows": 1}, "question": {"target": "y"}}, "1 row, target y"),
    ],
)
def test_data_that_is_only_partly_recorded(
    make_verdict: MakeVerdict, record: Any, words: str | None
) -> None:
    shown = rendered(make_verdict(evidence=(record,)))
    assert ("\ndata    " in shown) == (words is not None)
    assert words is None or f"\ndata    {words}\n" in shown


def test_of_many_slices_only_the_worst_are_shown(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    slices = [
        make_check(
            "area",
            metric="recall",
            slice={"region": f"r{number}"},
            p_value=1 - number / 100,
            outcome=Outcome.FAIL if number == 5 else Outcome.PASS,
        )
        for number in range(40)
    ]
    text = rendered(make_verdict(*slices), width=100)
    shown = [number for number in range(40) if f"region = r{number} " in text]
    # The one that failed, and those that would have most likely been chance.
    assert shown == [5, *range(31, 40)]
    assert "area: 30 more slices (30 pass)" in text
    assert "1 of 40 checks failed" in text
