"""``pytest-mlops plan``: from what was typed to a question, and its answer printed."""

from __future__ import annotations

import argparse
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Tuple

from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.core.rules import Operator, Rule, parse_rule
from pytest_mlops.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_mlops.evidence.planning import Plan, Question

_RULE = re.compile(r"\s*(?P<metric>[A-Za-z_]\w*)\s*(?P<rule>\W.*|in\b.*)")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    share, amount = _number(0, 1), _number(0, math.inf)
    parser.add_argument(
        "--rule", required=True, help="a metric and its rule, such as 'f1 >= 0.80'"
    )
    parser.add_argument(
        "--expect",
        required=True,
        type=_number(-math.inf, math.inf),
        metavar="VALUE",
        help="what the metric will truly be; against a baseline, the true difference",
    )
    for flag, kind, default, text in (
        ("--power", share, 0.9, "the chance to pass that is wanted"),
        ("--confidence", _number(0.5, 1), 0.95, "of the interval"),
        ("--margin", amount, None, "the indifference zone of the gate"),
        ("--prevalence", share, None, "the share of positive rows"),
        ("--spread", amount, None, "of a mean: the standard deviation between rows"),
        ("--disagreement", share, None, "how often candidate and baseline differ"),
        ("--baseline", share, None, "the baseline's f1, for a difference of f1"),
    ):
        shown = "" if default is None else f"; {default} by default"
        parser.add_argument(
            flag, type=kind, default=default, metavar="NUMBER", help=text + shown
        )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw it, too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Answer, print and draw."""
    from pytest_mlops.evidence.planning import plan
    from pytest_mlops.reporting.planning import plan_json, plan_page

    try:
        found = plan(_question(arguments))
    except ValueError as error:
        raise _mistake(str(error)) from error
    if arguments.plot is not None:
        _draw(found, arguments.plot)
    print(
        json.dumps(plan_json(found), indent=2) if arguments.json else plan_page(found)
    )
    return int(ExitCode.OK)


def _question(arguments: argparse.Namespace) -> Question:
    from pytest_mlops.evidence.chances import Terms
    from pytest_mlops.evidence.designs import Circumstances
    from pytest_mlops.evidence.planning import Question

    metric, rule = _split(arguments.rule)
    return Question(
        metric=metric,
        rule=rule.text,
        terms=Terms(
            limit=rule.bound.offset,
            rising=rule.operator in (Operator.AT_LEAST, Operator.ABOVE),
            confidence=arguments.confidence,
            margin=arguments.margin or 0.0,
            strict=rule.operator in (Operator.ABOVE, Operator.BELOW),
        ),
        known=Circumstances(
            expected=arguments.expect,
            prevalence=arguments.prevalence,
            spread=arguments.spread,
            disagreement=arguments.disagreement,
            level=arguments.baseline,
        ),
        power=arguments.power,
        paired=rule.needs_baseline,
    )


def _split(text: str) -> Tuple[str, Rule]:
    """``f1 >= 0.80`` as a metric's name and a rule with one limit."""
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError(f"--rule must look like 'f1 >= 0.80', got '{text}'")
    rule = parse_rule(match["rule"])
    if rule.operator is Operator.BETWEEN:
        raise ValueError(
            "a plan is about one limit: give the nearer one of the two, as in "
            f"'{match['metric']} >= 0.80'"
        )
    if rule.bound.factor not in (0.0, 1.0):
        raise ValueError(
            "a plan knows 'baseline', 'baseline - 0.01' and 'baseline + 0.01', no "
            f"multiple of it: '{rule}'"
        )
    return match["metric"], rule


def _number(low: float, high: float) -> Callable[[str], float]:
    """Reads a number that lies between two others."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low < value < high:
            between = "" if high == math.inf else f" between {low:g} and {high:g}"
            above = " above 0" if (low, high) == (0, math.inf) else between
            raise argparse.ArgumentTypeError(f"'{text}' is no number{above}")
        return value

    return read


def _draw(found: Plan, path: Path) -> None:
    from pytest_mlops.reporting.planning_plot import plan_picture

    if path.suffix.lower() != ".svg":
        raise _mistake(
            f"the picture is an SVG: write --plot {path.with_suffix('.svg')}"
        )
    try:
        path.write_text(plan_picture(found), encoding="utf-8")
    except OSError as error:
        raise _mistake(f"{path} cannot be written: {error.strerror}") from error


def _mistake(message: str) -> ConfigurationError:
    return ConfigurationError.one(message, source="plan")
