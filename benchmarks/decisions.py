"""How often gates decide wrongly, simulated through the real judge.

usage: python benchmarks/decisions.py [DRAWS]          4000 a line by default

Prints the tables of docs/choosing.md; ends with 1 where a wrong decision is more
frequent than stated, beyond what chance and whole numbers of rows explain.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Optional, Sequence

import numpy as np

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import Estimate
from pytest_mlops.core.outcomes import Decide, OnInconclusive, Outcome
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.evidence.contrast import independent_difference
from pytest_mlops.gates.decide import Figures
from pytest_mlops.gates.judge import judge, judge_slices
from pytest_mlops.settings.values import Gate
from worlds import CELLS, METRICS, OPTIONS, World, drawn, figures_of, rows_of

POINT = Policy(decide=Decide.POINT)
CONFIDENT = Policy(decide=Decide.CONFIDENT)

#: A side's share of wrong decisions at 95 % confidence, and what whole numbers of rows
#: add to it where an interval is as narrow as can be (Wilson's).
STATED, WHOLE_NUMBERS = 0.025, 0.006


@dataclass(frozen=True)
class Column:
    """One policy of a gate on F1."""

    name: str
    policy: Policy
    rule: str = ">= 0.80"
    margin: float = 0.0

    @property
    def gate(self) -> Gate:
        """The gate."""
        return gate_of("f1", self.rule, self.margin)


ALONE = (
    Column("point", POINT),
    Column("confident", CONFIDENT),
    Column("confident, margin 0.02", CONFIDENT, margin=0.02),
)
BESIDE = (
    Column("point, `>= baseline`", POINT, ">= baseline"),
    Column("confident, `>= baseline`", CONFIDENT, ">= baseline"),
    Column("confident, `>= baseline - 0.01`", CONFIDENT, ">= baseline - 0.01"),
    Column("the same, margin 0.01", CONFIDENT, ">= baseline - 0.01", margin=0.01),
)


def gate_of(metric: str, rule: str, margin: float = 0.0) -> Gate:
    """A gate as a gates file would make it."""
    hold = OnInconclusive.HOLD
    return Gate(metric, METRICS[metric], OPTIONS, parse_rule(rule), margin, hold)


def outcomes(
    columns: Sequence[Column], world: World, rows: int, draws: int
) -> List[Dict[str, float]]:
    """How often each policy comes to each outcome."""
    paired = columns[0].gate.rule.needs_baseline
    counted: List[Counter[str]] = [Counter() for _ in columns]
    for figures, count in drawn(world, rows, draws, paired):
        for column, counter in zip(columns, counted):
            check = judge(column.gate, figures, column.policy, node_id="")
            counter[check.outcome.value] += count
    every = [outcome.value for outcome in Outcome]
    return [{name: each[name] / draws for name in every} for each in counted]


class Report:
    """Tables as they are printed, and what went wrong more often than stated."""

    def __init__(self, draws: int) -> None:
        self.draws = draws
        self.broken: List[str] = []

    def section(self, title: str, head: Sequence[str], rows: List[List[str]]) -> None:
        """Print a table in Markdown."""
        print(f"**{title}**\n")
        for row in (head, ["---"] * len(head), *rows):
            print(f"| {' | '.join(row)} |")
        print(flush=True)

    def wrong(self, share: float, where: str, policy: Policy, draws: int) -> str:
        """A share of wrong decisions, checked against what is stated."""
        noise = 3 * (STATED * (1 - STATED) / draws) ** 0.5
        if policy.decide is Decide.CONFIDENT:
            if share > STATED + WHOLE_NUMBERS + noise:
                self.broken.append(f"{where}: {share:.1%}")
        return percent(share)


def percent(share: float) -> str:
    """A share as a cell."""
    return f"{100 * share:.1f} %"


def threshold(report: Report) -> None:
    """A gate at the threshold ± 0.02."""
    lines, draws = [], report.draws
    for prevalence in (0.5, 0.1):
        for rows in (400, 1000):
            below, above = (
                outcomes(ALONE, World.of_f1(prevalence, f1), rows, draws)
                for f1 in (0.78, 0.82)
            )
            for column, bad, good in zip(ALONE, below, above):
                where = f"{column.name}, {rows} rows, prevalence {prevalence}"
                lines.append(
                    [
                        f"{prevalence:.0%}",
                        f"{rows:,}",
                        column.name,
                        report.wrong(bad["pass"], where, column.policy, draws),
                        percent(bad["inconclusive"]),
                        report.wrong(good["fail"], where, column.policy, draws),
                        percent(good["inconclusive"]),
                        percent(good["pass"]),
                    ]
                )
    head = ["positives", "rows", "policy", "bad model passes", "undecided"]
    head += ["good model fails", "undecided", "good model passes"]
    title = "`f1 >= 0.80`; the bad model is truly 0.78, the good one 0.82"
    report.section(title, head, lines)


def baseline(report: Report) -> None:
    """A challenger beside a champion that it agrees with on 95 % of the rows."""
    lines = []
    draws = report.draws // 2
    for rows in (400, 1000):
        worlds = [World.of_f1(0.5, 0.82, better) for better in (-0.02, 0.0, 0.02)]
        found = [outcomes(BESIDE, world, rows, draws) for world in worlds]
        for column, worse, equal, better in zip(BESIDE, *found):
            where = f"{column.name}, {rows} rows"
            lines.append(
                [
                    f"{rows:,}",
                    column.name,
                    report.wrong(worse["pass"], where, column.policy, draws),
                    percent(equal["pass"]),
                    report.wrong(equal["fail"], where, column.policy, draws),
                    report.wrong(better["fail"], where, column.policy, draws),
                    percent(better["pass"]),
                    percent(better["inconclusive"]),
                ]
            )
    head = ["rows", "rule", "worse by 0.02 passes", "equal passes", "equal fails"]
    head += ["better by 0.02 fails", "passes", "undecided"]
    report.section("f1 against a baseline; the two agree on 95 %", head, lines)


@lru_cache(maxsize=None)
def recall(found: int, positives: int) -> Figures:
    """The recall of a slice."""
    missed = positives - found
    rows = rows_of([found, missed], CELLS[[6, 4]])
    return figures_of("recall", rows, paired=False)


def blocked(found: Sequence[int], positives: Sequence[int], policy: Policy) -> bool:
    """Whether a release is blocked by one of its slices."""
    gate = gate_of("recall", ">= 0.75")
    figures = map(recall, found, positives)
    slices_ = [({"slice": number}, one) for number, one in enumerate(figures)]
    checks = judge_slices(gate, slices_, policy, node_id="")
    return any(check.outcome is Outcome.FAIL for check in checks)


def slices(report: Report) -> None:
    """A gate over 20 slices, each of which has to reach a recall of 0.75."""
    lines = []
    draws = report.draws // 4
    for rows, truth, odd in (
        (100, 0.80, 0.80),
        (500, 0.80, 0.80),
        (100, 0.75, 0.75),
        (500, 0.75, 0.75),
        (100, 0.80, 0.60),
        (500, 0.80, 0.60),
    ):
        draw, chances = np.random.default_rng(21), np.full(20, truth)
        chances[0] = odd
        positives = draw.binomial(rows, 0.5, (draws, 20))
        found = draw.binomial(positives, chances)
        releases = list(zip(found.tolist(), positives.tolist()))
        point, confident = (
            sum(blocked(*one, policy) for one in releases) / draws
            for policy in (POINT, CONFIDENT)
        )
        if odd == truth:
            where = f"slices of {rows} rows at {truth}"
            report.wrong(confident, where, CONFIDENT, draws)
        what = "all" if odd == truth else f"one {odd:.2f}, all others"
        cells = [f"{rows}", f"{what} {truth:.2f}", percent(point), percent(confident)]
        lines.append(cells)
    head = ["rows a slice", "true recall", "point blocks", "confident blocks"]
    title = "`recall >= 0.75` in each of 20 slices, half of their rows positive"
    report.section(title, head, lines)


def champion(report: Report) -> None:
    """How much narrower the interval of a paired difference is."""
    lines = []
    draws = report.draws // 8
    gate = gate_of("accuracy", ">= baseline - 0.01")
    for differ in (0.02, 0.05, 0.10):
        world = World(0.5, 0.12, 0.12, differ)
        tables = np.random.default_rng(22).multinomial(2000, world.shares, size=draws)
        ratios, passes = [], [0, 0]
        for counts in tables:
            figures = figures_of("accuracy", rows_of(counts, CELLS))
            assert figures.baseline is not None
            apart = independent_difference(figures.candidate, figures.baseline)
            paired = figures.contrast(1.0)
            ratios.append(width(apart) / width(paired))
            unpaired = Figures(figures.candidate, figures.baseline, lambda _: apart)
            for place, one in enumerate((figures, unpaired)):
                check = judge(gate, one, CONFIDENT, node_id="")
                passes[place] += check.outcome is Outcome.PASS
        shares = [percent(count / draws) for count in passes]
        lines.append([f"{differ:.0%}", f"{np.median(ratios):.1f} ×", *shares])
    head = ["the two differ on", "narrower by", "paired passes", "unpaired passes"]
    title = "equal models of accuracy 0.88, 2,000 rows, `accuracy >= baseline - 0.01`"
    report.section(title, head, lines)


def width(estimate: Estimate) -> float:
    """The width of an estimate's interval."""
    assert estimate.interval is not None
    low, high = estimate.interval(0.95)
    return high - low


def mlflow_defects(report: Report) -> None:
    """What MLflow's validation does with no figure and with no rule; and ours."""
    nothing = Estimate(float("nan"), 100)
    sound = Estimate(0.8, 100)
    gate = gate_of("accuracy", ">= 1.05 * baseline")
    ours = [
        judge(gate, Figures(*pair), POINT, node_id="").outcome.value
        for pair in ((nothing, sound), (sound, nothing))
    ]
    lines = [
        ["NaN against a baseline, 5 % better asked", mlflow_says(True), ours[0]],
        ["a baseline of NaN, 5 % better asked", mlflow_says(True, 0.8), ours[1]],
        ["no threshold at all", mlflow_says(False), "exit code 5: nothing collected"],
    ]
    report.section("no figure, no rule", ["", "MLflow", "here"], lines)


def mlflow_says(ruled: bool, candidate: Optional[float] = None) -> str:
    """What ``mlflow.validate_evaluation_results`` does."""
    try:
        from mlflow.models import MetricThreshold
        from mlflow.models.evaluation import EvaluationResult
        from mlflow.models.evaluation.validation import (
            ModelValidationFailedException,
            validate_evaluation_results,
        )
    except ImportError:
        return "not installed"
    nan = float("nan")
    value, beside = (nan, 0.8) if candidate is None else (candidate, nan)
    rule = MetricThreshold(min_relative_change=0.05, greater_is_better=True)
    results = [EvaluationResult({"accuracy": v}, {}) for v in (value, beside)]
    try:
        validate_evaluation_results({"accuracy": rule} if ruled else {}, *results)
    except ModelValidationFailedException:
        return "fail"
    return "pass"


def main() -> None:
    """Simulate and print."""
    logging.disable(logging.INFO)  # MLflow tells of each validation
    report = Report(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
    for part in (threshold, baseline, slices, champion, mlflow_defects):
        part(report)
    if report.broken:
        sys.exit("wrong more often than stated: " + "; ".join(report.broken))


if __name__ == "__main__":
    main()
