"""pytest-mlops: a release of a model is a test run."""

from __future__ import annotations

__version__ = "0.1.0"
