"""What a good gates file becomes, and every sentence that a bad one earns."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlops.core.checks import Policy, Waiver
from pytest_mlops.core.metrics import Metric, MetricOptions, Task
from pytest_mlops.core.outcomes import Decide, OnInconclusive, OnMissingBaseline
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.gates_file import read_gates_file
from pytest_mlops.settings.values import DataSettings, Gate, GatesFile

Read = Callable[..., GatesFile]
Refused = Callable[..., str]

BINARY = """
model = "m"
task = "classification"
[data]
uri = "rows.csv"
target = "label"
positive = 1
"""
MULTI_CLASS = BINARY.replace("positive = 1\n", "")
REGRESSION = MULTI_CLASS.replace("classification", "regression")


def only(file: GatesFile) -> Gate:
    (gate,) = file.gates
    return gate


def one_problem(section: str, message: str) -> str:
    return f"1 problem in gates/m.toml\n  [{section}]\n    {message}"


# What a good file becomes


def test_every_key_of_a_full_file_arrives(
    read: Read, metrics: Dict[str, Metric], tmp_path: Path
) -> None:
    text = """
model = "classifier"
task = "classification"
baseline = "models:/classifier@champion"
on_missing_baseline = "skip"
decide = "confident"
confidence = 0.9
on_inconclusive = "warn"
margin = 0.01
enforce = false

[data]
uri = "rows.csv"
target = "label"
positive = "yes"
weight = "exposure"
group = "customer"
prediction = "predicted"
score = "probability"

[gates]
accuracy = ">= 85%"
tight = { metric = "recall", rule = ">= 0.7", average = "macro", margin = 0.05, by = [
  "region", "vip"] }
fb = { metric = "fbeta", rule = ">= 0.5", beta = 2, on_inconclusive = "fail" }

[[waivers]]
check = "tight"
slice = { region = "north", vip = true }
reason = "relabelling"
owner = "risk-team"
expires = 2026-11-23
"""
    file = read(text)
    rules = {gate.name: gate.rule.text for gate in file.gates}
    assert rules == {"accuracy": ">= 85%", "tight": ">= 0.7", "fb": ">= 0.5"}
    accuracy, tight, fb = file.gates
    assert accuracy.options == MetricOptions("yes")
    assert (accuracy.margin, accuracy.on_inconclusive) == (0.01, OnInconclusive.WARN)
    assert tight.metric is metrics["recall"]
    assert tight.options == MetricOptions("yes", "macro")
    assert tight.margin == 0.05
    assert fb.options == MetricOptions("yes", "binary", 2.0)
    assert fb.on_inconclusive is OnInconclusive.FAIL
    path = tmp_path / "gates" / "m.toml"
    assert file == GatesFile(
        path=path,
        name="m",
        digest=f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
        model="classifier",
        task=Task.CLASSIFICATION,
        data=DataSettings(
            "rows.csv",
            "label",
            "yes",
            "exposure",
            "customer",
            "predicted",
            "probability",
        ),
        gates=file.gates,
        policy=Policy(Decide.CONFIDENT, 0.9, OnInconclusive.WARN, 0.01, False),
        baseline="models:/classifier@champion",
        on_missing_baseline=OnMissingBaseline.SKIP,
        waivers=(
            Waiver(
                check="tight",
                reason="relabelling",
                owner="risk-team",
                expires=date(2026, 11, 23),
                slice={"region": "north", "vip": 1},
            ),
        ),
    )


def test_the_defaults_of_a_file_without_gates(read: Read) -> None:
    file = read(REGRESSION)
    assert (file.gates, file.waivers, file.removed, file.warnings) == ((),) * 4
    assert file.policy == Policy(Decide.POINT, 0.95, OnInconclusive.HOLD, 0.0, True)
    assert file.baseline is None
    assert file.on_missing_baseline is OnMissingBaseline.FAIL
    assert (file.environment, file.section) == (None, False)


@pytest.mark.parametrize(
    ("written", "label", "kind"),
    [
        ("true", 1, int),
        ("false", 0, int),
        ("2.0", 2, int),
        ("0.5", 0.5, float),
        ("7", 7, int),
        ('"yes"', "yes", str),
    ],
)
def test_positive_is_a_label_of_any_type(
    read: Read, written: str, label: object, kind: type
) -> None:
    file = read(BINARY.replace("positive = 1", f"positive = {written}"))
    assert file.data.positive == label
    assert type(file.data.positive) is kind


@pytest.mark.parametrize(
    ("base", "average"), [(BINARY, "binary"), (MULTI_CLASS, "macro")]
)
def test_the_average_follows_from_the_positive_label(
    read: Read, base: str, average: str
) -> None:
    gate = only(read(f'{base}[gates]\nf1 = ">= 0.8"'))
    assert gate.options.average == average


def test_a_metric_of_ones_own_is_loaded_once_for_all_environments(
    read: Read, metrics: Dict[str, Metric]
) -> None:
    asked: List[Any] = []

    def custom(name: str, task: Task) -> Metric:
        asked.append((name, task))
        return metrics["accuracy"]

    text = f"""{BINARY}
[gates]
cost = {{ metric = "acme:cost", rule = "<= 1" }}
[environments.staging]
[environments.production]
"""
    assert only(read(text, custom_metric=custom)).metric is metrics["accuracy"]
    assert asked == [("acme:cost", Task.CLASSIFICATION)]


def test_a_rule_against_a_baseline_needs_none_in_the_file(read: Read) -> None:
    gate = only(read(f'{BINARY}[gates]\nf1 = ">= baseline - 1%"'))
    assert gate.rule.needs_baseline


@pytest.mark.parametrize(
    "rule", [">= 0", "<= 1", "in [0, 1]", "in [85%, 0.9]", ">= 0.9 * baseline + 1"]
)
def test_rules_up_to_the_limits_are_fine(read: Read, rule: str) -> None:
    assert only(read(f'{BINARY}[gates]\naccuracy = "{rule}"')).rule.text == rule


# Every sentence that a bad one earns


def test_all_problems_of_a_file_are_told_at_once(refused: Refused) -> None:
    text = """
model = ""
tsk = "classification"

[data]
uri = "rows.csv"
positive = [1]

[gates.recall_by_region]
metric = "recall"
rule = "0.85+"
min_row = 3

[environments.production]
decide = "confidnt"
gates.accuracy = ">= 85"
"""
    assert refused(text) == (
        "9 problems in gates/m.toml\n"
        "  'model' must be a non-empty string, got ''\n"
        "  'tsk' is not a known key. Did you mean 'task'? Known keys: baseline, "
        "confidence, data, decide, drift, enforce, environments, gates, margin, model, "
        "on_inconclusive, on_missing_baseline, task, waivers\n"
        "  'task' is missing: 'classification' or 'regression'\n"
        "  [data]\n"
        "    'positive' must be a string, a number or a boolean, got an array\n"
        "    'target' is missing: the column of the truth\n"
        "  [gates.recall_by_region]\n"
        "    'min_row' is not a known key. Did you mean 'min_rows'? Known keys: "
        "average, beta, bins, by, margin, metric, min_rows, on_inconclusive, rule, "
        "where\n"
        "    'rule' must look like '>= 0.85', 'in [0.2, 0.4]' or "
        "'>= baseline - 0.01', got '0.85+'\n"
        "  [environments.production]\n"
        "    'decide' must be 'point' or 'confident', got 'confidnt'. "
        "Did you mean 'confident'?\n"
        "  [environments.production.gates.accuracy]\n"
        "    'rule' sets a limit that accuracy cannot reach (its range is 0 to 1), "
        "got '>= 85'. Did you mean '>= 85%'?"
    )


TOP = [
    ("confidence = 0.5", "a number between 0.5 and 1, such as 0.95, got 0.5"),
    ("confidence = 95", "a number between 0.5 and 1, such as 0.95, got 95"),
    ("margin = -0.1", "a number of at least 0, got -0.1"),
    ("margin = nan", "a number of at least 0, got nan"),
    ("margin = inf", "a number of at least 0, got inf"),
    ("margin = true", "a number of at least 0, got true"),
    (
        f"margin = 0x{'f' * 9999}",
        "a number of at least 0, got an integer beyond 64 bits",
    ),
    ('enforce = "no"', "true or false, got 'no'"),
    ("baseline = 7", "a non-empty string, got 7"),
    (f'baseline = ["{"x" * 99}"]', "a non-empty string, got an array"),
    ("on_inconclusive = 1", "'hold', 'fail', 'warn' or 'pass', got 1"),
    ("on_missing_baseline = {}", "'fail' or 'skip', got a table"),
    (f'decide = "{"x" * 99}"', f"'point' or 'confident', got '{'x' * 59}…"),
    ("data = 1979-05-27", "a table, got 1979-05-27"),
    ("waivers = [1]", "an array of tables, got an array"),
]


@pytest.mark.parametrize(("line", "expected"), TOP, ids=[line[:30] for line, _ in TOP])
def test_a_value_of_the_wrong_type(refused: Refused, line: str, expected: str) -> None:
    key = line.split(" ")[0]
    message = f"'{key}' must be {expected}"
    text = BINARY if key != "data" else 'model = "m"\ntask = "classification"'
    assert f"  {message}\n" in f"{refused(line + chr(10) + text)}\n".replace(
        "gates/m.toml: ", "  "
    )


GATES = [
    (
        "recal = '>= 0.8'",
        "recal",
        "the gate has no 'metric', and 'recal' is not a known metric. Did you mean "
        "'recall'? Known metrics: accuracy, f1, fbeta, log_loss, mcc, precision, "
        "recall, specificity",
    ),
    (
        "x = { metric = 'recal', rule = '>= 0.8' }",
        "x",
        "'recal' is not a known metric. Did you mean 'recall'? Known metrics: "
        "accuracy, f1, fbeta, log_loss, mcc, precision, recall, specificity",
    ),
    (
        "mae = '<= 3'",
        "mae",
        "'mae' is a metric of regression, and the task of this file is classification",
    ),
    (
        "x = { metric = 'nowhere:cost', rule = '<= 3' }",
        "x",
        "cannot import 'nowhere:cost'",
    ),
    (
        "f1 = { average = 'macro' }",
        "f1",
        "'rule' is missing: what the value must keep, such as '>= 0.85'",
    ),
    (
        "f1 = { rule = 0.85 }",
        "f1",
        "'rule' must be a string such as '>= 0.85', got 0.85",
    ),
    (
        "f1 = 0.85",
        "f1",
        "must be a rule such as '>= 0.85', or a table with 'rule', got 0.85",
    ),
    (
        "f1 = false",
        "f1",
        "must be a rule such as '>= 0.85', or a table with 'rule', got false",
    ),
    (
        "f1 = 'in [0.9, 0.8]'",
        "f1",
        "'rule' has its limits the wrong way round: 'in [0.9, 0.8]'",
    ),
    (
        "f1 = { rule = '>= 0.8', average = 'makro' }",
        "f1",
        "'f1' has no average 'makro'. Did you mean 'macro'? Known averages: binary, "
        "micro, macro, weighted",
    ),
    (
        "accuracy = { rule = '>= 0.8', average = 'macro', beta = 2 }",
        "accuracy",
        "'accuracy' has no option 'average'\n    'accuracy' has no option 'beta'",
    ),
    (
        "fbeta = '>= 0.8'",
        "fbeta",
        "'fbeta' needs 'beta': how much more recall counts than precision",
    ),
    (
        "fbeta = { rule = '>= 0.8', beta = 0 }",
        "fbeta",
        "'beta' must be a number above 0, got 0\n"
        "    'fbeta' needs 'beta': how much more recall counts than precision",
    ),
    (
        "accuracy = '>= 85'",
        "accuracy",
        "'rule' sets a limit that accuracy cannot reach (its range is 0 to 1), got "
        "'>= 85'. Did you mean '>= 85%'?",
    ),
    (
        "accuracy = 'in [80, 90.5]'",
        "accuracy",
        "'rule' sets a limit that accuracy cannot reach (its range is 0 to 1), got "
        "'in [80, 90.5]'. Did you mean 'in [80%, 90.5%]'?",
    ),
    (
        "accuracy = '>= baseline - 5'",
        "accuracy",
        "'rule' sets a limit that accuracy cannot reach (its range is 0 to 1), got "
        "'>= baseline - 5'. Did you mean '>= baseline - 5%'?",
    ),
    (
        "accuracy = '>= 8500'",
        "accuracy",
        "'rule' sets a limit that accuracy cannot reach (its range is 0 to 1), got "
        "'>= 8500'",
    ),
    (
        "accuracy = '>= 120%'",
        "accuracy",
        "'rule' sets a limit that accuracy cannot reach (its range is 0 to 1), got "
        "'>= 120%'",
    ),
    (
        "mcc = '>= -2'",
        "mcc",
        "'rule' sets a limit that mcc cannot reach (its range is -1 to 1), got "
        "'>= -2'. Did you mean '>= -2%'?",
    ),
    (
        "log_loss = '<= -0.1e5'",
        "log_loss",
        "'rule' sets a limit that log_loss cannot reach (its range is 0 or more), got "
        "'<= -0.1e5'",
    ),
    (
        "'a::b' = { metric = 'f1', rule = '>= 0.8' }",
        "a::b",
        "a gate's name is a pytest item's: printable, not empty, without '::'",
    ),
]


@pytest.mark.parametrize(("line", "gate", "message"), GATES, ids=[g[0] for g in GATES])
def test_a_gate_that_cannot_be(
    refused: Refused, line: str, gate: str, message: str
) -> None:
    count = message.count("\n") + 1
    problems = "1 problem" if count == 1 else f"{count} problems"
    assert refused(f"{BINARY}[gates]\n{line}") == (
        f"{problems} in gates/m.toml\n  [gates.{gate}]\n    {message}"
    )


@pytest.mark.parametrize(
    ("rule", "span"),
    [
        ("r2 = '>= 1.5'", "1 or less), got '>= 1.5'. Did you mean '>= 1.5%'?"),
        ("bias = '<= 1e999'", "any finite number), got '<= 1e999'"),
    ],
)
def test_limits_of_open_ranges(refused: Refused, rule: str, span: str) -> None:
    name = rule.split(" ")[0]
    assert refused(f"{REGRESSION}[gates]\n{rule}") == one_problem(
        f"gates.{name}",
        f"'rule' sets a limit that {name} cannot reach (its range is {span}",
    )


@pytest.mark.parametrize("rule", [">= 1e99999999999999999999", ">= 1e9999999%"])
def test_an_exponent_beyond_reason_is_unreadable(refused: Refused, rule: str) -> None:
    assert refused(f"{BINARY}[gates]\nf1 = '{rule}'") == one_problem(
        "gates.f1",
        "'rule' must look like '>= 0.85', 'in [0.2, 0.4]' or '>= baseline - 0.01', "
        f"got '{rule}'",
    )


def test_binary_needs_a_positive_label(refused: Refused) -> None:
    gate = "f1 = { rule = '>= 0.8', average = 'binary' }"
    assert refused(f"{MULTI_CLASS}[gates]\n{gate}") == one_problem(
        "gates.f1", "average 'binary' needs 'positive' in [data]"
    )


def test_a_binary_metric_without_a_positive_label(refused: Refused) -> None:
    assert refused(f"{MULTI_CLASS}[gates]\nspecificity = '>= 0.8'") == one_problem(
        "gates.specificity",
        "'specificity' has no average 'macro', which holds without 'positive' in "
        "[data]. Known averages: binary",
    )


def test_every_metric_is_known_where_the_task_is_not(refused: Refused) -> None:
    text = BINARY.replace('"classification"', '"clasification"')
    message = refused(f"{text}[gates]\nmae = '<= 3'\nx = '<= 3'")
    assert message.startswith(
        "2 problems in gates/m.toml\n"
        "  'task' must be 'classification' or 'regression', got 'clasification'. "
        "Did you mean 'classification'?\n"
        "  [gates.x]\n"
    )
    assert "mae" in message and "recall" in message


@pytest.mark.parametrize(
    ("base", "lines", "message"),
    [
        (BINARY, "score = 's'", "'score' needs 'prediction' beside it"),
        (
            MULTI_CLASS,
            "prediction = 'p'\nscore = 's'",
            "'score' needs 'positive': the label that it is about",
        ),
        (
            REGRESSION,
            "positive = 0",
            "'positive' has no meaning when the task is regression",
        ),
        (
            REGRESSION,
            "prediction = 'p'\nscore = 's'",
            "'score' has no meaning when the task is regression",
        ),
        (
            BINARY,
            "prediction = 'label'",
            "'target' and 'prediction' name the same column",
        ),
        (
            BINARY,
            "weight = 'w'\nprediction = 'w'",
            "'weight' and 'prediction' name the same column",
        ),
    ],
)
def test_data_that_contradicts_itself(
    refused: Refused, base: str, lines: str, message: str
) -> None:
    assert refused(base + lines) == one_problem("data", message)


def test_a_label_that_is_no_number(refused: Refused) -> None:
    text = BINARY.replace("positive = 1", "positive = nan")
    assert refused(text) == one_problem(
        "data", "'positive' must be a string, a number or a boolean, got nan"
    )


@pytest.mark.parametrize(
    ("base", "line", "warning"),
    [
        (
            BINARY,
            "recall = '<= 0.9'",
            "gate 'recall': '<= 0.9' is an upper limit, and of recall more is better",
        ),
        (
            BINARY,
            "x = { metric = 'log_loss', rule = '> 0.5' }",
            "gate 'x': '> 0.5' is a lower limit, and of log_loss less is better",
        ),
    ],
)
def test_a_rule_that_points_the_wrong_way_is_a_warning(
    read: Read, base: str, line: str, warning: str
) -> None:
    assert read(f"{base}[gates]\n{line}").warnings == (warning,)


@pytest.mark.parametrize(
    ("base", "line"),
    [
        (BINARY, "recall = 'in [0.8, 0.9]'"),
        (BINARY, "log_loss = '< 0.5'"),
        (REGRESSION, "bias = '<= 0.5'"),
        (REGRESSION, "bias = '>= -0.5'"),
    ],
)
def test_a_rule_that_points_the_right_way_or_either(
    read: Read, base: str, line: str
) -> None:
    assert read(f"{base}[gates]\n{line}").warnings == ()


WAIVER = """
[gates]
recall = ">= 0.8"
[[waivers]]
check = "recall"
reason = "relabelling"
owner = "risk-team"
expires = 2026-12-15
"""


@pytest.mark.parametrize(
    ("written", "instead", "message"),
    [
        (
            "2026-12-15",
            "2026-11-22",
            "expired on 2026-11-22: remove it, or agree on a new date with risk-team",
        ),
        (
            "2026-12-15",
            '"2026-12-15"',
            "'expires' must be a date such as 2026-12-15, without quotes, got "
            "'2026-12-15'",
        ),
        (
            "2026-12-15",
            "2026-12-15T10:00:00",
            "'expires' must be a date such as 2026-12-15, without quotes, got "
            "2026-12-15 10:00:00",
        ),
        (
            'check = "recall"',
            'check = "recal"',
            "'recal' is not a known check. Did you mean 'recall'? Known checks: recall",
        ),
        ('check = "recall"', "", "'check' is missing: the gate that is waived"),
        ('reason = "relabelling"', "", "'reason' is missing: why it is let through"),
        ('owner = "risk-team"', "", "'owner' is missing: who answers for it"),
        (
            "expires = 2026-12-15",
            "",
            "'expires' is missing: the last day that it holds",
        ),
        (
            'check = "recall"',
            'check = "recall"\nslice = { region = ["north"] }',
            "'slice.region' must be a string, a number or a boolean, got an array",
        ),
    ],
)
def test_a_waiver_that_cannot_hold(
    refused: Refused, written: str, instead: str, message: str
) -> None:
    text = BINARY + WAIVER.replace(written, instead)
    assert refused(text) == one_problem("waivers.1", message)


def test_waivers_are_counted_and_tests_are_waived_on_trust(read: Read) -> None:
    one = WAIVER.replace('check = "recall"', 'check = "tests/test_a.py::test_b"')
    (waiver,) = read(BINARY + one).waivers
    assert waiver.check == "tests/test_a.py::test_b"


def test_the_message_of_a_name_with_a_line_break_is_one_line(refused: Refused) -> None:
    assert refused(f'{BINARY}"a\\nb\\u001b[31m" = 1') == one_problem(
        "data",
        "'a b [31m' is not a known key. Known keys: group, positive, prediction, "
        "reference, score, target, uri, weight",
    )


# Environments

LAYERS = f"""
decide = "confident"
{BINARY}
[gates]
accuracy = ">= 0.85"
f1 = {{ rule = ">= 0.8", margin = 0.01, average = "macro" }}
recall = ">= 0.7"

[environments.local]

[environments.production]
confidence = 0.99
margin = 0.001
gates.accuracy = ">= 0.9"
gates.f1.rule = ">= 0.82"
gates.recall = false
gates.mcc = ">= 0.5"
"""


def test_an_environment_is_laid_over_the_base(read: Read) -> None:
    file = read(LAYERS, environment="production")
    assert (file.environment, file.section) == ("production", True)
    assert [(g.name, g.rule.text, g.margin) for g in file.gates] == [
        ("accuracy", ">= 0.9", 0.001),
        ("f1", ">= 0.82", 0.01),
        ("mcc", ">= 0.5", 0.001),
    ]
    assert file.gates[1].options.average == "macro"
    assert file.removed == ("recall",)
    assert file.policy == Policy(
        Decide.CONFIDENT, 0.99, OnInconclusive.HOLD, 0.001, True
    )


@pytest.mark.parametrize(
    ("environment", "section"), [(None, False), ("local", True), ("staging", False)]
)
def test_the_base_holds_where_nothing_differs(
    read: Read, environment: str, section: bool
) -> None:
    file = read(LAYERS, environment=environment)
    assert (file.environment, file.section) == (environment, section)
    assert [gate.name for gate in file.gates] == ["accuracy", "f1", "recall"]
    assert (file.removed, file.warnings) == ((), ())
    assert file.policy == Policy(decide=Decide.CONFIDENT)


def test_a_section_that_nobody_declares(refused: Refused, read: Read) -> None:
    text = f"{BINARY}[environments.prodction]"
    message = (
        "'prodction' is not a known environment. Did you mean 'production'? "
        "Known environments: production, staging"
    )
    declared = ("staging", "production")
    assert refused(text, declared_environments=declared) == one_problem(
        "environments.prodction", message
    )
    for nobody in (None, ()):
        assert read(text, declared_environments=nobody, environment="prodction").section


@pytest.mark.parametrize(
    ("line", "section", "message"),
    [
        (
            "gates.acuracy = '>= 0.9'",
            ".gates.acuracy",
            "'acuracy' is not a known gate. Did you mean 'accuracy'? Known gates: "
            "accuracy, worse",
        ),
        (
            "gates.acuracy = false",
            ".gates.acuracy",
            "'acuracy' is not a known gate. Did you mean 'accuracy'? Known gates: "
            "accuracy, worse",
        ),
        (
            "gates.accuracy = true",
            ".gates.accuracy",
            "must be a rule such as '>= 0.85', a table, or false to remove the gate, "
            "got true",
        ),
        (
            "gates.accuracy = { averge = 'macro' }",
            ".gates.accuracy",
            "'averge' is not a known key. Did you mean 'average'? Known keys: average, "
            "beta, bins, by, margin, metric, min_rows, on_inconclusive, rule, where",
        ),
        (
            "gates.'' = { metric = 'f1', rule = '>= 0.9' }",
            ".gates.",
            "a gate's name is a pytest item's: printable, not empty, without '::'",
        ),
        (
            "gates.new = { metric = 'f1' }",
            ".gates.new",
            "'rule' is missing: what the value must keep, such as '>= 0.85'",
        ),
        ("gates = 3", "", "'gates' must be a table, got 3"),
        (
            "url = 'http://x'",
            "",
            "'url' is not a known key. Known keys: confidence, decide, drift, enforce, "
            "gates, margin, on_inconclusive",
        ),
    ],
)
def test_an_environment_that_cannot_be(
    refused: Refused, line: str, section: str, message: str
) -> None:
    gates = "accuracy = '>= 0.8'\nworse = { metric = 'log_loss', rule = '<= 3' }"
    text = f"{BINARY}[gates]\n{gates}\n[environments.production]\n{line}"
    # It is told whichever environment is judged for.
    assert refused(text) == one_problem(f"environments.production{section}", message)


def test_an_environment_that_is_no_table(refused: Refused) -> None:
    assert refused(f"{BINARY}[environments]\nproduction = 3") == one_problem(
        "environments", "'production' must be a table, got 3"
    )


def test_a_problem_of_the_base_is_not_told_again(refused: Refused) -> None:
    text = f"""{BINARY}
[gates]
accuracy = 5
f1 = {{ rule = ">= 0.8", averge = "macro" }}
[environments.production]
decide = "confident"
gates.f1.margin = 0.01
gates.accuracy = false
"""
    assert refused(text).splitlines()[0] == "2 problems in gates/m.toml"


@pytest.mark.parametrize(
    ("line", "warnings"),
    [
        ("enforce = false", ["enforce = false"]),
        ("decide = 'point'", ["decide = 'point' instead of 'confident'"]),
        ("confidence = 0.8", ["confidence = 0.8 instead of 0.95"]),
        ("margin = 0.02", ["margin = 0.02 instead of 0.01"]),
        (
            "on_inconclusive = 'warn'",
            ["on_inconclusive = 'warn' instead of 'hold'"],
        ),
        (
            "gates.accuracy = '>= 0.8'",
            ["gate 'accuracy' has '>= 0.8' instead of '>= 0.85'"],
        ),
        (
            "gates.log_loss = '<= 0.6'",
            ["gate 'log_loss' has '<= 0.6' instead of '<= 0.5'"],
        ),
        (
            "gates.mcc = 'in [0.2, 0.7]'",
            ["gate 'mcc' has 'in [0.2, 0.7]' instead of 'in [0.3, 0.7]'"],
        ),
        (
            "gates.mcc = 'in [0.3, 0.8]'",
            ["gate 'mcc' has 'in [0.3, 0.8]' instead of 'in [0.3, 0.7]'"],
        ),
        (
            "gates.f1 = '>= baseline - 2%'",
            ["gate 'f1' has '>= baseline - 2%' instead of '>= baseline'"],
        ),
        (
            "gates.f1 = { margin = 0.05, on_inconclusive = 'pass' }",
            [
                "gate 'f1' has margin = 0.05 instead of 0.01",
                "gate 'f1' has on_inconclusive = 'pass' instead of 'hold'",
            ],
        ),
        ("gates.f1 = '>= 0.9'", []),  # who knows what the baseline has
        ("gates.accuracy = '> 0.8'", []),  # another operator
        ("gates.accuracy = '>= 0.9'", []),
        ("gates.log_loss = '<= 0.4'", []),
        ("gates.mcc = 'in [0.4, 0.6]'", []),
        ("gates.f1 = { margin = 0, on_inconclusive = 'fail' }", []),
        ("gates.f1 = { average = 'macro', rule = '>= baseline - 2%' }", []),
        ("confidence = 0.99\nmargin = 0\non_inconclusive = 'fail'", []),
    ],
)
def test_what_is_looser_than_the_base_is_a_warning(
    read: Read, line: str, warnings: List[str]
) -> None:
    text = f"""
decide = "confident"
margin = 0.01
{BINARY}
[gates]
accuracy = ">= 0.85"
log_loss = "<= 0.5"
mcc = "in [0.3, 0.7]"
f1 = ">= baseline"
[environments.staging]
{line}
"""
    prefix = "environment 'staging' is looser than the base: "
    assert list(read(text, environment="staging").warnings) == [
        prefix + warning for warning in warnings
    ]
    assert read(text).warnings == ()


# Whatever is written


def values(of_tables: bool = True) -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.dates(),
        st.text(max_size=5),
        st.sampled_from(
            ["classification", "f1", "acme:x", "no:x", ">= 0.8", "in [1, 2]", "macro"]
        ),
    )
    names = st.sampled_from(
        "model task data gates environments waivers uri target positive metric rule "
        "average beta margin decide check slice expires f1 accuracy fbeta x".split()
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)
        ),
        max_leaves=20,
    )


def to_toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = (f"{key} = {to_toml(inner)}" for key, inner in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(to_toml(inner) for inner in value) + "]"
    if isinstance(value, str):
        points = (f"\\U{ord(part):08x}" for part in value)
        return '"' + "".join(points) + '"'
    return str(value)


TABLES = st.fixed_dictionaries(
    {},
    optional={
        name: values()
        for name in ("model", "task", "data", "gates", "environments", "waivers", "x")
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=TABLES)
def test_nothing_but_a_configuration_error_comes_out(
    table: Dict[str, Any], read: Read
) -> None:
    text = "\n".join(f"{key} = {to_toml(value)}" for key, value in table.items())
    try:
        file = read(text)
    except ConfigurationError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.message.isprintable()
    else:
        assert file.model == table["model"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    low=st.decimals(0, 1, places=6), operator=st.sampled_from([">=", ">", "<=", "<"])
)
def test_a_rule_keeps_what_it_was_written_as(
    low: Any, operator: str, read: Read
) -> None:
    gate = only(read(f'{BINARY}[gates]\naccuracy = "{operator}  {low}"'))
    assert gate.rule.text == f"{operator} {low}"
    assert gate.rule.bound.offset == float(low)


def test_a_file_outside_of_the_root_is_named_in_full(
    tmp_path: Path, metrics: Dict[str, Metric]
) -> None:
    path = tmp_path / "m.toml"
    path.write_text("x = 1")
    with pytest.raises(ConfigurationError) as caught:
        read_gates_file(
            path,
            root=tmp_path / "elsewhere",
            environment=None,
            metrics=metrics,
            custom_metric=lambda name, task: metrics[name],
            today=date(2026, 1, 1),
        )
    assert {problem.source for problem in caught.value.problems} == {str(path)}
