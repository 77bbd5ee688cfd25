"""What judging costs beside the libraries that people use for it.

usage: python benchmarks/peers.py [--quick] [--write PAGE] [NAME ...]

Needs the peers (pip install --group bench '.[all]'); a missing one is said. Each
comparison runs in a process of its own with one thread, both sides taking turns.
--quick takes a tenth of the rows. --write puts the table between its two marks in PAGE.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from children import run, table
from pages import between_marks
from tallies import markdown

CONTESTS = Path(__file__).with_name("contests.py")


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    Attributes:
        contest: its name in ``contests.py``.
        what: what is done.
        peer: who does it too, and how.
        rows: how many there are.
        least: our side is to be at least so many times as fast.
        seconds: or is to take at most so long, where there is no peer.
    """

    contest: str
    what: str
    peer: str
    rows: int
    least: Optional[float] = None
    seconds: Optional[float] = None


AUC = "AUC with its interval, from scores"
JUDGING = "100 gates over 50 slices, stored tables of"
ENTRIES = (
    Entry(
        "f1_interval",
        "interval of F1, from counts",
        "`scipy.stats.bootstrap`, 1000 resamples",
        1_000_000,
        10_000,
    ),
    Entry(
        "four_metrics",
        "accuracy, precision, recall, F1 with intervals, from labels",
        "one `numpy.bincount`",
        10_000_000,
        1 / 3,
    ),
    Entry("roc_auc", AUC, "`sklearn.metrics.roc_auc_score`", 100_000, 1 / 1.5),
    Entry("roc_auc", AUC, "`sklearn.metrics.roc_auc_score`", 1_000_000, 1 / 1.5),
    Entry("roc_auc", AUC, "`sklearn.metrics.roc_auc_score`", 10_000_000, 1 / 1.5),
    Entry(
        "mlflow",
        "all metrics of labels with intervals",
        "`mlflow.models.evaluate`, static data",
        1_000_000,
        100,
    ),
    Entry(
        "fairlearn",
        "four metrics with intervals on 50 slices",
        "`fairlearn.metrics.MetricFrame`, no intervals",
        100_000,
    ),
    Entry("judging_two", f"{JUDGING} two classes", "", 400, seconds=1),
    Entry("judging_ten", f"{JUDGING} ten classes", "", 400, seconds=30),
)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    # One thread each: what is compared is work, not how many processors are free.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    lines: List[List[str]] = []
    for entry in ENTRIES:
        if not options.names or entry.contest in options.names:
            lines.append(_line(entry, options.quick))
            print(" | ".join(lines[-1]), file=sys.stderr)
    head = ["what", "rows", "here", "beside", "there", "times", "target"]
    print(table(head, lines))
    if options.write:
        between_marks(options.write, "peers", markdown(head, lines))


def _line(entry: Entry, quick: bool) -> List[str]:
    rows = entry.rows // 10 if quick and entry.least else entry.rows
    cost = run([sys.executable, str(CONTESTS), entry.contest, str(rows)], Path.cwd())
    start = [entry.what, f"{rows:,}"]
    if cost.code:
        why = cost.output.strip().splitlines()[-1]
        return [*start, "", entry.peer, "", "", f"not measured: {why}"]
    found = json.loads(cost.output.strip().splitlines()[-1])
    ours, theirs = found["ours"], found.get("theirs")
    note = f" ({found['note']})" if "note" in found else ""
    if theirs is None:
        kept = _kept(entry.seconds is None or ours <= entry.seconds)
        target = f"≤ {entry.seconds:g} s: {kept}"
        return [*start, _seconds(ours) + note, "", "", "", target]
    times = theirs / ours
    target = ""
    if entry.least is not None:
        bound = (
            f"≥ {entry.least:,g} ×"
            if entry.least >= 1
            else (f"≤ {1 / entry.least:g} × its time")
        )
        target = f"{bound}: {_kept(times >= entry.least)}"
    shown = f"{times:,.0f} ×" if times >= 10 else f"{times:.2g} ×"
    return [*start, _seconds(ours), entry.peer, _seconds(theirs) + note, shown, target]


def _kept(kept: bool) -> str:
    return "kept" if kept else "MISSED"


def _seconds(value: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e6:.2g} µs"


if __name__ == "__main__":
    main()
