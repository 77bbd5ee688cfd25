"""docs/conditions.md: what it shows can be read, and keeps what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List

import pyarrow as pa
import pytest

from pytest_mlops.core.conditions import parse_condition
from pytest_mlops.gates.filtering import Filter
from pytest_mlops.integrations.arrow_batch import ArrowBatch

PAGE = (Path(__file__).parents[2] / "docs/conditions.md").read_text(encoding="utf-8")
#: The code that begins each row of a table; `` `in` `` may hold backticks.
SHOWN = re.findall(r"^\| (?:`` (.+?) ``|`([^`]+)`) \|", PAGE, re.M)
CONDITIONS = [one or other for one, other in SHOWN] + re.findall(
    r'where = "(.*?)"', PAGE
)
KEPT = re.findall(r"^\| `(.*?)` \| (.*?) ?\| (.*?) ?\| (.*?) ?\|$", PAGE, re.M)


@pytest.mark.parametrize("text", CONDITIONS)
def test_every_condition_can_be_read(text: str) -> None:
    assert str(parse_condition(text)) == text


def test_the_page_shows_conditions() -> None:
    assert len(CONDITIONS) > 20
    assert len(KEPT) > 5


@pytest.mark.parametrize(("text", "cells"), [(row[0], list(row[1:])) for row in KEPT])
def test_rows_are_kept_as_the_page_says(text: str, cells: List[str]) -> None:
    batch = pa.RecordBatch.from_pydict({"age": [70, 10, None]})

    found = Filter(parse_condition(text), "page").kept(ArrowBatch(batch, source="page"))

    assert ["kept" if keeps else "" for keeps in found] == cells


def test_the_mistake_is_answered_as_shown() -> None:
    [shown] = re.findall(r"```text\n(.*?)\n```", PAGE, re.S)

    with pytest.raises(ValueError) as caught:
        parse_condition("region = north")

    assert str(caught.value) == shown
