"""Secrets leave texts, everything else stays, and twice is the same as once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.redaction import redact, redact_json

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://app:hunter2@db:5432/x", "postgresql://***@db:5432/x"),
        ("redis://:hunter2@cache/0 is down", "redis://***@cache/0 is down"),
        ("https://u:p@ss@host/m@champion", "https://***@host/m@champion"),
        ("postgresql://app:a/b+c@db/x", "postgresql://***@db/x"),
        ("https://ghtoken@github.com/o/r", "https://***@github.com/o/r"),
        ("GET http://h/x?a=1&token=s3cret&b=2", "GET http://h/x?a=1&token=***&b=2"),
        ("http://h/x?api_key=abc#top", "http://h/x?api_key=***#top"),
        ("http://h/x?key=abc", "http://h/x?key=***"),
        ("?X-Amz-Signature=ab&X-Amz-Credential=c", None),
        ("password=hunter2, host=db", "password=***, host=db"),
        ("AWS_SECRET_ACCESS_KEY=wJalr/K7 x", "AWS_SECRET_ACCESS_KEY=*** x"),
        ('{"db_password": "hunter2", "n": 1}', '{"db_password": "***", "n": 1}'),
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: ***"),
        ("sent 'Bearer abc123=='", "sent 'Bearer ***'"),
        ("key AKIAIOSFODNN7EXAMPLE leaked", "key *** leaked"),
        (f"got {JWT}.", "got ***."),
        ("ghp_" + "a1" * 18, "***"),
        (
            "https://hooks.slack.com/services/T0/B0/xyz failed",
            "https://hooks.slack.com/services/*** failed",
        ),
    ],
)
def test_secrets_are_masked(text: str, expected: str | None) -> None:
    if expected is None:
        expected = "?X-Amz-Signature=***&X-Amz-Credential=***"
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "models:/m@champion",
        "http://localhost:8000/models/m@champion",
        "http://[::1]:8000/m@champion",
        "abfss://container@account.dfs.core.windows.net/rows.parquet",
        "sha256:" + "ab" * 32,
        "recall is 0.71 [0.66, 0.76] on 412 rows; the rule is >= 0.75",
        "monkey=1 turkey=2",
        "the key == value",
        "unexpected token: '}'",
        "gates/m.toml::recall[region=north]",
        "",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redact(text) == text


FRAGMENTS = st.sampled_from(
    [
        *("://", "http://", "https://", "@", ":", "/", "?", "&", "=", "#", ";", " "),
        *("token", "password", "key", "_key", "api", "sig", "secret", "authorization"),
        *("Bearer ", "bearer", "AKIAIOSFODNN7EXAMPLE", "***", JWT, "ghp_" + "a" * 20),
        *("hooks.slack.com/services/", "\n", '"', "'", "[", "a", "1", "80", ",", "é"),
    ]
)


@given(st.lists(FRAGMENTS | st.text(max_size=3), max_size=14).map("".join))
def test_twice_is_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


SECRETS = st.text("abcdefghijkXYZ0123456789", min_size=8, max_size=20)


@given(
    secret=SECRETS,
    shape=st.sampled_from(
        [
            "mysql://user:{}@db/x",
            "https://{}@host/x",
            "http://host/x?token={}&y=1",
            "Bearer {}",
            "Authorization: Basic {}",
            "https://hooks.slack.com/services/{}",
        ]
    ),
    around=st.tuples(st.sampled_from(["", "see ", "("]), st.sampled_from(["", " now"])),
)
def test_no_secret_survives_in_its_place(
    secret: str, shape: str, around: tuple[str, str]
) -> None:
    before, after = around
    assert secret not in redact(before + shape.format(secret) + after)


def test_json_keeps_its_shape_its_keys_and_what_is_no_string() -> None:
    raw = {
        "key": "sha256:ab",
        "password=x": ["Bearer abc", 1, 0.5, None, True],
        "deep": {"uri": "s3://k:s@bucket/x", "pair": (1, "token=z")},
    }
    assert redact_json(raw) == {
        "key": "sha256:ab",
        "password=x": ["Bearer ***", 1, 0.5, None, True],
        "deep": {"uri": "s3://***@bucket/x", "pair": [1, "token=***"]},
    }


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.lists(FRAGMENTS, max_size=6).map("".join),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_twice_is_once_and_still_json(value: object) -> None:
    once = redact_json(value)
    assert redact_json(once) == once
    assert json.loads(json.dumps(once)) == once
