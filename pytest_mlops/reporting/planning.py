"""A plan for people and for programs: how many rows, and the whole operating curve."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from pytest_mlops.evidence.planning import Plan
from pytest_mlops.reporting.figures import count, figure

_OUTCOMES = ("pass", "undecided", "fail")


def plan_page(plan: Plan) -> str:
    """A plan as text: the answer, the operating curve, how it was computed."""
    question, design = plan.question, plan.design
    terms = question.terms
    margin = f", with a margin of {figure(terms.margin)}" if terms.margin else ""
    notes = [f"assumed: {line}" for line in design.assumed]
    return "\n".join(
        [
            _answer(plan),
            "",
            *_table(plan),
            "",
            f"decided by the whole {share(terms.confidence)} interval{margin}",
            f"computed by: {design.method}",
            *notes,
        ]
    )


def share(chance: float) -> str:
    """A chance that was typed, as ``90 %``."""
    return f"{100 * chance:.6g} %"


def plan_json(plan: Plan) -> Dict[str, Any]:
    """A plan as plain JSON."""
    question, design, shown = plan.question, plan.design, plan.shown
    curves = [{"truth": truth, **_columns(plan, truth, shown)} for truth in plan.truths]
    return {
        "metric": question.metric,
        "rule": question.rule,
        "expected": question.known.expected,
        "power": question.power,
        "confidence": question.terms.confidence,
        "margin": question.terms.margin,
        "rows": plan.rows,
        "rows_are": design.unit,
        "rows_in_all": plan.total,
        "method": design.method,
        "assumed": list(design.assumed),
        "curve": {
            "rows": list(shown),
            "rows_in_all": [plan.in_all(rows) for rows in shown],
            "if": curves,
        },
    }


def _answer(plan: Plan) -> str:
    question, design = plan.question, plan.design
    expected = figure(question.known.expected)
    what = "difference" if question.paired else question.metric
    lines = [
        f"{question.metric} {question.rule}",
        f"takes {count(plan.rows)} {design.unit}{_in_all(plan)} to pass with a chance "
        f"of {share(question.power)} if the {what} is truly {expected}",
    ]
    return "\n".join(lines)


def _in_all(plan: Plan) -> str:
    if plan.design.unit == "rows":
        return ""
    if plan.total is None:
        return " (how many in all: say --prevalence)"
    return f" (about {count(plan.total)} rows in all)"


def _table(plan: Plan) -> List[str]:
    """The operating curve: a block of three columns for each truth."""
    shown = plan.shown
    columns = [[plan.design.unit, *map(count, shown)]]
    if plan.design.unit != "rows" and plan.total is not None:
        columns.append(["in all", *(count(plan.in_all(n) or 0) for n in shown)])
    blocks = [_block(plan, truth, shown) for truth in plan.truths]
    rows = [list(line) for line in zip(*_aligned(columns))]
    lines = ["  ".join(row) for row in rows]
    heads = [" " * len(lines[0])] + [title for title, _ in blocks]
    body = [lines] + [body for _, body in blocks]
    return [
        "   ".join(heads).rstrip(),
        *("   ".join(parts).rstrip() for parts in zip(*body)),
    ]


def _block(plan: Plan, truth: float, shown: Tuple[int, ...]) -> Tuple[str, List[str]]:
    """A title, and lines of the same width below it."""
    found = _columns(plan, truth, shown)
    cells = [[name, *map(_percent, found[name])] for name in _OUTCOMES]
    lines = ["  ".join(line) for line in zip(*_aligned(cells))]
    title = f"if it is {figure(truth)}"
    width = max(len(title), len(lines[0]))
    return title.ljust(width), [line.ljust(width) for line in lines]


def _columns(
    plan: Plan, truth: float, shown: Tuple[int, ...]
) -> Dict[str, List[float]]:
    chances = plan.chances(truth, shown)
    columns = (chances.passes, chances.undecided, chances.fails)
    return {name: column.tolist() for name, column in zip(_OUTCOMES, columns)}


def _aligned(columns: Sequence[Sequence[str]]) -> List[List[str]]:
    widths = [max(map(len, column)) for column in columns]
    return [
        [cell.rjust(width) for cell in column] for column, width in zip(columns, widths)
    ]


def _percent(chance: float) -> str:
    return f"{100 * chance:.1f}%"
