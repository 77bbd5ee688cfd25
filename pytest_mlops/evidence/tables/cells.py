"""CellTable: sums of rows by some columns of labels; what counts and pairs share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Dict,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
)

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import Label
from pytest_mlops.evidence.labels import canonical, label_order
from pytest_mlops.evidence.tables.arrays import frozen, weight_sums
from pytest_mlops.evidence.tables.counting import (
    Columns,
    Names,
    count,
    count_buckets,
    parts,
)
from pytest_mlops.evidence.tables.groups import GroupSums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

T = TypeVar("T", bound="CellTable")

#: Up to so many numbers the JSON is a square (or a cube), else a list of cells.
_BLOCK = 64 * 64


class CellTable(ABC):
    """Sums by cell, a cell being a label in each column; only those that occur.

    Attributes:
        AXES: the names of the columns of labels; attributes of these names hold an
            index into ``labels`` for each cell, cells in ascending order.
        labels: those that occur in any column; numbers before texts, sorted.
        rows: rows, one number a cell.
        weights: the sum of the rows' weights, or None where every row counts one.
        squares: the sum of the squared weights, or None likewise.
        groups: sums by group, or None where rows are independent.
    """

    AXES: ClassVar[Tuple[str, ...]]

    labels: Tuple[Label, ...]
    rows: Codes
    weights: Optional[Floats]
    squares: Optional[Floats]
    groups: Optional[GroupSums]

    @classmethod
    @abstractmethod
    def _make(
        cls: Type[T],
        labels: Tuple[Label, ...],
        axes: Sequence[Codes],
        columns: Sequence[NDArray[Any]],
        groups: Optional[GroupSums],
    ) -> T:
        """A table of these parts; *columns* are rows, and maybe weights, squares."""

    @property
    def axes(self) -> Tuple[Codes, ...]:
        """The cells' indices into ``labels``, column by column."""
        return tuple(getattr(self, name) for name in self.AXES)

    @property
    def total_rows(self) -> int:
        """How many rows were counted."""
        return int(self.rows.sum())

    @cached_property
    def mass(self) -> Floats:
        """What each cell weighs: its weights, or its rows; float64."""
        mass: Floats = self.rows.astype(np.float64)
        return mass if self.weights is None else self.weights

    @property
    def square_mass(self) -> Floats:
        """The sum of the squared weights of each cell; its rows without weights."""
        return self.mass if self.squares is None else self.squares

    def index(self, label: Optional[Label]) -> Optional[int]:
        """Where *label* stands in ``labels``; None where it does not occur."""
        known = canonical(label)
        return self.labels.index(known) if known in self.labels else None

    def merge(self: T, other: T) -> T:
        """The sums of both tables' rows; exact without weights.

        Raises:
            ValueError: only one of the two knows the groups of its rows.
        """
        labels = tuple(sorted({*self.labels, *other.labels}, key=label_order))
        place = {label: index for index, label in enumerate(labels)}
        moves = [
            np.array([place[x] for x in t.labels], np.int64) for t in (self, other)
        ]
        axes = [
            np.concatenate([moves[0][mine], moves[1][others]])
            for mine, others in zip(self.axes, other.axes)
        ]
        plain = self.weights is None and other.weights is None
        columns = [
            np.concatenate(pair)
            for pair in zip(self._columns(plain), other._columns(plain))
        ]
        return self._assemble(labels, axes, columns, _joined(self, other))

    @classmethod
    def _counted(cls: Type[T], columns: Columns) -> T:
        """Count a batch; raises DataError where a label is missing."""
        names, found = Names(columns.labels), count(columns)
        groups = None
        if columns.groups is not None:
            groups = names.grouped(found, count_buckets(columns, columns.groups))
        return cls._assemble(names.labels, names.axes(found.codes), found.sums, groups)

    @classmethod
    def _divided(cls: Type[T], columns: Columns, slices: Codes, size: int) -> List[T]:
        """Count the rows of each slice from 0 to *size* − 1, leaving out slice −1."""
        if len(slices) and slices.min() < 0:
            kept = np.flatnonzero(slices >= 0)
            columns, slices = columns.take(kept), slices[kept]
        if columns.groups is not None:
            # Slices by buckets by labels would be too many cells to count into.
            alone = map(columns.take, parts(slices, size))
            return [cls._counted(part) for part in alone]
        names, found = Names(columns.labels), count(columns, slices, size)
        axes = names.axes(found.codes)
        edges = np.searchsorted(found.outer, np.arange(size + 1)).tolist()
        return [
            cls._assemble(
                names.labels,
                [axis[low:high] for axis in axes],
                [column[low:high] for column in found.sums],
                None,
            )
            for low, high in zip(edges, edges[1:])
        ]

    @classmethod
    def _assemble(
        cls: Type[T],
        labels: Tuple[Label, ...],
        axes: Sequence[Codes],
        columns: Sequence[NDArray[Any]],
        groups: Optional[GroupSums],
    ) -> T:
        """A table from cells in any order, some of which may be of the same labels.

        Args:
            labels: sorted; those that do not occur are left out.
            axes, columns: as the attributes.
            groups: of these cells, or None.
        """
        used = np.unique(np.concatenate(axes))
        size = max(len(used), 1)
        flat = np.zeros(len(columns[0]), dtype=np.int64)
        for axis in axes:
            flat = flat * size + np.searchsorted(used, axis)
        cells, inverse = np.unique(flat, return_inverse=True)
        rows = np.zeros(len(cells), dtype=np.int64)
        np.add.at(rows, inverse, columns[0])
        sums = [frozen(weight_sums(inverse, c, len(cells))) for c in columns[1:]]
        moved = None
        if groups is not None:
            cell = inverse[groups.cell]
            moved = GroupSums.of(groups.bucket, cell, groups.mass, len(cells))
        places = [frozen(place) for place in _unravelled(cells, size, len(axes))]
        names = tuple(labels[index] for index in used.tolist())
        return cls._make(names, places, [frozen(rows), *sums], moved)

    def against_rest(self: T, label: Label) -> T:
        """The table of one label (1) against all others together (0)."""
        index = self.index(label)
        return self._collapsed(("against", index), [a == index for a in self.axes])

    def hits_and_misses(self: T) -> T:
        """The table of one label (1), predicted where the prediction is right."""
        true, *others = self.axes
        hits = [other == true for other in others]
        return self._collapsed(("hits",), [np.ones(len(true), bool), *hits])

    def _collapsed(self: T, key: Any, axes: Sequence[NDArray[np.bool_]]) -> T:
        """The table of two labels, with all its cells, even empty ones."""
        known = self._views.get(key)
        if known is not None:
            found: T = known
            return found
        size = 2 ** len(axes)
        flat = np.zeros(len(self.rows), dtype=np.int64)
        for axis in axes:
            flat = flat * 2 + axis
        columns = [weight_sums(flat, c, size) for c in self._columns()]
        columns[0] = columns[0].astype(np.int64)
        groups = self.groups
        if groups is not None:
            cell = flat[groups.cell]
            groups = GroupSums.of(groups.bucket, cell, groups.mass, size)
        places = _unravelled(np.arange(size), 2, len(axes))
        view = self._make((0, 1), places, columns, groups)
        self._views[key] = view
        return view

    @cached_property
    def _views(self) -> Dict[Any, Any]:
        # Many metrics are asked of one table, and most of them of the same view of it.
        return {}

    def _columns(self, plain: Optional[bool] = None) -> List[NDArray[Any]]:
        if self.weights is None if plain is None else plain:
            return [self.rows]
        return [self.rows, self.mass, self.square_mass]

    def to_json(self) -> Dict[str, Any]:
        """A block of numbers by label, or a list of cells where labels are many."""
        data: Dict[str, Any] = {"labels": list(self.labels)}
        names = ("rows", "weights", "squares")
        columns = dict(zip(names, self._columns()))
        if len(self.labels) ** len(self.AXES) > _BLOCK:
            data.update({n: a.tolist() for n, a in zip(self.AXES, self.axes)})
            data.update({name: c.tolist() for name, c in columns.items()})
        else:
            data.update({name: self._block(c) for name, c in columns.items()})
        if self.groups is not None:
            data["groups"] = self.groups.to_json()
        return data

    @classmethod
    def from_json(cls: Type[T], data: Mapping[str, Any]) -> T:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        labels = tuple(data["labels"])
        columns: List[NDArray[Any]] = [np.asarray(data["rows"], np.int64)]
        for name in ("weights", "squares"):
            if name in data:
                columns.append(np.asarray(data[name], np.float64))
        if cls.AXES[0] in data:
            axes = [np.asarray(data[name], np.int64) for name in cls.AXES]
        else:
            shape = (len(labels),) * len(cls.AXES)
            blocks = [column.reshape(shape) for column in columns]
            axes = list(np.nonzero(blocks[0]))
            columns = [block[tuple(axes)] for block in blocks]
        groups = None
        if "groups" in data:
            groups = GroupSums.from_json(data["groups"], len(columns[0]))
        return cls._make(labels, axes, columns, groups)

    def _block(self, column: NDArray[Any]) -> List[Any]:
        block = np.zeros((len(self.labels),) * len(self.AXES), dtype=column.dtype)
        block[self.axes] = column
        listed: List[Any] = block.tolist()
        return listed


def _joined(first: CellTable, second: CellTable) -> Optional[GroupSums]:
    """The groups of the cells of both tables, one after the other."""
    ours, theirs = first.groups, second.groups
    if ours is None and theirs is None:
        return None
    cells = len(first.rows)
    empty = GroupSums(*(np.empty(0, np.int64),) * 2, np.empty(0))
    for table in (first, second):
        if table.groups is None and len(table.rows):
            raise ValueError("cannot merge counts with groups and counts without")
    ours, theirs = ours or empty, theirs or empty
    return GroupSums(
        np.concatenate([ours.bucket, theirs.bucket]),
        np.concatenate([ours.cell, theirs.cell + cells]),
        np.concatenate([ours.mass, theirs.mass]),
    )


def _unravelled(cells: Codes, size: int, axes: int) -> List[Codes]:
    return [cells // size**power % size for power in range(axes - 1, -1, -1)]
