"""A verdict in plain words: what was judged, why it came out so, and what next."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from pytest_mlops.core.checks import Check
from pytest_mlops.core.outcomes import Action, Decide, Outcome
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.conclusion import conclusion, policy_words
from pytest_mlops.reporting.decisive import deciding_rows, label_counts
from pytest_mlops.reporting.figures import about, count
from pytest_mlops.reporting.page import Page, text_of
from pytest_mlops.reporting.sentences import check_message, flag_words
from pytest_mlops.reporting.subjects import (
    cache_words,
    data_words,
    positive_label,
    subject_words,
)

_WIDTH = 80
_PROMOTE = "Nothing is in the way: promote it."


def explain(verdict: Verdict, evidence: Sequence[Mapping[str, Any]]) -> str:
    """A verdict in plain words, over several lines of at most 80 columns.

    Args:
        verdict: what the run came to.
        evidence: the verdict's records of evidence as JSON; tables that are missing
            or stand in side files are done without.
    """
    sections = [
        ("What was judged", _judged(verdict)),
        ("Why", _why(verdict, evidence)),
        ("What next", [f"- {step}" for step in _next_steps(verdict)]),
    ]
    return "\n\n".join(_section(title, said) for title, said in sections)


def _section(title: str, said: Sequence[str]) -> str:
    page = Page(_WIDTH - 2)
    lines = [
        text_of(line) for text in said for line in page.paragraph(text, indent="  ")
    ]
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _judged(verdict: Verdict) -> List[str]:
    said = [f"model: {subject_words(verdict.subject) or 'none; ready predictions'}"]
    if verdict.baseline:
        said.append(f"against: {subject_words(verdict.baseline)}")
    cached = cache_words(verdict.timings)
    told = filter(None, map(data_words, verdict.evidence))
    said += [f"data: {words}{cached}" for words in told]
    return [*said, f"for {policy_words(verdict)}", f"on {verdict.created}"]


def _why(verdict: Verdict, evidence: Sequence[Mapping[str, Any]]) -> List[str]:
    said = [conclusion(verdict)]
    for check in verdict.checks:
        if check.outcome is Outcome.PASS and not check.flags:
            continue
        said.append(f"{check.name}: {check_message(check)}.")
        rows = _rows_that_decided(check, evidence)
        if rows:
            said.append(f"  {rows}.")
        if check.flags:
            said.append(f"  The figures may be off: {flag_words(check)}.")
    if verdict.policy.decide is Decide.CONFIDENT and len(said) > 1:
        said.append("A rule is kept when the whole interval keeps it, not the value.")
    return said


def _rows_that_decided(
    check: Check, evidence: Sequence[Mapping[str, Any]]
) -> Optional[str]:
    for record in evidence:
        counts = label_counts(record)
        if counts is not None:
            return deciding_rows(check, counts, positive_label(record))
    return None


def _next_steps(verdict: Verdict) -> Iterator[str]:
    if verdict.partial:
        yield "Run the whole suite: a partial run never promotes."
    told: Dict[str, List[str]] = {}
    for check in verdict.checks:
        step = _step(check)
        if step is not None:
            names = told.setdefault(step, [])
            names += [check.name] if check.name not in names else []
    for step, names in told.items():
        yield f"{', '.join(names)}: {step}"
    if not told and not verdict.partial:
        kept = verdict.action is Action.KEEP
        yield "Nothing has drifted: keep the model." if kept else _PROMOTE


def _step(check: Check) -> Optional[str]:
    if check.outcome is Outcome.PASS:
        return None
    if check.waived:
        return (
            f"the waiver ends on {check.waived['expires']}; mend the "
            f"model before, or have {check.waived['owner']} renew it in the gates file."
        )
    if check.outcome is Outcome.ERROR:
        return "repair the instrument and run again; this says nothing of the model."
    if check.reason == "baseline_missing":
        return (
            "give the baseline its model, or write on_missing_baseline "
            '= "skip" until there is one.'
        )
    if check.outcome is Outcome.FAIL:
        return _step_after_failure(check)
    return _step_when_undecided(check)


def _step_after_failure(check: Check) -> str:
    if check.metric is None:
        return f"read the test's own report ({check.node_id})."
    if check.kind == "drift":
        return "look where these columns come from; if the world moved, train anew."
    return "train a better model, or check the labels of those rows."


def _step_when_undecided(check: Check) -> Optional[str]:
    if check.rows_needed and check.rows is not None:
        more = max(check.rows_needed - check.rows, 1)
        return (
            f"label about {about(more)} more rows that count for it "
            f"({count(check.rows)} now), or allow it a margin."
        )
    if check.reason == "no_interval":
        return 'judge by the value (decide = "point"), or by a metric with an interval.'
    if check.reason == "below_min_rows":
        return "label more rows of these slices, or lower min_rows."
    if check.reason == "same_model":
        return "compare with another model, such as the champion before this one."
    if check.reason in ("undefined", "baseline_undefined", "no_rows"):
        return "judge on data on which the metric is defined."
    return "nothing was decided about it; run it again."
