"""Plans agree with enumeration, with simulation, and with how gates are judged."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlops.core.rules import parse_rule
from pytest_mlops.evidence.chances import BinomialLaw, NormalLaw, Terms, rows_needed
from pytest_mlops.evidence.designs import Circumstances, design_of, jaccard
from pytest_mlops.evidence.intervals import wilson, wilson_jaccard
from pytest_mlops.evidence.planning import Question, plan

SHARE, F1 = BinomialLaw(float), BinomialLaw(jaccard)


def f1_of(hits, trials):
    return 2 * hits / (trials + hits)


def enumerated(rule, margin, confidence, rows, chance, f1=False):
    """The chances of pass and fail, from every possible number of successes."""
    limit, rising = rule.bound.offset, rule.operator.value in (">", ">=")
    passes = fails = 0.0
    for successes in range(rows + 1):
        interval = (wilson_jaccard if f1 else wilson)(successes, rows)(confidence)
        value = f1_of(successes, rows) if f1 else successes / rows
        kept = [rule.keeps(end) for end in interval]
        reach = (
            interval[0] >= limit - margin if rising else interval[1] <= limit + margin
        )
        weight = stats.binom.pmf(successes, rows, chance)
        if all(kept) or (margin and rule.keeps(value) and reach):
            passes += weight
        elif not any(kept):
            fails += weight
    return passes, fails


# A value on the limit itself, which a strict rule does not take.
@example(91, 70, 0.5, 0.1, 0.8, ">", True)
@given(
    rows=st.integers(1, 120),
    limit=st.integers(1, 99),
    truth=st.floats(0.01, 0.99),
    margin=st.sampled_from([0.0, 0.02, 0.1]),
    confidence=st.sampled_from([0.8, 0.95, 0.99]),
    operator=st.sampled_from([">=", ">", "<=", "<"]),
    f1=st.booleans(),
)
def test_chances_are_those_of_every_possible_table(
    rows, limit, truth, margin, confidence, operator, f1
):
    rule = parse_rule(f"{operator} {limit / 100}")
    strict = len(operator) == 1
    terms = Terms(limit / 100, operator[0] == ">", confidence, margin, strict)
    law, chance = (F1, jaccard(truth)) if f1 else (SHARE, truth)

    found = law.chances(terms, truth, np.array([rows]))

    passes, fails = enumerated(rule, margin, confidence, rows, chance, f1)
    assert found.passes[0] == pytest.approx(passes, abs=1e-9)
    assert found.fails[0] == pytest.approx(fails, abs=1e-9)
    assert found.undecided[0] == pytest.approx(1 - passes - fails, abs=1e-9)


@pytest.mark.parametrize("law", [SHARE, F1], ids=["share", "f1"])
@pytest.mark.parametrize(
    ("limit", "truth", "margin", "power"),
    [
        (0.80, 0.84, 0.0, 0.9),
        (0.80, 0.90, 0.0, 0.8),
        (0.80, 0.81, 0.02, 0.8),
        (0.50, 0.60, 0.0, 0.95),
        (0.95, 0.99, 0.0, 0.9),
        (0.90, 0.95, 0.05, 0.9),
        (0.10, 0.90, 0.0, 0.9),
        (0.05, 0.90, 0.04, 0.9),
    ],
)
def test_from_the_rows_needed_on_the_power_never_falls_below(
    law, limit, truth, margin, power
):
    terms = Terms(limit, margin=margin)

    needed = rows_needed(law, terms, truth, power, 10**8)

    every = law.chances(terms, truth, np.arange(1, 3 * needed + 500)).passes
    assert (every[needed - 1 :] >= power).all()
    assert needed == 1 or every[needed - 2] < power


def test_a_falling_rule_is_the_rising_one_of_the_complement():
    rows = np.arange(1, 300)
    up = SHARE.chances(Terms(0.8, margin=0.02), 0.84, rows)
    down = SHARE.chances(Terms(0.2, False, margin=0.02), 0.16, rows)

    assert down.passes == pytest.approx(up.passes, abs=1e-12)
    assert down.fails == pytest.approx(up.fails, abs=1e-12)


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_the_chances_of_a_mean_are_those_of_normal_values(rising, margin):
    draw, rows, spread, limit = np.random.default_rng(3), 50, 2.0, 3.0
    terms = Terms(limit, rising, 0.95, margin)
    truth = 3.6 if rising else 2.4
    values = draw.normal(truth, spread / math.sqrt(rows), 200_000)
    half = 1.959963984540054 * spread / math.sqrt(rows)
    ahead = values - limit if rising else limit - values
    passes = (ahead >= half) | ((margin > 0) & (ahead >= 0) & (ahead >= half - margin))

    found = NormalLaw(lambda _: spread).chances(terms, truth, np.array([rows]))

    # Three standard errors of the simulation.
    assert found.passes[0] == pytest.approx(passes.mean(), abs=0.0034)
    assert found.fails[0] == pytest.approx((ahead < -half).mean(), abs=0.0034)


def error_of(metric, paired=False, **known):
    """The planned standard error at one row, on the law's scale."""
    circumstances = Circumstances(**known)
    law = design_of(metric, circumstances, paired=paired).law
    return law.error(circumstances.expected), law.scale


def test_the_error_of_an_auc_is_that_of_exponential_scores():
    draw, rows, positive = np.random.default_rng(5), 400, 0.3
    count = int(rows * positive)
    found = []
    for _ in range(4000):
        positives = draw.exponential(4.0, count)
        negatives = draw.exponential(1.0, rows - count)
        ranks = stats.rankdata(np.concatenate([positives, negatives]))[:count]
        above = ranks.sum() - count * (count + 1) / 2
        found.append(above / count / (rows - count))

    error, scale = error_of("roc_auc", expected=0.8, prevalence=positive)

    simulated = np.std([scale(auc) for auc in found]) * math.sqrt(rows)
    assert np.mean(found) == pytest.approx(0.8, abs=0.002)
    assert error == pytest.approx(simulated, rel=0.05)


@pytest.mark.parametrize("prevalence", [0.1, 0.5])
@pytest.mark.parametrize("level", [0.6, 0.9])
def test_the_error_of_a_paired_f1_is_that_of_drawn_rows(prevalence, level):
    rows, draw = 4000, np.random.default_rng(7)
    # Mistakes of each kind are as many, and half of the differences on each label.
    wrong = prevalence * (1 - level)
    differ = 1.6 * wrong
    shares, kinds = [], []
    for true, size in ((1, prevalence), (0, 1 - prevalence)):
        one_sided = differ / 4
        both_wrong = wrong - one_sided
        for candidate, baseline, share in (
            (true, true, size - both_wrong - 2 * one_sided),
            (1 - true, true, one_sided),
            (true, 1 - true, one_sided),
            (1 - true, 1 - true, both_wrong),
        ):
            shares.append(share)
            kinds.append((true, candidate, baseline))
    true, candidate, baseline = np.array(kinds).T
    counts = draw.multinomial(rows, shares, 20_000)

    def f1(predicted):
        hits = counts @ (true & predicted)
        return 2 * hits / (counts @ true + counts @ predicted)

    error, _ = error_of(
        "f1",
        paired=True,
        expected=0.0,
        prevalence=prevalence,
        disagreement=differ,
        level=level,
    )

    simulated = (f1(candidate) - f1(baseline)).std() * math.sqrt(rows)
    assert error == pytest.approx(simulated, rel=0.03)


def test_the_error_of_a_paired_share_is_mcnemars():
    draw, rows = np.random.default_rng(9), 1000
    better, worse = draw.multinomial(rows, [0.04, 0.02, 0.94], 40_000).T[:2]

    error, _ = error_of("accuracy", paired=True, expected=0.02, disagreement=0.06)

    simulated = ((better - worse) / rows).std() * math.sqrt(rows)
    assert error == pytest.approx(simulated, rel=0.02)


@pytest.mark.parametrize("heavy", [False, True])
def test_the_error_of_an_rmse_is_that_of_drawn_errors(heavy):
    draw, rows = np.random.default_rng(11), 2000
    shape = (4000, rows)
    errors = draw.laplace(size=shape) if heavy else draw.normal(size=shape)
    found = np.sqrt((errors**2).mean(axis=1))
    # A Laplace error has E e² = 2 and E e⁴ = 24.
    known = {"expected": math.sqrt(2), "spread": math.sqrt(20)} if heavy else {}

    error, scale = error_of("rmse", **{"expected": 1.0, **known})

    simulated = np.std([scale(rmse) for rmse in found]) * math.sqrt(rows)
    assert error == pytest.approx(simulated, rel=0.05)


def question(metric="recall", limit=0.8, expected=0.84, **more):
    known = {k: more.pop(k) for k in ("prevalence", "spread") if k in more}
    terms = Terms(limit, **more)
    return Question(metric, f">= {limit}", terms, Circumstances(expected, **known))


@pytest.mark.parametrize(
    ("metric", "per_row"),
    [
        ("accuracy", 1),
        ("recall", 1 / 0.3),
        ("precision", 1 / 0.3),
        ("specificity", 1 / 0.7),
        ("f1", 1 / (0.3 * (2 - 0.84))),
    ],
)
def test_rows_in_all_follow_from_the_prevalence(metric, per_row):
    found = plan(question(metric, prevalence=0.3))
    assert found.total == math.ceil(found.rows * per_row)
    unknown = plan(question(metric))
    assert unknown.rows == found.rows
    assert unknown.total == (found.rows if metric == "accuracy" else None)


def test_rows_in_tp_fp_fn_are_the_share_that_is_promised():
    draw, rows, prevalence, f1 = np.random.default_rng(13), 2000, 0.3, 0.84
    wrong = prevalence * (1 - f1)
    shares = [prevalence * f1, wrong, wrong, 1 - prevalence - wrong]
    hits, false_positives, misses, _ = draw.multinomial(rows, shares, 5000).T
    counted = (hits + false_positives + misses).mean()
    in_all = plan(question("f1", prevalence=prevalence)).design.in_all
    assert rows / counted == pytest.approx(in_all, rel=0.005)


def test_the_curve_ends_at_the_margin_or_mirrors_the_expectation():
    assert plan(question()).truths == (0.84, 0.8, pytest.approx(0.76))
    assert plan(question(margin=0.02)).truths == (0.84, 0.8, pytest.approx(0.78))
    # No recall lies below 0.
    assert plan(question(limit=0.3, expected=0.7)).truths == (0.7, 0.3)


def test_a_wrong_decision_is_no_likelier_than_stated():
    found = plan(question(margin=0.02))
    beyond = found.chances(0.78, found.shown).passes
    kept = found.chances(0.8, found.shown).fails
    # Wilson's interval keeps its promise but for what whole numbers do to it.
    assert (beyond <= 0.031).all() and (kept <= 0.031).all()


def test_a_difference_takes_twenty_rows_that_differ():
    terms, known = Terms(-0.2), Circumstances(0.0, disagreement=0.04)
    found = plan(Question("accuracy", ">= baseline - 0.2", terms, known, paired=True))
    assert found.rows == 500
    assert min(found.shown) == 500
