"""``package.module:name``: import an object of the project's own."""

from __future__ import annotations

import importlib
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional, Type

from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import InstrumentError
from pytest_mlops.integrations.failures import located

_REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def is_reference(uri: str) -> bool:
    """Whether *uri* has the form ``package.module:name``."""
    return _REFERENCE.fullmatch(uri) is not None


@contextmanager
def project_path(root: Path) -> Iterator[None]:
    """*root* on ``sys.path``, as ``python -m`` in that folder would have it."""
    entry = str(root)
    if entry in sys.path:
        yield
        return
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def import_object(uri: str, root: Path, error: Type[InstrumentError]) -> Any:
    """Import what *uri* refers to.

    Args:
        uri: ``package.module:name`` or ``package.module:name.attribute``.
        root: the project's folder, importable meanwhile.
        error: what to raise.

    Raises:
        InstrumentError: of the type *error*: the module cannot be imported, or has no
            such name.
    """
    module_name, _, path = uri.partition(":")
    # The project's files may be younger than what the import system remembers.
    importlib.invalidate_caches()
    with project_path(root):
        try:
            found: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as reason:
            if reason.name is not None and _leads_to(module_name, reason.name):
                raise error(
                    f"'{uri}' cannot be imported: there is no module "
                    f"'{reason.name}' in {root} nor among the installed packages"
                ) from reason
            raise error(f"'{uri}' cannot be imported: {located(reason)}") from reason
        except (Exception, SystemExit) as reason:
            raise error(f"'{uri}' cannot be imported: {located(reason)}") from reason
    for name in path.split("."):
        if not hasattr(found, name):
            raise error(
                f"'{uri}' cannot be found: '{module_name}' has no '{path}'."
                f"{did_you_mean(name, [n for n in vars(found) if n[0] != '_'])}"
            )
        found = getattr(found, name)
    return found


def stated_version(found: Any) -> Optional[str]:
    """The attribute ``__version__`` of an object of the project's own.

    Returns:
        None where it has none, or one that is neither a text nor a whole number.
    """
    version = getattr(found, "__version__", None)
    return str(version) if isinstance(version, (str, int)) else None


def _leads_to(module: str, missing: str) -> bool:
    return module == missing or module.startswith(f"{missing}.")
