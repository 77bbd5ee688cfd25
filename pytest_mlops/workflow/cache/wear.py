"""Labelled rows wear out: what to say when they have judged many models."""

from __future__ import annotations

from typing import Optional

from pytest_mlops.reporting.figures import count

#: From so many candidates on it is said.
MANY = 10


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
