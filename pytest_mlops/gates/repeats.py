"""Columns that look as if rows belonged together, where nobody says by which group."""

from __future__ import annotations

import re
from collections import Counter
from typing import Dict, List, Optional, Sequence

from pytest_mlops.core.rows import Batch, Label
from pytest_mlops.errors import DataError

#: So many rows, from the first on, are looked at (whole batches).
ROWS = 1 << 17

#: Fewer values than this are categories, such as regions.
FEW = 30

#: Rows of one value, on average, from which on it repeats.
REPEATS = 2

# What a column is called that says whose row it is: "customer", "CustomerNo",
# "user id", "session_uuid"; not "user_age".
_OWNER = (
    "account|card|client|customer|device|driver|employee|household|machine|member|"
    "merchant|patient|person|session|student|subject|user|vehicle|visitor"
)
_CODE = "id|key|no|nr|num|number|uid|uuid|guid"
_NAME = re.compile(
    rf"(.*_)?(ids?|uid|uuid|guid)|({_OWNER})(_?({_CODE}|code|hash|name))?"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class RepeatWatch:
    """Looks at the first rows of a data set for columns that name an owner and repeat.

    Args:
        columns: those that may be looked at.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._counts: Dict[str, Counter[Label]] = {
            name: Counter() for name in columns if names_an_owner(name)
        }
        self._rows = 0

    def look(self, batch: Batch) -> None:
        """Count a batch, as long as few rows have been seen."""
        if self._rows >= ROWS:
            return
        self._rows += batch.rows
        for name in list(self._counts):
            try:
                labels = batch.labels(name)
            except DataError:
                del self._counts[name]  # it holds lists or the like
                continue
            known = self._counts[name]
            for code, rows in Counter(labels.codes.tolist()).items():
                if code >= 0:
                    known[labels.categories[code]] += rows

    def remarks(self) -> List[str]:
        """What a reader should know, a line a column."""
        found = ((name, _repeated(known)) for name, known in self._counts.items())
        return [_remark(name, *told) for name, told in found if told is not None]


def names_an_owner(name: str) -> bool:
    """Whether a column's name says whose row it is, as ``customer_id`` does."""
    plain = re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", name).lower())
    return _NAME.fullmatch(plain.strip("_")) is not None


def _repeated(known: Counter[Label]) -> Optional[Sequence[int]]:
    """The number of values and of rows, where most values stand in several rows."""
    values, rows = len(known), sum(known.values())
    if values < FEW or rows < REPEATS * values:
        return None
    if any(isinstance(label, float) for label in known):
        return None  # measured, not given: whole numbers are integers here
    # Not where one value, for "unknown", makes up for all that occur once.
    alone = sum(count == 1 for count in known.values())
    return None if 2 * alone > values else (values, rows)


def _remark(name: str, values: int, rows: int) -> str:
    return (
        f"column '{name}' repeats ({values:,} values over {rows:,} rows): if rows of "
        f"the same {name} are alike, they are not independent and the intervals are "
        f'too narrow; then set group = "{name}" in [data]'
    )
