"""Whatever a test does with its comparisons, item, checks and exit code agree."""

from __future__ import annotations

import pytest

HEAD = "import pytest\npytestmark = pytest.mark.gates\n\n"
CONFIDENT = 'decide = "confident"\n'


@pytest.fixture
def python(judged):
    """Judges by a Python file alone; gives the result, and its checks by outcome."""

    def judge(body, *arguments, base=""):
        text = judged.path.joinpath("gates/m.toml").read_text()
        judged.gates(base + text[: text.index("[gates]")])
        judged.write("gates/test_m.py", HEAD + body)
        result, verdict = judged.judge(*arguments)
        found = [(check["outcome"], check["reason"]) for check in verdict["checks"]]
        return result, verdict, found

    return judge


def test_other_options_are_another_check(python):
    result, verdict, found = python(
        "def test_it(metric):\n"
        "    assert metric('f1', average='macro') >= 0.5\n"
        "    assert metric('f1') >= 0.5\n"
    )
    assert result.ret == 0
    assert [c["options"]["average"] for c in verdict["checks"]] == ["macro", "binary"]


def test_an_assertion_after_an_undecided_comparison_fails(python):
    result, _, found = python(
        "def test_it(metric):\n"
        "    sure = metric('recall') >= 0.8\n"
        "    assert 1 + 1 == 3\n",
        base=CONFIDENT,
    )
    assert result.ret == 1
    assert found == [("inconclusive", "interval_straddles"), ("fail", "assertion")]


def test_an_undecided_comparison_that_is_asserted_only_holds(python):
    result, _, found = python(
        "def test_it(metric):\n    assert metric('recall') >= 0.8, 'too few'\n",
        base=CONFIDENT,
    )
    assert result.ret == 12
    assert found == [("inconclusive", "interval_straddles")]


def test_a_crash_after_a_failed_comparison_is_told_too(python):
    result, _, found = python(
        "def test_it(metric):\n    metric('recall') >= 0.99\n    raise OSError('x')\n"
    )
    assert result.ret == 1
    assert found == [("fail", None), ("error", "crashed")]


def test_a_broken_teardown_after_a_failed_comparison_is_told_too(python):
    result, _, found = python(
        "@pytest.fixture\ndef it():\n    yield\n    raise OSError('gone')\n"
        "def test_it(it, metric):\n    assert metric('recall') >= 0.99\n"
    )
    assert result.ret == 1
    assert found == [("fail", None), ("error", "crashed")]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_comparison_in_a_fixture_must_be_asserted_as_well(python, when):
    compare = "    metric('recall') >= 0.99\n"
    parts = {"before": compare + "    yield\n", "after": "    yield\n" + compare}
    result, _, found = python(
        f"@pytest.fixture\ndef it(metric):\n{parts[when]}def test_it(it): pass\n"
    )
    assert result.ret == 1
    assert ("error", "not_asserted") in found
    assert "failed" in result.parseoutcomes() or "errors" in result.parseoutcomes()


def test_a_failed_subtest_fails_its_test_and_no_instrument(python):
    if not hasattr(pytest, "Subtests"):
        pytest.skip("this pytest has no subtests of its own")
    result, _, found = python(
        "def test_it(metric, subtests):\n"
        "    with subtests.test('one'):\n"
        "        assert metric('recall') >= 0.99\n"
        "    with subtests.test('two'):\n"
        "        assert metric('recall') >= 0.5\n"
    )
    assert result.ret == 1
    assert ("fail", None) in found
    assert "error" not in [outcome for outcome, _ in found]


def test_a_waived_assertion_is_an_expected_failure(python, judged):
    waiver = (
        '[[waivers]]\ncheck = "gates/test_m.py::test_it"\nreason = "relabelling"\n'
        'owner = "risk-team"\nexpires = 2999-12-31\n\n'
    )
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text.replace("[gates]", f"{waiver}[gates]"))
    result, verdict, found = python("def test_it():\n    assert 1 + 1 == 3\n")
    assert result.ret == 0
    result.assert_outcomes(xfailed=1)
    assert found == [("fail", "assertion")]
    assert verdict["checks"][0]["waived"]["owner"] == "risk-team"
    assert verdict["outcome"] == "pass"


def test_an_expected_failure_waives_nothing(python):
    result, verdict, found = python(
        "@pytest.mark.xfail(strict=False)\n"
        "def test_it(metric):\n    assert metric('recall') >= 0.99\n"
    )
    assert result.ret == 1
    assert verdict["action"] == "hold"  # as for every test that did not really run
    assert ("fail", None) in found


def test_a_skipped_gate_makes_the_run_partial(python):
    result, verdict, found = python(
        "def test_one(): pytest.skip('not here')\ndef test_two(): pass\n"
    )
    assert result.ret == 0
    assert verdict["partial"] and verdict["action"] == "hold"
    assert sorted(found) == [("inconclusive", "skipped"), ("pass", None)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("metric('f1', average='makro')", "no average 'makro'. Did you mean 'macro'?"),
        ("metric('recall', beta=2)", "'recall' has no option 'beta'"),
        ("metric('fbeta')", "'fbeta' needs 'beta'"),
        ("metric('mae')", "is a metric of regression, and the task is classification"),
    ],
)
def test_options_that_a_metric_does_not_take_are_refused(python, call, message):
    result, verdict, _ = python(f"def test_it(metric):\n    assert {call} >= 0.1\n")
    assert result.ret == 12
    assert message in verdict["checks"][0]["message"]


@pytest.mark.parametrize("limit", ["float('nan')", "None", "'0.8'[:0]"])
def test_a_limit_that_is_no_number_is_refused(python, limit):
    result, verdict, _ = python(
        f"def test_it(metric):\n    assert metric('recall') >= {limit}\n"
    )
    assert result.ret == 12
    assert "recall can be compared with a finite number" in (
        verdict["checks"][0]["message"]
    )


def test_a_broken_instrument_is_told_once_a_gate_and_blocks_nothing_unenforced(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates("enforce = false\n" + text)
    judged.data(true=[1] * 39 + [""])
    result, verdict = judged.judge()
    assert result.ret == 0
    assert [c["outcome"] for c in verdict["checks"]] == ["error"] * 3


def test_a_waiver_does_not_cover_a_broken_instrument(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(
        text + '\n[[waivers]]\ncheck = "recall"\nreason = "r"\nowner = "o"\n'
        "expires = 2999-12-31\n"
    )
    judged.data(true=[1] * 39 + [""])
    result, verdict = judged.judge()
    assert result.ret == 12
    assert [c["waived"] for c in verdict["checks"]] == [None] * 3


def test_a_metric_that_is_named_in_a_test_costs_no_second_pass(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text.replace('prediction = "predicted"\n', ""))
    data = judged.path.joinpath("data.csv").read_text()
    judged.write("data.csv", data.replace("predicted", "guess"))
    judged.write(
        "counting_model.py",
        "from pathlib import Path\n"
        "import numpy\n"
        "class Model:\n"
        "    classes_ = [0, 1]\n"
        "    def predict(self, frame):\n"
        "        with Path('runs.log').open('a') as log: log.write('run\\n')\n"
        "        return frame['guess']\n"
        "    def predict_proba(self, frame):\n"
        "        return numpy.stack([1 - frame['guess'], frame['guess']], axis=1)\n"
        "model = Model()\n",
    )
    judged.write(
        "gates/test_m.py",
        HEAD + "def test_it(metric):\n    assert metric('roc_auc') >= 0.5\n",
    )
    result, verdict = judged.judge("--model-uri=counting_model:model")
    assert result.ret == 0
    assert (judged.path / "runs.log").read_text() == "run\n"


def test_no_secret_of_an_error_reaches_a_report(judged):
    edited = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(edited.replace('prediction = "predicted"\n', ""))
    judged.write(
        "leaking_model.py",
        "class Model:\n"
        "    def predict(self, frame):\n"
        "        raise OSError('postgresql://me:hunter2@db refused')\n"
        "model = Model()\n",
    )
    result, verdict = judged.judge(
        "--model-uri=leaking_model:model", "--junitxml=junit.xml", "-v"
    )
    assert result.ret == 12
    shown = result.stdout.str() + result.stderr.str()
    written = (judged.path / "junit.xml").read_text()
    assert "refused" in written
    for text in (shown, written, str(verdict)):
        assert "hunter2" not in text


def test_another_plugin_that_stops_the_run_is_no_success(judged):
    judged.write(
        "conftest.py",
        "def pytest_runtest_logfinish(nodeid, location):\n    pass\n"
        "def pytest_runtest_teardown(item):\n"
        "    item.session.shouldstop = 'enough'\n",
    )
    result, verdict = judged.judge()
    assert result.ret == 2
    assert verdict["partial"] and verdict["action"] == "hold"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    raise OSError('no licence')", "pytest_mlops_metrics raised OSError: no"),
        ("    return None", "pytest_mlops_metrics raised TypeError"),
        ("    return ['recall']", "gives 'recall', which is no metric"),
    ],
)
def test_a_hook_that_breaks_is_a_configuration_mistake(judged, body, message):
    judged.write("conftest.py", f"def pytest_mlops_metrics():\n{body}\n")
    result = judged.run("-m", "gates")
    assert result.ret == 4
    assert message in result.stderr.str()


METRIC = """\
from dataclasses import replace
import numpy
from pytest_mlops.core.metrics import Estimate
from pytest_mlops.evidence.metrics import builtin_metrics

def estimate(table, options):
    {body}

def pytest_mlops_metrics():
    recall = next(m for m in builtin_metrics() if m.name == "recall")
    yield replace(recall, name="theirs", estimate=estimate)
"""


@pytest.mark.parametrize(
    ("body", "code", "outcome"),
    [
        ("return Estimate(numpy.float64(0.9), numpy.int64(40))", 0, "pass"),
        ("return Estimate(numpy.float64('nan'), 40)", 12, "inconclusive"),
        ("return None", 12, "error"),
        ("return Estimate(numpy.zeros(2), 40)", 12, "error"),
        ("raise OSError('no licence')", 12, "error"),
    ],
)
def test_a_metric_of_a_plugin_may_do_anything(judged, body, code, outcome):
    judged.write("conftest.py", METRIC.format(body=body))
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text + 'theirs = ">= 0.5"\n')
    result, verdict = judged.judge()
    assert result.ret == code
    assert verdict["checks"][-1]["outcome"] == outcome
    assert [c["outcome"] for c in verdict["checks"][:-1]] == ["pass"] * 3
