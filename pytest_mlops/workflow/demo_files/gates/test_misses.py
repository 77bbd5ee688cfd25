"""The same kind of gate in Python: an assertion on a measured value."""

import pytest


@pytest.mark.gates
def test_missed_cancers(metric):
    """F2: a missed cancer counts twice as much as a false alarm."""
    assert metric("fbeta", beta=2) >= 0.75
