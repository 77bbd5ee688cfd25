"""A verdict in plain words, down to the rows that decided."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any, Callable, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.outcomes import OnInconclusive, Outcome
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.core.sources import Subject
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.evidence.tables.counts import LabelCounts
from pytest_mlops.reporting.decisive import deciding_rows, label_counts
from pytest_mlops.reporting.explain import explain

MakeCheck = Callable[..., Check]
MakeVerdict = Callable[..., Verdict]


def table(square: List[List[int]], **more: Any) -> LabelCounts:
    """Counts by true (rows) and predicted label (columns): 0, 1, …"""
    labels = list(range(len(square)))
    return LabelCounts.from_json({"labels": labels, "rows": square, **more})


TWO = table([[40, 12], [9, 44]])


def test_a_refused_model_is_explained(
    make_verdict: MakeVerdict, make_check: MakeCheck, make_evidence: Callable[..., Any]
) -> None:
    recall = make_check(
        value=44 / 53,
        interval=None,
        rows=53,
        rule=">= 0.94",
        threshold=0.94,
        outcome=Outcome.FAIL,
    )
    verdict = make_verdict(recall, make_check("accuracy"), policy=Policy())
    assert explain(verdict, [make_evidence(labels=TWO.to_json())]) == (
        textwrap.dedent("""
        What was judged
          model: models:/m@candidate → models:/m/7 (sha256:0123456789ab)
          data: data/validation.parquet, 5,000 rows, target label, positive 1
          for production: decided by the value alone, undecided holds
          on 2026-11-23T10:00:00Z

        Why
          BLOCK: 1 of 2 gates failed: this model must not be promoted.
          recall: recall is 0.8302 on 53 rows; the rule is >= 0.94; missed by 0.11.
            of 53 rows labelled 1, 9 were predicted 0; 6 more of them right would have
            brought the value to the rule.

        What next
          - recall: train a better model, or check the labels of those rows.
        """).strip("\n")
    )


def test_nothing_is_in_the_way(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    text = explain(
        make_verdict(make_check(), baseline=Subject("models:/m@champion")), []
    )
    assert "\n  against: models:/m@champion\n" in text
    assert text.endswith("What next\n  - Nothing is in the way: promote it.")


def test_ready_predictions_without_evidence(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    verdict = make_verdict(make_check(), subject=None, evidence=())
    assert "\n  model: none; ready predictions\n  for production" in explain(
        verdict, []
    )


UNDECIDED = {"outcome": Outcome.INCONCLUSIVE}
NO_VALUE = {"value": None, "interval": None}


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        (
            {**UNDECIDED, "reason": "interval_straddles", "rows_needed": 1900},
            "- recall: label about 1,500 more rows that count for it (412 now), or "
            "allow it a margin.",
        ),
        (
            {**UNDECIDED, "reason": "no_interval"},
            '- recall: judge by the value (decide = "point"), or by a metric with '
            "an interval.",
        ),
        (
            {**UNDECIDED, **NO_VALUE, "reason": "undefined"},
            "- recall: judge on data on which the metric is defined.",
        ),
        (
            {**UNDECIDED, "reason": "skipped"},
            "- recall: nothing was decided about it; run it again.",
        ),
        (
            {**NO_VALUE, "outcome": Outcome.ERROR, "reason": "instrument"},
            "- recall: repair the instrument and run again; this says nothing of "
            "the model.",
        ),
        (
            {**NO_VALUE, "outcome": Outcome.FAIL, "reason": "baseline_missing"},
            "- recall: give the baseline its model, or write on_missing_baseline = "
            '"skip" until there is one.',
        ),
        (
            {"metric": None, "outcome": Outcome.FAIL, "message": "assert 1 == 2"},
            "- recall: read the test's own report (gates/m.toml::recall).",
        ),
        (
            {
                "outcome": Outcome.FAIL,
                "waived": {"reason": "x", "owner": "risk", "expires": "2026-12-15"},
            },
            "- recall: the waiver ends on 2026-12-15; mend the model before, or have "
            "risk renew it in the gates file.",
        ),
    ],
)
def test_the_next_step(
    make_verdict: MakeVerdict, make_check: MakeCheck, changes: Any, step: str
) -> None:
    text = explain(make_verdict(make_check(**changes), make_check("f1")), [])
    steps = " ".join(text.partition("What next")[2].split())
    assert steps == step


def test_a_partial_run_is_to_be_completed(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    text = explain(make_verdict(make_check(), partial=True), [])
    assert text.endswith("- Run the whole suite: a partial run never promotes.")


def test_flags_are_explained_for_checks_that_pass_too(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    text = explain(make_verdict(make_check(flags=("low_support", "odd_thing"))), [])
    assert "The figures may be off: few rows (low_support), odd thing." in text
    assert "A rule is kept when the whole interval keeps it, not the value." in text


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"labels": {"file": "sha256-ab.json.gz"}},
        {"labels": {"labels": [0], "rows": [[1, 2], [3, 4]]}},
        {"labels": {"labels": [0, 1], "true": [5], "predicted": [0], "rows": [3]}},
        {"labels": None},
    ],
)
def test_tables_that_are_missing_or_odd_are_done_without(
    make_verdict: MakeVerdict,
    mixed: Tuple[Check, ...],
    make_evidence: Callable[..., Any],
    tables: Any,
) -> None:
    verdict = make_verdict(*mixed)
    assert explain(verdict, [make_evidence(**tables)]) == explain(verdict, [])
    assert explain(verdict, [{}]) == explain(verdict, [])


def failing(metric: str, rule: str, **changes: Any) -> Check:
    told = {"threshold": 0.9, "value": 0.5, "outcome": Outcome.FAIL, **changes}
    return Check(metric, "g", metric=metric, rule=rule, **told)


THREE = table([[5, 2, 1], [4, 10, 3], [0, 0, 7]])


@pytest.mark.parametrize(
    ("metric", "counts", "words"),
    [
        ("recall", TWO, "of 53 rows labelled 1, 9 were predicted 0; 4 more of them"),
        ("precision", TWO, "of 56 rows predicted 1, 12 were labelled 0; 8 more of"),
        (
            "accuracy",
            TWO,
            "of 105 rows, 21 were predicted wrongly, most often 0 as 1 (12), 1 as 0 (9)"
            "; 11 more of",
        ),
        (
            "recall",
            THREE,
            "of 17 rows labelled 1, 7 were predicted otherwise: 0 (4), 2 (3); 6 more",
        ),
        ("accuracy", table([[4, 0], [0, 1]]), "of 5 rows, 0 were predicted wrongly"),
        ("recall", table([[4, 0], [1, 1]]), "of 2 rows labelled 1, 1 was predicted 0"),
        (
            "precision",
            table([[4, 3], [1, 0]]),
            "of 3 rows predicted 1, 3 were labelled",
        ),
    ],
)
def test_the_rows_that_decided(metric: str, counts: LabelCounts, words: str) -> None:
    told = deciding_rows(failing(metric, ">= 0.9"), counts, 1)
    assert told is not None
    assert told.startswith(words)


def test_many_kinds_of_mistakes_are_cut_short() -> None:
    square = [[9 if t == p else t for p in range(6)] for t in range(6)]
    told = deciding_rows(failing("recall", "<= 0.1"), table(square), 5)
    assert told == (
        "of 34 rows labelled 5, 25 were predicted otherwise: 0 (5), 1 (5), 2 (5) and 2 "
        "more"
    )


@pytest.mark.parametrize(
    "check",
    [
        failing("f1", ">= 0.9"),
        failing("recall", ">= 0.9", slice={"region": "north"}),
        failing("recall", ">= 0.9", outcome=Outcome.PASS),
        failing("recall", ">= 0.9", options={"average": "macro"}),
    ],
)
def test_where_no_rows_can_be_named(check: Check) -> None:
    assert deciding_rows(check, TWO, 1) is None


def test_labels_that_do_not_occur() -> None:
    check = failing("recall", ">= 0.9")
    assert deciding_rows(check, TWO, None) is None
    assert deciding_rows(check, TWO, "spam") is None
    assert deciding_rows(check, table([[3, 1], [0, 0]]), 1) is None


@pytest.mark.parametrize(
    ("check", "counts"),
    [
        # The value keeps the rule, and the interval does not.
        (failing("recall", ">= 0.5", on_inconclusive=OnInconclusive.HOLD), TWO),
        # No number of right ones is enough.
        (failing("recall", "> 1", threshold=1.0), TWO),
        # A smaller value is wanted.
        (failing("recall", "<= 0.1"), TWO),
        # A rule that nobody can read.
        (failing("recall", "good enough"), TWO),
        # Without a rule, or a baseline that it needs.
        (replace(failing("recall", ""), rule=None), TWO),
        (failing("recall", ">= baseline", threshold=None), TWO),
        # Rows of different weights are not alike.
        (
            failing("recall", ">= 0.9"),
            table([[2, 1], [1, 2]], weights=[[2, 1], [1, 2]], squares=[[2, 1], [1, 2]]),
        ),
    ],
)
def test_where_no_number_of_right_ones_is_told(
    check: Check, counts: LabelCounts
) -> None:
    told = deciding_rows(check, counts, 1)
    assert told is not None
    assert "more of them" not in told


def test_a_baseline_counts() -> None:
    check = failing("recall", ">= baseline - 0.01", threshold=0.9, baseline_value=0.91)
    told = deciding_rows(check, TWO, 1)
    assert told is not None
    assert "; 4 more of them right" in told


CELL = st.integers(0, 30)


@given(
    square=st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=2, max_size=2),
    metric=st.sampled_from(["recall", "precision", "accuracy"]),
    limit=st.integers(0, 100),
)
def test_the_number_is_the_fewest(
    square: List[List[int]], metric: str, limit: int
) -> None:
    rule = parse_rule(f">= {limit / 100}")
    counts = label_counts({"tables": {"labels": {"labels": [0, 1], "rows": square}}})
    assert counts is not None
    told = deciding_rows(failing(metric, rule.text), counts, 1) or ""
    _, found, number = told.partition("; ")
    if not found:
        return
    fewest = int(number.split(" ")[0])
    assert rule.keeps(repaired(square, metric, fewest))
    assert not rule.keeps(repaired(square, metric, fewest - 1))


def repaired(square: List[List[int]], metric: str, number: int) -> float:
    """The metric when so many of the rows that it blames were predicted right."""
    (tn, fp), (fn, tp) = square
    if metric == "recall":
        return (tp + number) / (tp + fn)
    if metric == "precision":
        return tp / (tp + fp - number) if tp + fp > number else 0.0
    return (tp + tn + number) / (tp + tn + fp + fn)
