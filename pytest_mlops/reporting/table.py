"""The terminal's view of a run: what was judged, each check, what follows.

The functions take values and return lines; whoever prints them adds the colours.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Sequence,
    Set,
    Tuple,
)

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.outcomes import SEVERITY, Outcome
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.conclusion import (
    ACTION_STYLES,
    action_words,
    conclusion,
    confidence_words,
    policy_words,
)
from pytest_mlops.reporting.figures import (
    count,
    difference,
    figure,
    interval,
    limits,
    rows_words,
)
from pytest_mlops.reporting.page import OUTCOME_STYLES, Line, Page, Segment
from pytest_mlops.reporting.sentences import (
    flag_words,
    gate_words,
    reason_line,
    rows_chosen,
)
from pytest_mlops.reporting.subjects import (
    cache_words,
    data_words,
    digest_words,
    subject_words,
)

_GAP = "  "

#: So many slices of a gate are shown, the worst; the verdict file has them all.
MOST_SLICES = 10


class _Column(NamedTuple):
    title: str
    cells: List[str]
    right: bool = False

    @property
    def width(self) -> int:
        return max(len(text) for text in (self.title, *self.cells))

    def aligned(self, text: str) -> str:
        return text.rjust(self.width) if self.right else text.ljust(self.width)


def render_run(verdict: Verdict, *, width: int, unicode: bool = True) -> List[Line]:
    """Everything that a person has to know about a run.

    Args:
        verdict: what the run came to.
        width: columns of the terminal; no line is longer, save for a longer word.
        unicode: whether the terminal can show signs such as ``→`` and ``≥``.
    """
    page = Page(width, unicode)
    told = [check for check in worst_slices(verdict.checks)[0] if _has_reason(check)]
    blocks = [
        _header(verdict, page),
        _checks(verdict, page),
        [line for check in told for line in _reasons(check, page)],
        page.paragraph(
            conclusion(verdict)[len(action_words(verdict.action)) :],
            lead=Segment(action_words(verdict.action), ACTION_STYLES[verdict.action]),
        ),
    ]
    return _separated(blocks)


def outcome_words(check: Check) -> str:
    """``FAIL``, ``FAIL, waived``; with a star where the figures may be off."""
    words = check.outcome.value.upper()
    if check.waived:
        words += ", waived"
    return f"{words} *" if check.flags else words


def _separated(blocks: Iterable[List[Line]]) -> List[Line]:
    filled = [block for block in blocks if block]
    parted: Iterator[List[Line]] = chain.from_iterable(
        ([()], block) for block in filled
    )
    return list(chain.from_iterable(parted))[1:]


def _header(verdict: Verdict, page: Page) -> List[Line]:
    cached = cache_words(verdict.timings)
    entries = [
        ("model", subject_words(verdict.subject)),
        ("baseline", subject_words(verdict.baseline)),
        *(("data", data_words(record) + cached) for record in verdict.evidence),
        ("policy", policy_words(verdict)),
        ("gates", (verdict.gates_file or "") + digest_words(verdict.gates_digest)),
        *(("note", remark) for remark in verdict.remarks),
    ]
    told = [(title, words) for title, words in entries if words]
    room = max(len(title) for title, _ in told) + len(_GAP)
    return [
        line
        for title, words in told
        for line in page.paragraph(
            f"{' ' * (room - len(title))}{words}",
            lead=Segment(title, "dim"),
            indent=" " * room,
        )
    ]


def _checks(verdict: Verdict, page: Page) -> List[Line]:
    if not verdict.checks:
        return []
    checks, left_out = worst_slices(verdict.checks)
    columns = _columns(verdict.policy, checks, page)
    if sum(len(_GAP) + column.width for column in columns) - len(_GAP) <= page.width:
        lines = _table(checks, columns)
    else:
        room = max(len(outcome_words(check)) for check in checks)
        lines = [line for check in checks for line in _stacked(check, page, room)]
    return lines + [
        line
        for name, words in left_out.items()
        for line in page.paragraph(f" {words}", lead=Segment(f"{name}:", "dim"))
    ]


def worst_slices(
    checks: Sequence[Check],
) -> Tuple[List[Check], Dict[str, str]]:
    """The checks that are shown: of a gate over many slices the worst.

    Returns:
        the checks, in their order; and what is left out, in words, by gate.
    """
    by_gate: Dict[str, List[Check]] = {}
    for check in checks:
        by_gate.setdefault(check.name if check.slice else "", []).append(check)
    hidden: Set[int] = set()
    words: Dict[str, str] = {}
    for name, slices in by_gate.items():
        if not name or len(slices) <= MOST_SLICES:
            continue
        ranked = sorted(slices, key=_badness)
        hidden.update(map(id, ranked[MOST_SLICES:]))
        counts = Counter(check.outcome.value for check in ranked[MOST_SLICES:])
        told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        words[name] = f"{len(slices) - MOST_SLICES} more slices ({told})"
    return [check for check in checks if id(check) not in hidden], words


def _badness(check: Check) -> Tuple[int, float]:
    chance = 1.0 if check.p_value is None else check.p_value
    return -SEVERITY.index(check.outcome), chance


def _columns(policy: Policy, checks: Sequence[Check], page: Page) -> List[_Column]:
    confidence = confidence_words(policy.confidence)
    gates = all(check.kind == "gate" for check in checks)
    described = [
        ("gate" if gates else "check", gate_words, False),
        ("slice", rows_chosen, False),
        ("value", _value, False),
        (f"{confidence} interval", _interval, False),
        ("baseline", _baseline, False),
        ("difference", difference, False),
        ("rule", _rule, False),
        ("rows", lambda c: "" if c.rows is None else count(c.rows), True),
        ("outcome", outcome_words, False),
    ]
    columns = [
        _filled(title, cell, checks, page, right) for title, cell, right in described
    ]
    return [column for column in columns if any(column.cells)]


def _filled(
    title: str,
    cell: Callable[[Check], str],
    checks: Sequence[Check],
    page: Page,
    right: bool,
) -> _Column:
    cells = [cell(check) for check in checks]
    blank = "—" if any(cells) and title != "slice" else ""
    return _Column(title, [page.spell(text or blank) for text in cells], right)


def _value(check: Check) -> str:
    return "" if check.value is None else figure(check.value, limits(check))


def _interval(check: Check) -> str:
    return interval(check) or "" if check.estimand == "value" else ""


def _baseline(check: Check) -> str:
    beside = check.baseline_value
    # A limit may be the baseline itself, to the last digit.
    return "" if beside is None else figure(beside)


def _rule(check: Check) -> str:
    return (check.rule or "").replace(">=", "≥").replace("<=", "≤")


def _table(checks: Sequence[Check], columns: Sequence[_Column]) -> List[Line]:
    titles = _GAP.join(column.aligned(column.title) for column in columns).rstrip()
    lines: List[Line] = [(Segment(titles, "dim"),)]
    for row, check in enumerate(checks):
        *before, last = (column.aligned(column.cells[row]) for column in columns)
        outcome = Segment(last.rstrip(), _style(check))
        lines.append((Segment(_GAP.join([*before, ""])), outcome))
    return lines


def _stacked(check: Check, page: Page, room: int) -> List[Line]:
    """A check on lines of its own, where the table would be too wide."""
    lead = Segment(outcome_words(check), _style(check))
    gap = " " * (room - len(lead.text)) + _GAP
    name = f"{gap}{gate_words(check)}{_selected(check)}"
    head = page.paragraph(name, lead=lead, indent=_GAP)
    figures = [
        " ".join(part for part in (_value(check), _interval(check)) if part),
        f"baseline {_baseline(check)}" if _baseline(check) else "",
        f"difference {difference(check)}" if difference(check) else "",
        f"rule {_rule(check)}" if check.rule else "",
        "" if check.rows is None else rows_words(check.rows),
    ]
    told = ", ".join(part for part in figures if part)
    return [*head, *page.paragraph(f"{_GAP}{told}", indent=_GAP)] if told else head


def _selected(check: Check) -> str:
    chosen = rows_chosen(check)
    return f" [{chosen}]" if chosen else ""


def _style(check: Check) -> str:
    return "warn" if check.waived else OUTCOME_STYLES[check.outcome]


def _has_reason(check: Check) -> bool:
    return check.outcome is not Outcome.PASS or bool(check.flags)


def _reasons(check: Check, page: Page) -> List[Line]:
    lead = Segment(f"{check.name}{_selected(check)}:", "bold")
    told = [reason_line(check)] if check.outcome is not Outcome.PASS else []
    if check.flags:
        told.append(f"* {flag_words(check)}")
    return [
        line
        for words in told
        for line in page.paragraph(f" {words}", lead=lead, indent=_GAP)
    ]
