"""What GitHub Actions is told, and that telling it never fails a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Tuple

import pytest

from pytest_mlops.core.checks import Check
from pytest_mlops.core.outcomes import OnInconclusive, Outcome
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.github import SUMMARY_BYTES, summary_text, write_github

MakeCheck = Callable[..., Check]
MakeVerdict = Callable[..., Verdict]


@pytest.fixture
def environ(tmp_path: Path) -> Dict[str, str]:
    return {
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }


def output(environ: Dict[str, str]) -> str:
    return Path(environ["GITHUB_OUTPUT"]).read_text("utf-8")


def summary(environ: Dict[str, str]) -> str:
    return Path(environ["GITHUB_STEP_SUMMARY"]).read_text("utf-8")


def test_elsewhere_nothing_is_said(make_verdict: MakeVerdict) -> None:
    assert write_github(make_verdict(), {"GITHUB_ACTIONS": "true"}) == []


def test_outputs_are_appended_on_lines_of_their_own(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...], environ: Dict[str, str]
) -> None:
    Path(environ["GITHUB_OUTPUT"]).write_text("earlier=1")
    write_github(make_verdict(*mixed), environ)
    write_github(make_verdict(), {"GITHUB_OUTPUT": environ["GITHUB_OUTPUT"]})
    assert output(environ) == (
        "earlier=1\noutcome=fail\naction=block\noutcome=error\naction=hold\n"
    )


def test_the_summary_is_a_table_with_the_worst_first(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...], environ: Dict[str, str]
) -> None:
    write_github(make_verdict(*mixed), environ)
    head, _, table = summary(environ).partition("| | check")
    assert head == (
        "### pytest-mlops\n\n"
        "**BLOCK: 1 of 6 gates failed, 1 could not be measured, 1 is undecided, 1 is "
        "undecided (only warns), 1 is waived: this model must not be promoted.**\n\n"
        "production: decided by 95 % intervals, undecided holds · model `models:/m/7`"
        "\n\n"
    )
    assert table.splitlines()[2:] == [
        "| ❌ fail | cost | 1.25 |  | &lt;= 1.2 | 5,000 | missed by 0.05; waived by "
        "risk-team until 2026-12-15: relabelling until December |",
        "| ❌ fail | f1 | 0.7499999 | \\[0.72, 0.74999\\] | &gt;= 0.75 | 412 | missed "
        "by 1e-07 |",
        "| ⚠️ error | roc\\_auc |  |  | &gt;= 0.75 |  | could not be measured: the "
        "model has no probabilities |",
        "| ❔ inconclusive | recall | 0.71 | \\[0.66, 0.76\\] | &gt;= 0.75 | 412 | the "
        "interval reaches over the limit; about 1,900 rows would settle it |",
        "| ❔ inconclusive | precision |  |  | &gt;= 0.75 | 0 | has no value on 0 rows: "
        "no row is predicted 1; undecided only warns here |",
        "| ✅ pass | accuracy | 0.8712 | \\[0.861, 0.8808\\] | &gt;= 0.75 | 5,000 |  |",
    ]


def test_nothing_breaks_out_of_a_cell(
    make_verdict: MakeVerdict, make_check: MakeCheck
) -> None:
    check = make_check(
        "a|b`c`\n<img>",
        slice={"who": "x|y"},
        value=None,
        outcome=Outcome.ERROR,
        message="line\n| two | token=hunter2",
    )
    text = summary_text(make_verdict(check, subject=None), 10_000)
    row = text.splitlines()[-1]
    assert row.replace("\\|", "").count("|") == 8
    assert "<img>" not in text and "hunter2" not in text
    assert "model" not in text.splitlines()[4]


def test_a_summary_that_is_too_long_counts_what_it_leaves_out(
    make_verdict: MakeVerdict, make_check: MakeCheck, environ: Dict[str, str]
) -> None:
    many = [make_check(f"gate_{n}") for n in range(20_000)]
    failed = make_check("the_bad_one", outcome=Outcome.FAIL, value=0.1)
    earlier = "x" * 500_000
    Path(environ["GITHUB_STEP_SUMMARY"]).write_text(earlier)
    write_github(make_verdict(*many, failed), environ)
    size = Path(environ["GITHUB_STEP_SUMMARY"]).stat().st_size
    assert SUMMARY_BYTES - 500 < size <= SUMMARY_BYTES
    ours = summary(environ)[len(earlier) :]
    rows = ours.count("\n| ❌") + ours.count("\n| ✅")
    assert ours.index("the\\_bad\\_one") < ours.index("gate\\_0")
    assert ours.endswith(f"\n… and {20_001 - rows:,} more in the verdict.\n")


def test_a_full_summary_is_left_alone(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...], environ: Dict[str, str]
) -> None:
    Path(environ["GITHUB_STEP_SUMMARY"]).write_text("x" * SUMMARY_BYTES)
    write_github(make_verdict(*mixed), environ)
    assert summary(environ) == "x" * SUMMARY_BYTES


def test_annotations_are_errors_where_a_check_blocks_and_warnings_else(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...], environ: Dict[str, str]
) -> None:
    lines = write_github(make_verdict(*mixed), environ)
    assert [line.partition("::")[2].split(" ")[0] for line in lines] == [
        *["error"] * 3,
        *["warning"] * 2,
    ]
    assert lines[1] == (
        "::error file=gates/m.toml,title=f1%3A fail::f1 is 0.7499999 [0.72, 0.74999] "
        "on 412 rows; the rule is >= 0.75; missed by 1e-07"
    )


def test_annotations_are_escaped(
    make_verdict: MakeVerdict, make_check: MakeCheck, environ: Dict[str, str]
) -> None:
    check = make_check("a,b:c%\nd", metric=None, outcome=Outcome.FAIL)
    check = replace(check, message="100 %\r\n::set-output name=x::y")
    (line,) = write_github(make_verdict(check, gates_file=None), environ)
    assert line == (
        "::error title=a%2Cb%3Ac%25%0Ad%3A fail::" "100 %25%0D%0A::set-output name=x::y"
    )


def test_at_most_ten_annotations_of_a_level(
    make_verdict: MakeVerdict, make_check: MakeCheck, environ: Dict[str, str]
) -> None:
    bad = [make_check(f"f{n}", outcome=Outcome.FAIL) for n in range(12)]
    odd = [
        make_check(
            f"w{n}", outcome=Outcome.INCONCLUSIVE, on_inconclusive=OnInconclusive.WARN
        )
        for n in range(10)
    ]
    lines = write_github(make_verdict(*bad, *odd), environ)
    errors = [line for line in lines if line.startswith("::error")]
    assert len(errors) == 10
    assert errors[-1].endswith(
        "::3 more checks did not pass; the job summary lists them"
    )
    warnings = [line for line in lines if line.startswith("::warning")]
    assert len(warnings) == 10
    assert "w9" in warnings[-1]


def test_a_file_that_cannot_be_written_is_a_warning(
    make_verdict: MakeVerdict, mixed: Tuple[Check, ...], tmp_path: Path
) -> None:
    lines = write_github(make_verdict(*mixed), {"GITHUB_OUTPUT": str(tmp_path)})
    assert lines[0].startswith(
        "::warning title=pytest-mlops::the verdict could not be passed to GitHub "
        "Actions: [Errno 21] Is a directory"
    )
    assert len(lines) == 6


def test_a_summary_alone_is_enough(
    make_verdict: MakeVerdict, environ: Dict[str, str]
) -> None:
    del environ["GITHUB_OUTPUT"]
    assert write_github(make_verdict(), environ) == []
    assert summary(environ).startswith("### pytest-mlops")
