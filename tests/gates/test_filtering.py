"""Which rows a condition keeps, against the plain meaning of each row."""

from __future__ import annotations

import operator
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.conditions import parse_condition
from pytest_mlops.errors import DataError
from pytest_mlops.gates.cached_batch import CachedBatch
from pytest_mlops.gates.filtering import Filter
from pytest_mlops.integrations.arrow_batch import ArrowBatch

TABLE = {
    "age": [70, 10, None, 65],
    "share": [0.5, None, float("nan"), 2.0],
    "region": ["north", None, "south", "north"],
    "member": [True, False, None, True],
    "joined": [date(2026, 1, 1), date(2025, 1, 1), None, date(2026, 2, 1)],
    "price": [Decimal("0.10"), Decimal("1.00"), None, Decimal("2.00")],
    "id": [2**53, 2**53 + 1, None, 1],
    "empty": pa.nulls(4),
    "two words": ["a", "b", "c", "d"],
}


def batch_of(table, **options):
    return ArrowBatch(pa.RecordBatch.from_pydict(table), source="rows.csv", **options)


def kept(where, batch):
    return Filter(parse_condition(where), "rows.csv").kept(batch).tolist()


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("age >= 65", [0, 3]),
        ("not age >= 65", [1]),
        ("age = 70 or age = 10", [0, 1]),
        ("age in (70, 65.0, 3)", [0, 3]),
        ("age not in (70)", [1, 3]),
        ("age is null", [2]),
        ("age is not null", [0, 1, 3]),
        ("not (age is null)", [0, 1, 3]),
        ("share < 1", [0]),
        ("share is null", [1, 2]),
        ("region = 'north'", [0, 3]),
        ("region != 'north'", [2]),
        ("not region = 'north'", [2]),
        ("region > 'north'", [2]),
        ("region in ('south', 'west')", [2]),
        ("region is null", [1]),
        ("member = true", [0, 3]),
        ("member != true", [1]),
        ("member = 0", [1]),
        ("joined >= '2026-01-01'", [0, 3]),
        ("joined = '2025-01-01'", [1]),
        ("joined is null", [2]),
        ("price = 0.1", [0]),
        ("id = 9007199254740993", [1]),
        ("id > 9007199254740992", [1]),
        ("id in (9007199254740993, 1)", [1, 3]),
        ("empty = 1 or empty = 'a' or not empty in (1)", []),
        ("empty is null", [0, 1, 2, 3]),
        ("`two words` = 'b'", [1]),
        ("age >= 65 and region = 'north'", [0, 3]),
        # Unknown and false is false, so its negation is true.
        ("not (age = 1 and region = 'north')", [0, 1, 2, 3]),
        ("age >= 0 or region = 'south'", [0, 1, 2, 3]),
        ("age >= 65 or region is null", [0, 1, 3]),
    ],
)
@pytest.mark.parametrize("wrap", [lambda batch: batch, CachedBatch])
def test_what_is_kept(where, rows, wrap):
    found = kept(where, wrap(batch_of(TABLE)))

    assert [row for row, keeps in enumerate(found) if keeps] == rows


def test_times_are_compared_as_they_are_written():
    batch = batch_of({"at": [datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 13)]})

    assert kept("at > '2026-01-01T12:30'", batch) == [False, True]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (
            "region > 3",
            "rows.csv: column 'region' holds texts such as 'north', but "
            '"region > 3" compares it with a number; texts stand in quotes',
        ),
        (
            "not (age = '70')",
            "rows.csv: column 'age' holds numbers such as 70, but \"age = '70'\" "
            "compares it with a text; numbers stand without quotes",
        ),
        ("member = 'true'", "column 'member' holds numbers such as 1, but"),
        ("region in (1, true)", "column 'region' holds texts such as 'north', but"),
        ("age = 1 or share in ('a', 'b')", "column 'share' holds numbers such as 0.5"),
        ("joined >= 2026", "column 'joined' holds texts such as '2026-01-01'"),
        ("lists = 1", "column 'lists' holds no labels"),
        ("lists is null", "column 'lists' holds no labels"),
    ],
)
def test_what_cannot_be_compared_is_refused(where, message):
    batch = batch_of({**TABLE, "lists": [[1], [2], None, []]})

    with pytest.raises(DataError) as caught:
        kept(where, batch)

    assert message in str(caught.value)


def test_a_column_of_both_is_asked_for_both():
    batch = batch_of({"size": ["1", "n/a", "3"]}, retyped=frozenset({"size"}))

    assert kept("size in (1, 'n/a')", batch) == [True, True, False]
    with pytest.raises(DataError, match="holds texts such as 'n/a'"):
        kept("size > 2", batch)
    with pytest.raises(DataError, match="holds numbers such as 1"):
        kept("size != 'n/a'", batch)


COMPARED = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = st.sampled_from([-1.5, 0, 1, 2, 2.5])
TEXTS = st.sampled_from(["", "a", "b", "it's"])
ROWS = st.lists(
    st.fixed_dictionaries({"n": st.none() | NUMBERS, "t": st.none() | TEXTS}),
    max_size=9,
)


def written(value):
    return (
        str(value) if not isinstance(value, str) else "'%s'" % value.replace("'", "''")
    )


def all_of(first, second):
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def opposite(truth):
    return None if truth is None else not truth


@st.composite
def comparisons(draw):
    """A text, and what it says of a row: True, False, or None where unknown."""
    column = draw(st.sampled_from(["n", "t"]))
    values = draw(st.lists(NUMBERS if column == "n" else TEXTS, min_size=1, max_size=3))
    form = draw(st.sampled_from([*COMPARED, "in", "not in", "is null", "is not null"]))

    def asked(row):
        value = row[column]
        if form.startswith("is"):
            return (value is None) == (form == "is null")
        if value is None:
            return None
        if form.endswith("in"):
            return (value in values) == (form == "in")
        return COMPARED[form](value, values[0])

    if form.startswith("is"):
        return f"{column} {form}", asked
    if form.endswith("in"):
        return f"{column} {form} ({', '.join(map(written, values))})", asked
    return f"{column} {form} {written(values[0])}", asked


def joined(inner):
    def both(one, other):
        text = f"({one[0]}) and ({other[0]})"
        return text, lambda row: all_of(one[1](row), other[1](row))

    def either(one, other):
        text = f"({one[0]}) or ({other[0]})"
        # By De Morgan, so that "or" is not defined a second time.
        return text, lambda row: opposite(
            all_of(opposite(one[1](row)), opposite(other[1](row)))
        )

    def denied(one):
        return f"not ({one[0]})", lambda row: opposite(one[1](row))

    return st.one_of(
        st.builds(both, inner, inner),
        st.builds(either, inner, inner),
        st.builds(denied, inner),
    )


@given(st.recursive(comparisons(), joined, max_leaves=6), ROWS)
def test_rows_are_kept_by_their_plain_meaning(condition, rows):
    where, asked = condition
    table = {
        "n": pa.array([row["n"] for row in rows], pa.float64()),
        "t": pa.array([row["t"] for row in rows], pa.string()),
    }

    expected = [asked(row) is True for row in rows]

    assert kept(where, batch_of(table)) == expected
    assert kept(str(parse_condition(where)), batch_of(table)) == expected
