"""Labelled rows wear out: how many models have they judged, and is that many?"""

from __future__ import annotations

from typing import List, Optional, Tuple

from pytest_mlops.reporting.figures import count
from pytest_mlops.workflow.cache.files import (
    CacheFiles,
    Content,
    DamagedError,
    digest_of,
    file_name,
)

#: From so many candidates on it is said.
MANY = 10


def count_candidate(files: CacheFiles, data: str, candidate: str) -> Tuple[int, bool]:
    """How many models the same data has judged, this one included.

    Args:
        files: where that is kept.
        data: its fingerprint.
        candidate: what tells the model apart.

    Returns:
        the number, and whether an earlier one was damaged.

    Raises:
        OSError: it cannot be kept.
    """
    name, mark = file_name("candidates", digest_of(data)), digest_of(candidate)
    known, damaged = _known(files, name)
    if mark not in known:
        known = _marks(
            files.update(name, lambda before: _with(before, mark), lasting=True)
        )
    return len(known), damaged


def wear_remark(rows: int, candidates: int) -> Optional[str]:
    """What a reader should know of data that has judged many models; None of few.

    Models that are chosen, or changed, by what the same rows say of them come to fit
    these rows. The best of k blind ones looks better by about √(ln k / (2 rows)) for a
    proportion; where each answers to the verdict on the last, that can come to
    √(k / rows). Dwork et al., "The reusable holdout", Science 349 (2015); Blum and
    Hardt, "The Ladder", ICML (2015).
    """
    if candidates < MANY:
        return None
    return (
        f"these {count(rows)} labelled rows have judged {candidates} candidates: the "
        "more models are chosen by the same rows, the more the best of them owes to "
        "chance (Dwork et al. 2015; Blum and Hardt 2015); choose a fresh set"
    )


def _known(files: CacheFiles, name: str) -> Tuple[List[str], bool]:
    try:
        return _marks(files.read(name)), False
    except DamagedError:
        return [], True


def _with(before: Optional[Content], mark: str) -> Content:
    return {"candidates": list(dict.fromkeys([*_marks(before), mark]))}


def _marks(content: Optional[Content]) -> List[str]:
    return list((content or {}).get("candidates", ()))
