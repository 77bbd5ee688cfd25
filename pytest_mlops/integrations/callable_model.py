"""A model that is an object of the project: ``package.module:name``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Optional, Tuple

from pytest_mlops.core.rows import Batch, Predictions
from pytest_mlops.core.sources import Site, Subject
from pytest_mlops.errors import ModelError
from pytest_mlops.integrations.failures import located
from pytest_mlops.integrations.model_outputs import as_predictions, with_probabilities
from pytest_mlops.integrations.objects import (
    import_object,
    project_path,
    stated_version,
)
from pytest_mlops.integrations.versions import installed


def load_callable(uri: str, site: Site) -> CallableModel:
    """Import an object with ``predict``, or a function from a frame to predictions.

    Raises:
        ModelError: it cannot be imported, or is neither.
    """
    found = import_object(uri, site.root, ModelError)
    if isinstance(found, type):
        raise ModelError(f"'{uri}' is a class; name an object of it")
    if not hasattr(found, "predict") and not callable(found):
        raise ModelError(
            f"'{uri}' is a {type(found).__name__}, which has no predict and cannot be "
            "called"
        )
    return CallableModel(uri, found, site.root)


class CallableModel:
    """Implements ``core.sources.Model`` on an estimator or a function."""

    inputs: Optional[Tuple[str, ...]] = None

    def __init__(self, uri: str, found: Any, root: Path) -> None:
        self._found = found
        self._root = root
        self.subject = Subject(model_uri=uri, version=stated_version(found))

    @property
    def versions(self) -> Mapping[str, str]:
        """Of Python and of the package that its type comes from."""
        return installed([type(self._found).__module__.partition(".")[0]])

    def predict(
        self, batch: Batch, columns: Tuple[str, ...], *, probabilities: bool
    ) -> Predictions:
        """Run it on some columns of a batch.

        Raises:
            ModelError: it raised, or what it returned is no prediction.
        """
        frame = batch.frame(columns)
        function = getattr(self._found, "predict", self._found)
        with project_path(self._root):
            try:
                result = function(frame)
            except Exception as error:
                raise ModelError(
                    f"the model's predict raised {located(error)}"
                ) from error
            predictions = as_predictions(result, batch.rows, self._found)
            if probabilities:
                return with_probabilities(predictions, self._found, frame)
        return predictions
