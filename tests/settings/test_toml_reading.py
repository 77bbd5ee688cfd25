"""TOML files that cannot be read say where and why, in one line."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.kinds import shown
from pytest_mlops.settings.reader import Problems, one_line, read_toml, shown_path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_toml(path, "m.toml")
    return str(caught.value)


def test_a_document_knows_its_source_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    content = b"\xef\xbb\xbfa = 1\r\nb = 'x'\r\n"
    path.write_bytes(content)
    document = read_toml(path)
    assert document.source == str(path)
    assert document.table == {"a": 1, "b": "x"}
    assert document.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\nb = = 2", "is not valid TOML at line 2, column 5: Invalid value"),
        (b"a = 1\nb = [1, ", "is not valid TOML at line 2, column 9: "),
        (
            b"a = 1\n\nb = 'caf\xe9'",
            "is not UTF-8: byte 0xe9 in line 3; save it as UTF-8",
        ),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(content)
    found = refusal(path)
    assert found.startswith(f"m.toml: {message}")
    assert "\n" not in found


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    said = refusal(tmp_path / "none.toml")
    assert said == "m.toml: cannot be read: No such file or directory"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "m.toml: cannot be read: Is a directory"


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 9999 + "]" * 9999])
def test_values_that_python_refuses(tmp_path: Path, value: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(f"a = {value}")
    assert refusal(path).startswith("m.toml: is not valid TOML")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_table_or_a_configuration_error(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(content)
    try:
        document = read_toml(path)
    except ConfigurationError as error:
        (problem,) = error.problems
        assert problem.message.isprintable()
    else:
        assert isinstance(document.table, dict)


def test_paths_are_shown_from_the_root_where_they_lie_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "gates" / "m.toml", tmp_path) == "gates/m.toml"
    assert shown_path(Path("gates/m.toml"), tmp_path) == "gates/m.toml"
    outside = tmp_path.parent / "m.toml"
    assert shown_path(outside, tmp_path) == str(outside)


def test_a_problem_is_told_once() -> None:
    problems = Problems("m.toml")
    problems.raise_all()
    problems.add("data", "wrong")
    problems.add("data", "wrong")
    assert problems.messages == ("wrong",)
    with pytest.raises(ConfigurationError, match="^1 problem in m.toml"):
        problems.raise_all()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        ({}, "a table"),
        ([1], "an array"),
        (2**63, "an integer beyond 64 bits"),
        (2**63 - 1, "9223372036854775807"),
        (0.5, "0.5"),
        ("it's", '"it\'s"'),
        ("a\nb", r"'a\nb'"),
        ("x" * 60, f"'{'x' * 59}…"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3), "2026-01-02 03:00:00"),
        (time(3), "03:00:00"),
    ],
)
def test_values_are_shown_short(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text())
def test_one_line_is_one_printable_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert one_line(line) == line
