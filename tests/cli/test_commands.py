"""The command line: verify, judge, explain and show, on a verdict of a real run."""

from __future__ import annotations

import json

import pytest

from pytest_mlops.cli import main

GATES = """\
model = "m"
task = "classification"

[data]
uri = "data.csv"
target = "label"
positive = 1
prediction = "predicted"
score = "probability"

[gates]
accuracy = ">= 0.80"
recall = ">= 0.80"
roc_auc = ">= 0.80"
"""
ROWS = [(1, 1, 0.9)] * 18 + [(1, 0, 0.3)] * 2 + [(0, 1, 0.6)] * 3 + [(0, 0, 0.1)] * 17


@pytest.fixture
def folder(pytester):
    """A repository whose gates were judged: verdict.json lies in it."""
    (pytester.path / "gates").mkdir()
    (pytester.path / "gates/m.toml").write_text(GATES)
    lines = ["label,predicted,probability", *(",".join(map(str, r)) for r in ROWS)]
    (pytester.path / "data.csv").write_text("\n".join(lines) + "\n")
    result = pytester.runpytest_inprocess("-m", "gates", "--verdict=verdict.json")
    assert result.ret == 0
    return pytester.path


def edit(folder, change):
    path = folder / "verdict.json"
    verdict = json.loads(path.read_text())
    change(verdict)
    path.write_text(json.dumps(verdict))


def test_a_sound_verdict_holds(folder, capsys):
    assert main(["verify", "verdict.json"]) == 0
    assert capsys.readouterr().out == (
        "verdict.json holds: 3 of 3 checks recomputed.\n"
    )


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("value", 0.91, "recall: value is 0.91 in the verdict and 0.9 by its evidence"),
        ("outcome", "fail", "recall: outcome is 'fail' in the verdict and 'pass'"),
        ("rows", 21, "recall: rows is 21 in the verdict and 20 by its evidence"),
    ],
)
def test_a_figure_that_was_touched_does_not_hold(folder, capsys, key, value, line):
    edit(folder, lambda verdict: verdict["checks"][1].update({key: value}))
    assert main(["verify", "verdict.json"]) == 1
    out = capsys.readouterr().out
    assert f"wrong: {line}" in out
    assert out.endswith("verdict.json does not hold.\n")


@pytest.mark.parametrize(
    ("key", "value"), [("outcome", "fail"), ("action", "block"), ("exit_code", 0)]
)
def test_a_conclusion_that_was_touched_does_not_hold(folder, capsys, key, value):
    def change(verdict):
        verdict["checks"][1]["rule"] = ">= 0.99"
        verdict["checks"][1]["outcome"] = "fail"
        verdict["checks"][1]["threshold"] = 0.99
        verdict.update(outcome="fail", action="block", exit_code=1)
        verdict[key] = {"outcome": "pass", "action": "promote", "exit_code": 0}[key]

    edit(folder, change)
    assert main(["verify", "verdict.json"]) == 1
    assert f"wrong: {key} is" in capsys.readouterr().out


def test_a_damaged_side_file_is_not_trusted(folder, capsys):
    (side,) = folder.glob("sha256-*")
    side.write_bytes(side.read_bytes()[:-4])
    assert main(["verify", "verdict.json"]) == 1
    assert side.name in capsys.readouterr().err


@pytest.mark.parametrize("command", ["verify", "explain"])
def test_a_file_that_is_no_verdict_is_one_line(folder, capsys, command):
    assert main([command, "data.csv"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("pytest-mlops: data.csv") and err.count("\n") == 1


def test_stored_evidence_is_judged_by_other_rules_without_the_data(folder, capsys):
    (folder / "data.csv").unlink()
    (folder / "strict.toml").write_text(
        GATES.replace('recall = ">= 0.80', 'recall = ">= 0.95')
    )
    code = main(
        ["judge", "verdict.json", "--gates", "strict.toml", "--output", "n.json"]
    )
    assert code == 1
    assert "BLOCK: 1 of 3 gates failed" in capsys.readouterr().out
    assert main(["verify", "n.json"]) == 0
    new = json.loads((folder / "n.json").read_text())
    assert new["policy"]["gates_file"] == "strict.toml"
    assert new["outcome"] == "fail"


def test_rules_about_other_data_are_refused(folder, capsys):
    (folder / "other.toml").write_text(GATES.replace("positive = 1", "positive = 0"))
    assert main(["judge", "verdict.json", "--gates", "other.toml"]) == 1
    assert "other.toml is about positive 0" in capsys.readouterr().err


def test_a_partial_verdict_stays_partial(folder, pytester):
    pytester.runpytest_inprocess(
        "-m", "gates", "-k", "recall", "--verdict=verdict.json"
    )
    code = main(
        ["judge", "verdict.json", "--gates", "gates/m.toml", "--output", "n.json"]
    )
    new = json.loads((folder / "n.json").read_text())
    assert (new["partial"], new["action"]) == (True, "hold")
    # roc_auc was deselected, so its scores were not kept.
    assert [check["outcome"] for check in new["checks"]] == [
        "pass",
        "pass",
        "error",
    ]
    assert code == 12


def test_explain_speaks_of_rows(folder, capsys):
    strict = GATES.replace('recall = ">= 0.80', 'recall = ">= 0.95')
    (folder / "strict.toml").write_text(strict)
    main(["judge", "verdict.json", "--gates", "strict.toml", "--output", "n.json"])
    capsys.readouterr()
    assert main(["explain", "n.json"]) == 0
    out = capsys.readouterr().out
    assert "of 20 rows labelled 1, 2 were predicted 0; 1 more of them right" in out


PYTHON = """\
import pytest
pytestmark = pytest.mark.gates

def test_measured(metric):
    assert metric("recall") >= 0.5

def test_plain():
    assert 1 + 1 == 3
"""


@pytest.fixture
def with_python(folder, pytester):
    """The repository with two Python gates, one of which fails; judged again."""
    (folder / "gates/test_m.py").write_text(PYTHON)
    pytester.runpytest_inprocess("-m", "gates", "--verdict=verdict.json")
    return folder


def test_python_checks_are_taken_over(with_python):
    code = main(
        ["judge", "verdict.json", "--gates", "gates/m.toml", "--output", "n.json"]
    )
    assert code == 1
    new = json.loads((with_python / "n.json").read_text())
    assert [check["outcome"] for check in new["checks"]] == ["pass"] * 4 + ["fail"]
    assert main(["verify", "n.json"]) == 0


def test_measured_comparisons_are_decided_by_the_new_policy(with_python):
    (with_python / "sure.toml").write_text('decide = "confident"\n' + GATES)
    main(["judge", "verdict.json", "--gates", "sure.toml", "--output", "n.json"])
    new = json.loads((with_python / "n.json").read_text())
    found = {check["name"].rpartition("::")[2]: check for check in new["checks"]}
    assert found["test_measured"]["outcome"] == "pass"
    assert found["recall"]["outcome"] == "inconclusive"
    assert found["test_plain"]["outcome"] == "fail"


def test_rules_with_other_weights_are_refused(folder, capsys):
    text = GATES.replace("positive = 1", 'positive = 1\nweight = "exposure"')
    (folder / "other.toml").write_text(text)
    assert main(["judge", "verdict.json", "--gates", "other.toml"]) == 1
    assert "other.toml is about weight 'exposure'" in capsys.readouterr().err


def test_a_verdict_without_its_evidence_does_not_hold(folder, capsys):
    edit(folder, lambda verdict: verdict.update(evidence=[]))
    assert main(["verify", "verdict.json"]) == 1
    assert "recall: value is 0.9 in the verdict and None" in capsys.readouterr().out


def test_an_outcome_that_its_own_figures_deny_does_not_hold(folder, capsys):
    def change(verdict):
        verdict["checks"][1].update(metric="acme:cost", value=0.1, reason=None)

    edit(folder, change)
    assert main(["verify", "verdict.json"]) == 1
    out = capsys.readouterr().out
    assert "believed: recall: 'acme:cost' is not a metric that is known here" in out
    assert "wrong: recall: outcome is 'pass' in the verdict and 'fail'" in out
    assert "nothing in the evidence could have given 'acme:cost'" in out


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda verdict: verdict["checks"][1].update(value=None, interval=None),
            "recall: it is pass and has no value",
        ),
        (
            lambda verdict: verdict["checks"][1].update(
                waived={"owner": "o", "reason": "r", "expires": "2000-01-01"}
            ),
            "recall: its waiver had expired",
        ),
        (
            lambda verdict: verdict["evidence"][0]["data"].update(fingerprint="x"),
            "the evidence is not about this model, this baseline and this data",
        ),
        (
            lambda verdict: verdict["subject"].update(model_uri="models:/other/1"),
            "the evidence is not about this model, this baseline and this data",
        ),
        (
            lambda verdict: verdict["checks"][1].update(flags=["low_support"]),
            "recall: flags is ['low_support'] in the verdict and [] by its evidence",
        ),
        (lambda verdict: verdict.update(checks=[]), "outcome is 'pass'"),
    ],
)
def test_what_no_run_writes_does_not_hold(folder, capsys, change, line):
    edit(folder, change)
    assert main(["verify", "verdict.json"]) == 1
    assert f"wrong: {line}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["verify", "explain"])
def test_figures_that_no_run_writes_are_one_line(folder, capsys, command):
    def change(verdict):
        labels = verdict["evidence"][0]["tables"]["labels"]
        labels["rows"] = [[1e308, 1e308], [1e308, 1e308]]
        verdict["policy"]["confidence"] = -1

    edit(folder, change)
    code = main([command, "verdict.json"])
    err = capsys.readouterr().err
    assert err.count("\n") <= 1 and "Traceback" not in err
    assert code == 1 or command == "explain"


def test_the_rules_of_another_model_are_refused(folder, capsys):
    def change(verdict):
        verdict["subject"].update(
            model_uri="models:/m@candidate", resolved_uri="models:/m/7"
        )

    edit(folder, change)
    (folder / "other.toml").write_text(GATES.replace('"m"', '"other"'))
    assert main(["judge", "verdict.json", "--gates", "other.toml"]) == 1
    assert "other.toml judges the model 'other'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        lambda verdict: verdict["checks"][1].update(rule="garbage"),
        lambda verdict: verdict["evidence"][0].pop("question"),
        lambda verdict: verdict["evidence"][0]["tables"].update(labels={"x": 1}),
        lambda verdict: verdict["evidence"][0].update(tables=3),
        lambda verdict: verdict["checks"][1].pop("outcome"),
        lambda verdict: verdict.pop("policy"),
    ],
)
def test_a_damaged_verdict_is_one_line(folder, capsys, change):
    edit(folder, change)
    assert main(["verify", "verdict.json"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("pytest-mlops: ")
    assert err.count("\n") == 1


def test_show_metrics_documents_each(capsys):
    assert main(["show", "metrics"]) == 0
    out = capsys.readouterr().out
    for text in ("recall: ", "formula", "more is better", "pytest-mlops", "wilson"):
        assert text in out.lower()


def test_show_schema_is_a_schema(capsys):
    assert main(["show", "schema", "verdict"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].endswith("2020-12/schema")


def test_show_config_says_where_values_come_from(pytester, capsys, monkeypatch):
    (pytester.path / "pyproject.toml").write_text(
        "[tool.pytest_mlops]\ntracking_uri = 'http://user:secret@host'\n"
        "[tool.pytest_mlops.environments.staging]\ndefault = true\n"
    )
    monkeypatch.setenv("MLOPS_ENV", "staging")
    (pytester.path / "sub").mkdir()
    monkeypatch.chdir(pytester.path / "sub")
    assert main(["show", "config", "--model-uri", "models:/m/1"]) == 0
    out = capsys.readouterr().out
    assert "command line" in out and "MLOPS_ENV" in out and "pyproject.toml" in out
    assert "secret" not in out


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["verify"], ["show", "x"]])
def test_a_usage_error_is_4(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 4
    assert "pytest-mlops: " in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
