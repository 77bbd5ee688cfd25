"""Conditions on a row's columns: ``age >= 65 and region in ('north', 'east')``.

A condition is parsed into a tree (see ``condition_tree``), and is never evaluated as
Python. It has SQL's logic of three values: a comparison with a missing value is neither
true nor false but unknown, and so is its negation; ``unknown and false`` is false,
``unknown or true`` is true. A row is kept where the whole is true: neither
``age >= 65`` nor ``not age >= 65`` keeps a row without an age. ``is null`` asks for
missing values.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, NoReturn, Tuple, Type, Union

from pytest_mlops.core.condition_tree import (
    BARE_NAME,
    KEYWORDS,
    AllOf,
    AnyOf,
    Comparator,
    Comparison,
    Condition,
    Missing,
    Not,
    OneOf,
    Value,
)

#: How deep brackets and ``not`` may stand inside of one another.
MOST_NESTED = 50

_TOKEN = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")"
    r"|(?P<name>`(?:[^`]|``)+`)"
    rf"|(?P<word>{BARE_NAME})"
    r"|(?P<sign><=|>=|==|!=|[=<>(),\[\]])"
)
_CLOSING = {"(": ")", "[": "]"}

#: Whole floats below this are told apart from their neighbours.
_EXACT = 2**53

#: Characters that an error shows on each side of the place.
_SHOWN = 30


def parse_condition(text: str) -> Condition:
    """Read a condition.

    ::

        condition  = conjunction {"or" conjunction}
        conjunction = negation {"and" negation}
        negation   = "not" negation | "(" condition ")" | question
        question   = column ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") value
                   | column ["not"] "in" ("(" | "[") value {"," value} (")" | "]")
                   | column "is" ["not"] "null"
        column     = a word such as age or address.city, or anything in `backticks`
        value      = a number, 'text', "text", true or false

    Keywords are read in capitals, too. A quote inside of its own kind is written twice.

    Raises:
        ValueError: with one line that shows the place and what is expected there.
    """
    return _Parser(text).whole()


class _Token(NamedTuple):
    kind: str
    written: str
    start: int

    @property
    def keyword(self) -> str:
        """The keyword or sign that it is; empty for a column's name or a value."""
        word = self.written.lower() if self.kind == "word" else ""
        return word if word in KEYWORDS else self.written * (self.kind == "sign")


class _Parser:
    """Reads one text from its start to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        self._next = self._token_at(0)

    def whole(self) -> Condition:
        """The condition that the text is."""
        found = self._condition()
        if self._next.kind != "end":
            self._refuse("expected 'and', 'or' or the end")
        return found

    def _condition(self) -> Condition:
        parts = [self._conjunction()]
        while self._met("or"):
            parts.append(self._conjunction())
        return _joined(AnyOf, parts)

    def _conjunction(self) -> Condition:
        parts = [self._negation()]
        while self._met("and"):
            parts.append(self._negation())
        return _joined(AllOf, parts)

    def _negation(self) -> Condition:
        if self._next.keyword not in ("not", "("):
            return self._question()
        self._depth += 1
        if self._depth > MOST_NESTED:
            self._refuse(f"it is nested more than {MOST_NESTED} deep")
        if self._met("not"):
            found: Condition = Not(self._negation())
        else:
            self._take("(")
            found = self._condition()
            self._take(")", "expected 'and', 'or' or ')'")
        self._depth -= 1
        return found

    def _question(self) -> Condition:
        column = self._column()
        if self._met("is"):
            negated = self._met("not")
            self._take("null", "expected 'null'" + " or 'not null'" * (not negated))
            return _negated(Missing(column), negated)
        if self._next.keyword in ("in", "not"):
            negated = self._met("not")
            self._take("in", "expected 'in'")
            return _negated(OneOf(column, self._values()), negated)
        return self._comparison(column)

    def _column(self) -> str:
        token = self._next
        if token.kind == "name":
            self._advance()
            return token.written[1:-1].replace("``", "`")
        if token.kind != "word" or token.keyword:
            self._refuse(
                "expected a column; other names than words stand in `backticks`"
            )
        self._advance()
        return token.written

    def _comparison(self, column: str) -> Condition:
        sign = "=" if self._next.keyword == "==" else self._next.keyword
        if sign not in {comparator.value for comparator in Comparator}:
            self._refuse(
                f"expected a comparison (= != < <= > >=, in, is null) of '{column}'"
            )
        self._advance()
        if sign not in ("=", "!=") and self._next.keyword in ("true", "false"):
            self._refuse("true and false can only be compared by = and !=")
        return Comparison(column, Comparator(sign), self._value())

    def _values(self) -> Tuple[Value, ...]:
        closing = _CLOSING.get(self._next.keyword)
        if closing is None:
            self._refuse("expected a list of values in brackets")
        self._advance()
        values = [self._value()]
        while self._met(","):
            values.append(self._value())
        self._take(closing, f"expected ',' or '{closing}'")
        return tuple(dict.fromkeys(values))

    def _value(self) -> Value:
        token = self._next
        if token.kind == "number":
            value: Value = self._number(token.written)
        elif token.kind == "text":
            quote = token.written[0]
            value = token.written[1:-1].replace(quote * 2, quote)
        elif token.keyword in ("true", "false"):
            value = token.keyword == "true"
        else:
            self._refuse(_no_value(token))
        self._advance()
        return value

    def _number(self, written: str) -> Value:
        number = float(written)
        if abs(number) == float("inf"):
            self._refuse("the number is too large")
        if written.lstrip("+-").isdigit():
            sign = -1 if written.startswith("-") else 1
            # Without leading zeros: Python reads no more than 4300 digits.
            return sign * int(written.lstrip("+-0") or "0")
        whole = number.is_integer() and abs(number) < _EXACT
        return int(number) if whole else number

    def _met(self, keyword: str) -> bool:
        """Whether the next token is *keyword*; it is taken then."""
        met = self._next.keyword == keyword
        if met:
            self._advance()
        return met

    def _take(self, keyword: str, expected: str = "") -> None:
        if not self._met(keyword):
            self._refuse(expected)

    def _advance(self) -> None:
        self._next = self._token_at(self._next.start + len(self._next.written))

    def _token_at(self, start: int) -> _Token:
        while start < len(self._text) and self._text[start].isspace():
            start += 1
        if start == len(self._text):
            return _Token("end", "", start)
        found = _TOKEN.match(self._text, start)
        if found is None or found.lastgroup is None:
            return _Token("odd", self._text[start], start)
        return _Token(found.lastgroup, found.group(), start)

    def _refuse(self, expected: str) -> NoReturn:
        token = self._next
        if token.kind == "odd" and token.written in "'\"`":
            expected = "the quote that begins there has no end"
        at = "at its end" if token.kind == "end" else f"at {_short(token.written)!r}"
        start = max(token.start - _SHOWN, 0)
        end = token.start + _SHOWN
        shown = "…" * (start > 0) + self._text[start:end]
        shown += "…" * (end < len(self._text))
        raise ValueError(
            f"'where' cannot be read {at} (character {token.start + 1} of {shown!r}): "
            f"{expected}"
        )


def _joined(how: Type[Union[AllOf, AnyOf]], parts: List[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    flat: List[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, how) else [part])
    return how(tuple(flat))


def _negated(condition: Union[Missing, OneOf], negated: bool) -> Condition:
    return Not(condition) if negated else condition


def _no_value(token: _Token) -> str:
    if token.keyword == "null":
        return "a missing value is asked for by 'is null'"
    if token.kind in ("word", "name") and not token.keyword:
        return "expected a value; a text stands in quotes"
    return "expected a value: a number, a text in quotes, true or false"


def _short(written: str) -> str:
    return written if len(written) <= _SHOWN else written[:_SHOWN] + "…"
