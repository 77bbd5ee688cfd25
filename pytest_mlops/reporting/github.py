"""GitHub Actions: step outputs, a job summary, and annotations."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Iterator, List, Mapping, Tuple

from pytest_mlops.core.checks import Check, blocks
from pytest_mlops.core.outcomes import SEVERITY, Outcome
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.conclusion import conclusion, policy_words
from pytest_mlops.reporting.figures import count, difference, figure, interval, limits
from pytest_mlops.reporting.sentences import (
    check_message,
    gate_words,
    reason_line,
    rows_chosen,
)

#: What GitHub takes of a step's summary; a longer one is refused as a whole.
SUMMARY_BYTES = 1024 * 1024

#: What the line about rows that do not fit may take of it.
_TAIL_BYTES = 100

#: How many annotations of one level GitHub shows for a step.
ANNOTATIONS = 10

_ICONS = {
    Outcome.PASS: "✅",
    Outcome.INCONCLUSIVE: "❔",
    Outcome.ERROR: "⚠️",
    Outcome.FAIL: "❌",
}


def write_github(verdict: Verdict, environ: Mapping[str, str]) -> List[str]:
    """Tell GitHub Actions, where the run is one of its steps.

    Args:
        verdict: what the run came to.
        environ: the environment variables; without ``GITHUB_OUTPUT`` and
            ``GITHUB_STEP_SUMMARY`` nothing is done.

    Returns:
        lines to print, which GitHub turns into annotations. What could not be written
        is one of them: it never makes a run fail.
    """
    output, summary = environ.get("GITHUB_OUTPUT"), environ.get("GITHUB_STEP_SUMMARY")
    if not output and not summary:
        return []
    outputs = f"outcome={verdict.outcome.value}\naction={verdict.action.value}\n"
    warnings = []
    try:
        if output:
            _append(Path(output), outputs)
        if summary:
            path = Path(summary)
            room = SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0) - 1
            _append(path, summary_text(verdict, room))
    except OSError as error:
        text = f"the verdict could not be passed to GitHub Actions: {error}"
        warnings.append(_annotation("warning", "pytest-mlops", text, ""))
    return [*warnings, *_annotations(verdict)]


def summary_text(verdict: Verdict, room: int) -> str:
    """A verdict as Markdown, the worst checks first.

    Args:
        verdict: what the run came to.
        room: bytes that it may take; rows that do not fit are counted instead.
    """
    head = _summary_head(verdict)
    room -= _bytes(head) + _TAIL_BYTES
    if room < 0:
        return ""
    rows = [_row(check) for check in sorted(verdict.checks, key=_gravest_first)]
    sizes = accumulate(_bytes(row) for row in rows)
    kept = sum(size <= room for size in sizes)
    left = len(rows) - kept
    tail = f"\n… and {count(left)} more in the verdict.\n" if left else ""
    return head + "".join(rows[:kept]) + tail


def _gravest_first(check: Check) -> int:
    return -SEVERITY.index(check.outcome)


def _summary_head(verdict: Verdict) -> str:
    subject = verdict.subject
    model = ""
    if subject is not None:
        model = f" · model `{_code(subject.resolved_uri or subject.model_uri)}`"
    return (
        f"### pytest-mlops\n\n**{_escaped(conclusion(verdict))}**\n\n"
        f"{_escaped(policy_words(verdict))}{model}\n\n"
        "| | check | value | interval | rule | rows | reason |\n"
        "| --- | --- | --- | --- | --- | ---: | --- |\n"
    )


def _row(check: Check) -> str:
    chosen = rows_chosen(check)
    selected = f" [{chosen}]" if chosen else ""
    passed = check.outcome is Outcome.PASS
    cells = [
        f"{_ICONS[check.outcome]} {check.outcome.value}",
        _escaped(gate_words(check) + selected),
        "" if check.value is None else figure(check.value, limits(check)),
        _escaped(_interval(check)),
        _escaped(check.rule or ""),
        "" if check.rows is None else count(check.rows),
        "" if passed else _escaped(reason_line(check)),
    ]
    return f"| {' | '.join(cells)} |\n"


def _interval(check: Check) -> str:
    """The interval; of a rule against a baseline, how far it is from there."""
    if check.estimand == "difference":
        return difference(check)
    return interval(check) or ""


def _annotations(verdict: Verdict) -> Iterator[str]:
    for level, found in _by_level(verdict):
        shown = found if len(found) <= ANNOTATIONS else found[: ANNOTATIONS - 1]
        for check in shown:
            title = f"{gate_words(check)}: {check.outcome.value}"
            file = verdict.gates_file or ""
            yield _annotation(level, title, check_message(check), file)
        left = len(found) - len(shown)
        if left:
            text = f"{left} more checks did not pass; the job summary lists them"
            yield _annotation(level, "pytest-mlops", text, "")


def _by_level(verdict: Verdict) -> Iterator[Tuple[str, List[Check]]]:
    bad = [check for check in verdict.checks if check.outcome is not Outcome.PASS]
    blocking = [check for check in bad if blocks(check, verdict.policy)]
    yield "error", blocking
    yield "warning", [check for check in bad if not blocks(check, verdict.policy)]


def _annotation(level: str, title: str, message: str, file: str) -> str:
    place = f"file={_property(file)}," if file else ""
    return f"::{level} {place}title={_property(title)}::{_data(redact(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(redact(text)).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line of a table."""
    one_line = " ".join(redact(text).split()).replace("&", "&amp;")
    one_line = one_line.replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\|`*_[]~#" else c for c in one_line)


def _code(text: str) -> str:
    return " ".join(redact(text).split()).replace("`", "'").replace("|", "\\|")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))


def _append(path: Path, text: str) -> None:
    """Append lines, behind a line break where an earlier writer left none."""
    if not text:
        return
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                text = f"\n{text}"
        file.write(text.encode("utf-8", "backslashreplace"))
