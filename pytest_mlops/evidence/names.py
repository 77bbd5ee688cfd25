"""What the tables of evidence are called: whose answers, which kind, which rows."""

from __future__ import annotations

from dataclasses import dataclass

#: Whose answers a table is about: the candidate's, the baseline's, or both together.
CANDIDATE, BASELINE, PAIRED = "", "baseline/", "paired/"


@dataclass(frozen=True)
class TableName:
    """The parts of a table's name: ``paired/labels {"by": ["region"]}``.

    Attributes:
        kind: the name of the kind of table; of what is paired, its members' kind.
        whose: ``CANDIDATE``, ``BASELINE`` or ``PAIRED``.
        selection: ``Selection.key``; empty for a table of all rows.
    """

    kind: str
    whose: str = CANDIDATE
    selection: str = ""

    def __str__(self) -> str:
        return f"{self.whose}{self.kind} {self.selection}".rstrip()

    @classmethod
    def of(cls, text: str) -> TableName:
        """Read ``str(name)`` back."""
        whose = next((one for one in (BASELINE, PAIRED) if text.startswith(one)), "")
        kind, brace, rest = text[len(whose) :].partition(" {")
        return cls(kind, whose, brace.lstrip() + rest)
