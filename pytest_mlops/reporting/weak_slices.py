"""Weak slices for people and for programs, with a gate to start from."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Sequence

from pytest_mlops.core.metrics import Estimate
from pytest_mlops.gates.weak_slices import Weakness, WeakSlice
from pytest_mlops.reporting.figures import count, figure, rows_words

_HEAD = ("value", "interval", "rows", "the rest", "adjusted p")


def weakness_page(weakness: Weakness, worst: int) -> str:
    """The weakest slices as text, at most *worst* of them."""
    shown = weakness.found[:worst]
    blocks = [[_headline(weakness)]]
    if shown:
        blocks += [_table(weakness, shown), _explained(weakness, len(shown))]
        blocks.append(["A gate to start from:", "", *gate_snippet(weakness)])
    notes = [f"not looked into: {c}: {why}" for c, why in weakness.skipped.items()]
    notes += weakness.remarks
    if notes:
        blocks.append(notes)
    return "\n\n".join("\n".join(block) for block in blocks)


def weakness_json(weakness: Weakness, worst: int) -> Dict[str, Any]:
    """The same as plain JSON."""
    whole, confidence = weakness.whole, weakness.figure.confidence
    return {
        "metric": weakness.figure.metric.name,
        "data": weakness.data,
        "rows": weakness.rows,
        "value": whole.value if whole else None,
        "confidence": confidence,
        "min_rows": weakness.figure.min_rows,
        "tested": weakness.tested,
        "found": len(weakness.found),
        "correction": "benjamini-yekutieli",
        "slices": [
            {
                "where": one.where,
                "value": one.here.value,
                "interval": list(_interval(one.here, confidence)),
                "rows": one.here.rows,
                "rest": one.rest.value,
                "difference": list(one.surely(confidence)),
                "p_value": one.p_value,
                "p_adjusted": one.p_adjusted,
            }
            for one in weakness.found[:worst]
        ],
        "skipped": dict(weakness.skipped),
        "remarks": list(weakness.remarks),
    }


def gate_snippet(weakness: Weakness) -> List[str]:
    """A gate on the weakest slice: it is to become as good as the rest is now."""
    weakest, metric = weakness.found[0], weakness.figure.metric
    operator = ">=" if weakness.figure.rising else "<="
    limit = f"{weakest.rest.value or 0.0:.2g}"
    return [
        f"[gates.{metric.name}_weakest]",
        f'metric = "{metric.name}"',
        f"where = {json.dumps(weakest.where, ensure_ascii=False)}",
        f'rule = "{operator} {limit}"    # what the rest has; the slice has '
        f"{_shown(weakest.here)}",
    ]


def _headline(weakness: Weakness) -> str:
    whole, name = weakness.whole, weakness.figure.metric.name
    value = "undefined" if whole is None else _shown(whole)
    tested = "1 slice" if weakness.tested == 1 else f"{count(weakness.tested)} slices"
    found = f"{len(weakness.found)} are" if len(weakness.found) != 1 else "1 is"
    if not weakness.found:
        found = "none is"
    return (
        f"{name} is {value} on {rows_words(weakness.rows)} of {weakness.data}; of "
        f"{tested} with {weakness.figure.min_rows} rows or more in the denominator "
        f"{found} surely weaker than the rest"
    )


def _explained(weakness: Weakness, shown: int) -> List[str]:
    share = f"{100 * (1 - weakness.figure.confidence):.4g} %"
    lines = [
        f"Among such slices at most {share} are there by chance (Benjamini-Yekutieli, "
        "which holds however slices overlap)."
    ]
    more = len(weakness.found) - shown
    return [*lines, f"{more} more: --worst {len(weakness.found)}"] if more else lines


def _table(weakness: Weakness, shown: Sequence[WeakSlice]) -> List[str]:
    cells = [("slice", *_HEAD), *(_row(one, weakness) for one in shown)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in cells
    ]


def _row(one: WeakSlice, weakness: Weakness) -> Sequence[str]:
    low, high = _interval(one.here, weakness.figure.confidence)
    return (
        one.where,
        _shown(one.here),
        f"[{figure(low, digits=3)}, {figure(high, digits=3)}]",
        count(one.here.rows),
        _shown(one.rest),
        f"{one.p_adjusted:.1g}",
    )


def _interval(estimate: Estimate, confidence: float) -> Sequence[float]:
    assert estimate.interval is not None
    return estimate.interval(confidence)


def _shown(estimate: Estimate) -> str:
    return "undefined" if estimate.value is None else figure(estimate.value, digits=3)
