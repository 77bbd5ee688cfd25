"""How often intervals hold the truth, how wide they are, and which side errs.

usage: python benchmarks/coverage.py [--full | --simulations N] [--jobs N]
                                     [--metrics NAME,NAME] [--detail] [--write PAGE]

Draws samples from populations whose metrics are known, and asks for 95 % intervals the
way the plugin does. 400 simulations a cell, with --full 10,000; the same figures in
every run of the same length. --write puts the table between its two marks in PAGE.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np

import costs
from pages import between_marks
from populations import Population, populations
from pytest_mlops.core.metrics import Estimate, Metric, Table, Task
from pytest_mlops.core.rows import PairedRows
from pytest_mlops.evidence.metrics import builtin_metrics, custom_metric
from resampling import bca
from tallies import Cell, Tally, detailed, failures, report

CONFIDENCE = 0.95
SIZES = (200, 1000, 10_000)
FEW, MANY = 400, 10_000

#: Simulations that one process does in one go.
CHUNK = 100

#: One simulation in so many of functions of one's own, by rows: their bootstrap takes
#: its time.
SLOW = {200: 20, 1000: 20, 10_000: 50}

#: Simulations of each cell that the bootstrap of rows does too, by rows. It jackknifes
#: the rows, so its cost grows with their square.
COMPARED = {200: 40, 1000: 10}
COMPARED_IN_FULL = {200: 400, 1000: 100}


@dataclass(frozen=True)
class Chunk:
    """Some simulations of one population and size.

    Attributes:
        population: its index.
        rows: of each sample.
        first, count: the simulations' numbers; each has a stream of its own.
        compared: how many simulations of all the bootstrap does too.
        metrics: the names that are wanted; empty for all.
    """

    population: int
    rows: int
    first: int
    count: int
    compared: int
    metrics: Tuple[str, ...]


def main() -> None:
    """Simulate, print, write."""
    options = _arguments()
    chunks = list(_chunks(options))
    found: Dict[Cell, Tally] = {}
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(options.jobs) as pool:
        for part in pool.imap_unordered(simulate, chunks):
            for cell, tally in part.items():
                found[cell] = found[cell] + tally if cell in found else tally
    ordered = {cell: found[cell] for cell in sorted(found)}
    if options.detail:
        print(detailed(ordered), end="\n\n")
    text = report(ordered)
    print(text)
    if options.write:
        between_marks(options.write, "coverage", text)
    short = failures(ordered)
    print("\n" + "\n".join(short or ["every cell keeps its target"]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--full", dest="simulations", action="store_const", const=MANY)
    length.add_argument("--simulations", type=int, default=FEW)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--metrics", type=_names, default=())
    parser.add_argument("--detail", action="store_true")
    parser.add_argument("--write", type=Path)
    return parser.parse_args()


def _names(text: str) -> Tuple[str, ...]:
    return tuple(text.split(","))


def _chunks(options: argparse.Namespace) -> Iterator[Chunk]:
    """The largest samples first, so that no process is left with one of them."""
    compared = COMPARED if options.simulations < MANY else COMPARED_IN_FULL
    for rows in sorted(SIZES, reverse=True):
        for index in range(len(populations())):
            for first in range(0, options.simulations, CHUNK):
                yield Chunk(
                    index, rows, first, CHUNK, compared.get(rows, 0), options.metrics
                )


def simulate(chunk: Chunk) -> Dict[Cell, Tally]:
    """Draw samples of one population and hold their intervals against the truth."""
    population = populations()[chunk.population]
    metrics = _metrics(population, chunk.metrics)
    truths = _truths(chunk.population)
    tallies = {metric.name: Tally(metric.better) for metric in metrics}
    for number in range(chunk.first, chunk.first + chunk.count):
        random = np.random.default_rng([_seed(population), chunk.rows, number])
        rows = population.draw(random, chunk.rows)
        tables: Dict[str, Table] = {}
        for metric in metrics:
            if number % SLOW[chunk.rows] and metric.kind.finish is not None:
                continue
            estimate = _estimate(metric, rows, population, tables)
            other = None
            if number < chunk.compared and _comparable(rows):
                other = bca(metric.name, rows, random)
            truth = truths[metric.name]
            tally = tallies[metric.name]
            tallies[metric.name] = tally.with_one(estimate, truth, CONFIDENCE, other)
    return {
        _cell(chunk, population, metric): tallies[metric.name] for metric in metrics
    }


def _seed(population: Population) -> int:
    """The same number in every run, whatever other populations there are."""
    what = (population.name, population.prevalence, population.task, population.scored)
    return zlib.crc32(repr(what).encode())


def _cell(chunk: Chunk, population: Population, metric: Metric) -> Cell:
    """Where its figures are shown: populations of one name stand together."""
    names = list(dict.fromkeys(one.name for one in populations()))
    order = [known.name for known in builtin_metrics()]
    line = order.index(metric.name) if metric.name in order else len(order)
    return Cell(
        names.index(population.name),
        population.name,
        line,
        metric.name.rpartition(":")[2],
        chunk.rows,
        population.prevalence,
    )


def _comparable(rows: Any) -> bool:
    one = rows.candidate if isinstance(rows, PairedRows) else rows
    several = getattr(one, "positive", 1) is None
    return one.groups is None and one.weights is None and not several


def _metrics(population: Population, wanted: Sequence[str]) -> List[Metric]:
    """The metrics that the population's rows are drawn for."""
    of_own = {
        Task.CLASSIFICATION: "costs:expected_cost",
        Task.REGRESSION: "costs:median_error",
    }
    known = [
        *builtin_metrics(),
        custom_metric(of_own[population.task], population.task),
    ]
    return [
        metric
        for metric in known
        if metric.task is population.task
        and metric.kind.needs_probabilities is population.scored
        and not metric.across
        and (not wanted or metric.name in wanted)
    ]


@lru_cache(maxsize=None)
def _truths(index: int) -> Mapping[str, float]:
    """Each metric on the whole population, or its difference between two models."""
    population = populations()[index]
    each = [_values(population, rows) for rows in population.whole()]
    if len(each) == 1:
        return each[0]
    return {name: each[0][name] - each[1][name] for name in each[0]}


def _values(population: Population, rows: Any) -> Dict[str, float]:
    values: Dict[str, float] = {}
    for metric in _metrics(population, ()):
        if ":" in metric.name:
            values[metric.name] = costs.of_all(metric.name.partition(":")[2], rows)
        else:
            found = metric.estimate(metric.kind.build(rows), population.options).value
            values[metric.name] = math.nan if found is None else found
    return values


def _estimate(
    metric: Metric, rows: Any, population: Population, tables: Dict[str, Table]
) -> Estimate:
    """What the plugin would say of these rows; *tables* are made once."""
    kind = metric.kind
    if isinstance(rows, PairedRows):
        if metric.difference is None or kind.pair is None:
            return Estimate(None, len(rows), "no paired interval")
        kind = kind.pair
    if kind.name not in tables:
        table = kind.build(rows)
        tables[kind.name] = kind.finish(table) if kind.finish else table
    if isinstance(rows, PairedRows) and metric.difference:
        return metric.difference(tables[kind.name], population.options, 1.0)
    return metric.estimate(tables[kind.name], population.options)


if __name__ == "__main__":
    main()
