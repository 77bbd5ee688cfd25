"""Read one gate: its metric, its rule and its options, checked against each other."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Tuple, Union

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import Better, Metric, MetricOptions, Task
from pytest_mlops.core.outcomes import OnInconclusive
from pytest_mlops.core.rows import Label
from pytest_mlops.core.rules import Bound, Operator, Rule, parse_rule
from pytest_mlops.core.selection import Selection
from pytest_mlops.core.suggestions import did_you_mean, unknown
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.gates_keys import (
    AVERAGE,
    BETA,
    GATE_KEYS,
    MARGIN,
    METRIC,
    MIN_ROWS,
    ON_INCONCLUSIVE,
    RULE_TEXT,
    Table,
)
from pytest_mlops.settings.reader import Problems, Section
from pytest_mlops.settings.selecting import read_selection
from pytest_mlops.settings.values import Gate

_RISING = (Operator.AT_LEAST, Operator.ABOVE)
_PLAIN_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")


@dataclass(frozen=True)
class GateReading:
    """A gate that was read, or what is wrong with it.

    Attributes:
        gate: None where there are problems.
        problems: a line each.
        warnings: what is odd but allowed, a line each.
    """

    gate: Optional[Gate]
    problems: Tuple[str, ...] = ()
    warnings: Tuple[str, ...] = ()


class GateReader:
    """Reads gates of one file.

    Args:
        task: of the file; None where that is not known.
        positive: the label of ``[data]``; None for multi-class.
        metrics: those that gates may name.
        custom_metric: finds the metric that ``module:function`` names; raises
            ConfigurationError.
    """

    def __init__(
        self,
        task: Optional[Task],
        positive: Optional[Label],
        metrics: Mapping[str, Metric],
        custom_metric: Callable[[str, Task], Metric],
    ) -> None:
        self._task = task
        self._positive = positive
        self._metrics = metrics
        self._custom_metric = custom_metric
        self._custom: Dict[str, Union[Metric, ConfigurationError]] = {}

    def names_metric(self, name: str) -> bool:
        """Whether *name* could stand under ``metric``."""
        return name in self._metrics or ":" in name

    def read(self, name: str, table: Table, policy: Policy) -> GateReading:
        """Read the gate *name*; *policy* holds where it says nothing itself."""
        problems = Problems("")
        section = Section(table, GATE_KEYS, problems)
        metric = self._metric(name, section)
        rule = _rule(section)
        if metric is not None:
            options = self._options(metric, section)
            selection = read_selection(section, metric)
            _check_margin(section.get(MARGIN, policy.margin), metric, section)
            if rule is not None:
                _check_limits(rule, metric, section)
        if metric is None or rule is None or problems.messages:
            return GateReading(None, problems.messages)
        gate = Gate(
            name=name,
            metric=metric,
            options=options,
            rule=rule,
            margin=section.get(MARGIN, policy.margin),
            on_inconclusive=section.get(
                ON_INCONCLUSIVE, _undecided(metric, selection, policy)
            ),
            on_nothing=section.get(ON_INCONCLUSIVE, policy.on_inconclusive),
            selection=selection,
            min_rows=section.get(MIN_ROWS),
        )
        return GateReading(gate, (), _wrong_way(gate))

    def _metric(self, name: str, section: Section) -> Optional[Metric]:
        written = section.given(METRIC)
        wanted = written or name
        if wanted in self._metrics:
            metric: Optional[Metric] = self._metrics[wanted]
        elif ":" in wanted:
            metric = self._load(wanted, section)
        else:
            metric = None
            sentence = unknown("metric", wanted, self._known())
            prefix = "" if written else "the gate has no 'metric', and "
            section.problem(f"{prefix}{sentence}")
        if metric and self._task and metric.task is not self._task:
            section.problem(
                f"'{wanted}' is a metric of {metric.task.value}, and the task of "
                f"this file is {self._task.value}"
            )
            return None
        return metric

    def _known(self) -> Tuple[str, ...]:
        every = self._metrics.items()
        return tuple(name for name, m in every if self._task in (None, m.task))

    def _load(self, wanted: str, section: Section) -> Optional[Metric]:
        # Once: every environment asks again, and loading imports somebody's module.
        if wanted not in self._custom:
            task = self._task or Task.CLASSIFICATION
            try:
                self._custom[wanted] = self._custom_metric(wanted, task)
            except ConfigurationError as error:
                self._custom[wanted] = error
        found = self._custom[wanted]
        if not isinstance(found, ConfigurationError):
            return found
        for problem in found.problems:
            section.problem(problem.message)
        return None

    def _options(self, metric: Metric, section: Section) -> MetricOptions:
        average, beta = section.given(AVERAGE), section.given(BETA)
        options, problems = _resolved(metric, self._positive, average, beta)
        for problem in problems:
            section.problem(problem)
        return options


def _undecided(metric: Metric, selection: Selection, policy: Policy) -> OnInconclusive:
    """What a gate does when undecided, unless it says so itself.

    For all of twenty small slices to be certain takes more rows than anyone has.
    """
    many = selection.by and not metric.across
    return OnInconclusive.WARN if many else policy.on_inconclusive


def checked_options(metric: Metric, asked: MetricOptions, task: Task) -> MetricOptions:
    """The options of a metric that a test asks for, with their defaults.

    Raises:
        ConfigurationError: the metric does not take them, or is of another task.
    """
    options, problems = _resolved(metric, asked.positive, asked.average, asked.beta)
    if metric.task is not task:
        problems = [
            f"'{metric.name}' is a metric of {metric.task.value}, and the task is "
            f"{task.value}"
        ]
    if problems:
        source = f"metric('{metric.name}')"
        raise ConfigurationError.one("; ".join(problems), source=source)
    return options


def _resolved(
    metric: Metric,
    positive: Optional[Label],
    written: Optional[str],
    beta: Optional[float],
) -> Tuple[MetricOptions, List[str]]:
    average, problems = _average(metric, positive, written)
    if beta is not None and "beta" not in metric.options:
        problems.append(f"'{metric.name}' has no option 'beta'")
    if beta is None and "beta" in metric.options:
        problems.append(f"'{metric.name}' needs 'beta': {BETA.help}")
    return MetricOptions(positive, average, beta), problems


def _average(
    metric: Metric, positive: Optional[Label], written: Optional[str]
) -> Tuple[Optional[str], List[str]]:
    if not metric.averages:
        return None, [f"'{metric.name}' has no option 'average'"] if written else []
    average = written or ("macro" if positive is None else "binary")
    if average not in metric.averages:
        known = ", ".join(metric.averages)
        hint = did_you_mean(average, metric.averages)
        return average, [
            f"'{metric.name}' has no average '{average}'"
            f"{'' if written else _WHY_AVERAGE[average]}."
            f"{hint} Known averages: {known}"
        ]
    if average == "binary" and positive is None:
        return average, ["average 'binary' needs 'positive' in [data]"]
    return average, []


_WHY_AVERAGE = {
    "macro": ", which holds without 'positive' in [data]",
    "binary": ", which holds with 'positive' in [data]",
}


def _rule(section: Section) -> Optional[Rule]:
    text = section.given(RULE_TEXT)
    if text is None:
        return None
    try:
        return parse_rule(text)
    except ValueError as error:
        section.problem(str(error))
        return None


def _bounds(rule: Rule) -> Tuple[Bound, ...]:
    return (rule.bound,) if rule.upper is None else (rule.bound, rule.upper)


def _reachable(bound: Bound, metric: Metric) -> bool:
    low, high = metric.limits
    if not math.isfinite(bound.offset) or not math.isfinite(bound.factor):
        return False
    if bound.factor:
        # Two values of the metric are never further apart than its range is wide.
        return abs(bound.offset) <= high - low
    return low <= bound.offset <= high


def _check_limits(rule: Rule, metric: Metric, section: Section) -> None:
    if all(_reachable(bound, metric) for bound in _bounds(rule)):
        return
    section.problem(
        f"'rule' sets a limit that {metric.name} cannot reach (its range is "
        f"{_range(metric)}), got '{rule.text}'{_percent_hint(rule, metric)}"
    )


def _check_margin(margin: float, metric: Metric, section: Section) -> None:
    low, high = metric.limits
    if margin >= high - low:
        section.problem(
            f"'margin' is as wide as the whole range of {metric.name} "
            f"({_range(metric)}), got {margin:g}"
        )


def _range(metric: Metric) -> str:
    low, high = metric.limits
    if math.isinf(low) and math.isinf(high):
        return "any finite number"
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"{low:g} to {high:g}"


def _percent_hint(rule: Rule, metric: Metric) -> str:
    candidate = _PLAIN_NUMBER.sub(r"\g<0>%", rule.text)
    try:
        meant = parse_rule(candidate)
    except ValueError:
        return ""
    fits = all(_reachable(bound, metric) for bound in _bounds(meant))
    return f". Did you mean '{candidate}'?" if fits else ""


def _wrong_way(gate: Gate) -> Tuple[str, ...]:
    rising, better = gate.rule.operator in _RISING, gate.metric.better
    if gate.rule.operator is Operator.BETWEEN or better is Better.NEITHER:
        return ()
    if rising is (better is Better.HIGHER):
        return ()
    side, wish = ("lower", "less") if rising else ("upper", "more")
    return (
        f"gate '{gate.name}': '{gate.rule.text}' is {'a' if rising else 'an'} {side} "
        f"limit, and of {gate.metric.name} {wish} is better",
    )
