"""``pytest-mlops plan``: what it prints, and what it refuses."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from pytest_mlops.cli import main


def planned(capsys, *options):
    """The answer as JSON."""
    assert main(["plan", *options, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_answer_and_the_operating_curve(capsys):
    code = main(["plan", "--rule", "f1 >= 0.80", "--expect", "0.84"])
    out = capsys.readouterr().out
    assert code == 0
    assert "takes 695 rows in tp + fp + fn (how many in all: say --prevalence)" in out
    assert "to pass with a chance of 90 % if the f1 is truly 0.84" in out
    assert "if it is 0.84" in out and "if it is 0.8 " in out and "if it is 0.76" in out
    [line] = [line for line in out.splitlines() if line.lstrip().startswith("695 ")]
    assert line.split()[1:4] == ["90.9%", "9.1%", "0.0%"]
    assert "exact binomial, of Wilson's interval of tp / (tp + fp + fn)" in out


def test_the_prevalence_gives_rows_in_all(capsys):
    main(["plan", "--rule", "recall >= 80%", "--expect", "0.84", "--prevalence", "0.3"])
    out = capsys.readouterr().out
    assert "1,005 positive rows (about 3,350 rows in all)" in out
    assert "  in all  " in out


def test_json_has_all_of_it(capsys):
    found = planned(
        capsys, "--rule", "accuracy >= 0.8", "--expect", "0.84", "--margin", "0.02"
    )
    assert (found["rows"], found["rows_in_all"]) == (472, 472)
    assert found["margin"] == 0.02
    curve = found["curve"]
    assert [one["truth"] for one in curve["if"]] == [0.84, 0.8, pytest.approx(0.78)]
    at = curve["rows"].index(472)
    assert curve["if"][0]["pass"][at] >= 0.9
    for one in curve["if"]:
        for parts in zip(one["pass"], one["undecided"], one["fail"]):
            assert sum(parts) == pytest.approx(1)


def test_more_certainty_takes_more_rows(capsys):
    options = ("--rule", "recall >= 0.8", "--expect", "0.84")
    rows = [
        planned(capsys, *options, *more)["rows"]
        for more in (
            ("--margin", "0.02"),
            ("--power", "0.8"),
            (),
            ("--power", "0.95"),
            ("--power", "0.95", "--confidence", "0.99"),
        )
    ]
    assert rows == sorted(rows) and len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("options", "rows", "method"),
    [
        (("mae <= 3", "2.5", "--spread", "4"), 673, "of the mean"),
        (("bias >= -1", "0", "--spread", "4"), 169, "of the mean"),
        (("rmse <= 3", "2.5"), 159, "on the log scale"),
        (("rmse <= 3", "2.5", "--spread", "20"), 810, "on the log scale"),
        (("roc_auc >= 0.85", "0.9", "--prevalence", "0.1"), 2640, "logit scale"),
        (
            ("accuracy >= baseline - 0.01", "0", "--disagreement", "0.05"),
            5254,
            "paired difference",
        ),
        (
            ("mae <= baseline + 0.1", "0", "--spread", "1"),
            1051,
            "paired difference",
        ),
        (
            ("recall >= baseline", "0.02", "--disagreement", "0.05"),
            1303,
            "paired difference",
        ),
    ],
)
def test_other_metrics_by_normal_approximations(capsys, options, rows, method):
    rule, expected, *more = options
    found = planned(capsys, "--rule", rule, "--expect", expected, *more)
    assert found["rows"] == rows
    assert found["method"].startswith("normal approximation")
    assert found["method"].endswith(method) or method in found["method"]


def test_what_is_taken_for_granted_is_said(capsys):
    rule = "f1 >= baseline - 0.01"
    options = ("--rule", rule, "--expect", "0", "--disagreement", "0.05")
    assert len(planned(capsys, *options)["assumed"]) == 3
    more = ("--prevalence", "0.3", "--baseline", "0.8")
    assert len(planned(capsys, *options, *more)["assumed"]) == 1


def test_the_picture_is_an_svg(capsys, tmp_path):
    path = tmp_path / "plan.svg"
    options = ["--rule", "recall > 0.8", "--expect", "0.84", "--margin", "0.02"]
    assert main(["plan", *options, "--plot", str(path)]) == 0
    picture = path.read_text("utf-8")
    texts = html.unescape(re.sub(r"<[^>]*>", "\n", picture)).splitlines()
    assert "recall > 0.8" in texts and "if it is truly 0.78" in texts
    assert picture.count("<polygon ") == 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("f1 >= 0.80", "0.79"),
            "no number of rows makes 'f1 >= 0.80' pass with a chance of 90 %: 0.79 is "
            "not above the limit 0.8",
        ),
        (("f1 >= 0.80", "0.80"), "0.8 is not above the limit 0.8"),
        (("mae <= 3", "3.5", "--spread", "1"), "3.5 is not below the limit 3"),
        (("f1 >= 0.8", "0.80001"), "it takes more than 100,000,000"),
        (("f1 >= 0.8", "84"), "the expected value, 84, is no f1 that can be planned"),
        (("f1 >= 80", "84"), "the limit of the rule, 80, is no f1"),
        (("f1 >= 0.8", "0.9", "--margin", "0.9"), "the limit less the margin"),
        (("recal >= 0.8", "0.9"), "no plan for 'recal'. Did you mean 'recall'?"),
        (("roc_auc >= baseline", "0.1"), "no plan for a difference of 'roc_auc'"),
        (("mae <= 3", "2"), "add --spread SD"),
        (("recall >= baseline", "0.1"), "add --disagreement 0.05"),
        (
            ("recall >= baseline", "0.1", "--disagreement", "0.05"),
            "--disagreement has to be more",
        ),
        (("recall in [0.8, 0.9]", "0.85"), "as in 'recall >= 0.80'"),
        (("recall >= 0.9 * baseline", "0.1"), "no multiple of it"),
        (("recall", "0.8"), "--rule must look like 'f1 >= 0.80', got 'recall'"),
        (("recall >= x", "0.8"), "'rule' must look like"),
        (("recall >= 0.7", "0.8", "--plot", "p.png"), "write --plot p.svg"),
        (("recall >= 0.7", "0.8", "--plot", "no/such/p.svg"), "cannot be written"),
    ],
)
def test_what_cannot_be_planned_is_a_line_and_exit_4(capsys, options, message):
    rule, expected, *more = options
    assert main(["plan", "--rule", rule, "--expect", expected, *more]) == 4
    err = capsys.readouterr().err
    assert err.startswith("pytest-mlops: plan: ") and err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--power", "1.2", "'1.2' is no number between 0 and 1"),
        ("--spread", "-1", "'-1' is no number above 0"),
        ("--margin", "x", "'x' is no number above 0"),
        ("--expect", "nan", "'nan' is no number"),
    ],
)
def test_a_figure_that_is_none_is_exit_4(capsys, option, value, message):
    with pytest.raises(SystemExit) as ended:
        main(["plan", "--rule", "f1 >= 0.8", "--expect", "0.9", f"{option}={value}"])
    assert ended.value.code == 4
    assert message in capsys.readouterr().err


def test_the_page_shows_what_is_printed(capsys):
    page = (Path(__file__).parents[2] / "docs/plan.md").read_text(encoding="utf-8")
    main("plan --expect 0.84 --prevalence 0.3 --rule".split() + ["f1 >= 0.80"])
    printed = iter(capsys.readouterr().out.splitlines())
    sample = page.partition("```text\n")[2].partition("```")[0].splitlines()
    assert len(sample) > 8
    for line in sample:
        # Each is looked for below the one before it; "…" stands for what is left out.
        assert line == "…" or line in printed, f"this is not printed: {line}"
