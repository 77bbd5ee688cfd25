"""What a plan promises is what the judge does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.outcomes import Decide, OnInconclusive
from pytest_mlops.core.rows import ClassificationRows, Labels, RegressionRows
from pytest_mlops.core.rules import Operator, parse_rule
from pytest_mlops.evidence.chances import Terms
from pytest_mlops.evidence.designs import Circumstances, design_of, jaccard
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.planning import Question, plan
from pytest_mlops.gates.decide import Figures
from pytest_mlops.gates.judge import judge
from pytest_mlops.settings.values import Gate

METRICS = {metric.name: metric for metric in builtin_metrics()}
POLICY = Policy(decide=Decide.CONFIDENT)


def outcome(metric, rule, margin, rows):
    """What the judge says of some rows."""
    options = MetricOptions(
        positive=1 if isinstance(rows, ClassificationRows) else None
    )
    gate = Gate(
        metric.name, metric, options, parse_rule(rule), margin, OnInconclusive.HOLD
    )
    figures = Figures(metric.estimate(metric.kind.build(rows), options))
    return judge(gate, figures, POLICY, node_id="").outcome.value


@pytest.mark.parametrize("rows", [1, 7, 60])
@pytest.mark.parametrize("rule", [">= 0.8", "> 0.5", "<= 0.3"])
@pytest.mark.parametrize("margin", [0.0, 0.05])
@pytest.mark.parametrize("name", ["recall", "f1"])
def test_the_chances_of_a_share_are_exact(name, rule, margin, rows):
    truth, found = 0.85, {"pass": 0.0, "fail": 0.0, "inconclusive": 0.0}
    chance = jaccard(truth) if name == "f1" else truth
    for hits in range(rows + 1):
        # F1 is about tp + fp + fn: hits, and misses for the rest.
        true = np.ones(rows, dtype=np.int64)
        predicted = (np.arange(rows) < hits).astype(np.int64)
        judged = ClassificationRows(
            Labels(true, (0, 1)), Labels(predicted, (0, 1)), positive=1
        )
        said = outcome(METRICS[name], rule, margin, judged)
        found[said] += stats.binom.pmf(hits, rows, chance)

    parsed = parse_rule(rule)
    rising = parsed.operator in (Operator.AT_LEAST, Operator.ABOVE)
    strict = parsed.operator is Operator.ABOVE
    terms = Terms(parsed.bound.offset, rising, margin=margin, strict=strict)
    law = design_of(name, Circumstances(truth), paired=False).law
    chances = law.chances(terms, truth, np.array([rows]))

    assert chances.passes[0] == pytest.approx(found["pass"], abs=1e-12)
    assert chances.fails[0] == pytest.approx(found["fail"], abs=1e-12)


@pytest.mark.parametrize(("name", "margin"), [("mae", 0.0), ("rmse", 0.05)])
def test_a_planned_error_passes_as_often_as_wanted(name, margin):
    """Errors are normal; the judge estimates the spread that the plan was told."""
    draw, scale = np.random.default_rng(3), 1.0
    expected = scale * np.sqrt(2 / np.pi) if name == "mae" else scale
    limit = round(1.1 * expected, 2)
    spread = scale * np.sqrt(1 - 2 / np.pi) if name == "mae" else None
    known = Circumstances(expected, spread=spread)
    terms = Terms(limit, rising=False, margin=margin)
    rows = plan(Question(name, f"<= {limit}", terms, known)).rows

    passed = 0
    for _ in range(600):
        error = draw.normal(size=rows) * scale
        judged = RegressionRows(np.zeros(rows), error)
        passed += outcome(METRICS[name], f"<= {limit}", margin, judged) == "pass"

    # Three standard errors of the simulation.
    assert passed / 600 == pytest.approx(0.9, abs=0.037)
