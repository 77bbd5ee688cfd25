"""A rule about drift: a check a column, and columns that cannot be compared."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy as np
import pytest

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.columns import named_columns, over_columns
from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.outcomes import Action, Decide, OnInconclusive, Outcome
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.core.selection import Selection
from pytest_mlops.core.verdicts import Conclusion
from pytest_mlops.evidence.drift.metrics import drift_metrics
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables.features import FeatureColumn, FeatureTable
from pytest_mlops.gates.drift import Profiles, judge_drift, unjudged
from pytest_mlops.settings.values import Gate

METRICS = {metric.name: metric for metric in drift_metrics()}
CONFIDENT = Policy(decide=Decide.CONFIDENT)


def gate(metric: str = "psi", rule: str = "<= 0.2", *columns: str) -> Gate:
    return Gate(
        name=metric,
        metric=METRICS[metric],
        options=MetricOptions(),
        rule=parse_rule(rule),
        margin=0.0,
        on_inconclusive=OnInconclusive.HOLD,
        selection=over_columns(columns),
    )


def table(rows: int = 400, **columns: Any) -> FeatureTable:
    values: Dict[str, Any] = {}
    for name, column in columns.items():
        texts = isinstance(column, list)
        values[name] = encode(np.array(column, dtype=object)) if texts else column
    return FeatureTable.of(values, rows)


def normal(shift: float = 0.0, seed: int = 0, rows: int = 400) -> Any:
    return np.random.default_rng(seed).normal(shift, 1, rows)


def judge(
    what: Gate, reference: FeatureTable, current: FeatureTable, **more: Any
) -> Tuple[Check, ...]:
    policy = more.pop("policy", Policy())
    profiles = Profiles(reference, current, more.pop("unmeasured", {}))
    return judge_drift(what, profiles, policy, node_id="gates/m.toml::psi")


def by_column(checks: Tuple[Check, ...]) -> Dict[str, Check]:
    return {str(check.slice["column"]): check for check in checks}


class TestColumns:
    def test_each_is_a_check_of_its_own(self) -> None:
        checks = by_column(
            judge(
                gate(),
                table(a=normal(), b=normal(seed=1)),
                table(a=normal(seed=2), b=normal(2.0, seed=3)),
            )
        )
        assert checks["a"].outcome is Outcome.PASS
        assert checks["b"].outcome is Outcome.FAIL
        assert {c.kind for c in checks.values()} == {"drift"}
        assert {c.on_fail for c in checks.values()} == {Action.RETRAIN}

    def test_only_those_that_a_rule_names(self) -> None:
        both = table(a=normal(), b=normal())
        assert list(by_column(judge(gate("psi", "<= 0.2", "b"), both, both))) == ["b"]

    def test_one_that_is_gone_fails_by_name_and_the_others_are_judged(self) -> None:
        checks = by_column(
            judge(gate(), table(a=normal(), b=normal()), table(a=normal(seed=1)))
        )
        assert checks["a"].outcome is Outcome.PASS
        assert checks["b"].outcome is Outcome.FAIL
        assert checks["b"].reason == "column_missing"

    @pytest.mark.parametrize(
        ("before", "now", "outcome"),
        [
            (normal(), ["x"] * 400, Outcome.FAIL),
            (["x"] * 400, normal(), Outcome.FAIL),
            (normal(), np.full(400, np.nan), Outcome.FAIL),  # wholly missing
            (np.full(400, np.nan), np.full(400, np.nan), Outcome.PASS),
            (["x"] * 400, ["x"] * 400, Outcome.PASS),
        ],
    )
    def test_what_they_hold(self, before: Any, now: Any, outcome: Outcome) -> None:
        (check,) = judge(gate(), table(a=before), table(a=now))
        assert check.outcome is outcome
        changed = isinstance(before, list) is not isinstance(now, list)
        assert (check.reason == "type_changed") is changed

    def test_mixed_ones_may_hold_one_kind_now(self) -> None:
        mixed = table(a=normal()).merge(table(a=["x"] * 400))
        (check,) = judge(gate(), mixed, table(a=["x"] * 400))
        assert check.value is not None

    def test_a_metric_is_asked_of_those_that_it_is_about(self) -> None:
        both = table(a=normal(), t=["x", "y"] * 200)
        found = {
            name: list(by_column(judge(gate(name, "<= 0.2"), both, both)))
            for name in ("kolmogorov_smirnov", "unseen_share", "psi")
        }
        assert found == {
            "kolmogorov_smirnov": ["a"],
            "unseen_share": ["t"],
            "psi": ["a", "t"],
        }

    def test_dates_are_left_alone_unless_they_are_named(self) -> None:
        dates = FeatureTable(400, {"when": FeatureColumn(others=400)})
        (nothing,) = judge(gate(), dates, dates)
        assert (nothing.outcome, nothing.reason) == (
            Outcome.INCONCLUSIVE,
            "no_columns",
        )
        (named,) = judge(gate("psi", "<= 0.2", "when"), dates, dates)
        assert (named.outcome, named.reason) == (Outcome.INCONCLUSIVE, "undefined")

    def test_a_column_that_the_reference_never_had_is_undecided(self) -> None:
        now = table(a=normal())
        (check,) = judge(gate("psi", "<= 0.2", "new"), now, now)
        assert (check.outcome, check.reason) == (Outcome.INCONCLUSIVE, "undefined")

    def test_what_could_not_be_had_is_an_error(self) -> None:
        before = table(a=normal(), prediction=normal())
        why = {"prediction": "the model raised"}
        checks = by_column(
            judge(gate(), before, table(a=normal(seed=1)), unmeasured=why)
        )
        assert checks["a"].outcome is Outcome.PASS
        assert checks["prediction"].outcome is Outcome.ERROR

    def test_new_ones_are_known(self) -> None:
        both = Profiles(table(a=normal()), table(a=normal(), b=normal()))
        assert unjudged(both) == ("b",)

    @pytest.mark.parametrize("names", [(), ("age",), ("a'b", "in", "`x`")])
    def test_their_names_come_back(self, names: Tuple[str, ...]) -> None:
        key = over_columns(names).key
        assert named_columns(Selection.of(key)) == names

    @pytest.mark.parametrize(
        "selection",
        [Selection(), Selection("age > 3", ("column",)), Selection(None, ("age",))],
    )
    def test_other_selections_are_none_of_columns(self, selection: Selection) -> None:
        with pytest.raises(ValueError, match="no selection of columns"):
            named_columns(selection)


class TestFalseAlarms:
    def fifty(self, shift: float, seed: int, rows: int) -> FeatureTable:
        draw = np.random.default_rng(seed)
        columns = {f"x{i}": draw.normal(shift, 1, rows) for i in range(50)}
        return FeatureTable.of(columns, rows)

    def test_fifty_columns_without_drift_raise_none(self) -> None:
        reference = self.fifty(0.0, 1, 1000)
        for metric in ("psi", "total_variation", "kolmogorov_smirnov"):
            checks = judge(
                gate(metric, "<= 0.05"),
                reference,
                self.fifty(0.0, 2, 300),
                policy=CONFIDENT,
            )
            assert all(check.outcome is not Outcome.FAIL for check in checks)

    def test_fifty_columns_with_drift_all_do(self) -> None:
        reference = self.fifty(0.0, 1, 5000)
        checks = judge(gate(), reference, self.fifty(1.0, 2, 5000), policy=CONFIDENT)
        assert {check.outcome for check in checks} == {Outcome.FAIL}
        assert all((check.p_adjusted or 0.0) < 0.025 for check in checks)


class TestWhatFollows:
    def outcome(self, *outcomes: Outcome) -> Conclusion:
        checks = [
            Check(f"c{i}", "n", outcome, kind="drift", on_fail=Action.RETRAIN)
            for i, outcome in enumerate(outcomes)
        ]
        return Conclusion.of(checks, Policy(), partial=False)

    def test_nothing_has_drifted(self) -> None:
        found = self.outcome(Outcome.PASS, Outcome.PASS)
        assert (found.action, found.exit_code) == (Action.KEEP, 0)

    def test_something_has(self) -> None:
        found = self.outcome(Outcome.PASS, Outcome.FAIL, Outcome.ERROR)
        assert (found.action, found.exit_code) == (Action.RETRAIN, 1)

    @pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR])
    def test_it_is_not_known(self, outcome: Outcome) -> None:
        found = self.outcome(Outcome.PASS, outcome)
        assert (found.action, found.exit_code) == (Action.HOLD, 12)

    def test_a_gate_beside_it_still_promotes_and_blocks(self) -> None:
        drift = Check("d", "n", Outcome.FAIL, kind="drift", on_fail=Action.RETRAIN)
        good = Check("d", "n", Outcome.PASS, kind="drift", on_fail=Action.RETRAIN)
        gate_ = Check("g", "n", Outcome.PASS)
        bad = Check("g", "n", Outcome.FAIL)
        for checks, action in (
            ([good, gate_], Action.PROMOTE),
            ([drift, gate_], Action.RETRAIN),
            ([drift, bad], Action.BLOCK),
        ):
            assert Conclusion.of(checks, Policy(), partial=False).action is action
