"""Read TOML by declared keys, collecting every problem instead of raising."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Generic, Mapping, Optional, Sequence, Tuple, TypeVar

from pytest_mlops.core.suggestions import unknown
from pytest_mlops.errors import ConfigurationError, Problem
from pytest_mlops.settings.kinds import Kind

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")

_PLACE = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)")


@dataclass(frozen=True)
class Key(Generic[T]):
    """One key of a table, declared once.

    Attributes:
        name: as it is written.
        kind: the type of its value.
        default: what holds without it; for a required key a mere stand-in.
        help: what it is, in a few words; also ends the message that it is missing.
        required: whether a table without it is a mistake.
    """

    name: str
    kind: Kind[T]
    default: T
    help: str
    required: bool = False


class Problems:
    """The mistakes of one file; each is told once, on one line."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: Dict[Tuple[str, str], None] = {}

    def add(self, section: str, message: str) -> None:
        """Note a mistake in a table, ``""`` being the top level."""
        self._found.setdefault((one_line(section), one_line(message)))

    @property
    def messages(self) -> Tuple[str, ...]:
        """What was noted, without the sections."""
        return tuple(message for _, message in self._found)

    def raise_all(self) -> None:
        """Raise ConfigurationError with all of them, if there are any."""
        if self._found:
            raise ConfigurationError(
                Problem(self.source, section, message)
                for section, message in self._found
            )


class Section:
    """A table of which every key is known; its mistakes go to *problems*.

    Args:
        table: what was parsed.
        keys: all that it may hold.
        problems: where mistakes are noted.
        name: of the table, with dots; ``""`` for the top level.
    """

    def __init__(
        self,
        table: Mapping[str, object],
        keys: Sequence[Key[Any]],
        problems: Problems,
        name: str = "",
    ) -> None:
        self.name = name
        self._problems = problems
        self._values: Dict[str, Any] = {}
        known = {key.name: key for key in keys}
        for written, value in table.items():
            if written in known:
                self._read(known[written], value)
            else:
                self.problem(unknown("key", written, known))
        for key in keys:
            if key.required and key.name not in table:
                self.problem(f"'{key.name}' is missing: {key.help}")

    def get(self, key: Key[T], inherited: Optional[T] = None) -> T:
        """The value; where there is none, what is inherited, or the default."""
        default = key.default if inherited is None else inherited
        value: T = self._values.get(key.name, default)
        return value

    def given(self, key: Key[T]) -> Optional[T]:
        """The value, or None where it is missing or wrong."""
        value: Optional[T] = self._values.get(key.name)
        return value

    def problem(self, message: str) -> None:
        """Note a mistake in this table."""
        self._problems.add(self.name, message)

    def _read(self, key: Key[Any], value: object) -> None:
        read = key.kind.read(value)
        if read is None:
            self.problem(key.kind.complaint(key.name, value))
        else:
            self._values[key.name] = read


@dataclass(frozen=True)
class Document:
    """A parsed TOML file.

    Attributes:
        source: what messages call it.
        table: its top level.
        digest: ``sha256:…`` of its bytes.
    """

    source: str
    table: Mapping[str, Any]
    digest: str


def read_toml(path: Path, source: Optional[str] = None) -> Document:
    """Parse a TOML file.

    Args:
        path: where it is.
        source: what messages call it; its path by default.

    Raises:
        ConfigurationError: it cannot be read, is not UTF-8, or is not TOML; the
            message says the line and the column.
    """
    source = source or str(path)
    try:
        content = path.read_bytes()
        table = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        problem = f"is not UTF-8: byte 0x{byte:02x} in line {line}; save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        problem = _syntax(str(error), content.decode("utf-8-sig"))
    except (RecursionError, ValueError) as error:
        problem = f"is not valid TOML: {type(error).__name__}: {error}"
    else:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return Document(source, table, digest)
    raise ConfigurationError.one(one_line(problem), source=source)


def shown_path(path: Path, root: Path) -> str:
    """A path as messages show it: from *root* where it lies inside."""
    absolute = Path(os.path.abspath(path))
    try:
        return absolute.relative_to(os.path.abspath(root)).as_posix()
    except ValueError:
        return str(path)


def one_line(text: str) -> str:
    """*text* without line breaks or control characters."""
    printable = (part if part.isprintable() else " " for part in text)
    return " ".join("".join(printable).split())


def _syntax(message: str, text: str) -> str:
    place = _PLACE.match(message)
    if place:
        line, column, what = place["line"], place["column"], place["what"]
    else:  # The parser only says "at end of document".
        lines = text.split("\n")
        line, column = str(len(lines)), str(len(lines[-1]) + 1)
        what = message.split(" (at ")[0]
    return f"is not valid TOML at line {line}, column {column}: {what}"
