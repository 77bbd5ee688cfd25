"""Checks and verdicts to render, with telling defaults."""

from __future__ import annotations

from typing import Any, Callable, Tuple

import pytest

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.outcomes import Decide, OnInconclusive, Outcome
from pytest_mlops.core.sources import Subject
from pytest_mlops.core.verdicts import Conclusion, Verdict

CONFIDENT = Policy(decide=Decide.CONFIDENT)


@pytest.fixture(scope="session")
def make_check() -> Callable[..., Check]:
    """A check of recall that passes, unless told otherwise."""

    def make(name: str = "recall", **changes: Any) -> Check:
        told = {
            "node_id": f"gates/m.toml::{name}",
            "outcome": Outcome.PASS,
            "metric": name,
            "value": 0.81,
            "interval": (0.77, 0.845),
            "method": "wilson",
            "rows": 412,
            "rule": ">= 0.75",
            "threshold": 0.75,
            **changes,
        }
        return Check(name=name, **told)

    return make


@pytest.fixture(scope="session")
def make_verdict() -> Callable[..., Verdict]:
    """A verdict over checks, concluded as a run concludes it."""

    def make(*checks: Check, **changes: Any) -> Verdict:
        policy = changes.pop("policy", CONFIDENT)
        partial = changes.pop("partial", False)
        conclusion = Conclusion.of(checks, policy, partial=partial)
        told = {
            "outcome": conclusion.outcome,
            "action": conclusion.action,
            "exit_code": conclusion.exit_code,
            "environment": "production",
            "gates_file": "gates/m.toml",
            "gates_digest": "sha256:" + "ab" * 32,
            "subject": Subject(
                "models:/m@candidate", "models:/m/7", "sha256:" + "0123456789abcdef" * 4
            ),
            "evidence": (evidence_record(),),
            **changes,
        }
        return Verdict(
            created="2026-11-23T10:00:00Z",
            checks=tuple(checks),
            policy=policy,
            partial=partial,
            **told,
        )

    return make


@pytest.fixture(scope="session")
def mixed(make_check: Callable[..., Check]) -> Tuple[Check, ...]:
    """One check of every kind that people have to tell apart."""
    return (
        make_check("accuracy", value=0.8712345, interval=(0.861, 0.8808), rows=5000),
        make_check(
            value=0.71,
            interval=(0.66, 0.76),
            outcome=Outcome.INCONCLUSIVE,
            reason="interval_straddles",
            rows_needed=1900,
            flags=("low_support",),
        ),
        make_check(
            "cost",
            metric="acme.metrics:cost",
            value=1.25,
            interval=None,
            rows=5000,
            rule="<= 1.2",
            threshold=1.2,
            outcome=Outcome.FAIL,
            waived={
                "reason": "relabelling until December",
                "owner": "risk-team",
                "expires": "2026-12-15",
            },
        ),
        make_check(
            "f1",
            value=0.7499999,
            interval=(0.72, 0.74999),
            outcome=Outcome.FAIL,
        ),
        make_check(
            "roc_auc",
            value=None,
            interval=None,
            rows=None,
            threshold=None,
            outcome=Outcome.ERROR,
            reason="instrument",
            message="the model has no probabilities",
        ),
        make_check(
            "precision",
            value=None,
            interval=None,
            rows=0,
            outcome=Outcome.INCONCLUSIVE,
            on_inconclusive=OnInconclusive.WARN,
            reason="undefined",
            message="no row is predicted 1",
        ),
    )


def evidence_record(**tables: Any) -> dict[str, Any]:
    """A record of evidence about 5000 rows."""
    return {
        "key": "sha256:" + "cd" * 32,
        "data": {
            "uri": "data/validation.parquet",
            "fingerprint": "5000 rows",
            "rows": 5000,
        },
        "question": {"task": "classification", "target": "label", "positive": 1},
        "tables": tables,
        "recomputable": True,
    }


@pytest.fixture(scope="session")
def make_evidence() -> Callable[..., Any]:
    """A record of evidence from its tables."""
    return evidence_record
