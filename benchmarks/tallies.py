"""What simulated intervals add up to, and the tables that show it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from pytest_mlops.core.metrics import Better, Estimate

#: The targets: real coverage of 95 %, and the side that hurts where flagged.
LEAST, MOST, MOST_HARM = 0.935, 0.97, 0.035

#: An upper bound rather than an interval: it may hold the truth as often as it likes.
BOUNDS = frozenset({"ece"})

#: Wider than the bootstrap of rows by at most this.
MOST_WIDTH = 1.05


class Cell(NamedTuple):
    """Where a figure stands in the report; cells sort as they are shown."""

    place: int
    population: str
    line: int
    metric: str
    rows: int
    prevalence: Optional[float]


@dataclass(frozen=True)
class Tally:
    """Sums over simulations.

    Attributes:
        samples: that were drawn.
        intervals: how many of them gave one.
        held: intervals that held the truth.
        above, below: intervals wholly above the truth, and wholly below it.
        flagged: intervals that carried a flag.
        flags: every flag that was seen.
        width: of all intervals.
        compared: intervals beside which there is one of the bootstrap.
        other_held: of those, how many of the bootstrap's held the truth.
        own_width, other_width: of those, ours and the bootstrap's.
    """

    better: Better
    samples: int = 0
    intervals: int = 0
    held: int = 0
    above: int = 0
    below: int = 0
    flagged: int = 0
    flags: Tuple[str, ...] = ()
    width: float = 0.0
    compared: int = 0
    other_held: int = 0
    own_width: float = 0.0
    other_width: float = 0.0

    def with_one(
        self,
        found: Estimate,
        truth: float,
        confidence: float,
        other: Optional[Tuple[float, float]],
    ) -> Tally:
        """One simulation more."""
        if found.interval is None or found.value is None:
            return replace(self, samples=self.samples + 1)
        low, high = found.interval(confidence)
        if other is not None and not all(map(math.isfinite, other)):
            other = None
        return self + Tally(
            self.better,
            samples=1,
            intervals=1,
            held=int(low <= truth <= high),
            above=int(low > truth),
            below=int(high < truth),
            flagged=int(bool(found.flags)),
            flags=found.flags,
            width=high - low,
            **_compared(high - low, truth, other),
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.better,
            self.samples + other.samples,
            self.intervals + other.intervals,
            self.held + other.held,
            self.above + other.above,
            self.below + other.below,
            self.flagged + other.flagged,
            tuple(sorted({*self.flags, *other.flags})),
            self.width + other.width,
            self.compared + other.compared,
            self.other_held + other.other_held,
            self.own_width + other.own_width,
            self.other_width + other.other_width,
        )

    @property
    def coverage(self) -> float:
        """The share of the intervals that held the truth; NaN without any."""
        return self._share(self.held)

    @property
    def harm(self) -> float:
        """The share that lay wholly on the side where a bad model looks good."""
        if self.better is Better.NEITHER:
            return self._share(max(self.above, self.below))
        return self._share(self.above if self.better is Better.HIGHER else self.below)

    @property
    def ratio(self) -> float:
        """How wide ours are beside the bootstrap's; NaN where there is none."""
        return self.own_width / self.other_width if self.other_width else math.nan

    @property
    def too_wide(self) -> bool:
        """Whether the bootstrap holds the truth as well with less."""
        if not self.compared or self.mostly_flagged:
            return False
        held = self.other_held / self.compared
        return self.ratio > MOST_WIDTH and held >= LEAST

    @property
    def mostly_flagged(self) -> bool:
        """Whether the flag is what one would see of it."""
        return self.flagged > self.intervals / 2

    def kept(self, bound: bool) -> bool:
        """Whether the target is kept, as far as so many simulations can tell.

        Args:
            bound: whether it is enough that the side that hurts is rare.
        """
        if not self.intervals:
            return False
        if self.mostly_flagged or bound:
            return self.harm <= MOST_HARM + self._noise(MOST_HARM)
        low, high = LEAST - self._noise(LEAST), MOST + self._noise(MOST)
        return low <= self.coverage <= high

    def _share(self, count: int) -> float:
        return count / self.intervals if self.intervals else math.nan

    def _noise(self, share: float) -> float:
        return 3 * math.sqrt(share * (1 - share) / self.intervals)


def _compared(
    width: float, truth: float, other: Optional[Tuple[float, float]]
) -> Dict[str, Any]:
    """What an interval of the bootstrap adds to a tally."""
    if other is None:
        return {}
    low, high = other
    return {
        "compared": 1,
        "other_held": int(low <= truth <= high),
        "own_width": width,
        "other_width": high - low,
    }


def report(found: Mapping[Cell, Tally]) -> str:
    """A Markdown table of each kind of rows: a line a metric, a column a size."""
    most = max(tally.samples for tally in found.values())
    parts = [f"Of {most:,} samples each; of functions of one's own, fewer."]
    for name in dict.fromkeys(cell.population for cell in found):
        cells = {c: tally for c, tally in found.items() if c.population == name}
        parts.append(f"**{name[0].upper()}{name[1:]}**\n\n{_table(cells)}")
    return "\n\n".join(parts)


def _table(found: Mapping[Cell, Tally]) -> str:
    sizes = sorted({cell.rows for cell in found})
    lines: Dict[Tuple[int, str], Dict[int, List[Tally]]] = {}
    for cell, tally in found.items():
        line = lines.setdefault((cell.line, cell.metric), {})
        line.setdefault(cell.rows, []).append(tally)
    head = ["metric", *(f"{rows:,} rows" for rows in sizes)]
    head += ["side that hurts", "width / BCa", "flags"]
    return markdown(
        head,
        [
            [f"`{name}`", *(_covered(of[rows]) for rows in sizes), *_worst(of)]
            for (_, name), of in lines.items()
        ],
    )


def _covered(tallies: Sequence[Tally]) -> str:
    return " / ".join(
        (
            f"{100 * one.coverage:.1f}{'*' if one.mostly_flagged else ''}"
            if one.intervals
            else "none"
        )
        for one in tallies
    )


def _worst(line: Mapping[int, Sequence[Tally]]) -> List[str]:
    tallies = [one for several in line.values() for one in several if one.intervals]
    harms = [one.harm for one in tallies]
    ratios = [one.ratio for one in tallies if not math.isnan(one.ratio)]
    flags = sorted({flag for one in tallies for flag in one.flags})
    return [
        f"{100 * max(harms):.1f}" if harms else "",
        f"{min(ratios):.2f}–{max(ratios):.2f}" if ratios else "",
        ", ".join(f"`{flag}`" for flag in flags),
    ]


def detailed(found: Mapping[Cell, Tally]) -> str:
    """Everything about every cell."""
    head = ["population", "metric", "rows", "prevalence", "samples", "intervals"]
    head += ["coverage", "above", "below", "width", "flagged", "width / BCa"]
    head += ["BCa: coverage", "of"]
    return markdown(
        head,
        [
            [
                cell.population,
                cell.metric,
                str(cell.rows),
                "" if cell.prevalence is None else str(cell.prevalence),
                str(one.samples),
                str(one.intervals),
                f"{one.coverage:.4f}",
                f"{one.above / max(one.intervals, 1):.4f}",
                f"{one.below / max(one.intervals, 1):.4f}",
                f"{one.width / max(one.intervals, 1):.5f}",
                f"{one.flagged / max(one.intervals, 1):.3f}",
                f"{one.ratio:.3f}",
                f"{one.other_held / max(one.compared, 1):.3f}",
                str(one.compared),
            ]
            for cell, one in found.items()
        ],
    )


def failures(found: Mapping[Cell, Tally]) -> List[str]:
    """A line for each cell that misses its target, or is too wide."""
    lines = []
    for cell, one in found.items():
        where = f"{cell.population}, {cell.metric}, {cell.rows} rows"
        if cell.prevalence is not None:
            where += f", prevalence {cell.prevalence}"
        if not one.intervals:
            lines.append(f"NO INTERVAL: {where}")
        elif not one.kept(cell.metric in BOUNDS):
            lines.append(
                f"MISSED: {where}: coverage {100 * one.coverage:.1f} %, side that "
                f"hurts {100 * one.harm:.1f} %, {', '.join(one.flags) or 'no flag'}"
            )
        elif one.too_wide:
            held = f"{one.other_held} of {one.compared}"
            lines.append(f"WIDE: {where}: {one.ratio:.2f} × BCa, which holds {held}")
    return lines


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; all but the first column to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
