"""Rows without end whose metrics are known, to draw samples from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple, Union

import numpy as np
from numpy.random import Generator
from scipy import stats

from known_rows import (
    APART,
    APART_BASELINE,
    BIAS,
    ERROR,
    TARGET,
    label_rows,
    score_rows,
    weighted_cells,
    weighted_numbers,
    weighted_scores,
)
from pytest_mlops.core.metrics import MetricOptions, Task
from pytest_mlops.core.rows import (
    ClassificationRows,
    JudgedRows,
    Labels,
    PairedRows,
    RegressionRows,
)
from pytest_mlops.evidence.groups import buckets

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

Drawn = Union[JudgedRows, PairedRows]

BINARY = MetricOptions(positive=1, beta=2.0)
SEVERAL = MetricOptions(beta=2.0)

#: Rows of a group, and how alike they are (the intraclass correlation).
GROUP, ICC = 10, 0.2


@dataclass(frozen=True)
class Population:
    """What samples are drawn from.

    Attributes:
        name: what the report calls it.
        draw: so many rows of it, independent but within groups.
        whole: rows with weights on which every metric is that of the population; of
            pairs those of the candidate and those of the baseline.
        options: how its metrics are asked for.
        task: what its rows are.
        scored: whether its rows have probabilities (and only they are of interest).
        prevalence: the share of the positive class, where there is one.
    """

    name: str
    draw: Callable[[Generator, int], Drawn]
    whole: Callable[[], Tuple[JudgedRows, ...]]
    options: MetricOptions = BINARY
    task: Task = Task.CLASSIFICATION
    scored: bool = False
    prevalence: Optional[float] = None


def labelled(prevalence: float, name: str = "", recall: float = 0.8) -> Population:
    """Labels of two classes; precision and recall are the same."""
    shares = _two_classes(prevalence, recall)
    return Population(
        name,
        lambda random, rows: label_rows(*_cells(random, rows, shares)),
        lambda: (weighted_cells(shares),),
        prevalence=prevalence,
    )


def grouped_labels(prevalence: float, name: str) -> Population:
    """Labels whose mistakes come in groups, some harder than others."""
    shares = _two_classes(prevalence, 0.8)
    chances = shares[:, 1] / shares.sum(axis=1)

    def draw(random: Generator, rows: int) -> ClassificationRows:
        true = (random.random(rows) < prevalence).astype(np.int64)
        group = np.arange(rows) // GROUP
        mass = 1 / ICC - 1
        of_group = random.beta(
            mass * chances, mass * (1 - chances), (group[-1] + 1, len(chances))
        )
        predicted = random.random(rows) < of_group[group, true]
        return replace(
            label_rows(true, predicted.astype(np.int64)), groups=_buckets(group)
        )

    return Population(
        name, draw, lambda: (weighted_cells(shares),), prevalence=prevalence
    )


def paired_labels(prevalence: float, name: str) -> Population:
    """Two models that disagree on 16 % of the positives, and on some negatives."""
    wrong = 0.25 * prevalence / (1 - prevalence)
    # By truth: both say 1, only the candidate, only the baseline, none.
    positives = np.array([0.72, 0.10, 0.06, 0.12]) * prevalence
    some = np.array([0.6, 0.25, 0.3]) * wrong
    negatives = np.append(some, 1 - some.sum()) * (1 - prevalence)
    shares = np.array([negatives, positives])

    def draw(random: Generator, rows: int) -> PairedRows:
        true, answers = _cells(random, rows, shares)
        return PairedRows(
            label_rows(true, (answers < 2).astype(np.int64)),
            label_rows(true, (answers % 2 == 0).astype(np.int64)),
        )

    def whole() -> Tuple[JudgedRows, ...]:
        both, candidate, baseline, none = shares.T
        first = np.stack([baseline + none, both + candidate], axis=1)
        second = np.stack([candidate + none, both + baseline], axis=1)
        return weighted_cells(first), weighted_cells(second)

    return Population(name, draw, whole, prevalence=prevalence)


def ten_classes(name: str, rarest: float = 0.1) -> Population:
    """Labels of ten classes, each right in 8 of 10 rows, one of them rare."""
    of_class = np.append(np.full(9, (1 - rarest) / 9), rarest)
    shares = of_class[:, np.newaxis] * (np.eye(10) * (0.8 - 0.2 / 9) + 0.2 / 9)
    return Population(
        name,
        lambda random, rows: label_rows(*_cells(random, rows, shares), None),
        lambda: (weighted_cells(shares, None),),
        options=SEVERAL,
    )


def scored(prevalence: float, name: str = "", *, grouped: bool = False) -> Population:
    """Normal scores of two classes, as probabilities that are too sure."""

    def draw(random: Generator, rows: int) -> ClassificationRows:
        true = (random.random(rows) < prevalence).astype(np.int64)
        noise, group = _noise(random, rows, grouped)
        return replace(
            score_rows(true, noise + APART * true, prevalence),
            groups=_buckets(group) if grouped else None,
        )

    return Population(
        name,
        draw,
        lambda: (weighted_scores(APART, prevalence),),
        scored=True,
        prevalence=prevalence,
    )


def paired_scores(prevalence: float, name: str) -> Population:
    """Two models whose scores of a row are correlated by 0.8."""

    def draw(random: Generator, rows: int) -> PairedRows:
        true = (random.random(rows) < prevalence).astype(np.int64)
        first = random.standard_normal(rows)
        second = 0.8 * first + 0.6 * random.standard_normal(rows)
        return PairedRows(
            score_rows(true, first + APART * true, prevalence),
            score_rows(true, second + APART_BASELINE * true, prevalence),
        )

    return Population(
        name,
        draw,
        lambda: (
            weighted_scores(APART, prevalence),
            weighted_scores(APART_BASELINE, prevalence),
        ),
        scored=True,
        prevalence=prevalence,
    )


def numbers(
    name: str = "", *, heavy: bool = False, grouped: bool = False
) -> Population:
    """A regression with normal errors, or with those of Student's t of 3 degrees."""

    def draw(random: Generator, rows: int) -> RegressionRows:
        true = random.uniform(*TARGET, rows)
        noise, group = _noise(random, rows, grouped)
        if heavy:
            noise = random.standard_t(3, rows) / np.sqrt(3)
        return RegressionRows(
            true,
            true + BIAS + ERROR * noise,
            groups=_buckets(group) if grouped else None,
        )

    density = stats.t(3, scale=1 / np.sqrt(3)).pdf if heavy else stats.norm.pdf
    return Population(
        name,
        draw,
        lambda: (weighted_numbers(density, ERROR),),
        task=Task.REGRESSION,
    )


def paired_numbers(name: str) -> Population:
    """Two regressions whose errors of a row are correlated by 0.8."""

    def draw(random: Generator, rows: int) -> PairedRows:
        true = random.uniform(*TARGET, rows)
        first = random.standard_normal(rows)
        second = 0.8 * first + 0.6 * random.standard_normal(rows)
        return PairedRows(
            RegressionRows(true, true + BIAS + ERROR * first),
            RegressionRows(true, true + BIAS + 1.05 * ERROR * second),
        )

    return Population(
        name,
        draw,
        lambda: (
            weighted_numbers(stats.norm.pdf, ERROR),
            weighted_numbers(stats.norm.pdf, 1.05 * ERROR),
        ),
        task=Task.REGRESSION,
    )


def weighted(population: Population, name: str) -> Population:
    """The same rows with weights of their own, which spread by a half on average."""

    def draw(random: Generator, rows: int) -> JudgedRows:
        drawn: Any = population.draw(random, rows)
        weighed: JudgedRows = replace(drawn, weights=random.lognormal(0, 0.5, rows))
        return weighed

    return replace(population, name=name, draw=draw)


def _two_classes(prevalence: float, recall: float) -> Floats:
    """Shares by true and predicted label."""
    missed = prevalence * (1 - recall)
    return np.array(
        [[1 - prevalence - missed, missed], [missed, prevalence * recall]],
    )


def _cells(random: Generator, rows: int, shares: Floats) -> Tuple[Codes, Codes]:
    """Drawn rows as indices into the two axes of *shares*."""
    counts = random.multinomial(rows, shares.ravel() / shares.sum())
    cell = np.repeat(np.arange(shares.size), counts)
    return cell // shares.shape[1], cell % shares.shape[1]


def _noise(random: Generator, rows: int, grouped: bool) -> Tuple[Floats, Codes]:
    """Standard normal numbers, within groups correlated, and the groups."""
    group = np.arange(rows) // GROUP
    own = random.standard_normal(rows)
    if not grouped:
        return own, group
    shared = random.standard_normal(int(group[-1]) + 1)[group]
    return np.sqrt(ICC) * shared + np.sqrt(1 - ICC) * own, group


def _buckets(group: Codes) -> Codes:
    return buckets(Labels(group, tuple(range(int(group[-1]) + 1))))


def populations() -> List[Population]:
    """All of them, in the order of the report."""
    both = (0.1, 0.5)
    rows, pairs, groups = "independent rows", "paired differences", "groups of ten"
    return [
        *(labelled(share, rows) for share in both),
        *(scored(share, rows) for share in both),
        numbers(rows),
        *(paired_labels(share, pairs) for share in both),
        *(paired_scores(share, pairs) for share in both),
        paired_numbers(pairs),
        *(grouped_labels(share, groups) for share in both),
        *(scored(share, groups, grouped=True) for share in both),
        numbers(groups, grouped=True),
        *(weighted(labelled(share), "weighted rows") for share in both),
        *(weighted(scored(share), "weighted rows") for share in both),
        weighted(numbers(), "weighted rows"),
        labelled(0.1, "few mistakes", recall=0.97),
        ten_classes("ten classes"),
        ten_classes("ten classes, one of 1 %", rarest=0.01),
        numbers("errors of Student's t, 3 degrees", heavy=True),
    ]
