"""Groups of rows that belong together, in a fixed number of buckets.

A bucket is a union of whole groups, so sums over buckets are as independent as sums
over groups, and the variance between them is as unbiased; there are merely fewer of
them. That keeps tables of a fixed size, however many groups there are, and since the
bucket of a group hangs on its label alone, tables of different batches add up.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.core.rows import Label, Labels
from pytest_mlops.evidence.labels import canonical

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: The variance between so many sums is known to 2 %.
BUCKETS = 4096

#: With fewer groups than this, the variance between them is itself uncertain.
FEW_GROUPS = 30


def buckets(groups: Labels) -> Codes:
    """The bucket of each row, from 0 to ``BUCKETS`` − 1; shape ``(rows,)``.

    Args:
        groups: the group of each row; none is missing.
    """
    each = np.array([_bucket(label) for label in groups.categories], dtype=np.int64)
    return each[groups.codes]


def _bucket(label: Label) -> int:
    text = repr(canonical(label)).encode()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS
