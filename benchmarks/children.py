"""Child processes and what they cost, for the benchmarks beside this file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List, Optional, Sequence

PYTEST = [sys.executable, "-m", "pytest"]


@dataclass(frozen=True)
class Cost:
    """What one child process cost.

    Attributes:
        wall: seconds from its start to its end.
        cpu: seconds of processor time, user and system.
        peak: its greatest resident memory, in MB of 10^6 bytes.
        code: its exit code.
        output: what it printed.
    """

    wall: float
    cpu: float
    peak: float
    code: int
    output: str


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run *command* in *folder* to its end."""
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with tempfile.TemporaryFile("w+") as output:
        begin = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
        # Popen.wait does not tell what the child used, and getrusage tells it only
        # of all children together.
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        unit = 1 if sys.platform == "darwin" else 1024
        return Cost(
            wall,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * unit / 1e6,
            child.returncode,
            output.read(),
        )


def expect(cost: Cost, *codes: int) -> Cost:
    """*cost*, unless the child ended with another exit code: then its output."""
    if cost.code not in codes:
        sys.exit(f"a measured command ended with {cost.code}:\n{cost.output}")
    return cost


def interleaved(
    variants: Dict[str, Callable[[], Cost]], rounds: int
) -> Dict[str, List[Cost]]:
    """Run every variant once a round, beginning each round with another one."""
    costs: Dict[str, List[Cost]] = {name: [] for name in variants}
    names = list(variants)
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            costs[name].append(variants[name]())
    return costs


def other_plugins_off() -> List[str]:
    """Options that keep every other installed plugin away."""
    names = {
        entry.name
        for distribution in distributions()
        for entry in distribution.entry_points
        if entry.group == "pytest11"
    }
    return [f"-pno:{name}" for name in sorted(names - {"mlops"})]


def spread(values: Sequence[float], digits: int = 1) -> List[str]:
    """The median and the ends of its 95 % interval, as cells of a table.

    The ends are order statistics: the rank is binomial, whatever the distribution.
    """
    ordered = sorted(values)
    count = len(ordered)
    below = max(0, int(count / 2 - 0.98 * count**0.5))
    ends = (median(ordered), ordered[below], ordered[-1 - below])
    return [f"{value:.{digits}f}" for value in ends]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns, the first to the left and the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def rounds_from(arguments: Sequence[str], default: int) -> int:
    """The number of rounds that was typed, or the default."""
    typed: Optional[str] = arguments[1] if len(arguments) > 1 else None
    return int(typed) if typed else default
