"""Models of MLflow: fetch their files, load them, predict."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import weakref
from functools import partial
from pathlib import Path
from typing import Any, Optional, Tuple

import mlflow
from mlflow.exceptions import MlflowException

from pytest_mlops.core.rows import Batch, Predictions
from pytest_mlops.core.sources import Site, Subject
from pytest_mlops.errors import ModelError
from pytest_mlops.integrations.failures import described, last_line, located
from pytest_mlops.integrations.mlflow_files import Load, MlflowFiles
from pytest_mlops.integrations.mlflow_registry import Located, locate
from pytest_mlops.integrations.model_outputs import as_predictions, with_probabilities
from pytest_mlops.integrations.objects import project_path
from pytest_mlops.integrations.places import local_path
from pytest_mlops.integrations.quiet import quiet
from pytest_mlops.integrations.versions import distribution

_REFUSED = "Failed to enforce schema of data"


def fetch_mlflow(uri: str, site: Site, load: Load) -> MlflowFiles:
    """Fetch a registered model, a logged one, or one of a run; *load* loads it.

    Raises:
        ModelNotFoundError, RegistryError: the registry does not have it, or does not
            answer.
        ModelError: its files are missing.
    """
    found = locate(uri, site)
    subject = Subject(uri, found.resolved_uri)
    if local_path(found.files, site.root) is not None:
        return MlflowFiles(subject, _fetched(found), site.root, load)
    folder = tempfile.mkdtemp(prefix="pytest-mlops-")
    clean = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        model = MlflowFiles(subject, _fetched(found, folder), site.root, load)
    except BaseException:
        clean()
        raise
    # Some models read their files when they predict.
    weakref.finalize(model, clean)
    return model


def load_files(subject: Subject, path: Path, root: Path) -> MlflowModel:
    """Load the files of a model.

    Args:
        subject: which model it is.
        path: the folder of its files.
        root: the project's folder, importable meanwhile.

    Raises:
        ModelError: its files are broken, or a library is missing.
    """
    return MlflowModel(subject, _loaded(subject.model_uri, path, root), root)


class MlflowModel:
    """Implements ``Loaded`` on ``mlflow.pyfunc``.

    Args:
        subject: which model it is.
        loaded: a ``mlflow.pyfunc.PyFuncModel``.
        root: the project's folder, importable while the model runs.
    """

    def __init__(self, subject: Subject, loaded: Any, root: Path) -> None:
        self.subject = subject
        self._loaded = loaded
        self._root = root
        schema = loaded.metadata.get_input_schema()
        named = schema is not None and schema.has_input_names()
        self.inputs = tuple(schema.input_names()) if named else None
        self._required = tuple(schema.required_input_names()) if named else ()
        self._raw = _raw(loaded)

    def predict(
        self, batch: Batch, columns: Tuple[str, ...], *, probabilities: bool
    ) -> Predictions:
        """Run it on the columns of its signature, or without one on those given.

        Raises:
            ModelError: a column is missing, the model refuses the data or raises, or
                what it returns is no prediction.
        """
        frame = batch.frame(self._chosen(batch, columns))
        with project_path(self._root), quiet():
            result = self._predicted(frame)
            predictions = as_predictions(result, batch.rows, self._raw)
            if probabilities:
                return with_probabilities(predictions, self._raw, frame)
        return predictions

    def _chosen(self, batch: Batch, columns: Tuple[str, ...]) -> Tuple[str, ...]:
        if self.inputs is None:
            return columns
        missing = [name for name in self._required if name not in batch.names]
        if missing:
            raise ModelError(
                f"the data lacks columns that the model {self.subject.model_uri} asks "
                f"for: {', '.join(missing)}. Its columns: {', '.join(batch.names)}"
            )
        return tuple(name for name in self.inputs if name in batch.names)

    def _predicted(self, frame: Any) -> Any:
        try:
            return self._loaded.predict(frame)
        except MlflowException as error:
            if str(error).startswith(_REFUSED):
                said = str(error).rpartition("Error: ")[2].strip().splitlines()[-1]
                raise ModelError(
                    f"the model {self.subject.model_uri} refuses the data: {said}"
                ) from error
            raise self._raised(error) from error
        except Exception as error:
            raise self._raised(error) from error

    def _raised(self, error: Exception) -> ModelError:
        return ModelError(f"the model's predict raised {located(error)}")


def _fetched(found: Located, folder: Optional[str] = None) -> Path:
    missing = f"the files of the model {found.resolved_uri} cannot be fetched"
    try:
        with quiet(silent=True):
            path = mlflow.artifacts.download_artifacts(
                artifact_uri=found.files,
                dst_path=folder,
                tracking_uri=found.tracking_uri,
            )
    except Exception as error:
        # Every kind of artifact store raises its own.
        raise ModelError(f"{missing}: {last_line(error)}") from error
    if not Path(path).is_dir():
        raise ModelError(f"{missing}: the folder {path} does not exist")
    return Path(path)


def _loaded(uri: str, path: Path, root: Path) -> Any:
    with quiet(silent=True):
        # It takes a second, and not every look-up comes this far.
        importlib.import_module("mlflow.pyfunc")
    try:
        with project_path(root), quiet():
            return mlflow.pyfunc.load_model(str(path), suppress_warnings=True)
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).partition(".")[0]
        raise ModelError(
            f"the model {uri} needs the module '{error.name}', which is not installed: "
            f"pip install {distribution(package)} (its own modules must be logged with "
            "it, as code_paths)"
        ) from error
    except Exception as error:
        # Whatever unpickling and parsing somebody's files raises.
        raise ModelError(
            f"the model {uri} cannot be loaded: {_culprit(path)}{described(error)}"
        ) from error


def _culprit(path: Path) -> str:
    """Says so where it is MLmodel that cannot be read."""
    try:
        mlflow.models.Model.load(str(path))
    except Exception:
        return "its file MLmodel is broken: "
    return ""


def _raw(loaded: Any) -> Optional[Any]:
    """The estimator itself, for its classes and probabilities."""
    try:
        return loaded.get_raw_model()
    except NotImplementedError:
        return None
