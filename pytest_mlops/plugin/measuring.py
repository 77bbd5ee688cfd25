"""The ``metric`` of a Python test: measured values that record their comparisons."""

from __future__ import annotations

from types import CodeType
from typing import Any, Callable, Iterable, Iterator, List, NoReturn, Optional

import pytest
from _pytest.outcomes import Failed

from pytest_mlops.core.checks import blocks
from pytest_mlops.core.metrics import Metric, MetricOptions
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.registry import Registry
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.errors import ConfigurationError, InstrumentError
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
        name: str, *, average: Optional[str] = None, beta: Optional[float] = None
    ) -> MeasuredValue:
        """The metric *name* of the model, which judges itself when compared."""
        if judge is None:
            _refuse(
                item,
                "metric() needs a gates file that says which data is judged: "
                "write gates/<model>.toml with a [data] table",
            )
        if name not in metrics:
            _refuse(item, metrics.unknown(name))
        file = judge.assignment.gates_file
        asked = MetricOptions(file.data.positive, average, beta)
        try:
            options = checked_options(metrics[name], asked, file.task)
            estimate = judge.estimate(metrics[name], options)
        except (ConfigurationError, InstrumentError) as error:
            _refuse(item, str(error))
        value = MeasuredValue(name, estimate)
        value.judge_by(_comparison(item, judge, metrics[name], options, repr(value)))
        return value

    return metric


def named_metrics(
    items: Iterable[pytest.Item], metrics: Registry[Metric]
) -> List[Metric]:
    """The metrics whose names stand in tests that measure, so that one pass over the
    data serves them; a name that is put together at run time costs one more."""
    named = {
        text
        for item in items
        if "metric" in getattr(item, "fixturenames", ())
        for text in _texts(item)
    }
    return [metric for name, metric in metrics.items() if name in named]


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


def _comparison(
    item: pytest.Item,
    judge: ModelJudge,
    metric: Metric,
    options: MetricOptions,
    shown: str,
) -> Callable[[str], bool]:
    policy = judge.assignment.gates_file.policy

    def compare(rule: str) -> bool:
        gate = Gate(
            name=item.nodeid,
            metric=metric,
            options=options,
            rule=parse_rule(rule),
            margin=policy.margin,
            on_inconclusive=policy.on_inconclusive,
        )
        check = judge.judge(gate, item.nodeid)
        recorder = recorder_of(item)
        recorder.record(check)
        item.add_report_section("call", "pytest-mlops", check.message)
        if blocks(check, policy):
            recorder.shown.add(shown)
            return False
        return True

    return compare


def _refuse(item: pytest.Item, message: str) -> NoReturn:
    recorder_of(item).instrument = message
    # The cause may hold what must not be shown.
    raise Failed(redact(message), pytrace=False) from None
