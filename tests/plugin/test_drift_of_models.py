"""Drift of what a model gets and answers, from a profile that is stored with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_mlops.cli import main

GATES = """\
model = "drifting"
task = "classification"

[data]
uri = "current.csv"
target = "label"
positive = 1

[drift]
psi = "<= 0.2"
"""


@pytest.fixture(scope="module")
def logged(store, stores, tmp_path_factory):
    """A registered model with the profile of its data among its files."""
    features = store.features.columns
    model = LogisticRegression().fit(store.features, store.data["label"])
    found = stores.register(store, "drifting", model, alias="champion")
    path = tmp_path_factory.mktemp("profile") / "pytest_mlops_profile.json"
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.chdir(path.parent)
    code = main(
        [
            "profile",
            f"--data={store.root / 'validation.csv'}",
            "--model-uri=models:/drifting@champion",
            f"--tracking-uri={store.tracking_uri}",
            f"--output={path}",
        ]
    )
    monkeypatch.undo()
    assert code == 0
    stores.client(store).log_model_artifact(found.model_id, str(path))
    return list(features)


@pytest.fixture
def repository_of_model(repository, store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.tracking_uri)
    repository.gates(GATES)
    store.features.to_csv(repository.path / "current.csv", index=False)
    return repository


def judge(repository, *arguments):
    result = repository.run("-m", "drift", "--verdict=verdict.json", *arguments)
    return result, repository.verdict()


def columns(verdict):
    return {check["slice"]["column"]: check for check in verdict["checks"]}


def test_the_profile_of_the_model_is_the_reference(logged, repository_of_model):
    result, verdict = judge(
        repository_of_model, "--model-uri=models:/drifting@champion"
    )
    assert result.ret == 0, result.stdout.str()
    assert verdict["action"] == "keep"
    # What the signature asks for, and what the model answers; the profile was taken
    # without a gates file, so nothing said which label is the positive one.
    assert list(columns(verdict)) == [*logged, "prediction"]
    assert verdict["subject"]["model_digest"].startswith("sha256:")
    assert (
        "drift: not in the reference, so not judged: model.score" in verdict["remarks"]
    )
    assert main(["verify", str(repository_of_model.path / "verdict.json")]) == 0


def test_answers_drift_with_what_the_model_gets(logged, repository_of_model, store):
    moved = store.features.copy()
    moved["age"] = moved["age"] + 2
    moved.to_csv(repository_of_model.path / "current.csv", index=False)
    result, verdict = judge(
        repository_of_model, "--model-uri=models:/drifting@champion"
    )
    assert (result.ret, verdict["action"]) == (1, "retrain")
    outcomes = {name: check["outcome"] for name, check in columns(verdict).items()}
    assert outcomes["age"] == outcomes["prediction"] == "fail"
    assert outcomes["income"] == "pass"


def test_both_sides_are_predicted_where_the_reference_is_data(
    logged, repository_of_model, store
):
    reference = f"--reference={store.root / 'validation.csv'}"
    result, verdict = judge(
        repository_of_model, "--model-uri=models:/drifting@champion", reference
    )
    assert result.ret == 0
    # A feature of this model is called score.
    assert list(columns(verdict)) == [*logged, "prediction", "model.score"]


def test_a_model_that_lacks_a_column_is_not_run(logged, repository_of_model, store):
    store.features.drop(columns="age").to_csv(
        repository_of_model.path / "current.csv", index=False
    )
    result, verdict = judge(
        repository_of_model, "--model-uri=models:/drifting@champion"
    )
    assert (result.ret, verdict["action"]) == (1, "hold")
    found = columns(verdict)
    assert found["age"]["reason"] == "column_missing"
    assert found["income"]["outcome"] == "pass"
    assert found["prediction"]["outcome"] == "error"
    message = found["prediction"]["message"]
    assert "the data lacks columns that the model" in message
    assert "asks for: age." in message
    assert main(["verify", str(repository_of_model.path / "verdict.json")]) == 0


def test_a_model_without_a_profile_says_how_to_get_one(
    store, repository_of_model, logged
):
    result, verdict = judge(
        repository_of_model, "--model-uri=models:/classifier@champion", "--gates=m"
    )
    assert result.ret == 4  # the file judges another model
    repository_of_model.gates(GATES.replace("drifting", "classifier"))
    result, verdict = judge(
        repository_of_model, "--model-uri=models:/classifier@champion"
    )
    assert (result.ret, verdict["action"]) == (12, "hold")
    assert "has no profile stored with it" in verdict["checks"][0]["message"]


FUNCTION = """\
import numpy as np
def texts(frame):
    return np.where(frame["age"] > 0, "old", "young")
def numbers(frame):
    return np.ma.masked_invalid(frame["age"].to_numpy())
def broken(frame):
    raise RuntimeError("it broke")
"""


@pytest.mark.parametrize(
    ("name", "outcome"), [("texts", "pass"), ("numbers", "pass"), ("broken", "error")]
)
def test_any_callable_may_answer(repository, name, outcome):
    draw = np.random.default_rng(3)
    lines = "\n".join(f"{value:.3f}" for value in draw.normal(size=500))
    for file in ("current.csv", "reference.csv"):
        repository.write(file, f"age\n{lines}\n")
    repository.write("answers.py", FUNCTION)
    task = "regression" if name == "numbers" else "classification"
    text = GATES.replace("positive = 1\n", "").replace("classification", task)
    repository.gates(text)
    if outcome == "error":
        # The reference has answers, and the model that broke gives none now.
        repository.write("before.py", FUNCTION)
        rows = lines.split("\n")
        answers = "\n".join(f"{row},yes" for row in rows)
        repository.write("reference.csv", f"age,said\n{answers}\n")
        repository.gates(text.replace("[drift]", 'prediction = "said"\n\n[drift]'))
    result, verdict = judge(
        repository, f"--model-uri=answers:{name}", "--reference=reference.csv"
    )
    found = columns(verdict)
    assert found["age"]["outcome"] == "pass"
    assert found["prediction"]["outcome"] == outcome, result.stdout.str()


def test_dates_and_lists_are_neither_numbers_nor_texts(repository):
    frame = pd.DataFrame(
        {
            "age": np.arange(60.0),
            "when": pd.date_range("2026-01-01", periods=60),
            "tags": [["a", "b"]] * 60,
        }
    )
    for name in ("current.parquet", "reference.parquet"):
        frame.to_parquet(repository.path / name)
    repository.gates(GATES.replace("positive = 1\n", ""))
    result, verdict = judge(
        repository, "--data=current.parquet", "--reference=reference.parquet"
    )
    assert result.ret == 0
    assert list(columns(verdict)) == ["age"]


def test_a_model_that_cannot_answer_for_the_reference_is_remarked(
    repository, monkeypatch, capsys
):
    draw = np.random.default_rng(3)
    rows = [f"{age:.3f},{size:.3f}" for age, size in draw.normal(size=(300, 2))]
    repository.write("current.csv", "\n".join(["age,size", *rows]) + "\n")
    sizes = [row.partition(",")[2] for row in rows]
    repository.write("reference.csv", "\n".join(["size", *sizes]) + "\n")
    repository.write("answers.py", FUNCTION)
    repository.gates(GATES.replace("positive = 1\n", ""))
    result, verdict = judge(
        repository, "--model-uri=answers:texts", "--reference=reference.csv"
    )
    assert result.ret == 0
    assert list(columns(verdict)) == ["size"]
    remarks = "\n".join(verdict["remarks"])
    assert "the reference has no prediction: " in remarks
    assert "so not judged: age, prediction" in remarks
    monkeypatch.chdir(repository.path)
    arguments = ["--data=reference.csv", "--model-uri=answers:texts", "--gates=m"]
    assert main(["profile", *arguments, "--output=p.json"]) == 0
    assert "without prediction: " in capsys.readouterr().out


def test_answers_may_be_missing(repository):
    repository.write("current.csv", "age\n" + "\n".join(map(str, range(60))) + "\n")
    repository.write(
        "answers.py",
        "import numpy as np\n"
        "def some(frame):\n"
        "    age = frame['age'].to_numpy(dtype=float)\n"
        "    return np.where(age < 30, np.nan, age)\n",
    )
    text = GATES.replace("positive = 1\n", "").replace("classification", "regression")
    repository.gates(text.replace("psi", "missing_change"))
    repository.write("reference.csv", "age\n" + "31\n" * 60)
    result, verdict = judge(
        repository, "--model-uri=answers:some", "--reference=reference.csv"
    )
    assert result.ret == 1
    assert columns(verdict)["prediction"]["value"] == 0.5
