"""``pytest-mlops``: parses what was typed and calls the workflow; decides nothing."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, NoReturn, Optional, Sequence

from pytest_mlops import __version__
from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.errors import (
    ConfigurationError,
    InstrumentError,
    MlopsError,
    VerdictError,
)

Command = Callable[[argparse.Namespace], int]


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command; gives the exit code.

    Mistakes come as one message on standard error: 4 for usage and configuration,
    12 for a broken instrument, 1 where a verdict refuses.
    """
    arguments = _parser().parse_args(argv)
    command: Command = arguments.command
    try:
        return _run(command, arguments)
    except MlopsError as error:
        print(_red(f"pytest-mlops: {error}"), file=sys.stderr)
        return _code(error)
    except KeyboardInterrupt:
        print("pytest-mlops: interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does; nobody knows what the
        # answer was, so it is not 0, but the code of a process that SIGPIPE ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13


def _run(command: Command, arguments: argparse.Namespace) -> int:
    verdict = getattr(arguments, "verdict", None)
    try:
        return command(arguments)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        if verdict is None:
            raise
        # A verdict whose form is right may still hold figures that no run writes.
        raise VerdictError(f"{verdict} is damaged: {error}") from error


def _parser() -> argparse.ArgumentParser:
    from pytest_mlops.cli import commands

    parser = _Parser(
        prog="pytest-mlops", description="The gate between a model and production."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands.COMMANDS:
        added = parsers.add_parser(command.name, help=command.help)
        command.declare(added)
        added.set_defaults(command=command.run)
    return parser


class _Parser(argparse.ArgumentParser):
    """argparse ends with 2, which is pytest's code for an interrupted run."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end as for every usage error."""
        self.print_usage(sys.stderr)
        self.exit(int(ExitCode.USAGE), f"{_red(f'pytest-mlops: {message}')}\n")


def _code(error: MlopsError) -> int:
    if isinstance(error, ConfigurationError):
        return int(ExitCode.USAGE)
    held = isinstance(error, InstrumentError)
    return int(ExitCode.HELD if held else ExitCode.FAILED)


def _red(text: str) -> str:
    return f"\033[31m{text}\033[0m" if sys.stderr.isatty() else text
