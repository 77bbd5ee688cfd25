"""What was judged, in words: models and data."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from pytest_mlops.core.rows import Label
from pytest_mlops.core.sources import Subject
from pytest_mlops.reporting.figures import rows_words

_DIGITS = 12


def subject_words(subject: Optional[Subject]) -> str:
    """``models:/m@candidate → models:/m/7 (sha256:0123456789ab)``."""
    if subject is None:
        return ""
    words = subject.model_uri
    if subject.resolved_uri and subject.resolved_uri != subject.model_uri:
        words += f" → {subject.resolved_uri}"
    return words + digest_words(subject.model_digest)


def digest_words(digest: Optional[str]) -> str:
    """`` (sha256:0123456789ab)``: enough of a digest to tell two apart, or nothing."""
    if not digest:
        return ""
    algorithm, colon, digits = digest.rpartition(":")
    return f" ({algorithm}{colon}{digits[:_DIGITS]})"


def data_words(record: Mapping[str, Any]) -> str:
    """``data.parquet, 5,000 rows, target label, positive 1``, of what is recorded."""
    data, question = _part(record, "data"), _part(record, "question")
    parts = [str(data["uri"])] if data.get("uri") else []
    if isinstance(data.get("rows"), int):
        parts.append(rows_words(data["rows"]))
    for key in ("target", "positive"):
        if question.get(key) is not None:
            parts.append(f"{key} {question[key]}")
    reference = _part(question, "reference")
    if reference.get("uri"):
        parts.append(f"drift from {reference['uri']}")
    return ", ".join(parts)


def cache_words(timings: Mapping[str, float]) -> str:
    """`` (evidence from the cache)`` where no model was run, or not for all of it."""
    if "cache_s" not in timings:
        return ""
    part = " partly" if "predict_s" in timings else ""
    return f" (evidence{part} from the cache)"


def positive_label(record: Mapping[str, Any]) -> Optional[Label]:
    """The label that binary metrics are about; None for multi-class."""
    label: Optional[Label] = _part(record, "question").get("positive")
    return label


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}
