"""The operating curve as a picture: SVG, written by hand, that any browser shows."""

from __future__ import annotations

from html import escape
from typing import List, Sequence, Tuple

from pytest_mlops.evidence.planning import Plan
from pytest_mlops.reporting.figures import count, figure
from pytest_mlops.reporting.planning import share

#: Of one panel, in pixels.
_WIDTH, _HEIGHT, _GAP = 260, 200, 46
_LEFT, _TOP = 52, 92
_POINTS = 120

#: Pass, undecided, fail: apart for every kind of colour vision, and in grey.
_COLOURS = (("pass", "#2a78b5"), ("undecided", "#dedede"), ("fail", "#d6604d"))
_TEXT = 'font-family="system-ui, sans-serif" fill="#333"'


def plan_picture(plan: Plan) -> str:
    """An SVG: for each truth, what becomes of the gate by the number of rows."""
    truths = plan.truths
    width = _LEFT + len(truths) * (_WIDTH + _GAP)
    height = _TOP + _HEIGHT + 62
    question = plan.question
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" {_TEXT} font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        _text(_LEFT, 28, f"{question.metric} {question.rule}", "start", 16),
        _text(_LEFT, 48, _subtitle(plan), "start"),
        *_legend(width),
    ]
    rows = _grid(plan)
    for number, truth in enumerate(truths):
        parts += _panel(plan, truth, rows, _LEFT + number * (_WIDTH + _GAP))
    return "\n".join([*parts, "</svg>", ""])


def _subtitle(plan: Plan) -> str:
    terms = plan.question.terms
    margin = f", margin {figure(terms.margin)}" if terms.margin else ""
    return (
        f"{count(plan.rows)} {plan.design.unit} for a pass with a chance of "
        f"{share(plan.question.power)} ({share(terms.confidence)} interval{margin})"
    )


def _legend(width: int) -> List[str]:
    parts, x = [], width - _GAP - 230
    for name, colour in _COLOURS:
        parts.append(f'<rect x="{x}" y="18" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(x + 17, 28, name, "start"))
        x += 34 + 7 * len(name)
    return parts


def _grid(plan: Plan) -> Tuple[int, ...]:
    """Numbers of rows from few to twice as many as needed, evenly apart."""
    last = 2 * plan.rows
    step = max(1, last // _POINTS)
    return tuple(range(max(1, min(plan.design.least, plan.rows)), last + 1, step))


def _panel(plan: Plan, truth: float, rows: Sequence[int], left: int) -> List[str]:
    """Three areas, one upon the other: fail below, undecided, pass on top."""
    chances = plan.chances(truth, tuple(rows))
    fails = chances.fails.tolist()
    below_pass = (chances.fails + chances.undecided).tolist()
    edges = ([0.0] * len(rows), fails, below_pass, [1.0] * len(rows))
    last = rows[-1]
    xs = [left + _WIDTH * number / last for number in rows]
    parts = [
        _area(xs, low, high, colour)
        for low, high, (_, colour) in zip(edges, edges[1:], reversed(_COLOURS))
    ]
    title = f"if it is truly {figure(truth)}"
    parts.append(_text(left, _TOP - 10, title, "start", 13))
    needed = left + _WIDTH * plan.rows / last
    parts.append(
        f'<line x1="{needed:.1f}" x2="{needed:.1f}" y1="{_TOP}" '
        f'y2="{_TOP + _HEIGHT}" stroke="#222" stroke-dasharray="4 3"/>'
    )
    return [*parts, *_axes(plan, left)]


def _axes(plan: Plan, left: int) -> List[str]:
    bottom = _TOP + _HEIGHT
    parts = [
        f'<rect x="{left}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" '
        'fill="none" stroke="#777"/>'
    ]
    for tick in (0, 25, 50, 75, 100):
        y = bottom - _HEIGHT * tick / 100
        parts.append(_text(left - 6, y + 4, f"{tick}%", "end", 10))
    for part in (0, 0.5, 1):
        x = left + _WIDTH * part
        parts.append(_text(x, bottom + 16, count(round(2 * plan.rows * part)), size=10))
    parts.append(_text(left + _WIDTH / 2, bottom + 34, plan.design.unit))
    return parts


def _area(
    xs: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str
) -> str:
    def point(x: float, chance: float) -> str:
        return f"{x:.1f},{_TOP + _HEIGHT * (1 - chance):.1f}"

    there = [point(*pair) for pair in zip(xs, high)]
    back = [point(*pair) for pair in zip(xs, low)][::-1]
    return f'<polygon points="{" ".join(there + back)}" fill="{colour}"/>'


def _text(
    x: float, y: float, words: str, anchor: str = "middle", size: int = 12
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(words)}</text>"
    )
