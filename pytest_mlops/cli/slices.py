"""``pytest-mlops slices``: finds where a model is weakest; it judges nothing."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlops.cli.run_options import declare_run_options, typed_options
from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_mlops.workflow.extensions import Extensions
    from pytest_mlops.workflow.judging import Assignment


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    declare_run_options(parser)
    parser.add_argument(
        "--metric", help="recall by default; accuracy without a positive label; or mae"
    )
    parser.add_argument(
        "--by", metavar="COLUMN,…", help="look into these columns only", default=""
    )
    parser.add_argument(
        "--worst", type=_whole, default=10, metavar="N", help="show so many; 10"
    )
    parser.add_argument(
        "--min-rows",
        type=_whole,
        default=50,
        metavar="N",
        help="slices with so many rows in the metric's denominator; 50",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Find and print."""
    from pytest_mlops.reporting.weak_slices import weakness_json, weakness_page
    from pytest_mlops.workflow.extensions import collect_extensions, plugin_manager
    from pytest_mlops.workflow.weakness import Wish, find_weakness

    extensions = collect_extensions(plugin_manager().hook)
    wish = Wish(
        metric=arguments.metric,
        columns=tuple(name for name in arguments.by.split(",") if name),
        min_rows=arguments.min_rows,
    )
    found = find_weakness(_assignment(arguments, extensions), extensions, wish)
    if arguments.json:
        print(json.dumps(weakness_json(found, arguments.worst), indent=2))
    else:
        print(weakness_page(found, arguments.worst))
    return int(ExitCode.OK)


def _assignment(arguments: argparse.Namespace, extensions: Extensions) -> Assignment:
    """What a run of the gates would judge, chosen in the same way."""
    from pytest_mlops.settings.project import find_root
    from pytest_mlops.workflow.preparing import Request, prepare

    typed = typed_options(arguments)
    request = Request(
        typed=typed,
        environ=os.environ,
        root=find_root(Path.cwd()),
        directory=Path.cwd(),
        asked=True,
        writes=False,
    )
    assignment = prepare(request, extensions).assignment
    if assignment is None:
        raise ConfigurationError.one("there is no gates file", source="slices")
    return assignment


def _whole(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of 1 or more")
    return int(text)
