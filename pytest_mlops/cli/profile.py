"""``pytest-mlops profile``: what it takes, and what it calls."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_mlops.cli.run_options import declare_run_options, typed_options
from pytest_mlops.core.outcomes import ExitCode


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    declare_run_options(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("pytest_mlops_profile.json"),
        help="write the profile there; pytest_mlops_profile.json by default",
    )


def run(arguments: argparse.Namespace) -> int:
    """Profile the data, and write the file."""
    from pytest_mlops.workflow.extensions import collect_extensions, plugin_manager
    from pytest_mlops.workflow.profiles import write_profile
    from pytest_mlops.workflow.taking_profile import take_profile

    typed = typed_options(arguments)
    extensions = collect_extensions(plugin_manager().hook)
    found, subject = take_profile(typed, os.environ, Path.cwd(), extensions)
    write_profile(found, subject, arguments.output)
    columns = len(found.table.columns)
    print(f"{arguments.output}: {found.table.rows} rows, {columns} columns")
    for name, reason in found.unmeasured.items():
        print(f"without {name}: {reason}")
    return int(ExitCode.OK)
