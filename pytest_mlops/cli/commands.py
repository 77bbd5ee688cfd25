"""The commands, each with what it takes and what it calls."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Tuple

from pytest_mlops.cli import plan, profile, slices
from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.settings.options import OPTIONS

if TYPE_CHECKING:
    from pytest_mlops.workflow.extensions import Extensions


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: as it is typed.
        help: one line for ``--help``.
        declare: adds its arguments to a parser.
        run: from the parsed arguments to the exit code.
    """

    name: str
    help: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _declare_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default="mlops-demo", type=Path)


def _demo(arguments: argparse.Namespace) -> int:
    from pytest_mlops.workflow.demo import run_demo

    def say(line: str) -> None:
        print(line, flush=True)

    return run_demo(arguments.folder, say)


def _declare_verdict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verdict", type=Path, help="the verdict file")


def _verify(arguments: argparse.Namespace) -> int:
    from pytest_mlops.reporting.verdict_file import read_verdict, side_reader
    from pytest_mlops.workflow.stored import Stored
    from pytest_mlops.workflow.verifying import verify

    verdict, _ = read_verdict(arguments.verdict)
    metrics = _extensions().metrics
    stored = Stored(verdict, side_reader(arguments.verdict), metrics)
    found = verify(verdict, stored)
    for line in found.taken:
        print(f"believed: {line}")
    for line in found.differences:
        print(f"wrong: {line}")
    if found.differences:
        print(f"{arguments.verdict} does not hold.")
        return int(ExitCode.FAILED)
    count, every = found.recomputed or "none", len(verdict.checks)
    print(f"{arguments.verdict} holds: {count} of {every} checks recomputed.")
    return int(ExitCode.OK)


def _declare_judge(parser: argparse.ArgumentParser) -> None:
    _declare_verdict(parser)
    parser.add_argument("--gates", type=Path, required=True, metavar="TOML")
    parser.add_argument("--env", metavar="NAME", help="the environment to judge for")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the new verdict there"
    )


def _judge(arguments: argparse.Namespace) -> int:
    from pytest_mlops.reporting.page import text_of
    from pytest_mlops.reporting.table import render_run
    from pytest_mlops.reporting.verdict_file import (
        read_verdict,
        side_reader,
        write_verdict,
    )
    from pytest_mlops.workflow.preparing import read_rules
    from pytest_mlops.workflow.rejudging import judge_again
    from pytest_mlops.workflow.stored import Stored

    verdict, _ = read_verdict(arguments.verdict)
    metrics = _extensions().metrics
    side = side_reader(arguments.verdict)
    file = read_rules(arguments.gates, Path.cwd(), arguments.env, metrics)
    judged = judge_again(verdict, file, Stored(verdict, side, metrics), Path.cwd())
    for line in render_run(judged, width=_width(), unicode=_unicode()):
        print(text_of(line))
    if arguments.output is not None:
        names = judged.side_files
        write_verdict(judged.to_json(), arguments.output, {n: side(n) for n in names})
    return judged.exit_code


def _explain(arguments: argparse.Namespace) -> int:
    from pytest_mlops.reporting.explain import explain
    from pytest_mlops.reporting.verdict_file import read_verdict

    verdict, raw = read_verdict(arguments.verdict)
    print(explain(verdict, raw["evidence"]))
    return int(ExitCode.OK)


def _declare_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("config", "metrics", "schema"))
    parser.add_argument(
        "of", nargs="?", default="verdict", choices=("verdict",), help="of a schema"
    )
    for option in OPTIONS:
        parser.add_argument(*option.flags, help=option.help, **option.declaration)


def _show(arguments: argparse.Namespace) -> int:
    shown = {"config": _config, "metrics": _metrics, "schema": _schema}
    shown[arguments.what](arguments)
    return int(ExitCode.OK)


def _schema(_: argparse.Namespace) -> None:
    from pytest_mlops.reporting.schema import load_schema

    print(json.dumps(load_schema(), indent=2))


def _metrics(_: argparse.Namespace) -> None:
    from pytest_mlops.reporting.metrics import metrics_page

    registry = _extensions().metrics
    print(
        metrics_page(
            {name: (registry.owner(name), registry[name]) for name in registry}
        )
    )


def _config(arguments: argparse.Namespace) -> None:
    from pytest_mlops.core.redaction import redact
    from pytest_mlops.settings.effective import effective_settings

    typed = {option.name: getattr(arguments, option.dest) for option in OPTIONS}
    rows = [
        (setting.name, redact(setting.value or "-"), setting.origin)
        for setting in effective_settings(typed, os.environ, Path.cwd())
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, where in rows:
        print(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {where}")


def _extensions() -> Extensions:
    from pytest_mlops.workflow.extensions import collect_extensions, plugin_manager

    return collect_extensions(plugin_manager().hook)


def _width() -> int:
    return shutil.get_terminal_size().columns


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")


COMMANDS: Tuple[Command, ...] = (
    Command("demo", "all of it, in a folder, on real data", _declare_demo, _demo),
    Command(
        "verify",
        "recompute every check of a verdict from its evidence",
        _declare_verdict,
        _verify,
    ),
    Command("judge", "the stored evidence under other rules", _declare_judge, _judge),
    Command("plan", "how many labelled rows a decision takes", plan.declare, plan.run),
    Command("slices", "where the model is weakest", slices.declare, slices.run),
    Command("explain", "a verdict in plain words", _declare_verdict, _explain),
    Command(
        "profile",
        "how the columns of data are distributed, to measure drift from",
        profile.declare,
        profile.run,
    ),
    Command(
        "show",
        "the configuration and its origins, the metrics, or a schema",
        _declare_show,
        _show,
    ),
)
