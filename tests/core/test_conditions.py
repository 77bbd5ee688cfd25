"""Conditions: what can be written, its one spelling, and what mistakes are answered."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.condition_tree import (
    AllOf,
    AnyOf,
    Comparator,
    Comparison,
    Missing,
    Not,
    OneOf,
)
from pytest_mlops.core.conditions import MOST_NESTED, parse_condition

AGED = Comparison("age", Comparator.AT_LEAST, 65)
NORTH = Comparison("region", Comparator.EQUAL, "north")
UNKNOWN = Missing("region")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age >= 65", AGED),
        ("age>=65", AGED),
        ("age >= +6.5e1", AGED),
        ("\tage\n >= 65 ", AGED),
        ("(((age >= 65)))", AGED),
        ("region = 'north'", NORTH),
        ('region == "north"', NORTH),
        ("`region` = 'north'", NORTH),
        ("region != 'north'", Comparison("region", Comparator.UNEQUAL, "north")),
        ("age < 18", Comparison("age", Comparator.BELOW, 18)),
        ("age <= 18", Comparison("age", Comparator.AT_MOST, 18)),
        ("age > -.5", Comparison("age", Comparator.ABOVE, -0.5)),
        ("member = true", Comparison("member", Comparator.EQUAL, True)),
        ("member != FALSE", Comparison("member", Comparator.UNEQUAL, False)),
        ("region is null", UNKNOWN),
        ("region IS NOT NULL", Not(UNKNOWN)),
        ("not region is not null", Not(Not(UNKNOWN))),
        ("age in (1, 2.5, -3)", OneOf("age", (1, 2.5, -3))),
        ("age in [1]", OneOf("age", (1,))),
        ("region not in ('a', \"b\", 'a')", Not(OneOf("region", ("a", "b")))),
        ("not region in ('a')", Not(OneOf("region", ("a",)))),
        ("age >= 65 and region = 'north'", AllOf((AGED, NORTH))),
        (
            "region is null or age >= 65 and region = 'north'",
            AnyOf((UNKNOWN, AllOf((AGED, NORTH)))),
        ),
        (
            "(region is null or age >= 65) and region = 'north'",
            AllOf((AnyOf((UNKNOWN, AGED)), NORTH)),
        ),
        (
            "region is null and (age >= 65 and region = 'north')",
            AllOf((UNKNOWN, AGED, NORTH)),
        ),
        ("not age >= 65 or region is null", AnyOf((Not(AGED), UNKNOWN))),
        ("not (age >= 65 or region is null)", Not(AnyOf((AGED, UNKNOWN)))),
    ],
)
def test_what_a_text_means(text, expected):
    found = parse_condition(text)

    assert found == expected
    assert parse_condition(str(found)) == expected


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("age>=65", "age >= 65"),
        ("age == 65.0", "age = 65"),
        ("age = 007", "age = 7"),
        ("age = -0.0", "age = 0"),
        ("age = 1E40 or x = 1e-7", "age = 1e+40 or x = 1e-07"),
        ("id = 12345678901234567890", "id = 12345678901234567890"),
        ("id = " + "0" * 5000 + "9", "id = 9"),
        ('a.b = "it\'s"', "a.b = 'it''s'"),
        ('a = \'it\'\'s\' or a = "a ""b"""', "a = 'it''s' or a = 'a \"b\"'"),
        ("a = ''", "a = ''"),
        ("`größe` > 1", "größe > 1"),
        ("`not` > 1 and `a``b` = 2", "`not` > 1 and `a``b` = 2"),
        ("`x in (1)` not in (2)", "`x in (1)` not in (2)"),
        ("NOT (a = 1 AND b = TRUE)", "not (a = 1 and b = true)"),
        ("(a = 1 and b = 2) or c IS NOT null", "a = 1 and b = 2 or c is not null"),
        ("a IN [1,2]", "a in (1, 2)"),
    ],
)
def test_there_is_one_spelling(text, spelling):
    assert str(parse_condition(text)) == spelling


def test_the_columns_are_listed_once_and_in_order():
    found = parse_condition("b = 1 or not (a is null and b in (2)) or `c d` = 'e'")

    assert found.columns == ("b", "a", "c d")


def test_a_condition_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        parse_condition("a = 1").column = "b"


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("", "at its end (character 1 of '')", "expected a column"),
        ("  ", "at its end (character 3 of", "expected a column"),
        ("18 <= age", "at '18' (character 1 ", "expected a column"),
        ("'a' = b", "at \"'a'\" (character 1 ", "expected a column"),
        ("null = 1", "at 'null' (character 1 ", "stand in `backticks`"),
        ("age", "at its end (character 4 ", "a comparison (= != < <= > >=, in, is"),
        ("first name = 'x'", "at 'name' (character 7", "a comparison"),
        ("age & 3", "at '&' (character 5", "a comparison"),
        ("age >> 3", "at '>' (character 6 of 'age >> 3')", "a number, a text in qu"),
        ("age >=", "at its end (character 7", "a number, a text in quotes"),
        ("a = 1e999", "at '1e999' (character 5", "the number is too large"),
        ("region = north", "at 'north' (character 10", "a text stands in quotes"),
        ("a = null", "at 'null' (character 5", "asked for by 'is null'"),
        ("a > true", "at 'true' (character 5", "only be compared by = and !="),
        ("a is 3", "at '3' (character 6", "expected 'null' or 'not null'"),
        ("a is not 3", "at '3' (character 10", "expected 'null'"),
        ("a in 3", "at '3' (character 6", "expected a list of values in brackets"),
        ("a not 3", "at '3' (character 7", "expected 'in'"),
        ("a in ()", "at ')' (character 7", "expected a value"),
        ("a in (1, null)", "at 'null' (character 10", "asked for by 'is null'"),
        ("a in (1 2)", "at '2' (character 9", "expected ',' or ')'"),
        ("a in [1)", "at ')' (character 8", "expected ',' or ']'"),
        ("(a = 1", "at its end (character 7", "expected 'and', 'or' or ')'"),
        ("a = 1)", "at ')' (character 6", "expected 'and', 'or' or the end"),
        ("a = 1 an b = 2", "at 'an' (character 7", "expected 'and', 'or' or the end"),
        ("a > 18 < 65", "at '<' (character 8", "expected 'and', 'or' or the end"),
        ("a = 1 and", "at its end (character 10", "expected a column"),
        ("a = 'open", 'at "\'" (character 5', "the quote that begins there has no end"),
        ("`a = 1", "at '`' (character 1", "the quote that begins there has no end"),
        ("a\n=\x07", "at '\\x07' (character 4 of 'a\\n=\\x07')", "expected a value"),
    ],
)
def test_a_mistake_is_shown_in_its_place(text, place, expected):
    with pytest.raises(ValueError) as caught:
        parse_condition(text)

    message = str(caught.value)
    assert message.startswith(f"'where' cannot be read {place}")
    assert expected in message
    assert "\n" not in message


def test_of_a_long_text_only_the_place_is_shown():
    with pytest.raises(ValueError) as caught:
        parse_condition(" or ".join(["region = 'north'"] * 50 + ["oops"] * 50))

    message = str(caught.value)
    assert len(message) < 250
    assert "oops" in message and "…" in message


def nested(depth):
    return "not (" * (depth // 2) + "a = 1" + ")" * (depth // 2)


def test_nesting_has_an_end():
    assert parse_condition(nested(MOST_NESTED)).columns == ("a",)
    for text in (nested(MOST_NESTED + 2), "(" * 10**5, "not " * 10**5 + "a = 1"):
        with pytest.raises(ValueError, match=f"nested more than {MOST_NESTED} deep"):
            parse_condition(text)


def test_many_parts_beside_one_another_are_no_nesting():
    found = parse_condition(" or ".join(f"(a = {i})" for i in range(5000)))

    assert len(found.parts) == 5000
    assert parse_condition(str(found)) == found


NAMES = st.sampled_from(
    ["a", "b.c", "größe", "not", "two words", "a`b", "1st", "x in ("]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=8)


def spelled(value):
    return (
        repr(value) if not isinstance(value, str) else "'%s'" % value.replace("'", "''")
    )


@st.composite
def conditions(draw):
    def quoted():
        return "`%s`" % draw(NAMES).replace("`", "``")

    def values():
        return spelled(draw(NUMBERS | TEXTS))

    def question():
        form = draw(st.sampled_from(["compare", "in", "null"]))
        if form == "compare":
            sign = draw(st.sampled_from(["=", "==", "!=", "<", "<=", ">", ">="]))
            return f"{quoted()} {sign} {values()}"
        negated = draw(st.booleans())
        if form == "null":
            return f"{quoted()} is {'not ' * negated}null"
        listed = ", ".join(values() for _ in range(draw(st.integers(1, 3))))
        return f"{quoted()} {'not ' * negated}in [{listed}]"

    def condition(depth):
        form = draw(st.sampled_from(["question", "not", "and", "or"]))
        if form == "question" or not depth:
            return question()
        if form == "not":
            return f"not ({condition(depth - 1)})"
        parts = [condition(depth - 1) for _ in range(draw(st.integers(2, 3)))]
        return f" {form} ".join(f"({part})" for part in parts)

    return condition(3)


@given(conditions())
def test_the_one_spelling_means_the_same(text):
    found = parse_condition(text)

    assert parse_condition(str(found)) == found
    assert str(parse_condition(str(found))) == str(found)


PIECES = st.sampled_from(
    "a age ` ' \" ( ) [ ] , = != < <= > >= and or not in is null true 1 -2.5 1e9 '' b."
    " é ²".split()
)


@given(st.text() | st.lists(PIECES, max_size=12).map(" ".join))
def test_reading_raises_nothing_but_value_errors(text):
    try:
        found = parse_condition(text)
    except ValueError as error:
        assert str(error).startswith("'where' cannot be read at ")
        assert len(str(error).splitlines()) == 1
    else:
        assert parse_condition(str(found)) == found
