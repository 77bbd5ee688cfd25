"""Which files are collected when, and how the plugin lives with others."""

from __future__ import annotations

import pytest


def names(result):
    return [line for line in result.outlines if "::" in line]


@pytest.fixture
def mixed(judged):
    judged.write("tests/test_unit.py", "def test_unit(): pass\n")
    judged.write(
        "gates/test_m.py",
        "import pytest\n@pytest.mark.gates\ndef test_marked(): pass\n",
    )
    return judged


GATES = ["gates/m.toml::accuracy", "gates/m.toml::precision", "gates/m.toml::recall"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["tests/test_unit.py::test_unit"]),
        (["-m", "not slow"], ["tests/test_unit.py::test_unit"]),
        (["tests"], ["tests/test_unit.py::test_unit"]),
        (["-m", "gates"], [*GATES, "gates/test_m.py::test_marked"]),
        (["-m", "gates and not slow"], [*GATES, "gates/test_m.py::test_marked"]),
        (["-m", "gates and slow"], []),
        (["-m", "slow or gates"], [*GATES, "gates/test_m.py::test_marked"]),
        (["gates"], [*GATES, "gates/test_m.py::test_marked"]),
        (["gates/m.toml"], GATES),
        (["gates/m.toml::recall"], ["gates/m.toml::recall"]),
        (["--gates", "m", "gates"], [*GATES, "gates/test_m.py::test_marked"]),
    ],
)
def test_gates_are_collected_where_they_are_asked_for(mixed, arguments, expected):
    result = mixed.run("--collect-only", "-q", *arguments)
    assert sorted(names(result)) == sorted(expected)


def test_a_bare_run_leaves_marked_tests_out_and_says_so(mixed):
    result = mixed.run()
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.no_fnmatch_line("*pytest-mlops*")


def test_an_option_that_a_conftest_has_taken_is_left_to_it(judged):
    judged.write(
        "conftest.py",
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--env', default='theirs')\n",
    )
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text + '\n[environments.production]\ngates.recall = ">= 0.99"\n')
    assert judged.run_apart("-m", "gates", "--env", "production").ret == 0
    assert judged.run_apart("-m", "gates", "--mlops-env", "production").ret == 1


def test_environment_variables_stand_in_for_options(judged, monkeypatch):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text + '\n[environments.production]\ngates.recall = ">= 0.99"\n')
    monkeypatch.setenv("MLOPS_ENV", "production")
    assert judged.run("-m", "gates").ret == 1


def test_a_variable_alone_does_not_wake_the_gates(mixed, monkeypatch):
    monkeypatch.setenv("MLOPS_MODEL_URI", "models:/m@candidate")
    mixed.run().assert_outcomes(passed=1, deselected=1)


def test_a_verdict_needs_something_to_judge(mixed):
    result = mixed.run("--verdict=v.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: pytest-mlops: --verdict has nothing to write*"]
    )


def test_the_mark_is_known_under_strict_markers(mixed):
    assert mixed.run("--strict-markers", "tests").ret == 0


def test_coverage_below_its_bound_stays_a_failure(mixed):
    pytest.importorskip("pytest_cov")
    mixed.write("gates/never_imported.py", "uncovered = 1\n")
    result = mixed.run_apart(
        "-m", "gates", "--cov=gates", "--cov-fail-under=100", "--verdict=verdict.json"
    )
    assert result.ret == 1
    assert mixed.verdict()["outcome"] == "pass"


def test_gates_are_cases_of_a_junit_report(mixed):
    mixed.run("-m", "gates", "--junitxml=junit.xml")
    report = mixed.path.joinpath("junit.xml").read_text()
    assert 'name="recall"' in report


def test_a_metric_of_a_conftest_is_known_to_the_gates(judged):
    judged.write(
        "conftest.py",
        "from dataclasses import replace\n"
        "from pytest_mlops.evidence.metrics import builtin_metrics\n"
        "def pytest_mlops_metrics():\n"
        "    by_name = {m.name: m for m in builtin_metrics()}\n"
        "    yield replace(by_name['recall'], name='sensitivity')\n",
    )
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text.replace("recall =", "sensitivity ="))
    result, verdict = judged.judge()
    assert result.ret == 0
    assert verdict["checks"][2]["value"] == 0.9


def test_a_metric_that_two_plugins_register_names_both(judged):
    judged.write(
        "conftest.py",
        "from pytest_mlops.evidence.metrics import builtin_metrics\n"
        "def pytest_mlops_metrics():\n"
        "    yield builtin_metrics()[0]\n",
    )
    result = judged.run("-m", "gates")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: pytest-mlops: plugins: the metric 'accuracy' is registered twice*"]
    )


@pytest.mark.parametrize(
    "arguments",
    [["gates/m.toml"], ["gates/test_m.py"], ["gates", "--ignore=gates/test_m.py"]]
    + [["gates", "--ignore-glob=*test_m*"], ["gates", "--deselect=gates/test_m.py"]],
)
def test_a_part_of_the_folder_is_partial(mixed, arguments):
    assert mixed.run(*arguments, "--verdict=verdict.json").ret == 0
    assert mixed.verdict()["partial"]
    assert mixed.verdict()["action"] == "hold"


@pytest.mark.parametrize("arguments", [["gates"], ["-m", "gates"], ["gates", "tests"]])
def test_the_whole_folder_is_not(mixed, arguments):
    assert mixed.run(*arguments, "--verdict=verdict.json").ret == 0
    assert not mixed.verdict()["partial"]


def test_last_failed_of_other_tests_leaves_nothing_out(mixed):
    mixed.write("tests/test_bad.py", "def test_bad(): assert False\n")
    assert mixed.run("tests").ret == 1
    assert mixed.run("-m", "gates", "--lf", "--verdict=verdict.json").ret == 0
    assert not mixed.verdict()["partial"]


def test_a_model_option_without_a_path_collects_the_gates_too(mixed):
    mixed.write("pytest.ini", "[pytest]\ntestpaths = tests\nmarkers = gates: judged\n")
    result = mixed.run("--gates", "m", "--collect-only", "-q")
    assert sorted(names(result)) == sorted(
        [*GATES, "gates/test_m.py::test_marked", "tests/test_unit.py::test_unit"]
    )


def test_looking_at_what_is_collected_keeps_an_old_verdict(mixed):
    verdict = mixed.judge()[1]
    for look in ("--collect-only", "--markers", "--fixtures"):
        mixed.run("-m", "gates", look, "--verdict=verdict.json")
    assert mixed.verdict() == verdict


def test_marked_tests_elsewhere_need_no_gates_folder(repository):
    repository.write(
        "tests/test_m.py",
        "import pytest\n@pytest.mark.gates\ndef test_marked(): pass\n",
    )
    result = repository.run("-m", "gates", "tests", "--verdict=verdict.json")
    assert result.ret == 0
    assert repository.verdict()["outcome"] == "pass"
