"""The published schema describes real verdicts, and our reader agrees with it."""

from __future__ import annotations

import copy
import json
import os
from typing import Any, Callable, Dict, Iterable, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pytest_mlops.core.checks import Check
from pytest_mlops.core.sources import Subject
from pytest_mlops.core.verdicts import SCHEMA, Verdict
from pytest_mlops.reporting.explain import explain
from pytest_mlops.reporting.github import write_github
from pytest_mlops.reporting.schema import load_schema, problems
from pytest_mlops.reporting.table import render_run

VALIDATOR = Draft202012Validator(load_schema())


@pytest.fixture(scope="session")
def raw(
    make_verdict: Callable[..., Verdict],
    mixed: Iterable[Check],
    make_evidence: Callable[..., Any],
) -> Dict[str, Any]:
    """A verdict with something in every place."""
    verdict = make_verdict(
        *mixed,
        baseline=Subject("models:/m@champion", "models:/m/6", None),
        evidence=(make_evidence(labels={"labels": [0, 1], "rows": [[4, 1], [2, 3]]}),),
        timings={"predict_s": 1.25},
        versions={"python": "3.11.9"},
    )
    data: Dict[str, Any] = json.loads(json.dumps(verdict.to_json()))
    return data


def test_it_is_a_schema_of_that_draft() -> None:
    Draft202012Validator.check_schema(load_schema())
    assert load_schema()["properties"]["schema"]["const"] == SCHEMA


def test_it_describes_a_real_verdict(raw: Dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(raw)) == []
    assert list(problems(raw)) == []


def test_it_describes_the_smallest_verdict(
    make_verdict: Callable[..., Verdict],
) -> None:
    data = make_verdict(subject=None, evidence=(), environment=None).to_json()
    assert list(VALIDATOR.iter_errors(data)) == []
    assert list(problems(data)) == []


def undescribed(value: Any, schema: Dict[str, Any], place: str) -> Iterator[str]:
    """Keys of a verdict that the schema does not describe."""
    if "$ref" in schema:
        target = load_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
        yield from undescribed(value, {**target}, place)
    if isinstance(value, list):
        for item in value:
            yield from undescribed(item, schema.get("items", {}), f"{place}[]")
    if isinstance(value, dict):
        for key, item in value.items():
            known = schema.get("properties", {}).get(key, {})
            if "properties" in schema and not known.get("description"):
                yield f"{place}.{key}"
            yield from undescribed(item, known, f"{place}.{key}")


def test_every_field_is_described(raw: Dict[str, Any]) -> None:
    assert list(undescribed(raw, load_schema(), "")) == []


def places(value: Any, way: List[Any]) -> Iterator[List[Any]]:
    """The way to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        yield [*way, key]
        if isinstance(item, (dict, list)):
            yield from places(item, [*way, key])


ODD = st.sampled_from(
    [None, True, 0, 1.0, 1.5, -3, "", "pass", "hold", [], [0.5], [1, 2], {}, {"a": 1}]
)


@given(data=st.data(), odd=ODD, remove=st.booleans())
def test_our_reader_agrees_with_the_schema(
    raw: Dict[str, Any], data: st.DataObject, odd: Any, remove: bool
) -> None:
    *way, last = data.draw(st.sampled_from(list(places(raw, []))))
    spoiled = copy.deepcopy(raw)
    inner: Any = spoiled
    for step in way:
        inner = inner[step]
    if remove:
        del inner[last]
    else:
        inner[last] = odd
    whole = not list(problems(spoiled))
    assert whole == VALIDATOR.is_valid(spoiled)
    if whole:
        verdict = Verdict.from_json(spoiled)
        assert render_run(verdict, width=80)
        assert explain(verdict, spoiled["evidence"])
        told = write_github(verdict, {"GITHUB_OUTPUT": os.devnull})
        assert told or not verdict.checks


@pytest.mark.parametrize("value", [None, [], "text", 1])
def test_what_is_no_object_is_one_problem(value: Any) -> None:
    (problem,) = problems(value)
    assert problem.startswith("the verdict must be object, not ")


def test_long_values_are_cut_in_messages(raw: Dict[str, Any]) -> None:
    (problem,) = problems({**raw, "outcome": "x" * 500})
    assert problem.endswith("xxx...")
    assert len(problem) < 130


@pytest.mark.parametrize("key", load_schema()["required"])
def test_each_required_key_is_missed(raw: Dict[str, Any], key: str) -> None:
    rest = {name: value for name, value in raw.items() if name != key}
    assert list(problems(rest)) == [f"{key} is missing"]
    assert not VALIDATOR.is_valid(rest)
