"""How many labelled rows a decision takes, before anyone labels them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

from pytest_mlops.evidence.chances import Chances, Terms, rows_needed
from pytest_mlops.evidence.designs import Circumstances, Design, design_of

#: More rows than this nobody labels.
MOST_ROWS = 10**8

#: Where the operating curve is shown, in parts of the rows that are needed.
_SHOWN = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class Question:
    """A gate that is to be decided, and what is known beforehand.

    Attributes:
        metric: its name.
        rule: as it was written, for messages.
        terms: its limit and how it is judged.
        known: the expected value, and what is known of data and models.
        power: the chance to pass that is wanted if the expectation is right.
        paired: whether the rule is about the difference from a baseline.
    """

    metric: str
    rule: str
    terms: Terms
    known: Circumstances
    power: float = 0.9
    paired: bool = False


@dataclass(frozen=True)
class Plan:
    """What the question comes to.

    Attributes:
        question: what was asked.
        design: how it was answered.
        rows: how many rows that count in the metric it takes.
    """

    question: Question
    design: Design
    rows: int

    @property
    def total(self) -> Optional[int]:
        """How many rows in all, about; None where that is not known."""
        return self.in_all(self.rows)

    def in_all(self, rows: int) -> Optional[int]:
        """How many rows in all hold so many that count, about."""
        ratio = self.design.in_all
        return None if ratio is None else math.ceil(rows * ratio - 1e-9)

    @property
    def truths(self) -> Tuple[float, ...]:
        """What the metric may truly be: as expected, at the limit, and worse.

        Worse is at the end of the margin, or as far on the wrong side as the
        expectation is on the right one, if the metric can be that.
        """
        terms, expected = self.question.terms, self.question.known.expected
        worse = terms.reach if terms.margin else 2 * terms.limit - expected
        low, high = self.design.limits
        truths = (expected, terms.limit, worse)
        return truths if low < worse < high else truths[:2]

    @property
    def shown(self) -> Tuple[int, ...]:
        """The numbers of rows at which the operating curve is shown."""
        least = self.design.least
        counts = {max(math.ceil(self.rows * part), least) for part in _SHOWN}
        return tuple(sorted(counts))

    def chances(self, truth: float, rows: Tuple[int, ...]) -> Chances:
        """The operating curve if the metric is truly *truth*."""
        return self.design.law.chances(self.question.terms, truth, np.array(rows))


def plan(question: Question) -> Plan:
    """Answer a question.

    Raises:
        ValueError: with one line: no number of rows does it, or something about the
            data has to be said first.
    """
    design = design_of(question.metric, question.known, paired=question.paired)
    _possible(question, design)
    terms, expected = question.terms, question.known.expected
    if terms.beyond(expected) <= 0:
        side = "above" if terms.rising else "below"
        raise _unreachable(
            question, f"{expected:g} is not {side} the limit {terms.limit:g}"
        )
    rows = rows_needed(design.law, terms, expected, question.power, MOST_ROWS)
    if rows is None:
        raise _unreachable(question, f"it takes more than {MOST_ROWS:,}")
    return Plan(question, design, max(rows, design.least))


def _possible(question: Question, design: Design) -> None:
    low, high = design.limits
    what = "a difference" if question.paired else "a value"
    for name, value in (
        ("limit of the rule", question.terms.limit),
        ("expected value", question.known.expected),
        ("limit less the margin", question.terms.reach),
    ):
        if not low < value < high:
            raise ValueError(
                f"the {name}, {value:g}, is no {question.metric} that can be planned: "
                f"{what} between {low:g} and {high:g}"
            )


def _unreachable(question: Question, why: str) -> ValueError:
    return ValueError(
        f"no number of rows makes '{question.metric} {question.rule}' pass with a "
        f"chance of {100 * question.power:.4g} %: {why}"
    )
