"""``pytest-mlops profile``: what it takes, and what it calls."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.settings.options import OPTIONS

#: The options of a run that say what is profiled.
_TAKEN = ("data", "model_uri", "gates", "env", "config", "tracking_uri")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    for option in OPTIONS:
        if option.name in _TAKEN:
            parser.add_argument(
                *option.flags,
                dest=option.dest,
                metavar=option.metavar,
                help=option.help,
            )
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

    typed = {option.name: getattr(arguments, option.dest, None) for option in OPTIONS}
    extensions = collect_extensions(plugin_manager().hook)
    found, subject = take_profile(typed, os.environ, Path.cwd(), extensions)
    write_profile(found, subject, arguments.output)
    columns = len(found.table.columns)
    print(f"{arguments.output}: {found.table.rows} rows, {columns} columns")
    for name, reason in found.unmeasured.items():
        print(f"without {name}: {reason}")
    return int(ExitCode.OK)
