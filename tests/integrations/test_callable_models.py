"""Models that are objects of the project, and the shapes of what models return."""

from __future__ import annotations

import sys
from typing import Any, Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pytest_mlops.core.rows import Batch
from pytest_mlops.core.sources import Model, Site
from pytest_mlops.errors import ModelError
from pytest_mlops.integrations.arrow_batch import ArrowBatch
from pytest_mlops.integrations.model_outputs import as_predictions, with_probabilities

Load = Callable[[str, Site], Model]

MODULE = """
import numpy as np
from sklearn.linear_model import LogisticRegression

def doubled(frame):
    return frame["x"] * 2

def late(frame):
    import helper_of_model
    return helper_of_model.predict(frame)

def broken(frame):
    return frame["gone"]

class Estimator:
    def predict(self, frame):
        return ["a"] * len(frame)

estimator = Estimator()
fitted = LogisticRegression().fit([[0], [1], [2], [3]], ["n", "n", "y", "y"])
number = 7
"""


@pytest.fixture()
def module(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    (site.root / "our_models.py").write_text(MODULE)
    helper = "def predict(frame): return frame['x'] + 1\n"
    (site.root / "helper_of_model.py").write_text(helper)
    for name in ("our_models", "helper_of_model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "our_models"


@pytest.fixture()
def rows() -> Batch:
    return ArrowBatch(pa.record_batch({"x": [0, 1, 2], "y": [1, 1, 1]}), source="rows")


@pytest.mark.parametrize(
    "name, expected",
    [
        ("doubled", [0, 2, 4]),
        ("late", [1, 2, 3]),
        ("estimator", ["a", "a", "a"]),
        ("estimator.predict", ["a", "a", "a"]),
    ],
)
def test_an_object_or_a_function(
    site: Site, load_model: Load, module: str, rows: Batch, name: str, expected: Any
) -> None:
    model = load_model(f"{module}:{name}", site)
    assert model.subject.model_uri == f"{module}:{name}"
    assert model.subject.model_digest is None
    assert model.inputs is None
    found = model.predict(rows, ("x",), probabilities=True)
    assert list(found.values) == expected
    assert found.probabilities is None
    assert "python" in model.versions


@pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
def test_an_estimator_with_probabilities(
    site: Site, load_model: Load, module: str, rows: Batch
) -> None:
    model = load_model(f"{module}:fitted", site)
    found = model.predict(rows, ("x",), probabilities=True)
    assert list(found.values) == ["n", "n", "y"]
    assert found.classes == ("n", "y")
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert model.predict(rows, ("x",), probabilities=False).probabilities is None
    assert "scikit-learn" in model.versions


@pytest.mark.parametrize(
    "name, message",
    [
        ("Estimator", "is a class; name an object of it"),
        ("number", "is a int, which has no predict and cannot be called"),
        ("doubld", "has no 'doubld'. Did you mean 'doubled'?"),
    ],
)
def test_what_is_no_model(
    site: Site, load_model: Load, module: str, name: str, message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(f"{module}:{name}", site)
    assert message in str(caught.value)


def test_a_function_that_raises(
    site: Site, load_model: Load, module: str, rows: Batch
) -> None:
    model = load_model(f"{module}:broken", site)
    with pytest.raises(
        ModelError, match="^the model's predict raised KeyError: 'gone'"
    ):
        model.predict(rows, ("x",), probabilities=False)


class Raw:
    """An estimator that knows its classes."""

    def __init__(self, classes: Any, probabilities: Any = None) -> None:
        self.classes_ = classes
        self.probabilities = probabilities

    def predict_proba(self, frame: Any) -> Any:
        if self.probabilities is None:
            raise RuntimeError("not fitted")
        return self.probabilities


@pytest.mark.parametrize(
    "result",
    [
        [1, 0, 1],
        (1, 0, 1),
        np.array([1, 0, 1]),
        np.array([[1], [0], [1]]),
        pd.Series([1, 0, 1]),
        pd.DataFrame({"anything": [1, 0, 1]}),
        pd.DataFrame({"prediction": [1, 0, 1], "score": [0.9, 0.1, 0.8]}),
    ],
)
def test_shapes_that_are_one_prediction_a_row(result: Any) -> None:
    found = as_predictions(result, 3, None)
    assert list(found.values) == [1, 0, 1]
    assert found.probabilities is None


@pytest.mark.parametrize(
    "result, classes",
    [
        (np.array([[0.9, 0.1], [0.2, 0.8]]), ["no", "yes"]),
        ([[0.9, 0.1], [0.2, 0.8]], np.array(["no", "yes"])),
        (pd.DataFrame({"yes": [0.1, 0.8], "no": [0.9, 0.2]}), ["no", "yes"]),
        (pd.DataFrame({"p0": [0.9, 0.2], "p1": [0.1, 0.8]}), ["no", "yes"]),
    ],
)
def test_a_classifiers_probabilities_give_the_most_probable_class(
    result: Any, classes: Any
) -> None:
    raw = Raw(classes)
    found = as_predictions(result, 2, raw)
    assert list(found.values) == ["no", "yes"]
    assert found.classes == ("no", "yes")
    np.testing.assert_array_equal(found.probabilities, [[0.9, 0.1], [0.2, 0.8]])
    assert with_probabilities(found, raw, None) is found


def test_classes_are_plain_labels() -> None:
    raw = Raw(np.array([False, True]), np.array([[0.5, 0.5]]))
    found = with_probabilities(as_predictions([1], 1, raw), raw, None)
    assert found.classes == (0, 1)
    assert [type(label) for label in found.classes] == [int, int]


def test_several_outputs_have_no_probabilities() -> None:
    raw = Raw([np.array([0, 1]), np.array([0, 1])])
    assert with_probabilities(as_predictions([1], 1, raw), raw, None).classes == ()


@pytest.mark.parametrize(
    "result, message",
    [
        ([1, 0], "the model returned 2 predictions for 3 rows"),
        (7, "the model returned 1 predictions for 3 rows"),
        (None, "the model returned 1 predictions for 3 rows"),
        (np.zeros((3, 2)), r"the model returned shape \(3, 2\); a model must return"),
        (np.zeros((3, 2, 1)), r"the model returned shape \(3, 2, 1\); a model must"),
        ([[1], [1, 2], [1]], "the model returned a ragged list; a model must return"),
    ],
)
def test_what_is_no_prediction(result: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        as_predictions(result, 3, None)


def test_probabilities_that_are_wrong() -> None:
    values = as_predictions([0, 1], 2, None)
    wrong = Raw([0, 1], np.zeros((2, 3)))
    with pytest.raises(ModelError, match=r"returned shape \(2, 3\), not \(2, 2\)"):
        with_probabilities(values, wrong, None)
    with pytest.raises(ModelError, match="predict_proba raised RuntimeError: not fit"):
        with_probabilities(values, Raw([0, 1]), None)
