"""``show metrics``: what each metric is, for a person who chooses one."""

from __future__ import annotations

from typing import List, Mapping, Tuple

from pytest_mlops.core.metrics import Better, Metric

_BETTER = {
    Better.HIGHER: "more is better",
    Better.LOWER: "less is better",
    Better.NEITHER: "neither direction is better",
}


def metrics_page(metrics: Mapping[str, Tuple[str, Metric]]) -> str:
    """All metrics by task, each with formula, source, direction and interval.

    Args:
        metrics: who registered a metric, and the metric, by name.
    """
    tasks = dict.fromkeys(metric.task for _, metric in metrics.values())
    blocks: List[str] = []
    for task in tasks:
        blocks.append(task.value.upper())
        blocks += [
            _described(owner, metric)
            for owner, metric in metrics.values()
            if metric.task is task
        ]
    return "\n\n".join(blocks)


def _described(owner: str, metric: Metric) -> str:
    facts = [
        ("formula", metric.formula),
        ("source", metric.source),
        ("direction", _BETTER[metric.better]),
        ("interval", metric.interval_method),
        ("averages", ", ".join(metric.averages)),
        ("options", ", ".join(sorted(metric.options))),
        ("registered by", owner),
    ]
    lines = [f"{metric.name}: {metric.title}"]
    lines += [f"  {name:<13}  {value}" for name, value in facts if value]
    return "\n".join(lines)
