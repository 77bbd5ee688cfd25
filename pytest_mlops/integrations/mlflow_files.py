"""The files of an MLflow model: known by their digest, loaded when it has to run."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Protocol, Tuple

import yaml

from pytest_mlops.core.rows import Batch, Predictions
from pytest_mlops.core.sources import Site, Subject
from pytest_mlops.errors import ModelError
from pytest_mlops.integrations.model_files import folder_digest
from pytest_mlops.integrations.places import local_path
from pytest_mlops.integrations.versions import installed

_DESCRIPTION = "MLmodel"

#: Among a model's files, the profile that drift is measured from.
PROFILE_FILE = "pytest_mlops_profile.json"


class Loaded(Protocol):
    """A model that has been loaded."""

    @property
    def inputs(self) -> Optional[Tuple[str, ...]]:
        """As ``core.sources.Model``."""

    def predict(
        self, batch: Batch, columns: Tuple[str, ...], *, probabilities: bool
    ) -> Predictions:
        """As ``core.sources.Model``."""


#: Loads the files of a model; the last argument is the project's folder.
Load = Callable[[Subject, Path, Path], Loaded]


def open_folder(uri: str, site: Site, load: Load) -> Optional[MlflowFiles]:
    """A model in a folder; None for any URI that is no path.

    MLflow itself, which takes a second to import, is left to *load*.

    Raises:
        ModelError: there is no such folder, or no model in it.
    """
    path = local_path(uri, site.root)
    if path is None:
        return None
    if not path.is_dir():
        raise ModelError(
            f"the model folder {uri} does not exist (in {site.root}); registered "
            "models are named like models:/name/7"
        )
    return MlflowFiles(Subject(uri, path.resolve().as_uri()), path, site.root, load)


class MlflowFiles:
    """Implements ``core.sources.Model`` and ``Deferred`` on a folder.

    Args:
        subject: which model it is, without a digest.
        path: the folder.
        root: the project's folder, importable while the model runs.
        load: loads it.

    Raises:
        ModelError: there is no model in the folder.
    """

    def __init__(self, subject: Subject, path: Path, root: Path, load: Load) -> None:
        uri = subject.model_uri
        if not (path / _DESCRIPTION).is_file():
            raise ModelError(
                f"the model {uri} cannot be loaded: it has no file {_DESCRIPTION}"
            )
        self.subject = Subject(uri, subject.resolved_uri, folder_digest(path))
        self._path = path
        self._root = root
        self._load = load
        self._loaded: Optional[Loaded] = None

    def load(self) -> None:
        """Load it, unless that is done; raises ModelError, MissingLibraryError."""
        self._model()

    @property
    def profile(self) -> Optional[str]:
        """The text of the profile that is stored with it, if there is one."""
        file = self._path / PROFILE_FILE
        # What is no text is no profile either, and whoever reads it says so.
        return (
            file.read_text(encoding="utf-8", errors="replace")
            if file.is_file()
            else None
        )

    @property
    def inputs(self) -> Optional[Tuple[str, ...]]:
        """The columns of its signature; it is loaded to know them."""
        return self._model().inputs

    @property
    def versions(self) -> Mapping[str, str]:
        """MLflow, Python, scikit-learn and the libraries of the model's flavours."""
        flavors = [name for name in self._flavors() if name != "python_function"]
        found: Dict[str, str] = installed(
            ["mlflow-skinny", "mlflow", "sklearn", *flavors]
        )
        small = found.pop("mlflow-skinny", None)
        return {"mlflow": small, **found} if small is not None else found

    def predict(
        self, batch: Batch, columns: Tuple[str, ...], *, probabilities: bool
    ) -> Predictions:
        """Run it on the columns of its signature, or without one on those given.

        Raises:
            ModelError, MissingLibraryError: it cannot be loaded, a column is missing,
                it refuses the data or raises, or what it returns is no prediction.
        """
        return self._model().predict(batch, columns, probabilities=probabilities)

    def _model(self) -> Loaded:
        if self._loaded is None:
            self._loaded = self._load(self.subject, self._path, self._root)
        return self._loaded

    def _flavors(self) -> List[str]:
        try:
            described = yaml.safe_load((self._path / _DESCRIPTION).read_bytes())
            return list(map(str, described["flavors"]))
        except (yaml.YAMLError, LookupError, TypeError, ValueError):
            return []  # loading it says what is wrong
