"""Distances between two distributions over the same cells, as they are defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats


def psi(p: Floats, q: Floats) -> float:
    """The population stability index Σ (p − q) ln(p / q); shares above 0.

    Lewis, "An Introduction to Credit Scoring" (1994); the same as Jeffreys' divergence,
    "An invariant form for the prior probability in estimation problems" (1946).
    """
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(p: Floats, q: Floats) -> float:
    """The Jensen–Shannon divergence in bits, from 0 to 1; shares above 0.

    Lin, "Divergence measures based on the Shannon entropy" (1991).
    """
    middle = (p + q) / 2
    return float(np.sum(p * np.log2(p / middle) + q * np.log2(q / middle)) / 2)


def total_variation(p: Floats, q: Floats) -> float:
    """The total variation distance ½ Σ |p − q|, from 0 to 1."""
    return float(np.abs(p - q).sum() / 2)
