"""Conditions as trees of frozen values, each with its one spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Tuple, Union

#: What a column is compared with. ``True`` counts as 1.
Value = Union[str, int, float]

#: Names that need no backticks, but for the keywords.
BARE_NAME = r"[^\W\d]\w*(?:\.\w+)*"
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "null", "true", "false"})


class Comparator(str, Enum):
    """How a column is held against a value."""

    EQUAL = "="
    UNEQUAL = "!="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True)
class _OnColumn:
    """What is asked of one column.

    Attributes:
        column: its name.
    """

    column: str

    @property
    def columns(self) -> Tuple[str, ...]:
        """The column's name."""
        return (self.column,)


@dataclass(frozen=True)
class Comparison(_OnColumn):
    """A column held against a value."""

    comparator: Comparator
    value: Value

    def __str__(self) -> str:
        sign, value = self.comparator.value, _spelled(self.value)
        return f"{_quoted(self.column)} {sign} {value}"


@dataclass(frozen=True)
class OneOf(_OnColumn):
    """A column that equals one of some values."""

    values: Tuple[Value, ...]

    def __str__(self) -> str:
        return self.spelled("in")

    def spelled(self, operator: str) -> str:
        """It or its negation, as ``in`` and ``not in`` have it."""
        values = ", ".join(map(_spelled, self.values))
        return f"{_quoted(self.column)} {operator} ({values})"


@dataclass(frozen=True)
class Missing(_OnColumn):
    """A column without a value: the one question that is never unknown."""

    def __str__(self) -> str:
        return f"{_quoted(self.column)} is null"


@dataclass(frozen=True)
class Not:
    """What is true where its part is false."""

    part: Condition

    @property
    def columns(self) -> Tuple[str, ...]:
        """Those of its part."""
        return self.part.columns

    def __str__(self) -> str:
        if isinstance(self.part, Missing):
            return f"{_quoted(self.part.column)} is not null"
        if isinstance(self.part, OneOf):
            return self.part.spelled("not in")
        return f"not {_bracketed(self.part, (AllOf, AnyOf))}"


@dataclass(frozen=True)
class Joined:
    """Two parts or more, none of which is joined in the same way."""

    parts: Tuple[Condition, ...]

    @property
    def columns(self) -> Tuple[str, ...]:
        """Those of its parts."""
        return tuple(dict.fromkeys(c for part in self.parts for c in part.columns))


@dataclass(frozen=True)
class AllOf(Joined):
    """What is true where every part is."""

    def __str__(self) -> str:
        return " and ".join(_bracketed(part, (AnyOf,)) for part in self.parts)


@dataclass(frozen=True)
class AnyOf(Joined):
    """What is true where some part is."""

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))


#: A node of the tree. ``str`` of it is its one spelling, which parses to it, and its
#: ``columns`` are those that it speaks of, in order of appearance, each once.
Condition = Union[Comparison, OneOf, Missing, Not, AllOf, AnyOf]


def _bracketed(part: Condition, kinds: Tuple[type, ...]) -> str:
    return f"({part})" if isinstance(part, kinds) else str(part)


def _quoted(name: str) -> str:
    if re.fullmatch(BARE_NAME, name) and name.lower() not in KEYWORDS:
        return name
    return "`" + name.replace("`", "``") + "`"


def _spelled(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
