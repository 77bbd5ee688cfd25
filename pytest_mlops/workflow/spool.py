"""Where measurements wait, within one run, for the process that decides."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.sources import Subject
from pytest_mlops.errors import InstrumentError

_SUITE = "suite.json"


@dataclass(frozen=True)
class Measured:
    """What the process that ran the model has to tell.

    Attributes:
        evidence: as plain JSON.
        subject: the candidate, as it was resolved; None for ready predictions.
        baseline: what it was compared with.
        versions: libraries by name.
        remarks: what is odd about the data or the cache, a line each.
    """

    evidence: Mapping[str, Any]
    subject: Optional[Subject] = None
    baseline: Optional[Subject] = None
    versions: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Suite:
    """What a process collected; under xdist every worker collects the same.

    Attributes:
        selected: node ids of the gates and marked tests that are to run.
        total: how many there were before any were deselected.
    """

    selected: Tuple[str, ...] = ()
    total: int = 0


class Spool:
    """A folder that the workers of one run write to and the controller reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def side(self, content: bytes) -> str:
        """Keep a side file; its name is its digest."""
        name = f"sha256-{hashlib.sha256(content).hexdigest()}.json.gz"
        self._write(name, content)
        return name

    def put(self, measured: Measured) -> str:
        """Keep a measurement under the key of its evidence."""
        key = str(measured.evidence["key"])
        self._write(_file(key), json.dumps(asdict(measured)).encode())
        return key

    def get(self, key: str) -> Optional[Measured]:
        """A measurement; None where the worker died before it was written."""
        path = self.folder / _file(key)
        if not path.exists():
            return None
        data: Dict[str, Any] = json.loads(path.read_bytes())
        for name in ("subject", "baseline"):
            data[name] = Subject(**data[name]) if data[name] else None
        return Measured(**data)

    def put_suite(self, suite: Suite) -> None:
        """Tell what was collected, before anything runs."""
        self._write(_SUITE, json.dumps(asdict(suite)).encode())

    def suite(self) -> Suite:
        """What was collected; nothing where no process came that far."""
        path = self.folder / _SUITE
        if not path.exists():
            return Suite()
        data = json.loads(path.read_bytes())
        return Suite(tuple(data["selected"]), data["total"])

    def read_side(self, name: str) -> bytes:
        """A side file by its name."""
        return (self.folder / name).read_bytes()

    def _write(self, name: str, content: bytes) -> None:
        temporary = self.folder / f".{name}.{os.getpid()}"
        try:
            temporary.write_bytes(content)
            os.replace(temporary, self.folder / name)
        except OSError as error:
            raise InstrumentError(
                f"the measurement cannot be kept in {self.folder}: {error.strerror}; "
                "make room there, or point TMPDIR elsewhere"
            ) from error


def _file(key: str) -> str:
    return f"measured-{key.replace(':', '-')}.json"
