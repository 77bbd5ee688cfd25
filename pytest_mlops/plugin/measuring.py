"""The ``metric`` of a Python test: measured values that record their comparisons."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, NoReturn, Optional

import pytest

from pytest_mlops.core.checks import blocks
from pytest_mlops.core.metrics import Metric, MetricOptions
from pytest_mlops.core.registry import Registry
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.errors import InstrumentError
from pytest_mlops.gates.measured import MeasuredValue
from pytest_mlops.plugin.results import recorder_of
from pytest_mlops.settings.values import Gate
from pytest_mlops.workflow.judging import ModelJudge


def metric_function(
    item: pytest.Item, judge: Optional[ModelJudge], metrics: Registry[Metric]
) -> Callable[..., MeasuredValue]:
    """What the fixture ``metric`` gives to *item*."""

    def metric(
        name: str, *, average: Optional[str] = None, beta: Optional[float] = None
    ) -> MeasuredValue:
        if judge is None:
            _refuse(
                item,
                "metric() needs a gates file that says which data is judged: "
                "write gates/<model>.toml with a [data] table",
            )
        if name not in metrics:
            _refuse(item, metrics.unknown(name))
        data = judge.assignment.gates_file.data
        options = MetricOptions(data.positive, average, beta)
        try:
            estimate = judge.estimate(metrics[name], options)
        except InstrumentError as error:
            _refuse(item, str(error))
        gate = _gate(item, metrics[name], options, judge)
        return MeasuredValue(name, estimate, _comparison(item, gate, judge))

    return metric


def _gate(
    item: pytest.Item, metric: Metric, options: MetricOptions, judge: ModelJudge
) -> Gate:
    policy = judge.assignment.gates_file.policy
    return Gate(
        name=item.nodeid,
        metric=metric,
        options=options,
        rule=parse_rule(">= 0"),
        margin=policy.margin,
        on_inconclusive=policy.on_inconclusive,
    )


def _comparison(
    item: pytest.Item, gate: Gate, judge: ModelJudge
) -> Callable[[str], bool]:
    def compare(rule: str) -> bool:
        check = judge.judge(replace(gate, rule=parse_rule(rule)), item.nodeid)
        recorder_of(item).record(check)
        item.add_report_section("call", "pytest-mlops", check.message)
        return not blocks(check, judge.assignment.gates_file.policy)

    return compare


def _refuse(item: pytest.Item, message: str) -> NoReturn:
    recorder_of(item).instrument = message
    pytest.fail(message, pytrace=False)
