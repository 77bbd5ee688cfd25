"""Labels: one spelling for each class, and columns of them as integer codes."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import Label, Labels
from pytest_mlops.errors import DataError

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: Integers whose range is at most this are told apart by counting, not by sorting.
SMALL_RANGE = 2**16

#: Integers whose range is at most this are their own codes, but for the least one: to
#: look which of them occur would cost more than to count them.
TINY_RANGE = 2**8

#: Types of missing values that are neither None nor a float, by name: pandas is not
#: imported here.
_MISSING_TYPES = frozenset({"NAType", "NaTType"})


def encode(values: Any) -> Labels:
    """Dictionary-encode a column of labels; some categories may not occur.

    Args:
        values: shape ``(rows,)`` or ``(rows, 1)``: an array, a list, or anything with
            ``to_numpy``; booleans, numbers and texts, None and NaN where missing.

    Raises:
        DataError: it is no column, or a value is neither a text nor a finite number.
    """
    if isinstance(values, Labels):
        return values
    column = _column(values)
    if column.dtype.kind in "bu" and column.dtype.itemsize < 8:
        column = column.astype(np.int64)
    if column.dtype.kind in "iu":
        return _encode_integers(column)
    if column.dtype.kind == "f":
        return _encode_floats(column)
    return _encode_objects(column.tolist())


def canonical(value: Any) -> Optional[Label]:
    """The one spelling of a label: True is 1 and 2.0 is 2; None where missing.

    Raises:
        DataError: it is neither a text nor a finite number.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return str(value)
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (float, Decimal)):
        return _canonical_float(float(value))
    raise DataError(
        f"{value!r} is no label: a label is a text or a number, "
        f"not a {type(value).__name__}"
    )


def label_order(label: Label) -> Tuple[bool, Label]:
    """A key to sort labels by: numbers before texts."""
    return isinstance(label, str), label


def listed(labels: Iterable[Label], limit: int = 10) -> str:
    """Labels as messages show them, at most *limit* of them."""
    names = [repr(label) for label in sorted(labels, key=label_order)]
    more = len(names) - limit
    shown = ", ".join(names[:limit])
    return f"{shown} and {more} more" if more > 0 else shown


def decode(columns: Sequence[Sequence[Labels]]) -> Tuple[NDArray[Any], ...]:
    """Columns of labels, each in parts, as arrays that share one type.

    The type is integer, float or text where all labels are, else object.
    """
    labels = {_known(c) for column in columns for p in column for c in p.categories}
    return tuple(_decode_column(column, _shared_type(labels)) for column in columns)


def _decode_column(parts: Sequence[Labels], shared: Any) -> NDArray[Any]:
    chunks = [
        np.array([_known(c) for c in part.categories], dtype=shared)[part.codes]
        for part in parts
    ]
    return np.concatenate(chunks)


def _shared_type(labels: Iterable[Label]) -> Any:
    types = {type(label) for label in labels}
    if types == {str}:
        return np.str_
    if types <= {int, float}:
        return np.float64 if float in types else None
    return np.object_


def _known(value: Any) -> Label:
    label = canonical(value)
    if label is None:
        raise DataError("a missing value cannot be a category")
    return label


def _canonical_float(value: float) -> Optional[Label]:
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise DataError(f"{value} is no label: a label is a text or a finite number")
    return int(value) if value.is_integer() else value


def _column(values: Any) -> NDArray[Any]:
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if not isinstance(values, np.ndarray):
        values = _from_sequence(list(values))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"labels must be one column, got an array of the shape {values.shape}"
        )
    array: NDArray[Any] = values
    return array


def _from_sequence(values: List[Any]) -> NDArray[Any]:
    # np.array would turn [1, "a"] into texts; only plain numbers go through it.
    types = set(map(type, values))
    if values and types <= {int, float, bool}:
        numbers = np.array(values)
        # Integers on both sides of 2**63 become floats in some versions.
        exact = numbers.dtype.kind in "iub" or float in types
        if exact and numbers.dtype.kind != "O":
            return numbers
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _encode_integers(column: NDArray[Any]) -> Labels:
    if not len(column):
        return Labels(np.empty(0, dtype=np.int64), ())
    low, high = int(column.min()), int(column.max())
    if high - low >= SMALL_RANGE or high >= 2**63:
        found, codes = np.unique(column, return_inverse=True)
        return Labels(codes.astype(np.int64), tuple(found.tolist()))
    codes = column.astype(np.int64, copy=False)
    if low:
        codes = codes - low
    if high - low < TINY_RANGE:
        return Labels(codes, tuple(range(low, high + 1)))
    present = np.bincount(codes, minlength=high - low + 1) > 0
    if not present.all():
        codes = (np.cumsum(present) - 1)[codes]
    return Labels(codes, tuple((np.flatnonzero(present) + low).tolist()))


def _encode_floats(column: NDArray[Any]) -> Labels:
    missing = np.isnan(column)
    present = column[~missing]
    if len(present) and not np.isfinite(present).all():
        raise DataError("inf is no label: a label is a text or a finite number")
    if (present == np.trunc(present)).all() and (np.abs(present) < 2**53).all():
        found = _encode_integers(present.astype(np.int64))
    else:
        distinct, inverse = np.unique(present, return_inverse=True)
        categories = tuple(map(_known, distinct.tolist()))
        found = Labels(inverse.astype(np.int64), categories)
    if not missing.any():
        return found
    codes = np.full(len(column), -1, dtype=np.int64)
    codes[~missing] = found.codes
    return Labels(codes, found.categories)


def _encode_objects(values: List[Any]) -> Labels:
    try:
        distinct = dict.fromkeys(values)
    except TypeError:
        odd = next(value for value in values if not _hashable(value))
        raise DataError(
            f"a {type(odd).__name__} is no label: a label is a text or a number"
        ) from None
    index: Dict[Label, int] = {}
    for value in distinct:
        label = canonical(value)
        # Missing values of every kind share the code -1.
        distinct[value] = -1 if label is None else index.setdefault(label, len(index))
    codes: Codes = np.fromiter(map(distinct.__getitem__, values), np.int64, len(values))
    return Labels(codes, tuple(index))


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
