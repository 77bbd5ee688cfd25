"""Every command line option, declared once.

Loaded whenever pytest starts, so it imports next to nothing; what the options mean
together is in ``resolution``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence, Tuple


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: in ``show config`` and, with ``mlops_`` before it, in pytest's options.
        short: the flag that is registered where no other plugin has it, or None.
        metavar: what its value is called; None for a flag, which has no value.
        variable: the environment variable that stands in for it.
        help: one line for ``--help``.
    """

    name: str
    short: Optional[str]
    metavar: Optional[str]
    variable: str
    help: str

    @property
    def dest(self) -> str:
        """Its name among parsed options."""
        return f"mlops_{self.name}"

    @property
    def long(self) -> str:
        """The flag that is always there."""
        return f"--mlops-{self.name.replace('_', '-')}"

    @property
    def flags(self) -> Tuple[str, ...]:
        """Both flags, or the long one."""
        return (self.long,) if self.short is None else (self.short, self.long)

    @property
    def declaration(self) -> Dict[str, Any]:
        """What ``add_argument`` takes beside flags and help."""
        if self.metavar is None:
            return {"dest": self.dest, "action": "store_const", "const": "true"}
        return {"dest": self.dest, "metavar": self.metavar}


OPTIONS: Tuple[Option, ...] = (
    Option(
        "model_uri",
        "--model-uri",
        "URI",
        "MLOPS_MODEL_URI",
        "the model to judge, such as models:/NAME@candidate",
    ),
    Option(
        "baseline_uri",
        "--baseline-uri",
        "URI",
        "MLOPS_BASELINE_URI",
        "the model to compare with; overrides 'baseline' of the gates file",
    ),
    Option(
        "gates",
        "--gates",
        "NAME",
        "MLOPS_GATES",
        "the gates file to judge by: NAME of gates/NAME.toml",
    ),
    Option(
        "env",
        "--env",
        "NAME",
        "MLOPS_ENV",
        "the environment to judge for: its section of the gates file applies",
    ),
    Option(
        "data",
        "--data",
        "URI",
        "MLOPS_DATA",
        "the labelled data; overrides 'uri' of [data]; write --data=FILE",
    ),
    Option(
        "reference",
        "--reference",
        "URI",
        "MLOPS_REFERENCE",
        "the data, or a profile (*.json), that drift is measured from",
    ),
    Option(
        "verdict",
        "--verdict",
        "FILE",
        "MLOPS_VERDICT",
        "write the verdict there, as JSON; write --verdict=FILE",
    ),
    Option(
        "config",
        None,
        "FILE",
        "MLOPS_CONFIG",
        "a TOML file that takes the place of [tool.pytest_mlops]",
    ),
    Option(
        "tracking_uri",
        "--tracking-uri",
        "URI",
        "MLFLOW_TRACKING_URI",
        "the model registry; overrides 'tracking_uri' of the project",
    ),
    Option(
        "no_evidence_cache",
        "--no-evidence-cache",
        None,
        "MLOPS_NO_EVIDENCE_CACHE",
        "run the model even if its evidence on this data is there already; keep none",
    ),
)


def space_separated(args: Sequence[str]) -> Tuple[str, ...]:
    """The words of a command whose options are followed by a blank, corrected.

    pytest takes the word after a blank for a test path, and moves its rootdir when
    that path exists elsewhere; after ``=`` it does not.

    Args:
        args: the words as they were typed.

    Returns:
        the words with ``--data=x`` for ``--data x``; empty where nothing is wrong.
    """
    valued = [option for option in OPTIONS if option.metavar is not None]
    flags: Dict[str, None] = {flag: None for o in valued for flag in o.flags}
    corrected = []
    words = iter(args)
    for word in words:
        if word == "--":
            corrected += [word, *words]
        elif word in flags:
            value = next(words, None)
            corrected.append(word if value is None else f"{word}={value}")
        else:
            corrected.append(word)
    return () if corrected == list(args) else tuple(corrected)
