"""Evidence: what one pass over the data left, as one value that can be stored."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence

from pytest_mlops.core.metrics import Table, TableKind
from pytest_mlops.core.selection import Selection, SliceKey
from pytest_mlops.errors import VerdictError
from pytest_mlops.evidence.names import BASELINE, CANDIDATE, PAIRED, TableName
from pytest_mlops.evidence.tables import KINDS
from pytest_mlops.evidence.tables.slices import Slices

#: Part of every key: evidence of another schema is other evidence.
SCHEMA = 2

#: Bytes of JSON that a table may take in a verdict; a larger one goes beside it.
MOST_INLINE = 2**16

#: What stands in a verdict in place of such a table.
_BESIDE = {"file", "digest"}

#: What reading a damaged table may end with.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
    zlib.error,
)


@dataclass(frozen=True)
class Kept:
    """What evidence holds of one slice.

    Attributes:
        candidate: the candidate's table.
        baseline: the baseline's, or None.
        paired: the table of both on the same rows, or None.
    """

    candidate: Table
    baseline: Optional[Table] = None
    paired: Optional[Any] = None

    @classmethod
    def of_pair(cls, pair: Any) -> Kept:
        """The tables of both that are in a table of a pair kind."""
        return cls(pair.candidate, pair.baseline, pair)


#: Tables by slice.
Cuts = Mapping[SliceKey, Kept]


@dataclass(frozen=True)
class Evidence:
    """Tables, and what they are about.

    Attributes:
        key: ``sha256:…`` over the inputs: the models, the data and the question.
        data: ``uri``, ``fingerprint`` and ``rows``.
        question: ``task``, ``target``, ``positive``, ``weight`` and ``group``.
        tables: by ``TableName``; ``Slices`` where the name has a selection.
        kinds: of the tables, by name.
    """

    key: str
    data: Mapping[str, Any]
    question: Mapping[str, Any]
    tables: Mapping[str, Table]
    kinds: Mapping[str, TableKind] = field(default_factory=lambda: KINDS)

    @classmethod
    def of(
        cls,
        *,
        data: Mapping[str, Any],
        models: Sequence[Any],
        question: Mapping[str, Any],
        tables: Mapping[str, Table],
        kinds: Iterable[TableKind] = (),
    ) -> Evidence:
        """New evidence.

        Args:
            data: ``uri``, ``fingerprint`` and ``rows``.
            models: what tells the models apart, the candidate's first; plain JSON.
            question: as the attribute.
            tables: as the attribute.
            kinds: those of tables that are not built in.

        Raises:
            ValueError: a table is of no kind that is known.
        """
        known = {**KINDS, **{kind.name: kind for kind in kinds}}
        for name in tables:
            if _kind_of(name, known) is None:
                raise ValueError(f"the table '{name}' is of no known kind: pass it")
        return cls(_key(data, models, question), data, question, tables, known)

    def expected_key(self, models: Sequence[Any]) -> str:
        """The key that this evidence has if it is about *models*."""
        return _key(self.data, models, self.question)

    def merge(self, other: Evidence) -> Evidence:
        """The evidence of both parts of the same data.

        Raises:
            ValueError: they are about different things.
        """
        if self.key != other.key or set(self.tables) != set(other.tables):
            raise ValueError(
                f"cannot merge evidence {self.key} and {other.key}: only parts of "
                "the same data, models and question add up"
            )
        tables = {
            name: table.merge(other.tables[name]) for name, table in self.tables.items()
        }
        data = {**self.data, "rows": self.data["rows"] + other.data["rows"]}
        return Evidence(self.key, data, self.question, tables, self.kinds)

    def kept(self, kind: TableKind, selection: str = "") -> Optional[Cuts]:
        """The tables of a kind by slice; None where there are none.

        Args:
            kind: the kind of one model's table.
            selection: ``Selection.key``; of all rows as one there is one slice, ``()``.
        """
        names = (
            TableName(kind.name, whose, selection)
            for whose in (CANDIDATE, BASELINE, PAIRED)
        )
        order = Selection.of(selection).order
        found = [_cut(self.tables.get(str(name)), order) for name in names]
        candidate, baseline, paired = found
        if paired is not None:
            return {key: Kept.of_pair(pair) for key, pair in paired.items()}
        if candidate is None:
            return None
        beside = baseline or {}
        return {key: Kept(one, beside.get(key)) for key, one in candidate.items()}

    @property
    def recomputable(self) -> bool:
        """Whether every metric can be computed from the stored evidence."""
        return all(self.kind_of(name).recomputable for name in self.tables)

    def to_json(self, side: Callable[[bytes], str]) -> Dict[str, Any]:
        """Plain JSON, as it stands in a verdict.

        Args:
            side: keeps the bytes of a table too large for a verdict and returns the
                name of the file that they are in.
        """
        return {
            "key": self.key,
            "data": dict(self.data),
            "question": dict(self.question),
            "tables": {
                name: self._stored(name, table, side)
                for name, table in self.tables.items()
            },
            "recomputable": self.recomputable,
        }

    @classmethod
    def from_json(
        cls,
        data: Mapping[str, Any],
        kinds: Mapping[str, TableKind],
        side: Callable[[str], bytes],
    ) -> Evidence:
        """Read ``to_json`` back; tables of a kind that nobody here knows are left out.

        Args:
            data: the JSON.
            kinds: those of tables that are not built in, by name.
            side: reads a file beside the verdict.

        Raises:
            VerdictError: a table is damaged, or it is no evidence.
        """
        known = {**KINDS, **kinds}
        try:
            stored = dict(data["tables"])
            key, about, question = str(data["key"]), data["data"], data["question"]
        except _DAMAGE as error:
            raise _damaged("evidence", error) from error
        kinds_of = {name: _kind_of(name, known) for name in stored}
        tables = {
            name: _read(name, stored[name], kind, side)
            for name, kind in kinds_of.items()
            if kind is not None
        }
        return cls(key, dict(about), dict(question), tables, known)

    def kind_of(self, name: str) -> TableKind:
        """The kind of a table, by the table's name; LookupError where it is of none."""
        kind = _kind_of(name, self.kinds)
        if kind is None:
            raise LookupError(f"the table '{name}' is of no known kind")
        return kind

    def _stored(
        self, name: str, table: Table, side: Callable[[bytes], str]
    ) -> Mapping[str, Any]:
        data = table.to_json()
        plain = _plain(data)
        if self.kind_of(name).inline and len(plain) <= MOST_INLINE:
            return data
        content = _compressed(plain)
        return {"file": side(content), "digest": _digest(content)}


def _read(
    name: str, stored: Any, kind: TableKind, side: Callable[[str], bytes]
) -> Table:
    try:
        data = _beside(stored, side) if set(stored) == _BESIDE else stored
        if TableName.of(name).selection:
            return Slices.from_json(data, kind)
        return kind.from_json(data)
    except _DAMAGE as error:
        raise _damaged(f"the table '{name}'", error) from error


def _beside(stored: Mapping[str, Any], side: Callable[[str], bytes]) -> Any:
    """The JSON in a side file, if it is the very file that was written."""
    content = side(str(stored["file"]))
    if _digest(content) != stored["digest"]:
        raise ValueError(f"{stored['file']} is not the file that was written")
    return json.loads(gzip.decompress(content))


def _damaged(what: str, error: Exception) -> VerdictError:
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return VerdictError(f"{what} of the verdict cannot be read ({told})")


def _kind_of(name: str, kinds: Mapping[str, TableKind]) -> Optional[TableKind]:
    parts = TableName.of(name)
    kind = kinds.get(parts.kind)
    return kind.pair if kind and parts.whose == PAIRED else kind


def _cut(
    table: Optional[Table], order: Callable[[SliceKey], Any]
) -> Optional[Mapping[SliceKey, Any]]:
    if isinstance(table, Slices):
        return {key: table.tables[key] for key in sorted(table.tables, key=order)}
    return None if table is None else {(): table}


def _key(
    data: Mapping[str, Any], models: Sequence[Any], question: Mapping[str, Any]
) -> str:
    # Not the rows: parts of the same data have the same key, and can be merged.
    inputs = {
        "schema": SCHEMA,
        "data": [data["uri"], data["fingerprint"]],
        "models": list(models),
        "question": dict(question),
    }
    return _digest(_plain(inputs))


def _plain(data: Any) -> bytes:
    """JSON of which there is but one for the same data."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def _compressed(content: bytes) -> bytes:
    # Through a GzipFile, whose header is the same on every Python and machine.
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
