"""How likely a confident gate passes or fails, by the number of rows and the truth.

A gate passes when its whole interval keeps the rule, fails when the whole interval
breaks it, and with a margin passes also when the value keeps the rule and the interval
stays above rule − margin. Turned round, each of these is a condition on the value, and
its chance is a tail of the value's distribution: exact for a proportion, normal else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.evidence.intervals import quantile

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: What a whole number is missed by when it is computed: a count of rows that lies so
#: near below a limit sits on it.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Terms:
    """What a gate asks for: one limit, and how it is held against an interval.

    Attributes:
        limit: what the metric, or its difference from the baseline, is held against.
        rising: whether it must not lie below the limit; else not above.
        confidence: of the two-sided interval.
        margin: the width of the indifference zone on the wrong side of the limit.
        strict: whether a value that sits on the limit is on its wrong side.
    """

    limit: float
    rising: bool = True
    confidence: float = 0.95
    margin: float = 0.0
    strict: bool = False

    @property
    def reach(self) -> float:
        """The limit, moved by the margin to its wrong side."""
        return self.limit - self.margin if self.rising else self.limit + self.margin

    def beyond(self, value: float) -> float:
        """How far a value lies on the right side of the limit; below 0, wrong."""
        return value - self.limit if self.rising else self.limit - value


@dataclass(frozen=True)
class Chances:
    """What becomes of a gate; shapes ``(rows counts,)``, each adding up to 1."""

    passes: Floats
    fails: Floats

    @property
    def undecided(self) -> Floats:
        """The rest."""
        rest: Floats = np.maximum(1 - self.passes - self.fails, 0.0)
        return rest


class Law(Protocol):
    """The distribution of a measured value, as a gate with an interval meets it."""

    def chances(self, terms: Terms, truth: float, rows: Codes) -> Chances:
        """The chances of a gate if the metric is truly *truth*, at each of *rows*."""


@dataclass(frozen=True)
class BinomialLaw:
    """A proportion, or a function of one, judged by Wilson's interval. Exact.

    Wilson's interval is what the score test does not reject: its lower end reaches t
    when the successes reach n t + z √(n t (1 − t)).

    Attributes:
        share: from the metric to the proportion; rising.
    """

    share: Callable[[float], float]

    def chances(self, terms: Terms, truth: float, rows: Codes) -> Chances:
        """As ``Law.chances``; *rows* are the trials, at least 1 each."""
        limit, reach = self.share(terms.limit), self.share(max(terms.reach, 0.0))
        chance = self.share(truth)
        if not terms.rising:
            # Failures in place of successes turn the rule round.
            reach = self.share(min(terms.reach, 1.0))
            limit, reach, chance = 1 - limit, 1 - reach, 1 - chance
        z = quantile(terms.confidence)
        least = _up(rows * reach + z * np.sqrt(rows * reach * (1 - reach)))
        if terms.margin:
            kept = _over(rows * limit) if terms.strict else _up(rows * limit)
            least = np.maximum(least, kept)
        most = _up(rows * limit - z * np.sqrt(rows * limit * (1 - limit))) - 1
        fails = _at_least(rows - most, rows, 1 - chance)
        return Chances(_at_least(least, rows, chance), fails)


@dataclass(frozen=True)
class NormalLaw:
    """A value that is normal around the truth on some scale, and so is its interval.

    Attributes:
        error: from the truth to the standard error on the scale at one row; that at n
            rows is √n times smaller.
        scale: the scale; rising.
    """

    error: Callable[[float], float]
    scale: Callable[[float], float] = float

    def chances(self, terms: Terms, truth: float, rows: Codes) -> Chances:
        """As ``Law.chances``."""
        from scipy.special import ndtr

        z = quantile(terms.confidence)
        errors = self.error(truth) / np.sqrt(rows)
        above_limit = self._ahead(terms, truth, terms.limit) / errors
        above_reach = self._ahead(terms, truth, terms.reach) / errors
        passes = above_reach - z
        if terms.margin:
            passes = np.minimum(passes, above_limit)
        return Chances(ndtr(passes), ndtr(-above_limit - z))

    def _ahead(self, terms: Terms, truth: float, limit: float) -> float:
        ahead = self.scale(truth) - self.scale(limit)
        return ahead if terms.rising else -ahead


def rows_needed(
    law: Law, terms: Terms, truth: float, power: float, most: int
) -> Optional[int]:
    """From how many rows on the gate passes with a chance of *power* at least.

    The chance of a proportion rises in a saw-tooth; below the number given it is too
    small at least once, from there on never again.

    Returns:
        None where it takes more than *most* rows.
    """

    def short(rows: Codes) -> Codes:
        return rows[law.chances(terms, truth, rows).passes < power]

    low, high = 0, 1
    while len(short(np.array([high]))):
        low, high = high, 2 * high
        if low > most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(short(np.array([middle]))) else (low, middle)
    # A tooth is as long as it takes the limits to fall one row behind the truth.
    teeth = 50 + math.ceil(8 / max(abs(terms.beyond(truth)), 1e-6))
    late = short(high + np.arange(teeth))
    return int(late[-1]) + 1 if len(late) else high


def _up(count: NDArray[Any]) -> Floats:
    """The next whole number, but for what rounding adds to one."""
    whole: Floats = np.ceil(count - _ROUNDING)
    return whole


def _over(count: NDArray[Any]) -> Floats:
    """The next whole number that lies above."""
    above: Floats = np.floor(count + _ROUNDING) + 1
    return above


def _at_least(successes: Floats, trials: Codes, chance: float) -> Floats:
    """P(X ≥ successes) of a binomial X.

    Abramowitz & Stegun, "Handbook of mathematical functions" (1964), 26.5.24.
    """
    from scipy.special import betainc

    inner = np.clip(successes, 1, trials)
    found = betainc(inner, trials - inner + 1, chance)
    sure = np.where(successes <= 0, 1.0, found)
    tail: Floats = np.where(successes > trials, 0.0, sure)
    return tail
