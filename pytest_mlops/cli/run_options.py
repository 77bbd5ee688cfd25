"""The options of a pytest run that commands which measure take, too."""

from __future__ import annotations

import argparse
from typing import Dict, Optional

from pytest_mlops.settings.options import OPTIONS

_TAKEN = ("model_uri", "gates", "env", "data", "config", "tracking_uri")


def declare_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is measured."""
    for option in OPTIONS:
        if option.name in _TAKEN:
            parser.add_argument(*option.flags, help=option.help, **option.declaration)


def typed_options(arguments: argparse.Namespace) -> Dict[str, Optional[str]]:
    """What was typed, by the options' names; None where nothing was."""
    return {option.name: getattr(arguments, option.dest, None) for option in OPTIONS}
