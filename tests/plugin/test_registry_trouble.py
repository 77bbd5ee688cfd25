"""A model that cannot be had: one line that says why, outcome error, exit 12."""

from __future__ import annotations

import json
import socket

import pytest

GATES = """\
model = "classifier"
task = "classification"

[data]
uri = "{data}"
target = "label"
positive = 1

[gates]
accuracy = ">= 0.5"
"""


@pytest.fixture
def judge(store, pytester):
    """Judges a model of the store by one gate; gives result, verdict and message."""
    (pytester.path / "gates").mkdir()
    text = GATES.format(data=store.root / "validation.parquet")
    (pytester.path / "gates/classifier.toml").write_text(text)

    def judging(model_uri, *arguments, tracking_uri=store.tracking_uri):
        result = pytester.runpytest_inprocess(
            "-m",
            "gates",
            f"--model-uri={model_uri}",
            f"--tracking-uri={tracking_uri}",
            "--verdict=verdict.json",
            *arguments,
        )
        verdict = json.loads((pytester.path / "verdict.json").read_text())
        return result, verdict, verdict["checks"][0]["message"]

    return judging


def assert_held(result, verdict, message, *words):
    assert result.ret == 12
    assert verdict["outcome"] == "error"
    assert verdict["action"] == "hold"
    assert "\n" not in message
    for word in words:
        assert word in message
    for line in (*result.outlines, *result.errlines):
        assert "Traceback" not in line
        assert "INTERNALERROR" not in line


def test_a_registered_model_is_judged(judge):
    result, verdict, _ = judge("models:/classifier@champion")
    assert result.ret == 0
    assert verdict["subject"]["resolved_uri"] == "models:/classifier/1"
    assert verdict["versions"]["mlflow"]


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/classifier@candidat", ["no alias", "Did you mean 'candidate'?"]),
        ("models:/classifier/99", ["no version 99", "1"]),
        ("runs:/00000000000000000000000000000000/model", ["no run"]),
    ],
)
def test_a_missing_version_alias_or_run(judge, uri, words):
    assert_held(*judge(uri), *words)


def test_a_missing_model(judge, pytester):
    path = pytester.path / "gates/classifier.toml"
    path.write_text(path.read_text().replace('"classifier"', '"clasifier"'))
    assert_held(
        *judge("models:/clasifier@champion"),
        "no registered model 'clasifier'",
        "Did you mean 'classifier'?",
    )


def test_a_registry_that_refuses_connections(judge, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        found = judge(
            "models:/classifier@champion", tracking_uri=f"http://127.0.0.1:{port}"
        )
    assert_held(*found, "cannot be reached", f"127.0.0.1:{port}")


def test_a_registry_that_never_answers_is_given_up(judge, pytester):
    (pytester.path / "pyproject.toml").write_text(
        "[tool.pytest_mlops]\nregistry_timeout = 2\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        found = judge(
            "models:/classifier@champion", tracking_uri=f"http://127.0.0.1:{port}"
        )
    assert_held(*found, "cannot be reached", f"127.0.0.1:{port}")


def test_a_registry_in_a_file_that_is_not_there_is_not_created(judge, pytester):
    found = judge("models:/classifier@champion", tracking_uri="sqlite:///nowhere.db")
    assert_held(*found, "nowhere.db does not exist")
    assert not (pytester.path / "nowhere.db").exists()


def test_a_model_whose_library_is_not_installed(judge, store, stores):
    model = stores.python_model(lambda frame: frame["age"] > 0)
    logged = stores.register(store, "lacking", model, signature=False)
    path = logged.folder / "MLmodel"
    text = path.read_text()
    lacking = text.replace("mlflow.pyfunc.model", "a_library_that_is_not_installed")
    assert lacking != text
    path.write_text(lacking)
    assert_held(
        *judge(str(logged.folder)), "a_library_that_is_not_installed", "pip install"
    )


def test_a_model_of_mlflow_whose_predict_raises(judge, store, stores):
    def predict(frame):
        raise ValueError("the scaler was never fitted")

    model = stores.python_model(predict)
    logged = stores.register(store, "raising", model, signature=False)
    assert_held(*judge(str(logged.folder)), "ValueError: the scaler was never fitted")


def test_a_missing_baseline_is_a_stated_outcome(judge, pytester):
    path = pytester.path / "gates/classifier.toml"
    text = path.read_text().replace(">= 0.5", ">= baseline - 0.01")
    path.write_text('baseline = "models:/classifier@nobody"\n' + text)
    result, verdict, message = judge("models:/classifier@champion")
    assert result.ret == 1
    assert verdict["checks"][0]["reason"] == "baseline_missing"
    assert "no alias 'nobody'" in message
    path.write_text(
        'baseline = "models:/classifier@nobody"\non_missing_baseline = "skip"\n' + text
    )
    result, verdict, _ = judge("models:/classifier@champion")
    assert result.ret == 0
    assert verdict["outcome"] == "inconclusive"


def test_a_baseline_is_run_over_the_same_rows(judge, pytester):
    path = pytester.path / "gates/classifier.toml"
    path.write_text(path.read_text().replace(">= 0.5", ">= baseline - 0.01"))
    result, verdict, _ = judge(
        "models:/classifier@weak", "--baseline-uri=models:/classifier@champion"
    )
    (check,) = verdict["checks"]
    assert result.ret == 1
    assert verdict["baseline"]["resolved_uri"] == "models:/classifier/1"
    assert check["estimand"] == "difference"
    assert check["difference"] == check["value"] - check["baseline_value"]
    assert "paired/labels" in verdict["evidence"][0]["tables"]


def test_a_baseline_without_probabilities_breaks_its_own_gate_alone(
    judge, pytester, store, stores
):
    bare = stores.python_model(lambda frame: (frame["age"] > 0).astype(int))
    logged = stores.register(store, "bare", bare, signature=False)
    path = pytester.path / "gates/classifier.toml"
    path.write_text(
        path.read_text()
        + 'roc_auc = ">= 0.5"\n'
        + "auc_not_worse = { metric = 'roc_auc', rule = '>= baseline - 0.1' }\n"
    )
    result, verdict, _ = judge(
        "models:/classifier@champion", f"--baseline-uri={logged.folder}"
    )
    assert result.ret == 12
    outcomes = {check["name"]: check["outcome"] for check in verdict["checks"]}
    assert outcomes == {"accuracy": "pass", "roc_auc": "pass", "auc_not_worse": "error"}
    assert "of the baseline" in verdict["checks"][2]["message"]
