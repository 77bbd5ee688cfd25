"""What a plan has to know of each metric: its law, its rows, and what is assumed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Tuple

from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.evidence.chances import BinomialLaw, Law, NormalLaw

_UNIT = (0.0, 1.0)
_AT_LEAST_ZERO = (0.0, math.inf)
_ANY = (-math.inf, math.inf)

EXACT = "exact binomial, of Wilson's interval"
NORMAL = "normal approximation"

#: What is taken for granted where nobody says it.
_PREVALENCE = 0.5
_LEVEL = 0.8


@dataclass(frozen=True)
class Circumstances:
    """What else is known of the data and the models; None where it is not said.

    Attributes:
        expected: what the metric is expected to be; paired, the difference.
        prevalence: the share of positive rows.
        spread: the standard deviation between rows of what a mean is taken of.
        disagreement: the share of rows on which candidate and baseline differ; of
            those in the metric's denominator, for f1 of all.
        level: what the baseline comes to.
    """

    expected: float
    prevalence: Optional[float] = None
    spread: Optional[float] = None
    disagreement: Optional[float] = None
    level: Optional[float] = None


@dataclass(frozen=True)
class Design:
    """How one metric is planned.

    Attributes:
        law: how its value is distributed.
        method: the name of the approximation, or that there is none.
        unit: the rows that count.
        in_all: how many rows it takes to meet one that counts; None where unknown.
        assumed: what is taken for granted, a line each.
        limits: the least and the greatest value that it can have.
        least: with fewer rows than this the gate would not trust its interval.
    """

    law: Law
    method: str
    unit: str = "rows"
    in_all: Optional[float] = 1.0
    assumed: Tuple[str, ...] = ()
    limits: Tuple[float, float] = _UNIT
    least: int = 1


Designer = Callable[[Circumstances], Design]


@dataclass(frozen=True)
class _Share:
    """A proportion of some rows."""

    unit: str
    in_all: Callable[[float], float]
    assumed: Tuple[str, ...] = ()

    def alone(self, known: Circumstances) -> Design:
        """Judged by itself."""
        law = BinomialLaw(share=float)
        return Design(law, EXACT, self.unit, self._in_all(known), self.assumed)

    def paired(self, known: Circumstances) -> Design:
        """The difference from a baseline: McNemar's, (n10 − n01) / n."""
        differing = _disagreement(known)
        error = math.sqrt(differing - known.expected**2)
        return Design(
            NormalLaw(lambda _: error),
            f"{NORMAL} of the paired difference",
            self.unit,
            self._in_all(known),
            self.assumed,
            (-1.0, 1.0),
            least=math.ceil(20 / differing),
        )

    def _in_all(self, known: Circumstances) -> Optional[float]:
        if known.prevalence is None:
            return 1.0 if self.unit == "rows" else None
        return self.in_all(known.prevalence)


_SHARES = {
    "accuracy": _Share("rows", lambda _: 1.0),
    "precision": _Share(
        "rows predicted positive",
        lambda prevalence: 1 / prevalence,
        ("as many rows are predicted positive as are positive",),
    ),
    "recall": _Share("positive rows", lambda prevalence: 1 / prevalence),
    "specificity": _Share("negative rows", lambda prevalence: 1 / (1 - prevalence)),
}


def jaccard(f1: float) -> float:
    """J = tp / (tp + fp + fn) = F1 / (2 − F1)."""
    return f1 / (2 - f1)


def _f1(known: Circumstances) -> Design:
    in_all = None
    if known.prevalence is not None:
        in_all = 1 / (known.prevalence * (2 - known.expected))
    return Design(
        BinomialLaw(share=jaccard),
        f"{EXACT} of tp / (tp + fp + fn), mapped to F1",
        "rows in tp + fp + fn",
        in_all,
        ("precision and recall are equal",),
    )


def _f1_paired(known: Circumstances) -> Design:
    """By the influence of a row: (p − q)(2 y − F1) / 2π, for predictions p and q."""
    differing, level = _disagreement(known), known.level
    assumed = ["the two differ as often on positive as on negative rows"]
    if level is None:
        level = _LEVEL
        assumed.append(f"the baseline's f1 is {level} (say otherwise by --baseline)")
    prevalence = _prevalence(known, assumed)
    square = ((2 - level) ** 2 + level**2) / (8 * prevalence**2)
    error = math.sqrt(max(differing * square - known.expected**2, 0.0))
    return Design(
        NormalLaw(lambda _: error),
        f"{NORMAL} of the paired difference",
        assumed=tuple(assumed),
        limits=(-1.0, 1.0),
        least=math.ceil(20 / differing),
    )


def _roc_auc(known: Circumstances) -> Design:
    """Hanley & McNeil, "The meaning and use of the area under a ROC curve" (1982)."""
    assumed = ["scores are as if exponential"]
    positive = _prevalence(known, assumed)

    def error(auc: float) -> float:
        above, below = auc / (2 - auc), 2 * auc**2 / (1 + auc)
        variance = (above - auc**2) / (1 - positive) + (below - auc**2) / positive
        return math.sqrt(variance) / (auc * (1 - auc))

    law = NormalLaw(error, scale=lambda auc: math.log(auc / (1 - auc)))
    method = f"{NORMAL} on the logit scale, Hanley and McNeil's variance"
    return Design(law, method, assumed=tuple(assumed))


def _mean(known: Circumstances) -> Design:
    spread = _spread(known, "of the rows' values")
    law = NormalLaw(lambda _: spread)
    return Design(law, f"{NORMAL} of the mean", limits=_AT_LEAST_ZERO)


def _signed_mean(known: Circumstances) -> Design:
    spread = _spread(known, "of the rows' values")
    law = NormalLaw(lambda _: spread)
    return Design(law, f"{NORMAL} of the mean", limits=_ANY)


def _mean_paired(known: Circumstances) -> Design:
    spread = _spread(known, "of the rows' differences, candidate − baseline")
    law = NormalLaw(lambda _: spread)
    return Design(law, f"{NORMAL} of the paired difference", limits=_ANY)


def _rmse(known: Circumstances) -> Design:
    """On the log scale the error is SD(e²) / (2 RMSE²); of normal errors, 1/√2."""
    spread, assumed = known.spread, []
    if spread is None:
        assumed = ["errors are normal (else: --spread, the SD of their squares)"]

    def error(rmse: float) -> float:
        return math.sqrt(0.5) if spread is None else spread / (2 * rmse**2)

    law, method = NormalLaw(error, scale=math.log), f"{NORMAL} on the log scale"
    return Design(law, method, assumed=tuple(assumed), limits=_AT_LEAST_ZERO)


_MEANS = ("mae", "mape", "log_loss", "brier")

_ALONE: Dict[str, Designer] = {
    **{name: share.alone for name, share in _SHARES.items()},
    "f1": _f1,
    "roc_auc": _roc_auc,
    **{name: _mean for name in _MEANS},
    "rmse": _rmse,
    "bias": _signed_mean,
}
_PAIRED: Dict[str, Designer] = {
    **{name: share.paired for name, share in _SHARES.items()},
    "f1": _f1_paired,
    **{name: _mean_paired for name in (*_MEANS, "bias")},
}


def design_of(metric: str, known: Circumstances, *, paired: bool) -> Design:
    """How a metric is planned.

    Args:
        metric: its name.
        known: what is said of data and models.
        paired: whether its difference from a baseline is judged.

    Raises:
        ValueError: with one line: the metric cannot be planned, or something about
            the data has to be said first.
    """
    designers = _PAIRED if paired else _ALONE
    if metric not in designers:
        what = f"a difference of '{metric}'" if paired else f"'{metric}'"
        raise ValueError(
            f"there is no plan for {what}.{did_you_mean(metric, designers)} There is "
            f"one for {', '.join(sorted(designers))}"
        )
    return designers[metric](known)


def _disagreement(known: Circumstances) -> float:
    if known.disagreement is None:
        raise ValueError(
            "a difference hangs on how often the two models differ: add "
            "--disagreement 0.05 for 5 % of the rows"
        )
    if known.disagreement <= abs(known.expected):
        raise ValueError(
            f"models that differ on {known.disagreement:g} of the rows cannot be "
            f"{abs(known.expected):g} apart: --disagreement has to be more"
        )
    return known.disagreement


def _spread(known: Circumstances, of_what: str) -> float:
    if known.spread is None:
        raise ValueError(
            "the rows that a mean takes hang on their spread: add --spread SD, the "
            f"standard deviation {of_what}"
        )
    return known.spread


def _prevalence(known: Circumstances, assumed: List[str]) -> float:
    if known.prevalence is None:
        line = f"{_PREVALENCE:.0%} of the rows are positive"
        assumed.append(f"{line} (say otherwise by --prevalence)")
        return _PREVALENCE
    return known.prevalence
