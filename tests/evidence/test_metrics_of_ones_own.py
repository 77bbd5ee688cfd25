"""Metrics that a user's function computes, and what is said when it does not work."""

from __future__ import annotations

import sys
import textwrap

import numpy as np
import pytest

from pytest_mlops.core.metrics import Better, MetricOptions, Task
from pytest_mlops.core.rows import ClassificationRows, RegressionRows
from pytest_mlops.errors import ConfigurationError, InstrumentError, MetricError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import custom_metric
from pytest_mlops.evidence.tables import LABEL_ROWS, NUMBER_ROWS


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module ``own_metrics`` and says where it is."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_metrics", raising=False)

    def write(source):
        path = tmp_path / "own_metrics.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    yield write
    sys.modules.pop("own_metrics", None)


def measure(function, rows=None):
    rows = rows or RegressionRows(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    task = Task.REGRESSION if isinstance(rows, RegressionRows) else Task.CLASSIFICATION
    metric = custom_metric(f"own_metrics:{function}", task)
    table = metric.kind.finish(metric.kind.build(rows))
    return metric.estimate(table, MetricOptions())


def test_a_function_is_given_numbers(module):
    module("def worst(y_true, y_pred): return abs(y_true - y_pred).max()")

    found = measure("worst")

    assert found.value == 2.0
    assert found.rows == 2
    assert found.method == "poisson_bootstrap"


def test_a_function_is_given_labels_of_all_batches(module):
    module("def told(y_true, y_pred): return float(''.join(y_true) == 'abca')")
    metric = custom_metric("own_metrics:told", Task.CLASSIFICATION)
    first, second = (
        metric.kind.build(ClassificationRows(encode(true), encode(true)))
        for true in (["a", "b"], ["c", "a"])
    )

    table = metric.kind.finish(first.merge(second))
    found = metric.estimate(table, MetricOptions())

    assert found.value == 1.0
    assert found.rows == 4


def test_weights_that_a_function_never_sees_are_flagged(module):
    module("def zero(y_true, y_pred): return 0")
    labels = encode([0, 1])

    found = measure("zero", ClassificationRows(labels, labels, weights=np.ones(2)))

    assert found.value == 0.0
    assert found.interval is None
    assert found.flags == ("low_support", "unweighted")


@pytest.mark.parametrize(
    "value", ["3", "True", "np.float32(0.5)", "np.array(1.5)", "np.int8(2)"]
)
def test_any_finite_number_is_a_value(module, value):
    module(f"import numpy as np\ndef one(y_true, y_pred): return {value}")

    assert isinstance(measure("one").value, float)


@pytest.mark.parametrize(
    "value",
    ["None", "'0.5'", "[1.0]", "np.nan", "-np.inf", "np.ones(3)", "1j", "'x' * 99"],
)
def test_what_is_no_finite_number_is_refused(module, value):
    path = module(f"import numpy as np\n\ndef one(y_true, y_pred): return {value}")

    with pytest.raises(MetricError) as raised:
        measure("one")

    message = str(raised.value)
    assert message.startswith(
        "the metric 'own_metrics:one' must return a finite number"
    )
    assert message.endswith(f"({path}:3)")
    assert "\n" not in message
    assert isinstance(raised.value, InstrumentError)


def test_a_function_that_wants_to_end_the_process_does_not(module):
    module("""
        import sys

        def leaving(y_true, y_pred):
            sys.exit(3)
        """)

    with pytest.raises(MetricError, match="raised SystemExit: 3"):
        measure("leaving")


def test_a_function_that_raises_is_shown_with_its_line(module):
    path = module("""
        import json

        def broken(y_true, y_pred):
            x = 1
            return json.loads("{")
        """)

    with pytest.raises(MetricError) as raised:
        measure("broken")

    message = str(raised.value)
    assert message.startswith(
        "the metric 'own_metrics:broken' raised JSONDecodeError: "
    )
    assert message.endswith(f"({path}:6)")
    assert raised.value.__cause__ is not None


def test_a_function_called_wrongly_is_shown_with_its_line(module):
    path = module("\ndef needs_more(y_true, y_pred, other): return 0")

    with pytest.raises(MetricError, match="'other'") as raised:
        measure("needs_more")

    assert str(raised.value).endswith(f"({path}:2)")


def test_a_callable_without_source_has_no_line(module):
    module("from operator import eq as same, itemgetter\nfirst = itemgetter(0)")

    with pytest.raises(MetricError, match=r"raised TypeError: [^()]*$"):
        measure("first")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError"),
        ("raise KeyError()", "imported: KeyError"),
    ],
)
def test_a_module_that_does_not_import_is_shown_with_its_line(module, source, words):
    path = module(f"\n{source}")

    with pytest.raises(MetricError) as raised:
        measure("f")

    message = str(raised.value)
    assert "the metric 'own_metrics:f' cannot be imported: " in message
    assert words in message
    assert message.endswith(f"({path}:2)")
    assert "\n" not in message


def test_a_module_that_is_not_there_is_named():
    metric = custom_metric("no_such_package.inner:f", Task.REGRESSION)
    table = metric.kind.build(RegressionRows(np.ones(1), np.ones(1)))

    with pytest.raises(MetricError, match="No module named 'no_such_package'"):
        metric.kind.finish(table)


def test_a_function_that_is_not_there_is_suggested(module):
    path = module("def expected_cost(y_true, y_pred): return 0")

    with pytest.raises(MetricError) as raised:
        measure("expected_cots")

    assert str(raised.value) == (
        "the metric 'own_metrics:expected_cots' cannot be imported: "
        f"{path} has no function 'expected_cots'. Did you mean 'expected_cost'?"
    )


@pytest.mark.parametrize("path", ["f", "a:", ":f", "a b:f", "a.:f", "a:f:g", "a:b.c"])
def test_what_names_no_function_is_a_mistake(path):
    with pytest.raises(
        ConfigurationError, match="looks like 'package.module:function'"
    ):
        custom_metric(path, Task.REGRESSION)


def test_nothing_is_imported_before_it_is_needed():
    metric = custom_metric("no_such_package:cost", Task.CLASSIFICATION)

    assert metric.name == "no_such_package:cost"
    assert metric.task is Task.CLASSIFICATION
    assert metric.better is Better.NEITHER
    assert not metric.kind.recomputable


@pytest.mark.parametrize("kind", [LABEL_ROWS, NUMBER_ROWS])
def test_of_rows_only_their_number_is_stored(kind):
    true = np.ones(3) if kind is NUMBER_ROWS else encode([1, 0, 1])
    rows = (RegressionRows if kind is NUMBER_ROWS else ClassificationRows)(true, true)

    again = kind.from_json(kind.build(rows).to_json())

    assert again.to_json() == {"rows": 3}
    assert again.batches == ()
