"""Which of several gates files a run judges by."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional, Tuple

import pytest

from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.selection import (
    choose_gates_file,
    find_gates_files,
    peek_gates_file,
    registered_name,
)

Files = Callable[..., Tuple[Path, ...]]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Write gates files: name and the model that each judges."""

    def write(**models: Optional[str]) -> Tuple[Path, ...]:
        folder = tmp_path / "gates"
        folder.mkdir()
        for name, model in models.items():
            text = "" if model is None else f'model = "{model}"'
            (folder / f"{name}.toml").write_text(text)
        return find_gates_files(folder)

    return write


def refusal(
    paths: Tuple[Path, ...], name: Optional[str], uri: Optional[str], root: Path
) -> str:
    with pytest.raises(ConfigurationError) as caught:
        choose_gates_file(paths, name, uri, root)
    return str(caught.value)


def test_a_folder_has_its_toml_files_by_name(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "notes.md"):
        (tmp_path / name).touch()
    (tmp_path / "c.toml").mkdir()
    assert [path.name for path in find_gates_files(tmp_path)] == ["a.toml", "b.toml"]
    assert find_gates_files(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("text", "model", "environments"),
    [
        ('model = "m"\n[environments.a]\n[environments.b]', "m", ("a", "b")),
        ("model = 3\nenvironments = 4", None, ()),
        ("", None, ()),
    ],
)
def test_a_peek_judges_nothing(
    tmp_path: Path, text: str, model: Optional[str], environments: Tuple[str, ...]
) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    peek = peek_gates_file(path, tmp_path)
    assert (peek.path, peek.shown) == (path, "m.toml")
    assert (peek.model, peek.environments) == (model, environments)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("models:/m@champion", "m"),
        ("models:/m/7", "m"),
        ("models:/m/latest", "m"),
        ("models:/cat.schema.m@a", "cat.schema.m"),
        ("models:/a@b@c", "a@b"),
        ("models:/m-0123abcd", None),
        ("models:/m/", None),
        ("runs:/abc/model", None),
        ("model.pkl", None),
        ("", None),
        (None, None),
    ],
)
def test_the_name_of_a_registered_model(
    uri: Optional[str], name: Optional[str]
) -> None:
    assert registered_name(uri) == name


@pytest.mark.parametrize(
    ("name", "uri", "chosen"),
    [
        (None, "models:/fraud@candidate", "fraud_gates"),
        (None, "models:/churn/7", "churn_gates"),
        ("fraud_gates", None, "fraud_gates"),
        ("fraud_gates.toml", "model.pkl", "fraud_gates"),
        ("gates/churn_gates.toml", "models:/churn@a", "churn_gates"),
    ],
)
def test_one_of_two(
    files: Files,
    tmp_path: Path,
    name: Optional[str],
    uri: Optional[str],
    chosen: str,
) -> None:
    paths = files(fraud_gates="fraud", churn_gates="churn")
    found = choose_gates_file(paths, name, uri, tmp_path)
    assert found == tmp_path / "gates" / f"{chosen}.toml"


@pytest.mark.parametrize("uri", [None, "models:/m@a", "model.pkl"])
def test_the_only_one(files: Files, tmp_path: Path, uri: Optional[str]) -> None:
    paths = files(only="m")
    assert choose_gates_file(paths, None, uri, tmp_path) == paths[0]


@pytest.mark.parametrize("name", [None, "only"])
def test_one_that_names_no_model_may_be_meant(
    files: Files, tmp_path: Path, name: Optional[str]
) -> None:
    paths = files(only=None)
    assert choose_gates_file(paths, name, "models:/m@a", tmp_path) == paths[0]


def test_none_to_choose_from(tmp_path: Path) -> None:
    assert choose_gates_file((), None, "models:/m@a", tmp_path) is None


def test_a_file_that_is_not_meant_may_be_broken(files: Files, tmp_path: Path) -> None:
    paths = files(a="m", b="m")
    paths[1].write_text("[")
    assert choose_gates_file(paths, "a", None, tmp_path) == paths[0]
    assert refusal(paths, None, None, tmp_path).startswith(
        "gates/b.toml: is not valid TOML at line 1, column 2: "
    )


@pytest.mark.parametrize(
    ("name", "uri", "message"),
    [
        (
            None,
            None,
            "--gates: several gates files could be meant: churn (gates/churn.toml), "
            "strict (gates/strict.toml), x (gates/x.toml). Choose one with --gates "
            "NAME",
        ),
        (
            None,
            "models:/fraud@a",
            "--gates: several gates files could be meant: strict (gates/strict.toml), "
            "x (gates/x.toml). Choose one with --gates NAME",
        ),
        (
            None,
            "models:/frad@a",
            "--model-uri: no gates file judges the model 'frad'. Did you mean "
            "'fraud'? Judged models: 'churn' (gates/churn.toml), 'fraud' "
            "(gates/strict.toml), 'fraud' (gates/x.toml)",
        ),
        (
            "strct",
            None,
            "--gates: 'strct' is not a known gates file. Did you mean 'strict'? Known "
            "gates files: churn, strict, x",
        ),
        (
            "churn",
            "models:/fraud@a",
            "--gates: gates/churn.toml judges the model 'churn', and --model-uri "
            "names 'fraud'",
        ),
    ],
)
def test_a_choice_that_cannot_be_made(
    files: Files,
    tmp_path: Path,
    name: Optional[str],
    uri: Optional[str],
    message: str,
) -> None:
    paths = files(churn="churn", strict="fraud", x="fraud")
    assert refusal(paths, name, uri, tmp_path) == message


def test_a_name_where_there_is_no_file(tmp_path: Path) -> None:
    assert refusal((), "m", None, tmp_path) == (
        "--gates: 'm' is not a known gates file. There is none"
    )


def test_one_name_in_two_folders(tmp_path: Path) -> None:
    paths = (tmp_path / "a" / "m.toml", tmp_path / "b" / "m.toml")
    for path in paths:
        path.parent.mkdir()
        path.write_text('model = "m"')
    assert refusal(paths, "m", None, tmp_path) == (
        "--gates: several gates files could be meant: m (a/m.toml), m (b/m.toml). "
        "Choose one with --gates NAME"
    )
    assert choose_gates_file(paths, "a/m.toml", None, tmp_path) == paths[0]
