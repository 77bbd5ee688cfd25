"""``pytest-mlops slices``: on ready predictions, on models, and what it refuses."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from pytest_mlops.cli import main

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GATES = """\
model = "m"
task = "classification"

[data]
uri = "data.csv"
target = "label"
positive = 1
prediction = "predicted"

[gates]
accuracy = ">= 0.5"
"""
MODEL = """\
def predict(frame):
    return (frame["age"] > 40).astype(int)
"""


def write(path, columns):
    names, rows = list(columns), zip(*(column.tolist() for column in columns.values()))
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(pytester):
    """A repository with ready predictions that miss positives of the north."""
    draw, rows = np.random.default_rng(5), 1200
    region = draw.choice(["north", "east", "west"], rows)
    label = draw.integers(0, 2, rows)
    right = draw.random(rows) < np.where(region == "north", 0.55, 0.9)
    columns = {
        "age": draw.integers(18, 80, rows),
        "region": region,
        "id": np.array([f"x{i}" for i in range(rows)]),
        "label": label,
        "predicted": np.where(right, label, 1 - label),
    }
    write(pytester.path / "data.csv", columns)
    (pytester.path / "gates").mkdir()
    (pytester.path / "gates/m.toml").write_text(GATES)
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    (pytester.path / "model.py").write_text(MODEL)
    return pytester.path


def test_the_weakest_slice_stands_first_with_a_gate_to_start_from(folder, capsys):
    assert main(["slices"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].startswith("recall is 0.") and "1,200 rows of data.csv" in lines[0]
    assert lines[2].split()[:2] == ["slice", "value"]
    assert lines[3].startswith("region = 'north'  0.5")
    assert "not looked into: id: it has 1,200 values or more" in lines
    snippet = out[out.index("[gates.") : out.index("not looked into")]
    gate = tomllib.loads(snippet)["gates"]["recall_weakest"]
    assert gate["metric"] == "recall"
    assert gate["where"] == "region = 'north'"
    assert gate["rule"].startswith(">= 0.8") or gate["rule"].startswith(">= 0.9")


def test_the_gate_can_be_pasted(folder, capsys, pytester):
    main(["slices"])
    out = capsys.readouterr().out
    snippet = out[out.index("[gates.") : out.index("not looked into")]
    with (folder / "gates/m.toml").open("a") as file:
        file.write("\n" + snippet)
    result = pytester.runpytest_inprocess("-m", "gates")
    # The slice is not yet as good as the rest.
    result.assert_outcomes(passed=1, failed=1)
    assert "recall_weakest" in result.stdout.str()


def test_json_has_the_figures(folder, capsys):
    main(["slices", "--metric", "accuracy", "--worst", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    [worst] = found["slices"]
    assert found["metric"] == "accuracy" and found["rows"] == 1200
    assert worst["where"] == "region = 'north'"
    low, high = worst["interval"]
    assert low < worst["value"] < high < worst["rest"]
    assert worst["difference"][1] < 0
    assert worst["p_value"] < worst["p_adjusted"] < 0.001
    assert set(found["skipped"]) == {"id"}


def test_a_model_is_run_over_the_data_once(folder, capsys):
    text = GATES.replace('prediction = "predicted"\n', "")
    (folder / "gates/m.toml").write_text(text)
    model = ("--model-uri", "model:predict", "--metric", "accuracy")
    assert main(["slices", *model, "--by", "age,region"]) == 0
    out = capsys.readouterr().out
    # Age is all that this model looks at, and the label knows nothing of it.
    assert out.startswith("accuracy is 0.")
    assert "none is surely weaker than the rest" in out


def test_only_the_chosen_columns_are_looked_into(folder, capsys):
    main(["slices", "--by", "age", "--min-rows", "20", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["tested"] == 5 and not found["slices"]


def test_a_regression_has_its_mae(folder, capsys):
    text = GATES.replace("classification", "regression").replace("positive = 1\n", "")
    text = text.replace("accuracy", "mae").replace(">=", "<=")
    (folder / "gates/m.toml").write_text(text)
    assert main(["slices"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mae is 0.2")
    assert "[gates.mae_weakest]" in out and 'rule = "<= 0.' in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--metric", "recal"), "'recal' is not a known metric. Did you mean 'recall'"),
        (("--metric", "mae"), "'mae' is a metric of a regression"),
        (("--by", "regoin"), "no column 'regoin' to look into. Did you mean 'region'"),
        (("--model-uri", "model:predict"), "there is nothing to run --model-uri on"),
        (("--gates", "other"), "'other' is not a known gates file"),
    ],
)
def test_a_mistake_is_exit_4(folder, capsys, options, message):
    assert main(["slices", *options]) == 4
    assert message in capsys.readouterr().err


def test_without_a_gates_file_there_is_nothing_to_look_into(folder, capsys):
    (folder / "gates/m.toml").unlink()
    assert main(["slices"]) == 4
    assert "there is no gates file" in capsys.readouterr().err


def test_a_bias_has_no_weaker_side(folder, capsys):
    text = GATES.replace("classification", "regression").replace("positive = 1\n", "")
    (folder / "gates/m.toml").write_text(text.replace("accuracy", "r2"))
    assert main(["slices", "--metric", "bias"]) == 4
    assert "'bias' has no weaker side to look for" in capsys.readouterr().err


def test_probabilities_that_are_missing_are_an_instrument_that_broke(folder, capsys):
    assert main(["slices", "--metric", "log_loss"]) == 12
    assert "'log_loss' needs probabilities" in capsys.readouterr().err


def test_many_columns_are_not_paired(folder, capsys):
    draw = np.random.default_rng(6)
    columns = {f"x{i}": draw.integers(0, 2, 400) for i in range(41)}
    columns["label"] = columns["predicted"] = draw.integers(0, 2, 400)
    write(folder / "data.csv", columns)
    main(["slices", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["tested"] == 82
    assert "41 columns are too many for pairs" in found["remarks"][0]


@pytest.mark.parametrize("option", ["--worst=0", "--min-rows=x"])
def test_a_count_is_a_whole_number(folder, capsys, option):
    with pytest.raises(SystemExit) as ended:
        main(["slices", option])
    assert ended.value.code == 4
    assert "is no number of 1 or more" in capsys.readouterr().err
