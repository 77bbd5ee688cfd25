"""Small helpers for the arrays inside tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


A = TypeVar("A", bound=np.generic)

#: Rows that are worked on at once: their temporaries stay in the processor's cache.
CHUNK = 2**16


def chunks(rows: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices that cover *rows* rows, *size* of them at a time."""
    for start in range(0, rows, size):
        yield slice(start, start + size)


def weight_sums(index: Codes, weights: NDArray[Any], size: int) -> Floats:
    """The sum of the weights at each index from 0 to *size* − 1."""
    sums: Floats = np.bincount(index, weights, size).astype(np.float64, copy=False)
    return sums


def frozen(array: NDArray[A]) -> NDArray[A]:
    """A view of *array* that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
