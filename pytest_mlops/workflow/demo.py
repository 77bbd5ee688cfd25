"""The demo: train a good and a weak model in a folder and have both judged there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, Dict, List, Sequence

from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.errors import ConfigurationError, MissingLibraryError, Problem

Say = Callable[[str], None]

_FILES = Path(__file__).with_name("demo_files")
#: What is copied into the folder, for the reader to read and to change.
_TEMPLATES = (
    "train.py",
    "pyproject.toml",
    "gates/classifier_model.toml",
    "gates/test_misses.py",
)
#: What the demo's commands write.
_OUTPUTS = ("mlflow.db", "data/validation.parquet", "good.json", "weak.json")
#: What train.py imports, and what that needs for a registry in a SQLite file.
_LIBRARIES = ("mlflow", "sklearn", "pandas", "pyarrow", "sqlalchemy", "alembic")
#: Variables that would make the demo speak of something other than its own folder.
_FOREIGN_VARIABLES = ("MLFLOW_", "MLOPS_", "PYTEST_")


def run_demo(folder: Path, say: Say) -> int:
    """Write the demo's files into *folder* and run its three commands there.

    Args:
        folder: made if it does not exist; repeating the demo in it is safe.
        say: takes what a person reads, line by line.

    Returns:
        0 when the good model passed and the weak one was refused, else 1.

    Raises:
        ConfigurationError: the folder holds files that the demo would overwrite.
        MissingLibraryError: the extra ``mlflow`` is not installed.
    """
    _require_libraries()
    _write_files(folder)
    say(f"The demo's files are in {folder}{os.sep}:")
    for name in _TEMPLATES:
        say(f"  {name}")
    say("")
    if _run(["python", "train.py"], folder, say):
        say("train.py did not finish: what it said stands above.")
        return 1
    good = _judge("candidate", "good.json", folder, say)
    weak = _judge("weak", "weak.json", folder, say)
    return _conclude(good, weak, folder, say)


def _require_libraries() -> None:
    for library in _LIBRARIES:
        if find_spec(library) is None:
            name = "scikit-learn" if library == "sklearn" else library
            raise MissingLibraryError(name, "mlflow", "the demo")


def _write_files(folder: Path) -> None:
    foreign = _foreign_files(folder)
    if foreign:
        raise ConfigurationError(
            Problem(
                str(folder),
                "",
                f"'{name}' is not the demo's and would be overwritten: move it away "
                "or name another folder, as in: pytest-mlops demo OTHER_FOLDER",
            )
            for name in foreign
        )
    try:
        for name in _TEMPLATES:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_FILES / name, target)
    except OSError as error:
        raise ConfigurationError.one(
            f"the demo cannot be written there: {error.strerror}", source=str(folder)
        ) from error


def _foreign_files(folder: Path) -> List[str]:
    """Files of the demo's names that an earlier demo did not write."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError.one("is a file, not a folder", source=str(folder))
    changed = [name for name in _TEMPLATES if not _is_ours(folder, name)]
    if (folder / "train.py").exists():
        return changed
    return changed + [name for name in _OUTPUTS if (folder / name).exists()]


def _is_ours(folder: Path, name: str) -> bool:
    target = folder / name
    return not target.exists() or (
        target.is_file() and target.read_bytes() == (_FILES / name).read_bytes()
    )


def _judge(alias: str, verdict: str, folder: Path, say: Say) -> int:
    uri = f"models:/classifier_model@{alias}"
    command = ["pytest", "-m", "gates", "--model-uri", uri, "--verdict", verdict]
    return _run(command, folder, say)


def _run(command: Sequence[str], folder: Path, say: Say) -> int:
    """Run *command* in *folder* by this interpreter; what it prints is said."""
    say(f"$ {' '.join(command)}")
    program, *arguments = command
    module = [] if program == "python" else ["-m", program]
    with subprocess.Popen(
        [sys.executable, *module, *arguments],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            say(line.rstrip("\n"))
    say("")
    return process.returncode


def _environment() -> Dict[str, str]:
    """The child's environment: nobody's settings but the demo's, and no chatter."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN_VARIABLES)
    }
    # A pipe hides from the child what it is that people read it on.
    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    colour = {"PY_COLORS": "1"} if sys.stdout.isatty() else {}
    return {
        **kept,
        **colour,
        "COLUMNS": str(width),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
    }


def _conclude(good: int, weak: int, folder: Path, say: Say) -> int:
    surprises = [
        f"{model}: pytest ended with {code} where {expected:d} was expected"
        for model, code, expected in (
            ("the good model", good, ExitCode.OK),
            ("the weak model", weak, ExitCode.FAILED),
        )
        if code != expected
    ]
    if surprises:
        say(f"The demo went differently: {'; '.join(surprises)}.")
        return 1
    say(
        "The good model passed every gate (exit code 0), the weak one was refused "
        "(exit code 1):\nthat exit code is what keeps it out of a pipeline's next step."
    )
    commands = _commands(folder)
    candidate = "--model-uri models:/classifier_model@candidate"
    say(f"""
Next:
  cd {folder}
  {commands}pytest-mlops explain weak.json
      why it was refused, in plain words
  {commands}pytest-mlops verify good.json
      recompute the verdict from its evidence
  {commands}pytest -m gates {candidate} --env production
      the same gates, decided by whole intervals
  gates/classifier_model.toml
      change a rule and judge again""")
    return 0


def _commands(folder: Path) -> str:
    """What to type before a command, where its environment is not activated."""
    own = Path(sys.executable).parent
    found = shutil.which("pytest-mlops")
    if found is not None and Path(found).parent == own:
        return ""
    return os.path.relpath(own, folder) + os.sep
