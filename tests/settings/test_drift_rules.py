"""``[drift]`` of a gates file: what it becomes, and what mistakes earn."""

from __future__ import annotations

from typing import Any, Callable, Dict

import pytest

from pytest_mlops.core.columns import named_columns
from pytest_mlops.core.outcomes import OnInconclusive
from pytest_mlops.evidence.drift.metrics import drift_metrics
from pytest_mlops.settings.values import GatesFile

Read = Callable[..., GatesFile]
Refused = Callable[..., str]

KNOWN: Dict[str, Any] = {"drift_metrics": {m.name: m for m in drift_metrics()}}
HEAD = """
model = "m"
task = "classification"
[data]
uri = "rows.csv"
target = "label"
reference = "train.parquet"
[gates]
accuracy = ">= 0.5"
"""
FILE = HEAD + """
[drift]
psi = "<= 0.2"
tight = { metric = "psi", rule = "<= 0.1", columns = ["age", "income"], margin = 0.02 }
gone = { metric = "missing_change", rule = "<= 5%", on_inconclusive = "warn" }
"""


def test_rules_are_gates_over_columns(read: Read) -> None:
    file = read(FILE, **KNOWN)
    assert file.data.reference == "train.parquet"
    psi, tight, gone = file.drift
    assert (psi.name, psi.rule.text, named_columns(psi.selection)) == (
        "psi",
        "<= 0.2",
        (),
    )
    assert psi.on_inconclusive is OnInconclusive.HOLD
    assert (tight.metric.name, tight.margin) == ("psi", 0.02)
    assert named_columns(tight.selection) == ("age", "income")
    assert gone.rule.limits()[1] == 0.05
    assert gone.on_inconclusive is OnInconclusive.WARN
    assert [gate.name for gate in file.gates] == ["accuracy"]


def test_a_file_may_do_without(read: Read) -> None:
    assert read(HEAD).drift == ()


def test_environments_override_them_as_they_do_gates(read: Read) -> None:
    text = FILE + """
[environments.production]
drift.psi = "<= 0.1"
drift.tight = { columns = ["age"] }
drift.gone = false
drift.ks = { metric = "kolmogorov_smirnov", rule = "<= 0.1" }
[environments.staging]
drift.psi = "<= 0.3"
"""
    file = read(text, environment="production", **KNOWN)
    rules = {gate.name: gate for gate in file.drift}
    assert list(rules) == ["psi", "tight", "ks"]
    assert rules["psi"].rule.text == "<= 0.1"
    assert rules["tight"].rule.text == "<= 0.1"
    assert named_columns(rules["tight"].selection) == ("age",)
    assert file.removed == ("gone",)
    looser = read(text, environment="staging", **KNOWN)
    assert any("is looser than the base" in line for line in looser.warnings)


def test_a_looser_policy_is_said_once(read: Read) -> None:
    text = FILE + "[environments.dev]\nenforce = false\n"
    file = read(text, environment="dev", **KNOWN)
    assert len([line for line in file.warnings if "enforce" in line]) == 1


def test_a_column_can_be_waived(read: Read) -> None:
    text = FILE + """
[[waivers]]
check = "psi"
slice = { column = "age" }
reason = "a new market"
owner = "risk"
expires = 2026-12-15
"""
    (waiver,) = read(text, **KNOWN).waivers
    assert (waiver.check, waiver.slice) == ("psi", {"column": "age"})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("psi = 0.2", "must be a rule such as"),
        ("psi = '<= baseline'", "from a reference, not from a baseline"),
        ("psy = '<= 0.2'", "Did you mean 'psi'?"),
        ("psi = { rule = '<= 0.2', column = ['a'] }", "Did you mean 'columns'?"),
        ("psi = { rule = '<= 0.2', columns = [] }", "'columns' must be an array of"),
        ("psi = { rule = '<= 0.2', columns = 'a' }", "'columns' must be an array of"),
        ("psi = { rule = '<= 0.2', by = ['a'] }", "'by' is not a known key"),
        ("psi = { rule = '<= 0.2', average = 'macro' }", "'average' is not a known"),
        ("kolmogorov_smirnov = '<= 2'", "cannot reach (its range is 0 to 1)"),
        ("x = { metric = 'a:b', rule = '<= 1' }", "not measured by a function"),
        ("accuracy = { metric = 'psi', rule = '<= 1' }", "a gate of [gates] has this"),
    ],
)
def test_mistakes_are_named(refused: Refused, rule: str, message: str) -> None:
    told = refused(f"{HEAD}[drift]\n{rule}\n", **KNOWN)
    assert message in told and "[drift" in told


def test_a_name_that_an_environment_adds_must_be_free_too(refused: Refused) -> None:
    text = (
        FILE + "[environments.dev]\ndrift.accuracy = { metric = 'psi', rule = '<= 1' }"
    )
    told = refused(text, **KNOWN)
    assert "environments.dev.drift.accuracy" in told
    assert told.count("rename one of them") == 1


def test_a_rule_that_points_the_wrong_way_is_a_warning(read: Read) -> None:
    file = read(f"{HEAD}[drift]\npsi = '>= 0.2'\n", **KNOWN)
    assert any("of psi less is better" in line for line in file.warnings)
