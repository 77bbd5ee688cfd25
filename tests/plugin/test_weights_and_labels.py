"""Weights and spellings of labels, from the data file to the verdict."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet  # noqa: F401
import pytest
from sklearn import metrics

HELD = 12
ROWS = 200
LABELS_GATES = """\
model = "m"
task = "classification"

[data]
uri = "data.csv"
target = "label"
positive = {positive}
prediction = "predicted"
{more}

[gates]
accuracy = ">= 0"
precision = ">= 0"
recall = ">= 0"
"""


def held(result, verdict, line):
    """Every check says exactly this line, and so does the terminal."""
    assert result.ret == HELD
    assert (verdict["outcome"], verdict["action"]) == ("error", "hold")
    assert verdict["checks"]
    for check in verdict["checks"]:
        assert check["outcome"] == "error"
        assert line in check["message"].split(": ", 1)[1]
    assert line in result.outlines
    assert not any("Traceback" in told for told in result.outlines + result.errlines)


def table_text(columns):
    lines = [",".join(columns)]
    lines += [",".join(map(repr, row)) for row in zip(*columns.values())]
    return "\n".join(lines) + "\n"


def values(verdict):
    return {check["name"]: check["value"] for check in verdict["checks"]}


@pytest.fixture
def scored():
    """Labels, predictions, probabilities and weights, some of which are 0."""
    draw = np.random.default_rng(5)
    label = draw.integers(0, 2, ROWS)
    probability = np.clip(0.3 + 0.4 * label + draw.normal(0, 0.25, ROWS), 0.01, 0.99)
    weight = draw.gamma(1.5, 2.0, ROWS)
    weight[::17] = 0
    return {
        "label": label.tolist(),
        "predicted": (probability > 0.5).astype(int).tolist(),
        "probability": probability.tolist(),
        "exposure": weight.tolist(),
    }


def test_weighted_metrics_of_labels_are_scikit_learns(repository, scored):
    true, predicted = scored["label"], scored["predicted"]
    weights = {"sample_weight": scored["exposure"]}
    expected = {
        "accuracy": metrics.accuracy_score(true, predicted, **weights),
        "balanced_accuracy": metrics.balanced_accuracy_score(
            true, predicted, **weights
        ),
        "mcc": metrics.matthews_corrcoef(true, predicted, **weights),
        "kappa": metrics.cohen_kappa_score(true, predicted, **weights),
        "precision": metrics.precision_score(true, predicted, **weights),
        "recall": metrics.recall_score(true, predicted, **weights),
        "specificity": metrics.recall_score(true, predicted, pos_label=0, **weights),
        "f1": metrics.f1_score(true, predicted, **weights),
        "f1_micro": metrics.f1_score(true, predicted, average="micro", **weights),
        "f1_macro": metrics.f1_score(true, predicted, average="macro", **weights),
        "f1_weighted": metrics.f1_score(true, predicted, average="weighted", **weights),
        "fbeta": metrics.fbeta_score(true, predicted, beta=2, **weights),
    }
    gates = LABELS_GATES.format(positive=1, more='weight = "exposure"')
    for name in ("balanced_accuracy", "mcc", "kappa", "specificity", "f1"):
        gates += f'{name} = ">= 0"\n'
    for average in ("micro", "macro", "weighted"):
        options = f'metric = "f1", average = "{average}", rule = ">= 0"'
        gates += f"f1_{average} = {{ {options} }}\n"
    gates += 'fbeta = { rule = ">= 0", beta = 2 }\n'
    repository.gates(gates)
    repository.write("data.csv", table_text(scored))
    result, verdict = repository.judge()
    assert result.ret == 0
    assert values(verdict) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert {check["method"] for check in verdict["checks"]} <= {
        "wilson",
        "wilson_jaccard",
        "delta_logit",
        "wilson_mean",
        "delta_atanh",
    }


def test_weighted_metrics_of_probabilities_are_scikit_learns(repository, scored):
    true, score = scored["label"], scored["probability"]
    weights = {"sample_weight": scored["exposure"]}
    expected = {
        "roc_auc": metrics.roc_auc_score(true, score, **weights),
        "average_precision": metrics.average_precision_score(true, score, **weights),
        "log_loss": metrics.log_loss(true, score, **weights),
        "brier": metrics.brier_score_loss(true, score, **weights),
    }
    more = 'weight = "exposure"\nscore = "probability"'
    gates = LABELS_GATES.format(positive=1, more=more).partition("[gates]")[0]
    gates += "[gates]\n" + "".join(f'{name} = "in [0, 1]"\n' for name in expected)
    repository.gates(gates)
    repository.write("data.csv", table_text(scored))
    result, verdict = repository.judge()
    assert result.ret == 0
    assert values(verdict) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_weighted_metrics_of_a_regression_are_scikit_learns(repository):
    draw = np.random.default_rng(6)
    true = draw.normal(50, 9, ROWS)
    predicted = true + draw.normal(0.5, 2, ROWS)
    weight = draw.gamma(1.5, 2.0, ROWS)
    weights = {"sample_weight": weight}
    square = metrics.mean_squared_error(true, predicted, **weights)
    expected = {
        "mae": metrics.mean_absolute_error(true, predicted, **weights),
        "rmse": square**0.5,
        "r2": metrics.r2_score(true, predicted, **weights),
        "mape": metrics.mean_absolute_percentage_error(true, predicted, **weights),
        "bias": np.average(predicted - true, weights=weight),
    }
    repository.gates(
        'model = "m"\ntask = "regression"\n[data]\nuri = "data.csv"\ntarget = "price"\n'
        'prediction = "predicted"\nweight = "exposure"\n[gates]\nmae = "<= 9"\n'
        'rmse = "<= 9"\nr2 = ">= 0"\nmape = "<= 1"\nbias = "in [-2, 2]"\n'
    )
    columns = {"price": true, "predicted": predicted, "exposure": weight}
    columns = {name: column.tolist() for name, column in columns.items()}
    repository.write("data.csv", table_text(columns))
    result, verdict = repository.judge()
    assert result.ret == 0
    assert values(verdict) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_equal_weights_change_no_value(judged):
    before = values(judged.judge()[1])
    rows = (judged.path / "data.csv").read_text().splitlines()
    weighted = [f"{rows[0]},exposure", *(f"{row},2.5" for row in rows[1:])]
    judged.write("data.csv", "\n".join(weighted) + "\n")
    judged.gates(LABELS_GATES.format(positive=1, more='weight = "exposure"'))
    assert values(judged.judge()[1]) == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize(
    ("cells", "where"),
    [
        ({3: "-1"}, "row 3"),
        ({3: ""}, "row 3"),
        ({3: "nan"}, "row 3"),
        ({3: "inf"}, "row 3"),
        ({4: "-0.5", 7: ""}, "row 4 (and in 1 more row)"),
    ],
)
def test_what_is_no_weight_is_refused(repository, cells, where):
    rows = [f"{n % 2},{n % 2},{cells.get(n, '1.5')}" for n in range(1, 21)]
    repository.write("data.csv", "\n".join(["label,predicted,exposure", *rows]) + "\n")
    repository.gates(LABELS_GATES.format(positive=1, more='weight = "exposure"'))
    held(
        *repository.judge(),
        f"data.csv: the weight 'exposure' is not a weight in {where}; fill these rows "
        "or leave them out",
    )


def test_rows_that_all_weigh_nothing_decide_nothing(repository):
    repository.write("data.csv", "label,predicted,exposure\n1,1,0\n0,0,0\n")
    repository.gates(LABELS_GATES.format(positive=1, more='weight = "exposure"'))
    result, verdict = repository.judge()
    assert result.ret == HELD
    assert verdict["outcome"] == "inconclusive"
    for check in verdict["checks"]:
        assert (check["value"], check["reason"]) == (None, "undefined")


def write_json(repository, rows):
    repository.write("data.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))


def write_parquet(repository, rows):
    pa.parquet.write_table(pa.Table.from_pylist(rows), repository.path / "data.parquet")


FILES = pytest.mark.parametrize(
    ("name", "write"), [("data.jsonl", write_json), ("data.parquet", write_parquet)]
)


def rows_of(true, predicted):
    """40 rows of pairs: 18 found, 2 missed, 3 false alarms, 17 rightly passed over."""
    yes, no = true
    found, other = predicted
    pairs = [(yes, found)] * 18 + [(yes, other)] * 2
    pairs += [(no, found)] * 3 + [(no, other)] * 17
    return [{"label": label, "predicted": guess} for label, guess in pairs]


EXPECTED = {"accuracy": 35 / 40, "precision": 18 / 21, "recall": 18 / 20}


@FILES
@pytest.mark.parametrize("positive", ["1", '"1"'])
def test_texts_against_numbers_are_refused(repository, name, write, positive):
    write(repository, rows_of(("1", "0"), (1, 0)))
    repository.gates(LABELS_GATES.format(positive=positive, more=""))
    held(
        *repository.judge(f"--data={name}"),
        f"{name}: the labels in 'label' are texts ('1', '0') but the predictions are "
        "numbers (1, 0); make both the same type",
    )


@FILES
@pytest.mark.parametrize("positive", ["true", "1", "1.0"])
@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        ((True, False), (1, 0)),
        ((1, 0), (True, False)),
        ((True, False), (True, False)),
        ((1.0, 0.0), (True, False)),
    ],
)
def test_booleans_are_0_and_1(repository, name, write, positive, true, predicted):
    write(repository, rows_of(true, predicted))
    repository.gates(LABELS_GATES.format(positive=positive, more=""))
    result, verdict = repository.judge(f"--data={name}")
    assert result.ret == 0
    assert values(verdict) == pytest.approx(EXPECTED, rel=1e-12)
    assert verdict["evidence"][0]["question"]["positive"] == 1


def test_booleans_in_a_csv_are_0_and_1(repository):
    rows = rows_of(("true", "false"), (1, 0))
    lines = [f"{row['label']},{row['predicted']}" for row in rows]
    repository.write("data.csv", "\n".join(["label,predicted", *lines]) + "\n")
    repository.gates(LABELS_GATES.format(positive="true", more=""))
    result, verdict = repository.judge()
    assert result.ret == 0
    assert values(verdict) == pytest.approx(EXPECTED, rel=1e-12)


@FILES
def test_labels_that_are_texts(repository, name, write):
    write(repository, rows_of(("yes", "no"), ("yes", "no")))
    repository.gates(LABELS_GATES.format(positive='"yes"', more=""))
    result, verdict = repository.judge(f"--data={name}")
    assert result.ret == 0
    assert values(verdict) == pytest.approx(EXPECTED, rel=1e-12)
    assert verdict["evidence"][0]["question"]["positive"] == "yes"


@FILES
def test_the_other_text_may_be_the_positive_one(repository, name, write):
    write(repository, rows_of(("yes", "no"), ("yes", "no")))
    repository.gates(LABELS_GATES.format(positive='"no"', more=""))
    verdict = repository.judge(f"--data={name}")[1]
    expected = {"accuracy": 35 / 40, "precision": 17 / 19, "recall": 17 / 20}
    assert values(verdict) == pytest.approx(expected, rel=1e-12)


def test_a_number_is_not_the_text_of_it(repository):
    write_json(repository, rows_of(("1", "0"), ("1", "0")))
    repository.gates(LABELS_GATES.format(positive=1, more=""))
    held(
        *repository.judge("--data=data.jsonl"),
        "data.jsonl: the positive label 1 never occurs in 'label'; the labels there "
        "are '0', '1'",
    )
