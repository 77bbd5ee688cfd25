"""Evidence: what one pass over the data left, as one value that can be stored."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Mapping, Sequence

from pytest_mlops.core.metrics import Table, TableKind
from pytest_mlops.errors import VerdictError
from pytest_mlops.evidence.tables import KINDS

#: What stands before the name of a table that is about the baseline.
BASELINE = "baseline/"

#: Part of every key: evidence of another schema is other evidence.
SCHEMA = 1

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
class Evidence:
    """Tables, and what they are about.

    Attributes:
        key: ``sha256:…`` over the inputs: the models, the data and the question.
        data: ``uri``, ``fingerprint`` and ``rows``.
        question: ``task``, ``target`` and ``positive``.
        tables: of the candidate by the name of their kind; of a baseline with
            ``BASELINE`` before it.
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
            question: ``task``, ``target`` and ``positive``.
            tables: as the attribute.
            kinds: those of tables that are not built in.

        Raises:
            ValueError: a table is of no kind that is known.
        """
        known = {**KINDS, **{kind.name: kind for kind in kinds}}
        for name in tables:
            if _kind_name(name) not in known:
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
        tables = {
            name: _read(name, stored[name], known[_kind_name(name)], side)
            for name in stored
            if _kind_name(name) in known
        }
        return cls(key, dict(about), dict(question), tables, known)

    def kind_of(self, name: str) -> TableKind:
        """The kind of a table, by the table's name."""
        return self.kinds[_kind_name(name)]

    def _stored(
        self, name: str, table: Table, side: Callable[[bytes], str]
    ) -> Mapping[str, Any]:
        if self.kind_of(name).inline:
            return table.to_json()
        content = _compressed(_plain(table.to_json()))
        return {"file": side(content), "digest": _digest(content)}


def _read(
    name: str, stored: Any, kind: TableKind, side: Callable[[str], bytes]
) -> Table:
    try:
        return kind.from_json(stored if kind.inline else _beside(stored, side))
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


def _kind_name(name: str) -> str:
    return name[len(BASELINE) :] if name.startswith(BASELINE) else name


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
