"""Every mistake a user can make: the line that is shown and the exit code."""

from __future__ import annotations

import sys

import pytest

USAGE, HELD = 4, 12


def assert_refused(result, *lines):
    """The run ended as a usage error with these lines, and nothing else went wrong."""
    assert result.ret == USAGE
    errors = [line.rstrip() for line in result.errlines if line.strip()]
    assert errors[: len(lines)] == list(lines)
    _no_traceback(result)


def assert_broken(result, verdict, message):
    """The instrument broke: every check says how, in one line, and the run holds."""
    assert result.ret == HELD
    assert verdict["outcome"] == "error"
    assert verdict["action"] == "hold"
    assert verdict["checks"]
    for check in verdict["checks"]:
        assert check["outcome"] == "error"
        assert message in check["message"]
        assert "\n" not in check["message"]
    assert any(message in line for line in result.outlines)
    _no_traceback(result)


def _no_traceback(result):
    for line in (*result.outlines, *result.errlines):
        assert "Traceback" not in line
        assert "INTERNALERROR" not in line


def edited(repository, old, new):
    text = repository.path.joinpath("gates/m.toml").read_text()
    assert old in text
    repository.gates(text.replace(old, new))


def test_no_gates_folder(repository):
    assert_refused(
        repository.run("-m", "gates", "--model-uri=models:/m@candidate"),
        "ERROR: pytest-mlops: gates: there is no gates file to judge by: write "
        f"gates/<model>.toml in {repository.path} ('pytest-mlops demo' makes one to "
        "start from)",
    )


def test_unknown_key_metric_and_rule_are_told_together(judged):
    judged.gates(
        'model = "m"\ntask = "classification"\n'
        '[data]\nuri = "data.csv"\ntarget = "label"\npostive = 1\n'
        'prediction = "predicted"\n'
        '[gates]\nacuracy = ">= 0.8"\nrecall = "0.85+"\n'
        'f1 = { rule = ">= 0.8", avrage = "macro" }\n'
    )
    result = judged.run("-m", "gates")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(
        [
            "ERROR: pytest-mlops: 4 problems in gates/m.toml",
            "  [[]data]",
            "    'postive' is not a known key. Did you mean 'positive'? Known keys: *",
            "*'acuracy' is not a known metric. Did you mean 'accuracy'? *",
            "*'rule' must look like '>= 0.85', *, got '0.85+'",
            "*'avrage' is not a known key. Did you mean 'average'? Known keys: *",
        ],
    )
    _no_traceback(result)


def test_unknown_environment(judged):
    judged.write(
        "pyproject.toml",
        "[tool.pytest_mlops.environments.staging]\ndefault = true\n"
        "[tool.pytest_mlops.environments.production]\n",
    )
    assert_refused(
        judged.run("-m", "gates", "--env", "prodution"),
        "ERROR: pytest-mlops: --env: 'prodution' is not a known environment. Did you "
        "mean 'production'? Known environments: production, staging",
    )


def test_broken_toml_names_file_and_line(judged):
    edited(judged, 'target = "label"', "target = ")
    result = judged.run("-m", "gates")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(
        ["ERROR: pytest-mlops: gates/m.toml: *line 6, column *"]
    )
    _no_traceback(result)


def test_no_model_is_named(judged):
    edited(judged, 'prediction = "predicted"\n', "")
    assert_refused(
        judged.run("-m", "gates"),
        "ERROR: pytest-mlops: command line: say which model is judged: "
        "--model-uri=models:/m@candidate, or name a column of ready predictions "
        "([data] prediction)",
    )


def test_a_model_beside_ready_predictions(judged):
    assert_refused(
        judged.run("-m", "gates", "--model-uri=models:/m@candidate"),
        "ERROR: pytest-mlops: 1 problem in gates/m.toml",
        "  [data]",
        "    the ready predictions in 'predicted' are judged, so there is nothing to "
        "run --model-uri on: leave one of the two out",
    )


def test_a_rule_against_a_baseline_that_nobody_names(judged):
    edited(judged, 'recall = ">= 0.80"', 'recall = ">= baseline - 0.01"')
    assert_refused(
        judged.run("-m", "gates"),
        "ERROR: pytest-mlops: 1 problem in gates/m.toml",
        "  [gates.recall]",
        "    '>= baseline - 0.01' compares with a baseline and none is named: add "
        '--baseline-uri=URI or baseline = "models:/m@champion"',
    )


def test_several_gates_files_could_be_meant(judged):
    judged.gates(name="other")
    result = judged.run("-m", "gates")
    assert_refused(
        result,
        "ERROR: pytest-mlops: --gates: several gates files could be meant: m "
        "(gates/m.toml), other (gates/other.toml). Choose one with --gates NAME",
    )
    assert judged.run("-m", "gates", "--gates", "other").ret == 0


def test_data_that_does_not_exist(judged):
    (judged.path / "data.csv").unlink()
    assert_refused(
        judged.run("-m", "gates"),
        "ERROR: pytest-mlops: gates/m.toml [data] uri: data file data.csv does not "
        f"exist (in {judged.path})",
    )


def test_data_of_an_unknown_format(judged):
    judged.write("data.xlsx", "")
    result = judged.run("-m", "gates", "--data=data.xlsx")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(
        [
            "ERROR: pytest-mlops: --data: data.xlsx: no data format has the suffix "
            "'.xlsx'. Known: .csv, .parquet, .feather, *"
        ]
    )
    _no_traceback(result)


def test_empty_data(judged):
    judged.write("data.csv", "")
    assert_broken(*judged.judge(), "data.csv")


def test_data_without_rows(judged):
    judged.write("data.csv", "label,predicted\n")
    assert_broken(*judged.judge(), "data.csv has no rows to judge")


def test_data_without_the_target(judged):
    edited(judged, 'target = "label"', 'target = "lable"')
    assert_broken(
        *judged.judge(),
        "data.csv has no column 'lable' ([data] target). Did you mean 'label'? Its "
        "columns: label, predicted",
    )


def test_labels_of_another_type(judged):
    judged.data(predicted=["a"] * 20 + ["b"] * 20)
    assert_broken(
        *judged.judge(),
        "data.csv: the labels in 'label' are numbers (1, 0) but the predictions are "
        "texts ('a', 'b'); make both the same type",
    )


def test_a_missing_target(judged):
    judged.data(true=[1] * 19 + [""] + [0] * 20)
    assert_broken(
        *judged.judge(),
        "data.csv: the target 'label' is missing in row 20; fill these rows or leave "
        "them out",
    )


def test_missing_predictions(judged):
    judged.data(predicted=[1] * 19 + [""] * 2 + [0] * 19)
    assert_broken(
        *judged.judge(),
        "data.csv: the prediction is missing in row 20 (and in 1 more row)",
    )


def test_a_positive_label_that_never_occurs(judged):
    edited(judged, "positive = 1", "positive = 2")
    assert_broken(
        *judged.judge(),
        "the positive label 2 never occurs in 'label'; the labels there are 0, 1",
    )


MODEL = """\
import numpy

class Doubled:
    def predict(self, frame):
        return numpy.zeros(2 * len(frame))

class Raising:
    def predict(self, frame):
        return frame["age"]

class Missing:
    def predict(self, frame):
        return numpy.full(len(frame), numpy.nan)

doubled, raising, missing = Doubled(), Raising(), Missing()
"""


@pytest.fixture
def callable_model(judged):
    """Judges an object of a module in the repository."""

    def judge(name):
        edited(judged, 'prediction = "predicted"\n', "")
        judged.write("models.py", MODEL)
        sys.modules.pop("models", None)
        return judged.judge(f"--model-uri=models:{name}")

    yield judge
    sys.modules.pop("models", None)


def test_a_model_that_returns_too_many_predictions(callable_model):
    assert_broken(*callable_model("doubled"), "80")


def test_a_model_that_raises(callable_model):
    assert_broken(*callable_model("raising"), "KeyError: 'age'")


def test_a_model_that_predicts_nothing(callable_model):
    assert_broken(*callable_model("missing"), "the prediction is missing in row 1")


def test_a_model_that_is_not_there(callable_model):
    assert_broken(*callable_model("absent"), "absent")


def test_a_verdict_in_a_folder_that_does_not_exist(judged):
    result = judged.run("-m", "gates", "--verdict=nowhere/verdict.json")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["ERROR: pytest-mlops: *nowhere*does not exist*"])
    _no_traceback(result)


def test_a_verdict_that_can_no_longer_be_written(judged):
    judged.write("out/keep", "")
    judged.write(
        "gates/test_m.py",
        "import pytest, shutil\n@pytest.mark.gates\n"
        "def test_it(): shutil.rmtree('out')\n",
    )
    result = judged.run("-m", "gates", "--verdict=out/verdict.json")
    assert result.ret == HELD
    result.stdout.fnmatch_lines(["*the verdict could not be written to *"])
    _no_traceback(result)


def test_a_suite_that_cannot_be_collected(judged):
    judged.write("gates/test_m.py", "import nothing_of_that_name\n")
    result, verdict = judged.judge()
    assert result.ret == HELD
    assert verdict["outcome"] == "error"
    assert "gates/test_m.py" in verdict["checks"][-1]["message"]


def test_interruption_in_the_middle(judged):
    judged.write(
        "gates/test_m.py",
        "import os, pytest, signal\n@pytest.mark.gates\n"
        "def test_it():\n"
        "    # Who started us in the background had it ignored.\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n",
    )
    result = judged.run_apart("-m", "gates", "--verdict=verdict.json")
    assert result.ret == 2
    assert judged.verdict() is None
    assert not list(judged.path.glob("*verdict*"))
    result.stdout.fnmatch_lines(
        ["pytest-mlops: interrupted, so nothing is decided and no verdict is written"]
    )
    _no_traceback(result)


def test_an_option_that_moved_the_rootdir_is_told_with_the_right_command(
    judged, tmp_path_factory, monkeypatch
):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (elsewhere / "data.csv").write_text("label,predicted\n1,1\n")
    result = judged.run("-m", "gates", "--data", str(elsewhere / "data.csv"))
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(
        [f"*moved its rootdir*write: pytest *--data={elsewhere}/data.csv*"]
    )


def test_a_baseline_that_nobody_can_read(judged):
    edited(judged, 'recall = ">= 0.80"', 'recall = ">= baseline - 0.01"')
    result = judged.run("-m", "gates", "--baseline-uri=model:/m@champion")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(
        [
            "ERROR: pytest-mlops: --baseline-uri: nothing knows how to read "
            "'model:/m@champion'; it can be: *models:/name@alias*"
        ]
    )


def test_data_that_ends_the_interpreter_is_a_configuration_mistake(judged):
    judged.write("leaving.py", "import sys\nsys.exit(0)\n")
    result = judged.run("-m", "gates", "--data=leaving:load")
    assert result.ret == USAGE
    assert "'leaving:load' cannot be imported: SystemExit" in result.stderr.str()
    _no_traceback(result)


def test_a_header_that_is_no_utf_8(judged):
    (judged.path / "data.csv").write_bytes(
        "label,predicted,é\n1,1,2\n".encode("latin-1")
    )
    broken = judged.judge()
    assert_broken(*broken, "data.csv cannot be read")


def test_predictions_of_a_regression_that_are_texts(judged):
    judged.gates(
        'model = "m"\ntask = "regression"\n[data]\nuri = "data.csv"\n'
        'target = "label"\n[gates]\nmae = "<= 1"\n'
    )
    judged.write(
        "texts_model.py",
        "class Model:\n    def predict(self, frame):\n"
        "        return ['a'] * len(frame)\nmodel = Model()\n",
    )
    assert_broken(
        *judged.judge("--model-uri=texts_model:model"),
        "data.csv: the predictions of a regression must be numbers",
    )


def test_a_password_is_not_shown_in_a_corrected_command(judged, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (elsewhere / "data.csv").write_text("label,predicted\n1,1\n")
    result = judged.run(
        "-m",
        "gates",
        "--data",
        str(elsewhere / "data.csv"),
        "--tracking-uri=http://me:hunter2@127.0.0.1:1",
    )
    assert result.ret == USAGE
    assert "hunter2" not in result.stderr.str()
