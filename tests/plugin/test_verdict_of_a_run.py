"""From outcomes to the exit code, the verdict file and what a person sees."""

from __future__ import annotations

import pytest

CONFIDENT = 'decide = "confident"\n'


def outcomes(verdict):
    return {check["name"]: check["outcome"] for check in verdict["checks"]}


def last_line(result):
    return [line for line in result.outlines if line.strip()][-1]


def test_a_good_model_passes(judged):
    result, verdict = judged.judge()
    assert result.ret == 0
    result.assert_outcomes(passed=3)
    assert outcomes(verdict) == dict.fromkeys(
        ["accuracy", "precision", "recall"], "pass"
    )
    assert verdict["outcome"] == "pass"
    assert verdict["action"] == "promote"
    assert verdict["exit_code"] == 0
    assert not verdict["partial"]
    assert verdict["policy"]["gates_file"] == "gates/m.toml"
    recall = verdict["checks"][2]
    assert recall["value"] == 18 / 20
    assert recall["rows"] == 20
    assert recall["method"] == "wilson"
    assert recall["node_id"] == "gates/m.toml::recall"
    assert last_line(result) == "pytest-mlops: PASS, promote (exit 0)"
    result.stdout.fnmatch_lines(
        ["*= pytest-mlops =*", "*data.csv*40 rows*", "recall *0.9 *0.80 *20 *PASS"]
    )


def test_a_bad_model_fails_and_the_reason_stands_in_the_summary(judged, monkeypatch):
    judged.gates(
        judged.path.joinpath("gates/m.toml")
        .read_text()
        .replace('recall = ">= 0.80', 'recall = ">= 0.95')
    )
    monkeypatch.setenv("CI", "true")  # pytest does not cut its summary there
    result, verdict = judged.judge()
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1)
    assert verdict["outcome"] == "fail"
    assert verdict["action"] == "block"
    assert verdict["exit_code"] == 1
    result.stdout.fnmatch_lines(
        ["FAILED gates/m.toml::recall - *recall is 0.9 *the rule is >= 0.95*"]
    )
    assert last_line(result) == "pytest-mlops: FAIL, block (exit 1)"
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_undecided_model_is_held(judged):
    judged.gates(CONFIDENT + judged.path.joinpath("gates/m.toml").read_text())
    result, verdict = judged.judge()
    assert result.ret == 12
    assert verdict["outcome"] == "inconclusive"
    assert verdict["action"] == "hold"
    assert {check["reason"] for check in verdict["checks"]} == {"interval_straddles"}
    assert all(check["rows_needed"] > 20 for check in verdict["checks"])


@pytest.mark.parametrize(
    ("policy", "code", "action"),
    [("warn", 0, "promote"), ("pass", 0, "promote"), ("fail", 1, "block")],
)
def test_the_policy_says_what_undecided_means(judged, policy, code, action):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(f'{CONFIDENT}on_inconclusive = "{policy}"\n{text}')
    result, verdict = judged.judge()
    assert (result.ret, verdict["action"]) == (code, action)
    assert verdict["outcome"] == "inconclusive"


def test_what_is_not_enforced_blocks_nothing(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates("enforce = false\n" + text.replace("0.80", "0.99"))
    result, verdict = judged.judge()
    assert result.ret == 0
    result.assert_outcomes(passed=3)
    assert verdict["outcome"] == "fail"
    assert verdict["action"] == "promote"


def test_a_waived_failure_does_not_block_and_says_who_answers(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(
        text.replace('recall = ">= 0.80"', 'recall = ">= 0.99"')
        + '\n[[waivers]]\ncheck = "recall"\nreason = "relabelling"\n'
        'owner = "risk-team"\nexpires = 2999-12-31\n'
    )
    result, verdict = judged.judge()
    assert result.ret == 0
    recall = verdict["checks"][2]
    assert recall["outcome"] == "fail"
    assert recall["waived"]["owner"] == "risk-team"
    assert verdict["outcome"] == "pass"
    result.stdout.fnmatch_lines(["*waived*"])


def test_the_environment_s_section_applies(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text + '\n[environments.production]\ngates.recall = ">= 0.99"\n')
    assert judged.judge()[0].ret == 0
    result, verdict = judged.judge("--env", "production")
    assert result.ret == 1
    assert verdict["environment"] == "production"


def test_nothing_collected_stays_pytest_s_own_code(judged):
    result, verdict = judged.judge("-k", "nothing_of_that_name")
    assert result.ret == 5
    assert verdict is None


def test_collecting_alone_writes_nothing(judged):
    result, verdict = judged.judge("--collect-only", "-q")
    assert result.ret == 0
    assert verdict is None
    result.stdout.fnmatch_lines(["gates/m.toml::accuracy"])


def test_an_old_verdict_does_not_outlive_the_start_of_a_run(judged):
    assert judged.judge()[1]["action"] == "promote"
    judged.judge("-k", "nothing_of_that_name")
    assert judged.verdict() is None


def test_an_old_verdict_does_not_outlive_a_mistake(judged):
    assert judged.judge()[1]["action"] == "promote"
    judged.gates("model = 3")
    result, verdict = judged.judge()
    assert result.ret == 4
    assert verdict is None


@pytest.mark.parametrize("name", ["data.csv", "gates/m.toml", "notes.json"])
def test_a_file_that_is_no_verdict_is_not_replaced(judged, name):
    judged.write("notes.json", '{"mine": 1}')
    before = (judged.path / name).read_text()
    result = judged.run("-m", "gates", f"--verdict={name}")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*exists and is no verdict; name another file"])
    assert (judged.path / name).read_text() == before


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        (["-k", "recall"], 1),
        (["--deselect", "gates/m.toml::recall"], 2),
        (["gates/m.toml::accuracy"], 1),
    ],
)
def test_a_part_of_the_suite_is_partial_and_holds(judged, arguments, ran):
    result, verdict = judged.judge(*arguments)
    assert result.ret == 0
    assert verdict["partial"]
    assert verdict["action"] == "hold"
    assert last_line(result) == (
        f"pytest-mlops: PASS, hold (exit 0), partial: {ran} of 3 gates ran; "
        "a partial run never promotes"
    )


def test_the_last_failed_alone_are_partial(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text.replace('recall = ">= 0.80"', 'recall = ">= 0.99"'))
    assert judged.judge()[0].ret == 1
    result, verdict = judged.judge("--lf")
    assert result.ret == 1
    assert verdict["partial"] and verdict["action"] == "hold"
    assert outcomes(verdict) == {"recall": "fail"}


def test_a_run_that_stops_at_the_first_failure_is_partial(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text.replace('accuracy = ">= 0.80"', 'accuracy = ">= 0.99"'))
    result, verdict = judged.judge("-x")
    assert result.ret == 1
    assert verdict["partial"]
    assert outcomes(verdict) == {"accuracy": "fail"}


def test_a_failure_that_is_no_check_stays_1(judged):
    judged.write("gates/test_other.py", "def test_other(): assert False")
    result = judged.run("gates", "--verdict=verdict.json")
    assert result.ret == 1
    assert judged.verdict()["outcome"] == "pass"
    assert judged.verdict()["action"] == "hold"
    assert judged.verdict()["exit_code"] == 1


def test_an_internal_error_of_pytest_decides_nothing(judged):
    judged.write(
        "conftest.py",
        "def pytest_runtest_logfinish(nodeid):\n    raise RuntimeError('a bug')\n",
    )
    result, verdict = judged.judge()
    assert result.ret == 3
    assert verdict is None


def test_another_plugin_s_own_exit_code_stays(judged):
    judged.write(
        "conftest.py",
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, trylast=True)\n"
        "def pytest_runtestloop(session):\n"
        "    result = yield\n"
        "    pytest.exit('theirs', returncode=42)\n",
    )
    result, verdict = judged.judge()
    assert result.ret == 42
    assert verdict is None


def test_what_could_not_be_measured_is_not_promoted_even_unenforced(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates("enforce = false\n" + text)
    judged.write("data.csv", "label,predicted\n")
    result, verdict = judged.judge()
    assert result.ret == 0
    assert (verdict["outcome"], verdict["action"]) == ("error", "hold")


def test_a_suite_that_cannot_be_collected_holds_even_unenforced(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates("enforce = false\n" + text)
    judged.write("gates/test_m.py", "import nothing_of_that_name\n")
    result, verdict = judged.judge()
    assert result.ret == 12
    assert verdict["action"] == "hold"


def test_a_module_that_skips_itself_makes_the_run_partial(judged):
    judged.write(
        "gates/test_m.py",
        "import pytest\npytest.importorskip('nothing_of_that_name')\n",
    )
    result, verdict = judged.judge()
    assert verdict["partial"] and verdict["action"] == "hold"


def test_marks_that_are_added_late_hide_no_deselected_gate(judged):
    judged.write("gates/test_m.py", "def test_a(): pass\ndef test_b(): pass\n")
    judged.write(
        "conftest.py",
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        item.add_marker('gates')\n",
    )
    result, verdict = judged.judge("-k", "not recall")
    assert result.ret == 0
    assert verdict["partial"] and verdict["action"] == "hold"


def test_labels_that_look_like_secrets_stay_what_they_are(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text.replace("positive = 1", 'positive = "bearer bond"'))
    names = {1: "bearer bond", 0: "key=share"}
    true = [names[i] for i in [1] * 20 + [0] * 20]
    judged.data(true=true, predicted=true)
    result, verdict = judged.judge()
    assert result.ret == 0
    assert verdict["evidence"][0]["tables"]["labels"]["labels"] == [
        "bearer bond",
        "key=share",
    ]


def test_gates_are_not_for_every_worker(judged):
    pytest.importorskip("xdist")
    result = judged.run_apart("-m", "gates", "--dist=each", "--tx=2*popen")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*a model is judged once: --dist=each is not for*"])


def test_what_the_environment_takes_away_or_loosens_is_said_beside_the_verdict(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(
        text + "\n[environments.dev]\ngates.recall = false\n"
        'gates.accuracy = ">= 0.5"\n'
    )
    result, verdict = judged.judge("--env", "dev", "-q")
    assert result.ret == 0
    loosened, removed = verdict["remarks"]
    assert "looser than the base" in loosened
    assert removed == "environment 'dev' takes away the gate 'recall'"
    result.stdout.fnmatch_lines(["note*looser than the base*", f"note*{removed}"])


def test_the_run_says_where_its_verdict_is(judged):
    result, _ = judged.judge()
    path = judged.path / "verdict.json"
    assert result.outlines[-2] == f"pytest-mlops: the verdict is in {path}"
