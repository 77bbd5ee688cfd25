"""Which versions of which libraries a model runs on."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Dict, Iterable

#: Distributions that are not named as their package, or MLflow's flavour, is.
_DISTRIBUTIONS = {
    "cv2": "opencv-python",
    "PIL": "pillow",
    "pytorch": "torch",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}


def distribution(package: str) -> str:
    """What to ``pip install`` for a package or a flavour of MLflow."""
    return _DISTRIBUTIONS.get(package, package)


def installed(packages: Iterable[str]) -> Dict[str, str]:
    """Versions by distribution, Python's among them; what is absent is left out."""
    found = {"python": platform.python_version()}
    for name in map(distribution, packages):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
