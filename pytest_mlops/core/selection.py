"""Which rows a gate is about: those that keep a condition, cut into slices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.rows import Label

#: The values of a selection's columns that make one slice; None where missing.
SliceKey = Tuple[Optional[Label], ...]


@dataclass(frozen=True)
class Selection:
    """Rows of a data set, as a gate asks for them.

    Attributes:
        where: a condition in its canonical spelling (see ``conditions``), or None.
        by: columns whose values make slices; empty means one slice of all rows.
        bins: the inner edges, ascending, of numeric columns among ``by``.
    """

    where: Optional[str] = None
    by: Tuple[str, ...] = ()
    bins: Tuple[Tuple[str, Tuple[float, ...]], ...] = ()

    @property
    def key(self) -> str:
        """Its one spelling; empty for all rows, as one."""
        if self == Selection():
            return ""
        parts: Dict[str, Any] = {}
        if self.where is not None:
            parts["where"] = self.where
        if self.by:
            parts["by"] = list(self.by)
        if self.bins:
            parts["bins"] = {name: list(edges) for name, edges in sorted(self.bins)}
        return json.dumps(parts, ensure_ascii=False)

    @classmethod
    def of(cls, key: str) -> Selection:
        """Read ``key`` back; raises ValueError or KeyError where it is none."""
        parts: Mapping[str, Any] = json.loads(key) if key else {}
        bins = parts.get("bins", {})
        return cls(
            parts.get("where"),
            tuple(parts.get("by", ())),
            tuple((name, tuple(map(float, bins[name]))) for name in sorted(bins)),
        )

    def slice(self, key: SliceKey) -> Dict[str, Optional[Label]]:
        """A slice as a verdict shows it: column and value."""
        return dict(zip(self.by, key))

    def order(self, key: SliceKey) -> Tuple[Any, ...]:
        """A key to sort slices by: bins by their edges, missing values last."""
        bins = {name: bin_names(edges) for name, edges in self.bins}
        return tuple(
            (label is None, isinstance(label, str), _place(label, bins.get(column, ())))
            for column, label in zip(self.by, key)
        )


def bin_names(edges: Sequence[float]) -> Tuple[str, ...]:
    """What bins are called as slices: ``< 18``, ``18 to 30``, ``>= 30``.

    A bin holds its lower edge and not its upper one.

    Args:
        edges: at least one, ascending.
    """
    shown = [_shown(edge) for edge in edges]
    between = (f"{low} to {high}" for low, high in zip(shown, shown[1:]))
    return (f"< {shown[0]}", *between, f">= {shown[-1]}")


def _place(label: Optional[Label], bins: Tuple[str, ...]) -> Tuple[int, Label]:
    """Among the bins, and where it is none of them, among its like."""
    if label is None:
        return 0, 0
    return (bins.index(label), 0) if label in bins else (len(bins), label)


def _shown(edge: float) -> str:
    text = repr(float(edge))
    return text[:-2] if text.endswith(".0") else text
