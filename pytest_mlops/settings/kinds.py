"""The types that a configuration value may have, and how messages name them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import (
    Callable,
    Generic,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
)

from pytest_mlops.core.rows import Label
from pytest_mlops.core.suggestions import did_you_mean

T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=Enum)

#: TOML promises integers of 64 bits; labels beyond that cannot be written anywhere.
_INTEGER_LIMIT = 2**63
_SHOWN_CHARACTERS = 60


def _no_hint(_value: object) -> str:
    return ""


@dataclass(frozen=True)
class Kind(Generic[T_co]):
    """One type of value.

    Attributes:
        expected: what follows "must be" in a message.
        read: the value as that type, or None where it is none.
        hint: what may follow the message, such as `` Did you mean 'x'?``.
    """

    expected: str
    read: Callable[[object], Optional[T_co]]
    hint: Callable[[object], str] = _no_hint

    def complaint(self, name: str, value: object) -> str:
        """One line that says what *name* must be and what it is."""
        hint = self.hint(value)
        got = f"'{name}' must be {self.expected}, got {shown(value)}"
        return f"{got}.{hint}" if hint else got


def shown(value: object) -> str:
    """A TOML value as messages show it: short, on one line, never failing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, int) and abs(value) >= _INTEGER_LIMIT:
        return "an integer beyond 64 bits"
    text = repr(value) if isinstance(value, str) else str(value)
    if len(text) > _SHOWN_CHARACTERS:
        return f"{text[:_SHOWN_CHARACTERS]}…"
    return text


def _text(value: object) -> Optional[str]:
    return value if isinstance(value, str) and value.strip() else None


def _any_text(value: object) -> Optional[str]:
    return value if isinstance(value, str) else None


def _boolean(value: object) -> Optional[bool]:
    return value if isinstance(value, bool) else None


def _date(value: object) -> Optional[date]:
    # A datetime is a date to Python, and "until 10 o'clock" is not meant here.
    moment = isinstance(value, datetime)
    return value if isinstance(value, date) and not moment else None


def _finite(value: object) -> Optional[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and abs(value) >= _INTEGER_LIMIT:
        return None
    return float(value) if math.isfinite(value) else None


def _label(value: object) -> Optional[Label]:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return int(value)
    number = _finite(value)
    if number is None:
        return None
    # 2.0 and 2 are one label; an integer itself is kept, floats are exact to 2**53.
    if isinstance(value, int):
        return value
    return int(number) if number.is_integer() else number


def _table(value: object) -> Optional[Mapping[str, object]]:
    return value if isinstance(value, dict) else None


def _tables(value: object) -> Optional[Sequence[Mapping[str, object]]]:
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    return None


def _texts(value: object) -> Optional[Tuple[str, ...]]:
    if not isinstance(value, list) or not value or not all(map(_text, value)):
        return None
    return tuple(value) if len(set(value)) == len(value) else None


def _edges(value: object) -> Optional[Mapping[str, Tuple[float, ...]]]:
    if not isinstance(value, dict):
        return None
    bins = {name: _ascending(edges) for name, edges in value.items()}
    known = {name: edges for name, edges in bins.items() if edges is not None}
    return known if len(known) == len(bins) else None


def _ascending(value: object) -> Optional[Tuple[float, ...]]:
    found = [_finite(edge) for edge in value] if isinstance(value, list) else []
    numbers = tuple(number for number in found if number is not None)
    rising = all(low < high for low, high in zip(numbers, numbers[1:]))
    return numbers if numbers and len(numbers) == len(found) and rising else None


def _count(value: object) -> Optional[int]:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < _INTEGER_LIMIT else None


TEXT = Kind("a non-empty string", _text)
TEXTS = Kind("an array of different column names, such as ['region']", _texts)
EDGES = Kind("a table of ascending numbers, such as { age = [18, 65] }", _edges)
COUNT = Kind("a whole number of at least 0", _count)
RULE = Kind("a string such as '>= 0.85'", _any_text)
BOOLEAN = Kind("true or false", _boolean)
DATE = Kind("a date such as 2026-12-15, without quotes", _date)
LABEL: Kind[Label] = Kind("a string, a number or a boolean", _label)
TABLE = Kind("a table", _table)
TABLES = Kind("an array of tables", _tables)


def number(expected: str, accepts: Callable[[float], bool]) -> Kind[float]:
    """Finite numbers that *accepts* is true of."""

    def read(value: object) -> Optional[float]:
        found = _finite(value)
        return found if found is not None and accepts(found) else None

    return Kind(expected, read)


def choice(members: Type[E]) -> Kind[E]:
    """The values of an enumeration of strings."""
    by_value = {str(member.value): member for member in members}
    *first, last = [f"'{value}'" for value in by_value]

    def read(value: object) -> Optional[E]:
        return by_value.get(value) if isinstance(value, str) else None

    def hint(value: object) -> str:
        return did_you_mean(value, by_value) if isinstance(value, str) else ""

    return Kind(f"{', '.join(first)} or {last}", read, hint)
