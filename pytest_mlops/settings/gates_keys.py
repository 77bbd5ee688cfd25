"""Every key of a gates file, declared once: name, type, default, help."""

from __future__ import annotations

from datetime import date
from typing import Any, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import Task
from pytest_mlops.core.outcomes import Decide, OnInconclusive, OnMissingBaseline
from pytest_mlops.core.rows import Label
from pytest_mlops.settings.kinds import (
    BOOLEAN,
    COUNT,
    DATE,
    EDGES,
    LABEL,
    RULE,
    TABLE,
    TABLES,
    TEXT,
    TEXTS,
    choice,
    number,
)
from pytest_mlops.settings.reader import Key, Section

Keys = Tuple[Key[Any], ...]
Table = Mapping[str, object]

MODEL: Key[str] = Key(
    "model", TEXT, "", "the registered model that this file judges", required=True
)
TASK: Key[Task] = Key(
    "task",
    choice(Task),
    Task.CLASSIFICATION,
    "'classification' or 'regression'",
    required=True,
)
BASELINE: Key[Optional[str]] = Key(
    "baseline", TEXT, None, "the model that rules may compare with"
)
ON_MISSING_BASELINE: Key[OnMissingBaseline] = Key(
    "on_missing_baseline",
    choice(OnMissingBaseline),
    OnMissingBaseline.FAIL,
    "what rules against a baseline do while it does not exist",
)
DATA: Key[Table] = Key("data", TABLE, {}, "the labelled rows")
GATES: Key[Table] = Key("gates", TABLE, {}, "the rules, a gate each")
DRIFT: Key[Table] = Key("drift", TABLE, {}, "the rules about drift")
ENVIRONMENTS: Key[Table] = Key(
    "environments", TABLE, {}, "what differs in an environment"
)
WAIVERS: Key[Sequence[Table]] = Key(
    "waivers", TABLES, (), "failures that somebody answers for"
)

DECIDE: Key[Decide] = Key(
    "decide", choice(Decide), Policy.decide, "hold rules against value or interval"
)
CONFIDENCE: Key[float] = Key(
    "confidence",
    number("a number between 0.5 and 1, such as 0.95", lambda x: 0.5 < x < 1),
    Policy.confidence,
    "of the two-sided interval",
)
ON_INCONCLUSIVE: Key[OnInconclusive] = Key(
    "on_inconclusive",
    choice(OnInconclusive),
    Policy.on_inconclusive,
    "what an undecided check does",
)
MARGIN: Key[float] = Key(
    "margin",
    number("a number of at least 0", lambda x: x >= 0),
    Policy.margin,
    "the indifference zone below the rule, in the metric's unit",
)
ENFORCE: Key[bool] = Key(
    "enforce", BOOLEAN, Policy.enforce, "false judges and blocks nothing"
)

URI: Key[str] = Key(
    "uri", TEXT, "", "a data file or 'package.module:function'", required=True
)
TARGET: Key[str] = Key("target", TEXT, "", "the column of the truth", required=True)
REFERENCE: Key[Optional[str]] = Key(
    "reference", TEXT, None, "the data, or their profile, that drift is measured from"
)
POSITIVE: Key[Optional[Label]] = Key(
    "positive", LABEL, None, "the label that precision and recall are about"
)
WEIGHT: Key[Optional[str]] = Key("weight", TEXT, None, "the column of row weights")
GROUP: Key[Optional[str]] = Key(
    "group", TEXT, None, "the column whose equal values mark rows that belong together"
)
PREDICTION: Key[Optional[str]] = Key(
    "prediction", TEXT, None, "the column of ready predictions"
)
SCORE: Key[Optional[str]] = Key(
    "score", TEXT, None, "the column of the positive label's probability"
)

METRIC: Key[Optional[str]] = Key(
    "metric", TEXT, None, "what is measured; the gate's name by default"
)
RULE_TEXT: Key[str] = Key(
    "rule", RULE, "", "what the value must keep, such as '>= 0.85'", required=True
)
AVERAGE: Key[Optional[str]] = Key("average", TEXT, None, "how classes are averaged")
BETA: Key[Optional[float]] = Key(
    "beta",
    number("a number above 0", lambda x: x > 0),
    None,
    "how much more recall counts than precision",
)
BY: Key[Tuple[str, ...]] = Key(
    "by", TEXTS, (), "columns whose values make slices, each held against the rule"
)
BINS: Key[Mapping[str, Tuple[float, ...]]] = Key(
    "bins", EDGES, {}, "where columns of numbers in 'by' are cut"
)
WHERE: Key[Optional[str]] = Key(
    "where", TEXT, None, "the rows that count, such as 'age >= 65'"
)
MIN_ROWS: Key[int] = Key(
    "min_rows", COUNT, 0, "a slice with fewer rows of the metric's own decides nothing"
)

CHECK: Key[str] = Key("check", TEXT, "", "the gate that is waived", required=True)
SLICE: Key[Table] = Key("slice", TABLE, {}, "the column values of a slice")
REASON: Key[str] = Key("reason", TEXT, "", "why it is let through", required=True)
OWNER: Key[str] = Key("owner", TEXT, "", "who answers for it", required=True)
EXPIRES: Key[date] = Key(
    "expires", DATE, date.max, "the last day that it holds", required=True
)

POLICY_KEYS: Keys = (DECIDE, CONFIDENCE, ON_INCONCLUSIVE, MARGIN, ENFORCE)
FILE_KEYS: Keys = (
    MODEL,
    TASK,
    BASELINE,
    ON_MISSING_BASELINE,
    *POLICY_KEYS,
    DATA,
    GATES,
    DRIFT,
    ENVIRONMENTS,
    WAIVERS,
)
DATA_KEYS: Keys = (
    URI,
    REFERENCE,
    TARGET,
    POSITIVE,
    WEIGHT,
    GROUP,
    PREDICTION,
    SCORE,
)
GATE_KEYS: Keys = (
    METRIC,
    RULE_TEXT,
    AVERAGE,
    BETA,
    WHERE,
    BY,
    BINS,
    MIN_ROWS,
    MARGIN,
    ON_INCONCLUSIVE,
)
ENVIRONMENT_KEYS: Keys = (*POLICY_KEYS, GATES, DRIFT)
WAIVER_KEYS: Keys = (CHECK, SLICE, REASON, OWNER, EXPIRES)


def read_policy(section: Section, base: Policy) -> Policy:
    """The policy that a table states, on top of *base*."""
    return Policy(
        decide=section.get(DECIDE, base.decide),
        confidence=section.get(CONFIDENCE, base.confidence),
        on_inconclusive=section.get(ON_INCONCLUSIVE, base.on_inconclusive),
        margin=section.get(MARGIN, base.margin),
        enforce=section.get(ENFORCE, base.enforce),
    )
