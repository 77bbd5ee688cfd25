"""The one tree of errors: every mistake a user can make is one of these.

::

    MlopsError
    ├── ConfigurationError      what was typed or written is wrong; exit 4
    ├── InstrumentError         something that measures broke; outcome ``error``
    │   ├── MissingLibraryError an extra is not installed
    │   ├── DataError           the labelled data cannot be read or judged
    │   │   └── RowsError       some rows cannot; the first one's number is known
    │   ├── MetricError         a metric of one's own does not work
    │   ├── ModelError          the model cannot be loaded or does not predict
    │   └── RegistryError       the model registry does not answer as it must
    │       └── ModelNotFoundError  it answers that there is no such model
    └── VerdictError            a verdict cannot be read, or refuses what was asked

A message is one line (a ConfigurationError has one a mistake): what is wrong, where,
and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence


class MlopsError(Exception):
    """Root of the tree. ``str(error)`` is what a user reads."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a configuration.

    Attributes:
        source: the file, or ``"command line"``.
        section: the table inside the file, such as ``"gates.recall"``; ``""`` for
            the top level.
        message: one line: what is wrong and what would be right.
    """

    source: str
    section: str
    message: str


class ConfigurationError(MlopsError):
    """Everything that is wrong with what a user wrote, all of it at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(problems)
        super().__init__(_render(self.problems))

    @classmethod
    def one(cls, message: str, *, source: str, section: str = "") -> ConfigurationError:
        """The error for a single problem."""
        return cls([Problem(source, section, message)])


class InstrumentError(MlopsError):
    """The thermometer broke, which says nothing about the patient."""


class MissingLibraryError(InstrumentError):
    """An optional library is needed and not installed."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}, which is not installed: "
            f"pip install 'pytest-mlops[{extra}]'"
        )


class DataError(InstrumentError):
    """The labelled data cannot be read, or cannot be judged as it is."""


class RowsError(DataError):
    """Some rows of a batch cannot be judged as they are.

    Who knows where in the data the batch begins says so by ``numbered``.
    """

    def __init__(self, what: str, row: int, count: int, after: str = "") -> None:
        """The error of *count* rows.

        Args:
            what: the message up to their numbers.
            row: the first one's number in the batch, from 0.
            count: how many they are.
            after: the message after their numbers.
        """
        self._what, self._row, self._count, self._after = what, row, count, after
        rows = "1 more row" if count == 2 else f"{count - 1} more rows"
        self._more = f" (and in {rows})" if count > 1 else ""
        super().__init__(f"{what} in row {row + 1} of the batch{self._more}{after}")

    def among(self, rows: Sequence[int]) -> RowsError:
        """The error of the batch that the rows with these numbers were taken from."""
        return RowsError(self._what, rows[self._row], self._count, self._after)

    def numbered(self, first_row: int) -> str:
        """The message, with the row's number in the data.

        Args:
            first_row: the number of the batch's first row.
        """
        return f"{self._what} in row {first_row + self._row}{self._more}{self._after}"


class ModelError(InstrumentError):
    """The model cannot be loaded, or does not predict as a model must."""


class MetricError(InstrumentError):
    """A metric of one's own cannot be imported, raises, or returns no number."""


class RegistryError(InstrumentError):
    """The model registry is unreachable or does not know what was asked for."""


class ModelNotFoundError(RegistryError):
    """The registry knows no such model, version, alias or run."""


class VerdictError(MlopsError):
    """A verdict file cannot be read, does not hold, or refuses an action."""


def _render(problems: Sequence[Problem]) -> str:
    if len(problems) == 1 and not problems[0].section:
        return f"{problems[0].source}: {problems[0].message}"
    lines = []
    for source in dict.fromkeys(problem.source for problem in problems):
        found = [problem for problem in problems if problem.source == source]
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        lines.append(f"{count} in {source}")
        for section in dict.fromkeys(problem.section for problem in found):
            if section:
                lines.append(f"  [{section}]")
            indent = "    " if section else "  "
            lines += [
                f"{indent}{problem.message}"
                for problem in found
                if problem.section == section
            ]
    return "\n".join(lines)
