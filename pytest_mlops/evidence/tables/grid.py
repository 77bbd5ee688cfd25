"""The fixed grid of score bins: the same for all data, so that binned tables add up.

Bins lie in ascending order of the score. Inside [0, 1] they get finer towards both
ends, octave by octave: of p below one half, and mirrored of 1 − p above it. Scores
outside, such as decision functions give, have bins of their own beside them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


#: How many numbers bins have; some are never used.
BINS = 2**16

#: Each sign of the distance to [0, 1] has 32 octaves of 128 bins, from 2**-16 on.
_OUTER = 4096
_OUTER_SHIFT = 52 - 7
_OUTER_FIRST = np.float64(2.0**-16).view(np.int64) >> _OUTER_SHIFT

#: From 2**-28 to 2**-5 an octave has 512 bins; one bin takes all that is smaller.
_FINE_SHIFT = 52 - 9
_FINE_FIRST = np.float64(2.0**-28).view(np.int64) >> _FINE_SHIFT
_FINE = (28 - 5) * 512

#: From 2**-5 to one half an octave has 4096 bins, for most scores lie there.
_COARSE_SHIFT = 52 - 12
_COARSE_FIRST = np.float64(2.0**-5).view(np.int64) >> _COARSE_SHIFT

#: Wide bins, a union of neighbouring bins each: for what is kept by two scores at
#: once, or by score and group. There are 16 in an octave of the middle and 8 where the
#: scores of rare classes and of decision functions lie; elsewhere 1 or 2.
COARSE = 494


def bin_of(scores: Floats) -> Codes:
    """The bin of each score, from 0 to ``BINS`` − 1; a greater score, no lesser bin.

    Args:
        scores: shape ``(rows,)``, finite.
    """
    upper = scores >= 0.5
    lower_half = _bin_below_half(np.where(upper, 1 - scores, scores))
    return np.where(upper, BINS - 1 - lower_half, lower_half)


def _bin_below_half(scores: Floats) -> Codes:
    # The bits of positive floats, read as integers, are in the floats' own order: the
    # exponent and the first bits of the fraction are the octave and the bin in it.
    bits = scores.view(np.int64)
    coarse = (bits >> _COARSE_SHIFT) - _COARSE_FIRST
    fine = np.maximum((bits >> _FINE_SHIFT) - _FINE_FIRST + 1, 0)
    bins: Codes = np.where(coarse >= 0, coarse + (_FINE + 1), fine) + _OUTER
    negative = scores < 0
    if negative.any():
        distance = (-scores[negative]).view(np.int64) >> _OUTER_SHIFT
        steps = np.clip(distance - _OUTER_FIRST, 0, _OUTER - 1)
        bins[negative] = _OUTER - 1 - steps
    return bins


def coarse_of(bins: Codes) -> Codes:
    """The wide bin of each bin, from 0 to ``COARSE`` − 1, in the same order."""
    coarse: Codes = _coarse()[bins]
    return coarse


@lru_cache(maxsize=1)
def _coarse() -> Codes:
    # How wide they are, and how many; from the lowest score up to one half.
    widths = np.repeat(
        [128, 16, 128, 1, 256, 64, 256],
        [11, 8 * 8, 13, 1, 15 * 2, 8 * 8, 4 * 16],
    )
    starts = np.cumsum(widths) - widths
    half = np.arange(BINS // 2)
    lower = np.searchsorted(starts, half, side="right") - 1
    return np.concatenate([lower, COARSE - 1 - lower[::-1]])
