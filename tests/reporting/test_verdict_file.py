"""A verdict on disk is whole or absent, holds no secret, and is read with care."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterable

import pytest

from pytest_mlops.core.checks import Check
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.errors import ConfigurationError, InstrumentError, VerdictError
from pytest_mlops.reporting.verdict_file import (
    check_writable,
    read_verdict,
    remove_stale,
    side_reader,
    write_verdict,
)

MakeVerdict = Callable[..., Verdict]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def full_disk(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_was_written_is_read_back(
    tmp_path: Path, make_verdict: MakeVerdict, mixed: Iterable[Check]
) -> None:
    path = tmp_path / "verdict.json"
    verdict = make_verdict(*mixed)
    write_verdict(verdict.to_json(), path, {})
    found, raw = read_verdict(path)
    assert found == verdict
    assert raw == verdict.to_json()


def test_the_text_is_indented_and_in_the_given_order(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    write_verdict({"b": 1, "a": ["ä"]}, path, {})
    assert path.read_text("utf-8") == '{\n  "b": 1,\n  "a": [\n    "ä"\n  ]\n}\n'


def test_secrets_are_redacted(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    write_verdict({"uri": "https://me:hunter2@host/x"}, path, {})
    assert "hunter2" not in path.read_text("utf-8")


def test_side_files_stand_beside_the_verdict_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    sides = {"sha256-aa.json.gz": b"\x00\xff", "sha256-bb.json.gz": b"token=abc"}
    write_verdict({}, path, sides)
    assert names(tmp_path) == ["sha256-aa.json.gz", "sha256-bb.json.gz", "v.json"]
    read = side_reader(path)
    assert {name: read(name) for name in sides} == sides


def test_file_names_that_are_no_text_survive(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    odd = b"caf\xe9.csv".decode("utf-8", "surrogateescape")
    write_verdict({"uri": odd}, path, {})
    assert json.loads(path.read_text("utf-8")) == {"uri": odd}


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_verdict({}, tmp_path / "v.json", {})
    (tmp_path / "plain").touch()
    modes = {os.stat(tmp_path / name).st_mode for name in ("v.json", "plain")}
    assert len(modes) == 1


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    path = tmp_path / "v.json"
    with pytest.raises(InstrumentError) as failure:
        write_verdict({}, path, {"side": b"x"})
    assert str(failure.value) == (
        f"the verdict could not be written to {path}: No space left on device"
    )
    assert names(tmp_path) == []


def test_a_failure_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "v.json"
    write_verdict({"run": 1}, path, {})
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(InstrumentError):
        write_verdict({"run": 2}, path, {})
    assert json.loads(path.read_text("utf-8")) == {"run": 1}
    assert names(tmp_path) == ["v.json"]


def test_without_a_rename_there_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*places: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(InstrumentError, match="Permission denied"):
        write_verdict({}, tmp_path / "v.json", {"side": b""})
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(
    tmp_path: Path, number: float
) -> None:
    with pytest.raises(InstrumentError, match="not JSON compliant"):
        write_verdict({"value": number}, tmp_path / "v.json", {})
    assert names(tmp_path) == []


ODD_NAMES = ["../out", "a/b", "a\\b", "/etc/passwd", "..", ".", "", "c:x", "a\0"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_side_files_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "v.json"
    with pytest.raises(InstrumentError, match="not the plain name of a file"):
        write_verdict({}, path, {name: b""})
    with pytest.raises(VerdictError, match="not the plain name of a file"):
        side_reader(path)(name)
    assert names(tmp_path) == []


def test_a_lost_side_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    with pytest.raises(VerdictError) as failure:
        side_reader(path)("scores.gz")
    assert str(failure.value) == (
        f"{path} needs the file 'scores.gz' beside it, which cannot be read "
        "(No such file or directory): keep the two together"
    )


def test_a_good_place_is_left_as_it_was(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.json")
    old = '{"schema": "pytest-mlops/verdict/1"}'
    (tmp_path / "old.json").write_text(old)
    check_writable(tmp_path / "old.json")
    assert names(tmp_path) == ["old.json"]
    assert (tmp_path / "old.json").read_text() == old


def test_what_is_no_verdict_is_neither_removed_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("label,predicted\n")
    with pytest.raises(ConfigurationError, match="exists and is no verdict"):
        check_writable(path)
    remove_stale(path)
    assert path.read_text() == "label,predicted\n"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing/v.json", "the folder '{}/missing' of '{}/missing/v.json' does not"),
        ("file/v.json", "the folder '{}/file' of '{}/file/v.json' is not a folder"),
        ("folder", "'{}/folder' is a folder; name a file in it"),
        ("pipe", "'{}/pipe' is not a regular file; name another"),
        ("v" * 250, "cannot be written (File name too long); name another place"),
    ],
)
def test_a_bad_place_is_known_beforehand(
    tmp_path: Path, place: str, message: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = names(tmp_path)
    with pytest.raises(ConfigurationError) as failure:
        check_writable(tmp_path / place)
    assert message.replace("{}", str(tmp_path)) in str(failure.value)
    assert str(failure.value).startswith("command line: --verdict: ")
    assert names(tmp_path) == before


def test_an_old_verdict_goes_before_the_run(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text('{"schema": "pytest-mlops/verdict/1"}')
    remove_stale(path)
    remove_stale(path)
    assert names(tmp_path) == []


def test_an_old_verdict_that_stays_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="old verdict .* cannot be removed"):
        remove_stale(tmp_path)


@pytest.fixture
def raw(make_verdict: MakeVerdict, mixed: Iterable[Check]) -> dict[str, Any]:
    """A whole verdict as JSON, to be spoiled."""
    data: dict[str, Any] = json.loads(json.dumps(make_verdict(*mixed).to_json()))
    return data


def refusal(path: Path, content: Any) -> str:
    """The one line with which a file of that content is refused."""
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, "utf-8")
    with pytest.raises(VerdictError) as failure:
        read_verdict(path)
    message = str(failure.value)
    assert "\n" not in message
    return message.replace(str(path), "v.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no JSON at line 1, column 1: Expecting value"),
        ('{"a": 1,}', "no JSON at line 1, column"),
        ("[]", "it names no schema"),
        ("{}", "it names no schema"),
        ('{"schema": "pytest-mlops/verdict/1", "x": NaN}', "it holds NaN, which is no"),
        ("[" * 100_000, "is not a verdict: "),
        (
            '{"schema": "x/2"}',
            "v.json is a 'x/2', and this version reads 'pytest-mlops/verdict/1': use "
            "the version of pytest-mlops that wrote it",
        ),
    ],
)
def test_what_is_no_verdict_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(tmp_path / "v.json", text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    with pytest.raises(VerdictError) as failure:
        read_verdict(path)
    assert str(failure.value) == (
        f"the verdict {path} cannot be read: No such file or directory"
    )


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(VerdictError, match="it is not UTF-8 text"):
        read_verdict(path)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["checks"], None, "checks is missing"),
        (["policy", "decide"], None, "policy.decide is missing"),
        (["checks", 1, "outcome"], None, "checks[1].outcome is missing"),
        (["checks", 2, "waived", "owner"], None, "checks[2].waived.owner is missing"),
        (["exit_code"], "1", 'exit_code must be integer, not "1"'),
        (["partial"], 0, "partial must be boolean, not 0"),
        (["checks", 0, "value"], True, "checks[0].value must be number or null"),
        (
            ["outcome"],
            "maybe",
            'outcome must be pass or inconclusive or error or fail, not "maybe"',
        ),
        (["checks", 0, "interval"], [0.1], "checks[0].interval must have 2 items"),
        (["checks"], {}, "checks must be array, not {}"),
        (["evidence", 0, "data", "rows"], 0.5, "evidence[0].data.rows must be integer"),
        (["versions"], {"numpy": 2}, "versions.numpy must be string, not 2"),
    ],
)
def test_the_key_that_is_missing_or_wrong_is_named(
    tmp_path: Path, raw: dict[str, Any], place: list[Any], value: Any, message: str
) -> None:
    *way, last = place
    spoiled: Any = raw
    for step in way:
        spoiled = spoiled[step]
    if value is None:
        del spoiled[last]
    else:
        spoiled[last] = value
    told = refusal(tmp_path / "v.json", raw)
    assert f"v.json is not a whole verdict: {message}" in told


def test_what_a_newer_version_added_is_ignored(
    tmp_path: Path, raw: dict[str, Any]
) -> None:
    path = tmp_path / "v.json"
    before = json.loads(json.dumps(raw))
    raw["new"] = raw["checks"][0]["new"] = {"more": 1}
    path.write_text(json.dumps(raw), "utf-8")
    found, again = read_verdict(path)
    assert again == raw
    assert found == replace(Verdict.from_json(before))
