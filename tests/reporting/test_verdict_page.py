"""docs/verdict.md shows a verdict that is one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_mlops.core.outcomes import Action, ExitCode, Outcome
from pytest_mlops.core.verdicts import Conclusion, Verdict
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.reporting.schema import load_schema
from pytest_mlops.reporting.sentences import check_message
from pytest_mlops.reporting.verdict_file import read_verdict, side_reader
from pytest_mlops.workflow.stored import Stored
from pytest_mlops.workflow.verifying import verify

PAGE = (Path(__file__).parents[2] / "docs/verdict.md").read_text("utf-8")


@pytest.fixture(scope="module")
def example() -> Any:
    """The verdict that the page shows."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    return json.loads(block)


def test_the_example_has_the_published_schema(example: Any) -> None:
    Draft202012Validator(load_schema()).validate(example)


def test_the_example_is_read_and_its_parts_agree(example: Any, tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps(example), "utf-8")
    verdict, raw = read_verdict(path)
    assert verdict.to_json() == raw == example
    assert Conclusion.of(verdict.checks, verdict.policy, partial=verdict.partial) == (
        Conclusion(verdict.outcome, verdict.action, verdict.exit_code)
    )
    for check in verdict.checks:
        assert check.message == check_message(check)


def test_the_example_can_be_recomputed_from_its_evidence(
    example: Any, tmp_path: Path
) -> None:
    verdict = Verdict.from_json(example)
    metrics = {metric.name: metric for metric in builtin_metrics()}
    stored = Stored(verdict, side_reader(tmp_path / "verdict.json"), metrics)
    found = verify(verdict, stored)
    assert found.recomputed == len(verdict.checks) == 2
    assert list(found.differences) == []


def test_the_page_tells_every_field_outcome_action_and_exit_code() -> None:
    fields = load_schema()["properties"]
    words = [*fields, *(o.value for o in Outcome), *(a.value for a in Action)]
    assert [word for word in words if f"`{word}`" not in PAGE] == []
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.M)}
    assert codes == {int(code) for code in ExitCode}
