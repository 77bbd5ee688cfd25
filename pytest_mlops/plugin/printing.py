"""Prints what reporting has worded; decides nothing."""

from __future__ import annotations

import os
from typing import Any, Dict, List

from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.conclusion import ACTION_STYLES
from pytest_mlops.reporting.github import write_github
from pytest_mlops.reporting.table import render_run

_MARKUP: Dict[str, Dict[str, bool]] = {
    "good": {"green": True},
    "bad": {"red": True},
    "warn": {"yellow": True},
    "dim": {"light": True},
    "bold": {"bold": True},
    "plain": {},
}


def summary(reporter: Any, verdict: Verdict) -> None:
    """The verdict, as a section of pytest's summary."""
    writer = reporter._tw
    reporter.section("pytest-mlops")
    unicode = _shows_unicode(writer)
    for line in render_run(verdict, width=writer.fullwidth, unicode=unicode):
        for segment in line:
            writer.write(segment.text, **_MARKUP[segment.style])
        writer.line()


def last_line(reporter: Any, text: str, verdict: Verdict) -> None:
    """The run's last line, in the colour of what is to be done."""
    reporter.write_line(text, **_MARKUP[ACTION_STYLES[verdict.action]])


def plain_lines(reporter: Any, lines: List[str]) -> None:
    """Lines as they are: annotations, and what went wrong at the very end."""
    for line in lines:
        reporter.write_line(line)


def tell_github(verdict: Verdict) -> List[str]:
    """Write what GitHub Actions reads, where that runs us; gives annotations."""
    return write_github(verdict, os.environ)


def _shows_unicode(writer: Any) -> bool:
    encoding = getattr(writer._file, "encoding", None) or "ascii"
    try:
        "→≥…".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
