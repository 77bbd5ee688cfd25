"""Which rows decided a check: counted from the table of labels, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.checks import Check
from pytest_mlops.core.outcomes import Outcome
from pytest_mlops.core.rows import Label
from pytest_mlops.core.rules import Operator, Rule, parse_rule
from pytest_mlops.evidence.names import PAIRED, TableName
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.counts import LabelCounts
from pytest_mlops.evidence.tables.pairs import LabelPairs
from pytest_mlops.reporting.figures import count, rows_words

#: How many kinds of mistakes are named.
_NAMED = 3


@dataclass(frozen=True)
class Mistakes:
    """Rows that a metric counts against the model.

    Attributes:
        rows: the rows of the metric's denominator.
        wrong: how many of them count against it.
        whole: what the denominator is, in words.
        verdict: what is wrong with the wrong ones, in words.
        repaired: from a number of mistakes that had not been made to the value.
    """

    rows: int
    wrong: int
    whole: str
    verdict: str
    repaired: Callable[[int], float]


def deciding_rows(
    check: Check, counts: LabelCounts, positive: Optional[Label]
) -> Optional[str]:
    """``of 53 rows labelled 1, 9 were predicted 0; …``; None where it cannot be told.

    Args:
        check: of accuracy, recall or precision; others count rows in other ways.
        counts: the candidate's table.
        positive: the label that recall and precision are about.
    """
    if check.selection or check.slice or check.outcome is Outcome.PASS:
        return None
    found = _mistakes(check, counts, positive)
    if found is None or not found.rows:
        return None
    told = f"of {found.whole}, {found.verdict}"
    # Rows of different weights are not alike: no number of them says it.
    enough = None if counts.weights is not None else _enough(check, found)
    return f"{told}; {enough}" if enough else told


def label_counts(record: Mapping[str, Any]) -> Optional[LabelCounts]:
    """The candidate's table of labels in a record of evidence; None without one."""
    try:
        tables = record["tables"]
        pairs = tables.get(str(TableName(LABELS.name, PAIRED)))
        counts = (
            LabelCounts.from_json(tables[LABELS.name])
            if pairs is None
            else LabelPairs.from_json(pairs).candidate
        )
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None
    cells = (*counts.true.tolist(), *counts.predicted.tolist())
    return counts if all(0 <= at < len(counts.labels) for at in cells) else None


def _mistakes(
    check: Check, counts: LabelCounts, positive: Optional[Label]
) -> Optional[Mistakes]:
    if check.metric == "accuracy":
        return _of_accuracy(counts)
    binary = check.options.get("average") in (None, "binary")
    index = counts.index(positive)
    if not binary or index is None:
        return None
    if check.metric == "recall":
        return _of_recall(counts, index)
    return _of_precision(counts, index) if check.metric == "precision" else None


def _of_accuracy(counts: LabelCounts) -> Mistakes:
    total = counts.total_rows
    pairs = _cells(counts, lambda true, predicted: true != predicted)
    wrong = sum(rows for _, _, rows in pairs)
    verdict = f"{count(wrong)} {_were(wrong)} predicted wrongly"
    if pairs:
        named = [f"{t} as {p} ({count(rows)})" for t, p, rows in pairs[:_NAMED]]
        verdict += f", most often {', '.join(named)}"
    return Mistakes(
        total, wrong, rows_words(total), verdict, lambda k: (total - wrong + k) / total
    )


def _of_recall(counts: LabelCounts, index: int) -> Mistakes:
    label = counts.labels[index]
    whole = int(counts.row_margins.true[index])
    pairs = _cells(counts, lambda t, p: t == index and p != index)
    wrong = sum(rows for _, _, rows in pairs)
    others = [(predicted, rows) for _, predicted, rows in pairs]
    return Mistakes(
        whole,
        wrong,
        f"{rows_words(whole)} labelled {label}",
        f"{count(wrong)} {_were(wrong)} predicted {_others(others)}",
        lambda k: (whole - wrong + k) / whole,
    )


def _of_precision(counts: LabelCounts, index: int) -> Mistakes:
    label = counts.labels[index]
    whole = int(counts.row_margins.predicted[index])
    pairs = _cells(counts, lambda t, p: t != index and p == index)
    wrong = sum(rows for _, _, rows in pairs)
    others = [(true, rows) for true, _, rows in pairs]
    right = whole - wrong
    # A repaired one is no longer predicted positive: it leaves the denominator.
    return Mistakes(
        whole,
        wrong,
        f"{rows_words(whole)} predicted {label}",
        f"{count(wrong)} {_were(wrong)} labelled {_others(others)}",
        lambda k: right / (whole - k) if whole > k else 0.0,
    )


def _cells(
    counts: LabelCounts, wanted: Callable[[int, int], bool]
) -> List[Tuple[Label, Label, int]]:
    """True label, predicted label and rows of some cells, the largest first."""
    triples = zip(counts.true.tolist(), counts.predicted.tolist(), counts.rows.tolist())
    found = [
        (counts.labels[true], counts.labels[predicted], rows)
        for true, predicted, rows in triples
        if wanted(true, predicted) and rows
    ]
    return sorted(found, key=lambda cell: -cell[2])


def _others(found: Sequence[Tuple[Label, int]]) -> str:
    if len(found) <= 1:
        return str(found[0][0]) if found else "otherwise"
    named = [f"{label} ({count(rows)})" for label, rows in found[:_NAMED]]
    more = len(found) - len(named)
    return "otherwise: " + ", ".join(named) + (f" and {more} more" if more else "")


def _enough(check: Check, found: Mistakes) -> Optional[str]:
    """How many mistakes less would have kept the rule, if the value breaks it."""
    rule = _rising(check)
    if rule is None or rule.keeps(found.repaired(0), check.baseline_value):
        return None
    if not rule.keeps(found.repaired(found.wrong), check.baseline_value):
        return None
    fewest = _fewest(
        found.wrong, lambda k: rule.keeps(found.repaired(k), check.baseline_value)
    )
    return (
        f"{count(fewest)} more of them right would have brought the value to the rule"
    )


def _rising(check: Check) -> Optional[Rule]:
    if not check.rule or check.threshold is None:
        return None
    try:
        rule = parse_rule(check.rule)
    except ValueError:
        return None
    return rule if rule.operator in (Operator.AT_LEAST, Operator.ABOVE) else None


def _fewest(most: int, keeps: Callable[[int], bool]) -> int:
    """The least number that keeps; *most* does, and more never hurt."""
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return high


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
