"""Gates in Python: measured values that judge themselves, and plain assertions."""

from __future__ import annotations

import pytest

HEAD = "import pytest\npytestmark = pytest.mark.gates\n\n"


@pytest.fixture
def python(judged):
    """Judges by one Python test, beside the gates file."""

    def judge(body, *arguments):
        judged.write("gates/test_m.py", HEAD + body)
        result, verdict = judged.judge(*arguments)
        checks = [c for c in verdict["checks"] if "test_m.py" in c["node_id"]]
        return result, verdict, checks

    return judge


def test_two_measured_values_are_not_compared(judged):
    judged.write(
        "gates/test_two.py",
        "import pytest\n\n@pytest.mark.gates\ndef test_it(metric):\n"
        "    assert metric('recall') >= metric('precision')\n",
    )
    result, verdict = judged.judge()
    assert result.ret == 12
    assert "recall is compared with precision" in verdict["checks"][-1]["message"]


def test_a_value_that_is_measured_and_left_is_no_test(judged):
    judged.write(
        "gates/test_none.py",
        "import pytest\n\n@pytest.mark.gates\ndef test_it(metric):\n"
        "    metric('recall')\n\n"
        "@pytest.mark.gates\ndef test_bare(metric):\n"
        "    assert float(metric('recall')) > 0\n",
    )
    result, verdict = judged.judge()
    left, bare = verdict["checks"][-2:]
    assert (left["outcome"], left["reason"]) == ("error", "not_asserted")
    assert bare["outcome"] == "pass"
    assert result.ret == 12


def test_a_comparison_judges_and_records_once(python):
    result, verdict, checks = python(
        "def test_recall(metric):\n    assert metric('recall') >= 0.7\n"
    )
    assert result.ret == 0
    (check,) = checks
    assert check["kind"] == "gate"
    assert (check["metric"], check["rule"], check["value"]) == ("recall", ">= 0.7", 0.9)
    assert check["node_id"] == "gates/test_m.py::test_recall"
    assert check["interval"]


def test_a_failed_comparison_explains_itself(python):
    result, verdict, checks = python(
        "def test_recall(metric):\n    assert metric('recall') >= 0.95\n"
    )
    assert result.ret == 1
    assert [c["outcome"] for c in checks] == ["fail"]
    result.stdout.fnmatch_lines(
        ["*assert <recall = 0.9> >= 0.95*", "*recall is 0.9 *the rule is >= 0.95*"]
    )


@pytest.mark.parametrize(
    ("comparison", "rule"),
    [("0.7 <= {}", ">= 0.7"), ("{} > 0.7", "> 0.7"), ("{} < 0.95", "< 0.95")]
    + [("{} <= 0.95", "<= 0.95")],
)
def test_every_comparison_is_a_rule(python, comparison, rule):
    compared = comparison.format("metric('recall')")
    result, _, checks = python(f"def test_it(metric):\n    assert {compared}\n")
    assert result.ret == 0
    assert [check["rule"] for check in checks] == [rule]


def test_two_comparisons_are_two_checks(python):
    _, _, checks = python(
        "def test_it(metric):\n    assert 0.7 <= metric('recall') <= 0.95\n"
    )
    assert sorted(check["rule"] for check in checks) == ["<= 0.95", ">= 0.7"]


def test_options_of_a_metric_are_given_by_name(python):
    _, _, checks = python(
        "def test_it(metric):\n    assert metric('f1', average='macro') >= 0.5\n"
    )
    assert checks[0]["options"] == {"average": "macro"}


def test_a_bare_figure_is_no_check(python):
    _, _, checks = python(
        "def test_it(metric):\n    assert float(metric('mcc')) > 0.5\n"
    )
    assert [check["kind"] for check in checks] == ["test"]


def test_a_metric_whose_name_is_put_together_is_measured_when_it_is_asked_for(python):
    result, _, checks = python(
        "def test_it(metric):\n" "    assert metric('_'.join(['roc', 'auc'])) >= 0\n"
    )
    assert result.ret == 12
    assert "no column of probabilities" in checks[0]["message"]


def test_a_plain_assertion_is_a_check_named_by_its_node(python):
    result, verdict, checks = python("def test_size():\n    assert 1 + 1 == 3\n")
    assert result.ret == 1
    (check,) = checks
    assert (check["kind"], check["outcome"]) == ("test", "fail")
    assert check["name"] == "gates/test_m.py::test_size"
    assert check["node_id"] == "gates/test_m.py::test_size"
    assert "assert (1 + 1) == 3" in check["message"]


def test_a_plain_test_that_passes_is_a_check_too(python):
    _, verdict, checks = python("def test_size():\n    assert 1 + 1 == 2\n")
    assert [check["outcome"] for check in checks] == ["pass"]


def test_a_crash_is_the_instrument_s(python):
    result, verdict, checks = python("def test_it():\n    raise OSError('no disk')\n")
    assert result.ret == 12
    assert [c["outcome"] for c in checks] == ["error"]
    assert checks[0]["message"] == "OSError: no disk"


def test_a_blocking_comparison_that_nobody_asserts_is_an_error(python):
    result, verdict, checks = python(
        "def test_it(metric):\n    metric('recall') >= 0.99\n"
    )
    assert result.ret == 1
    assert sorted(check["outcome"] for check in checks) == ["error", "fail"]
    result.stdout.fnmatch_lines(["*a comparison in this test blocks*assert it*"])


def test_a_negated_comparison_is_an_error(python):
    result, _, checks = python(
        "def test_it(metric):\n    assert not metric('recall') >= 0.99\n"
    )
    assert result.ret == 1
    assert "not_asserted" in [check["reason"] for check in checks]


@pytest.mark.parametrize("expression", ["metric('recall') == 0.9", "metric('recall')"])
def test_what_is_no_comparison_with_a_limit_is_refused(python, expression):
    result, _, checks = python(f"def test_it(metric):\n    assert {expression}\n")
    assert result.ret == 12
    assert "is a measured value: compare it with" in checks[0]["message"]


def test_an_unknown_metric_is_told_with_the_nearest(python):
    result, _, checks = python("def test_it(metric):\n    metric('recal') >= 1\n")
    assert result.ret == 12
    assert "Did you mean 'recall'?" in checks[0]["message"]
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_skipped_test_is_recorded_as_undecided(python):
    result, verdict, checks = python("def test_it():\n    pytest.skip('not here')\n")
    assert result.ret == 0
    (check,) = checks
    assert (check["outcome"], check["reason"]) == ("inconclusive", "skipped")
    assert "not here" in check["message"]
    assert verdict["outcome"] == "inconclusive"
    assert verdict["partial"]


def test_a_broken_teardown_is_an_error(python):
    result, _, checks = python(
        "@pytest.fixture\ndef it():\n    yield\n    raise OSError('gone')\n"
        "def test_it(it): pass\n"
    )
    assert result.ret == 12
    assert "error" in [check["outcome"] for check in checks]


def test_a_rerun_replaces_its_check_and_counts(python, judged):
    pytest.importorskip("pytest_rerunfailures")
    result, _, checks = python(
        "tries = []\n"
        "def test_it(metric):\n"
        "    tries.append(1)\n"
        "    assert metric('recall') >= (0.99 if len(tries) == 1 else 0.5)\n",
        "--reruns=1",
    )
    assert result.ret == 0
    assert [(c["outcome"], c["attempts"]) for c in checks] == [("pass", 2)]


def test_marked_tests_alone_need_no_gates_file(repository):
    repository.write("gates/test_m.py", HEAD + "def test_it(): pass\n")
    result, verdict = repository.judge()
    assert result.ret == 0
    assert verdict["outcome"] == "pass"
    assert verdict["evidence"] == []


def test_metric_without_a_gates_file_says_what_is_missing(repository):
    repository.write(
        "gates/test_m.py", HEAD + "def test_it(metric):\n    metric('recall')\n"
    )
    result, verdict = repository.judge()
    assert result.ret == 12
    assert "needs a gates file" in verdict["checks"][0]["message"]


def test_a_suite_that_is_skipped_whole_is_an_error(repository):
    repository.write("gates/test_m.py", HEAD + "def test_it(): pytest.skip('x')\n")
    result, verdict = repository.judge()
    assert result.ret == 12
    assert verdict["outcome"] == "error"


def test_a_function_of_ones_own_can_be_measured_too(judged):
    judged.write("costs.py", "def cost(true, predicted):\n    return abs(0.25)\n")
    judged.write(
        "gates/test_cost.py",
        "import pytest\n\n@pytest.mark.gates\ndef test_it(metric):\n"
        "    assert metric('costs:cost') <= 0.3\n",
    )
    result, verdict = judged.judge()
    assert verdict["checks"][-1]["value"] == 0.25
    assert result.ret == 0
