"""The ``metric`` of a Python test: measured values that record their comparisons."""

from __future__ import annotations

from types import CodeType
from typing import Any, Callable, Iterable, Iterator, List, NoReturn, Optional, Tuple

import pytest
from _pytest.outcomes import Failed

from pytest_mlops.core.checks import blocks
from pytest_mlops.core.conditions import parse_condition
from pytest_mlops.core.metrics import Metric, MetricOptions, Task
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.registry import Registry
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.core.selection import Selection
from pytest_mlops.errors import ConfigurationError, InstrumentError
from pytest_mlops.evidence.metrics import custom_metric
from pytest_mlops.gates.measured import MeasuredValue
from pytest_mlops.plugin.results import recorder_of
from pytest_mlops.settings.one_gate import checked_options
from pytest_mlops.settings.values import Gate
from pytest_mlops.workflow.judging import ModelJudge


def metric_function(
    item: pytest.Item, judge: Optional[ModelJudge], metrics: Registry[Metric]
) -> Callable[..., MeasuredValue]:
    """What the fixture ``metric`` gives to *item*."""

    def metric(
        name: str,
        *,
        average: Optional[str] = None,
        beta: Optional[float] = None,
        where: Optional[str] = None,
    ) -> MeasuredValue:
        """The metric *name* of the model, which judges itself when compared."""
        if judge is None:
            _refuse(
                item,
                "metric() needs a gates file that says which data is judged: "
                "write gates/<model>.toml with a [data] table",
            )
        file = judge.assignment.gates_file
        asked = MetricOptions(file.data.positive, average, beta)
        try:
            measured = _metric_of(name, metrics, file.task)
            options = checked_options(measured, asked, file.task)
            selection = _selection(measured, where)
            estimate = judge.estimate(measured, options, selection)
        except (ConfigurationError, InstrumentError) as error:
            _refuse(item, str(error))
        value = MeasuredValue(name, estimate)
        recorder_of(item).measured.append(value)
        policy = file.policy

        def compare(rule: str) -> bool:
            gate = Gate(
                name=item.nodeid,
                metric=measured,
                options=options,
                rule=parse_rule(rule),
                margin=policy.margin,
                on_inconclusive=policy.on_inconclusive,
                selection=selection,
            )
            return _compare(item, judge, gate, repr(value))

        value.judge_by(compare)
        return value

    return metric


def _metric_of(name: str, metrics: Registry[Metric], task: Task) -> Metric:
    """A known metric, or a function of the project; raises ConfigurationError."""
    if name in metrics:
        return metrics[name]
    if ":" in name:
        return custom_metric(name, task)
    raise ConfigurationError.one(metrics.unknown(name), source="metric()")


def named_metrics(
    items: Iterable[pytest.Item], metrics: Registry[Metric]
) -> Tuple[List[Metric], List[Selection]]:
    """The metrics whose names stand in tests that measure, and the conditions there.

    So one pass over the data serves them all; what is put together at run time costs
    one more.
    """
    texts = {
        text
        for item in items
        if "metric" in getattr(item, "fixturenames", ())
        for text in _texts(item)
    }
    named = [metric for name, metric in metrics.items() if name in texts]
    conditions = (_condition(text) for text in sorted(texts))
    return named, [Selection(condition) for condition in conditions if condition]


def _condition(text: str) -> Optional[str]:
    try:
        return str(parse_condition(text))
    except ValueError:
        return None


def _texts(item: pytest.Item) -> Iterator[str]:
    function = getattr(item, "function", None)
    values: List[Any] = [getattr(function, "__code__", None)]
    call = getattr(item, "callspec", None)
    values += call.params.values() if call else ()
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, CodeType):
            values += value.co_consts
        elif isinstance(value, (tuple, list, frozenset)):
            values += value


def _selection(metric: Metric, where: Optional[str]) -> Selection:
    """The rows that a test asks for; raises ConfigurationError."""
    source = f"metric('{metric.name}')"
    if metric.across:
        message = "it compares slices, which only a gate with 'by' has"
        raise ConfigurationError.one(message, source=source)
    if where is None:
        return Selection()
    try:
        return Selection(str(parse_condition(where)))
    except ValueError as error:
        raise ConfigurationError.one(f"'where': {error}", source=source) from error


def _compare(item: pytest.Item, judge: ModelJudge, gate: Gate, shown: str) -> bool:
    """Judge a comparison and record its check; whether the policy lets it pass."""
    recorder, policy = recorder_of(item), judge.assignment.gates_file.policy
    passes = True
    for check in judge.judge(gate, item.nodeid):
        recorder.record(check)
        item.add_report_section("call", "pytest-mlops", check.message)
        if blocks(check, policy):
            recorder.shown.add(shown)
            passes = False
    return passes


def _refuse(item: pytest.Item, message: str) -> NoReturn:
    recorder_of(item).instrument = message
    # The cause may hold what must not be shown.
    raise Failed(redact(message), pytrace=False) from None
