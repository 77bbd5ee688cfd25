"""Evidence that outlives its run: tables by name, under a key of all they hang on."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from pytest_mlops import __version__
from pytest_mlops.core.metrics import TableKind, Task
from pytest_mlops.core.sources import UNVERSIONED, DataSource, Model
from pytest_mlops.errors import VerdictError
from pytest_mlops.evidence.record import SCHEMA, Evidence
from pytest_mlops.evidence.tables import KINDS
from pytest_mlops.settings.values import DataSettings
from pytest_mlops.workflow.cache.candidates import count_candidate
from pytest_mlops.workflow.cache.files import (
    CacheFiles,
    Content,
    DamagedError,
    digest_of,
    file_name,
)

#: Where it lies below the rootdir.
FOLDER = Path(".mlops") / "evidence"

_UNTOLD = "untold"

_BROKEN = (VerdictError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Question:
    """What evidence is about.

    Attributes:
        fingerprint: of the data.
        key: ``sha256:…`` of all that the evidence hangs on; None where something of
            that cannot be told: such evidence is never kept.
    """

    fingerprint: str
    key: Optional[str]

    @classmethod
    def of(
        cls,
        source: DataSource,
        settings: DataSettings,
        task: Task,
        models: Sequence[Optional[Model]],
    ) -> Question:
        """What these models are asked by these settings.

        Args:
            source: the data.
            settings: what its columns mean.
            task: of the models.
            models: the candidate and the baseline; None where there is none.

        Raises:
            DataError: the data cannot be read.
        """
        fingerprint = source.fingerprint()
        about = [_about(model) for model in models]
        if fingerprint.startswith(UNVERSIONED) or _UNTOLD in about:
            return cls(fingerprint, None)
        inputs = [SCHEMA, __version__, fingerprint, asdict(settings), task.value, about]
        return cls(fingerprint, digest_of(inputs))


@dataclass(frozen=True)
class Kept:
    """What is known already.

    Attributes:
        evidence: with every table that is kept and of a kind that was named.
        remarks: what was odd about the data, a line each.
        absent: names of tables that the data has no columns for.
    """

    evidence: Evidence
    remarks: Tuple[str, ...] = ()
    absent: Tuple[str, ...] = ()


class EvidenceCache:
    """Keeps evidence; whatever goes wrong with that costs the cache, not the run.

    Args:
        root: the project's folder.
        megabytes: what it may take at most; 0 keeps nothing.

    Attributes:
        remarks: what went wrong, a line each.
        seconds: what reading evidence took that was there.
    """

    def __init__(self, root: Path, megabytes: float) -> None:
        limit = int(megabytes * 1_000_000)
        self._files = CacheFiles(root / FOLDER, limit) if limit else None
        self.remarks: Dict[str, None] = {}
        self.seconds = 0.0

    def load(
        self, question: Question, kinds: Mapping[str, TableKind]
    ) -> Optional[Kept]:
        """What is kept; None where nothing is, or it is damaged.

        Args:
            question: what it is about.
            kinds: those of tables that are not built in, by name.
        """
        key, started = question.key, perf_counter()
        if self._files is None or key is None:
            return None
        try:
            content = self._files.read(_name(key))
            if content is not None:
                kept = _opened(content, key, kinds)
                self.seconds += perf_counter() - started
                return kept
        except (DamagedError, *_BROKEN):
            self._remark("the kept evidence was damaged, so it was measured again")
        except OSError as error:
            self._remark(f"kept evidence cannot be read: {_why(error)}")
        return None

    def store(self, question: Question, measured: Kept) -> None:
        """Keep those tables that may be kept, beside those that are kept already."""
        key = question.key
        if self._files is None or key is None:
            return
        content = _packed(key, measured)
        if not content["evidence"]["tables"]:
            return
        try:
            self._files.update(_name(key), lambda before: _joined(before, content))
        except OSError as error:
            self._remark(f"the evidence cannot be kept in {FOLDER}: {_why(error)}")

    def count_candidate(self, data: str, candidate: Optional[str]) -> Optional[int]:
        """How many models the same data has judged, this one included.

        Args:
            data: its fingerprint.
            candidate: what tells the model apart.

        Returns:
            None where that cannot be known, or cannot be kept.
        """
        unknown = data.startswith(UNVERSIONED) or candidate is None
        if self._files is None or unknown:
            return None
        try:
            count, damaged = count_candidate(self._files, data, str(candidate))
        except OSError as error:
            if not self.remarks:  # else it has been said
                self._remark(f"candidates cannot be counted: {_why(error)}")
            return None
        if damaged:
            self._remark("the count of candidates was damaged and starts anew")
        return count

    def _remark(self, text: str) -> None:
        self.remarks[text] = None


def joined(kept: Evidence, measured: Evidence, names: Sequence[str]) -> Evidence:
    """Evidence of the tables *names*, as far as there are any, in that order."""
    every = {**kept.tables, **measured.tables}
    tables = {name: every[name] for name in names if name in every}
    return replace(measured, tables=tables, kinds={**kept.kinds, **measured.kinds})


def _name(key: str) -> str:
    return file_name("evidence", key)


def _about(model: Optional[Model]) -> Any:
    """What tells a model apart, and what it runs on."""
    if model is None:
        return None
    identity = model.subject.identity
    return _UNTOLD if identity is None else [identity, dict(model.versions)]


def _packed(key: str, measured: Kept) -> Content:
    evidence = measured.evidence
    sides: Dict[str, str] = {}

    def side(content: bytes) -> str:
        name = f"sha256-{hashlib.sha256(content).hexdigest()}.json.gz"
        sides[name] = base64.b64encode(content).decode("ascii")
        return name

    tables = {
        name: table
        for name, table in evidence.tables.items()
        if _may_be_kept(evidence.kind_of(name))
    }
    stored = replace(evidence, tables=tables).to_json(side)
    return {
        "key": key,
        "evidence": stored,
        "versions": {name: evidence.kind_of(name).version for name in tables},
        "sides": sides,
        "remarks": list(measured.remarks),
        "absent": list(measured.absent),
    }


def _may_be_kept(kind: TableKind) -> bool:
    """Whether a table can be read back whole, and its making tells its version."""
    built_in = any(kind is known or kind is known.pair for known in KINDS.values())
    return kind.recomputable and (built_in or kind.version is not None)


def _joined(before: Optional[Content], content: Content) -> Content:
    if before is None or set(before) != set(content):
        return content
    tables = {**before["evidence"]["tables"], **content["evidence"]["tables"]}
    sides = {**before["sides"], **content["sides"]}
    used = {t["file"] for t in tables.values() if isinstance(t, dict) and "file" in t}
    return {
        **content,
        "evidence": {**content["evidence"], "tables": tables},
        "versions": {**before["versions"], **content["versions"]},
        "absent": list(dict.fromkeys([*before["absent"], *content["absent"]])),
        "sides": {name: side for name, side in sides.items() if name in used},
    }


def _opened(content: Content, key: str, kinds: Mapping[str, TableKind]) -> Kept:
    if content["key"] != key:
        raise DamagedError("it is kept under another's key")
    sides: Mapping[str, str] = content["sides"]

    def side(name: str) -> bytes:
        return base64.b64decode(sides[name], validate=True)

    stored, versions = content["evidence"], content["versions"]
    about = Evidence.from_json({**stored, "tables": {}}, kinds, side)
    tables = {
        name: table
        for name, table in stored["tables"].items()
        if _version(about, name) == versions[name]
    }
    evidence = Evidence.from_json({**stored, "tables": tables}, kinds, side)
    return Kept(evidence, tuple(content["remarks"]), tuple(content["absent"]))


def _version(evidence: Evidence, name: str) -> Optional[str]:
    """That of the kind of a table; what no kind has where it is of none."""
    try:
        return evidence.kind_of(name).version
    except LookupError:
        return _UNTOLD


def _why(error: OSError) -> str:
    return error.strerror or str(error)
