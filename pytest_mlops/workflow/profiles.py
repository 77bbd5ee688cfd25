"""Profiles as files: what is stored with a model, to measure drift from later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional

from pytest_mlops.core.redaction import redact
from pytest_mlops.core.sources import Subject
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.tables.features import FeatureTable
from pytest_mlops.gates.profiling import Profile

SCHEMA = "pytest-mlops/profile/1"


def is_profile(uri: str) -> bool:
    """Whether a reference is a profile, and no data set."""
    return uri.lower().endswith(".json")


def profile_json(profile: Profile, subject: Optional[Subject]) -> Dict[str, Any]:
    """A profile as it stands in a file."""
    data = {**profile.data, "uri": redact(str(profile.data["uri"]))}
    return {
        "schema": SCHEMA,
        "data": data,
        "model_uri": redact(subject.model_uri) if subject else None,
        "answers": list(profile.answers),
        **profile.table.to_json(),
    }


def write_profile(profile: Profile, subject: Optional[Subject], path: Path) -> None:
    """Write a profile.

    Raises:
        DataError: the file cannot be written.
    """
    text = json.dumps(profile_json(profile, subject), allow_nan=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error


def read_profile(uri: str, root: Path) -> Profile:
    """Read a file of ``write_profile``; a relative path starts at *root*.

    Raises:
        DataError: it cannot be read, or is no profile.
    """
    try:
        text = (root / uri).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise DataError(f"the profile {uri} cannot be read: {why}") from error
    return parse_profile(text, uri)


def parse_profile(text: str, name: str) -> Profile:
    """The profile in a text; raises DataError where there is none."""
    try:
        content = json.loads(text)
        known = content["schema"] == SCHEMA
        data = {key: content["data"][key] for key in ("uri", "fingerprint", "rows")}
        answers = tuple(map(str, content["answers"]))
        table = FeatureTable.from_json(content)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
        raise DataError(
            f"{name} is no profile ('pytest-mlops profile' writes one): {e}"
        ) from e
    if not known:
        raise DataError(f"{name} is a profile of another schema: {content['schema']}")
    return Profile(table, data, answers=answers)
