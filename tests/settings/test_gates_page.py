"""docs/gates.md against the code: every key, every option, every example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from pytest_mlops.settings import gates_keys, project
from pytest_mlops.settings.options import OPTIONS
from pytest_mlops.settings.reader import Key, read_toml
from pytest_mlops.settings.values import GatesFile

PAGE = Path(__file__).parents[2] / "docs" / "gates.md"
PARTS = re.split(r"^##+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
EXAMPLES = [
    example
    for part in PARTS
    for example in re.findall(r"```toml\n(.*?)```", part, flags=re.DOTALL)
]
DATA = 'model = "m"\ntask = "classification"\n[data]\nuri = "u"\ntarget = "t"\n'


def part(title: str) -> str:
    (found,) = [text for text in PARTS if text.startswith(title)]
    return found


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("`[data]`", gates_keys.DATA_KEYS),
        ("`[gates]`", gates_keys.GATE_KEYS),
        ("`[environments.<name>]`", gates_keys.ENVIRONMENT_KEYS),
        ("`[[waivers]]`", gates_keys.WAIVER_KEYS),
        ("The project", project.PROJECT_KEYS),
        ("The project", project.PROJECT_ENVIRONMENT_KEYS),
    ],
)
def test_every_key_is_explained(title: str, keys: List[Key[Any]]) -> None:
    missing = [key.name for key in keys if f"`{key.name}`" not in part(title)]
    assert not missing


def test_every_top_level_key_is_explained_or_a_table_of_its_own() -> None:
    text = part("Top level")
    titles = " ".join(found.splitlines()[0] for found in PARTS)
    missing = [
        key.name
        for key in gates_keys.FILE_KEYS
        if f"`{key.name}`" not in text and f"[{key.name}" not in titles
    ]
    assert not missing


@pytest.mark.parametrize(
    "keys",
    [
        gates_keys.FILE_KEYS,
        gates_keys.DATA_KEYS,
        gates_keys.GATE_KEYS,
        gates_keys.WAIVER_KEYS,
        project.PROJECT_KEYS,
    ],
)
def test_defaults_and_requirements_are_those_of_the_code(keys: List[Key[Any]]) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) *\|", "\n".join(PARTS), re.M))
    for key in keys:
        if key.required:
            assert rows[key.name] == "required"
    assert rows["confidence"] == f"`{gates_keys.CONFIDENCE.default}`"
    assert rows["registry_timeout"] == f"`{project.REGISTRY_TIMEOUT.default:g}`"
    assert rows["decide"] == f'`"{gates_keys.DECIDE.default.value}"`'
    assert rows["on_missing_baseline"] == (
        f'`"{gates_keys.ON_MISSING_BASELINE.default.value}"`'
    )


def test_every_option_and_variable_is_explained() -> None:
    text = part("Options")
    for option in OPTIONS:
        assert f"| `{option.flags[0]}` | `{option.variable}` |" in text


def test_the_examples_can_be_read(
    read: Callable[..., GatesFile], tmp_path: Path
) -> None:
    full, rules, slices, environment, configuration = EXAMPLES
    production = read(full, environment="production")
    assert [gate.name for gate in production.gates] == [
        "accuracy",
        "recall",
        "not_worse",
    ]
    assert len(read(DATA + rules).gates) == 4
    cut = read(f"{DATA}positive = 1\n{slices}").gates
    assert [gate.selection.by for gate in cut] == [
        ("region",),
        ("age", "sex"),
        (),
        (),
    ]
    gates = '[gates]\naccuracy = ">= 0.8"\nrecall = ">= 0.8"\nprecision = ">= 0.8"\n'
    layered = read(DATA + gates + environment, environment="production")
    assert [gate.name for gate in layered.gates] == ["accuracy", "recall", "strict_f1"]
    (tmp_path / "pyproject.toml").write_text(configuration, encoding="utf-8")
    environ: Dict[str, str] = {"REGISTRY_URL": "http://registry"}
    found = project.read_project(tmp_path, environ=environ)
    assert found.tracking_uri == "http://registry"
    assert read_toml(tmp_path / "pyproject.toml").table["tool"]["pytest_mlops"]
