"""The seams to models and data: what a loader must give, whatever is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import (
    Callable,
    Iterator,
    Mapping,
    Optional,
    Protocol,
    Tuple,
    runtime_checkable,
)

from pytest_mlops.core.rows import Batch, Predictions


@dataclass(frozen=True)
class Subject:
    """Which model it was, beyond the name that was asked for.

    Attributes:
        model_uri: as it was asked for, such as ``models:/m@candidate``.
        resolved_uri: what that meant at the time, such as ``models:/m/7``.
        model_digest: ``sha256:…`` over the model's files; None where it has none.
        version: what a model without files states as its version; None where it
            states none.
    """

    model_uri: str
    resolved_uri: Optional[str] = None
    model_digest: Optional[str] = None
    version: Optional[str] = None

    @property
    def identity(self) -> Optional[str]:
        """A text that changes when the model does; None where nothing tells."""
        if self.model_digest is None and self.version is not None:
            return f"{self.model_uri} {self.version}"
        return self.model_digest


#: What a fingerprint begins with that says nothing of the data.
UNVERSIONED = "unversioned:"


class Model(Protocol):
    """A model that can be run. It may be ``Deferred``."""

    @property
    def subject(self) -> Subject:
        """Which model this is."""

    @property
    def inputs(self) -> Optional[Tuple[str, ...]]:
        """The columns of its signature, optional ones too; None where it has none."""

    @property
    def versions(self) -> Mapping[str, str]:
        """The libraries that it runs on, by name."""

    def predict(
        self, batch: Batch, columns: Tuple[str, ...], *, probabilities: bool
    ) -> Predictions:
        """Run the model on some columns of a batch.

        Raises:
            ModelError: it raised, or what it returned is no prediction.
        """


@runtime_checkable
class Deferred(Protocol):
    """A model that is known before it is loaded, for it may never have to run."""

    def load(self) -> None:
        """Get ready to predict, unless that is done; ``predict`` does so itself.

        Raises:
            ModelError, MissingLibraryError: it cannot be loaded.
        """


class DataSource(Protocol):
    """Labelled data that can be read from the start, batch by batch."""

    @property
    def uri(self) -> str:
        """As it was asked for."""

    def columns(self) -> Tuple[str, ...]:
        """The columns' names.

        Raises:
            DataError: there is nothing to read.
        """

    def fingerprint(self) -> str:
        """A text that changes when the data does.

        One that begins with ``UNVERSIONED`` promises nothing.

        Raises:
            DataError: the data cannot be read.
        """

    def batches(self) -> Iterator[Batch]:
        """The rows, from the first, in batches that fit into memory.

        Raises:
            DataError: with the file and the row or line.
        """


@dataclass(frozen=True)
class Site:
    """Where a run takes place: what loaders may need to know.

    Attributes:
        root: where relative paths start.
        tracking_uri: the model registry; None is the library's own default.
        registry_timeout: seconds that looking a model up may take in all.
    """

    root: Path
    tracking_uri: Optional[str] = None
    registry_timeout: float = 15.0


@dataclass(frozen=True)
class ModelLoader:
    """One way to get a model.

    A model may also have ``profile``: the text of a profile that is stored with it
    (see ``pytest-mlops profile``), or None; drift is measured from it.

    Attributes:
        name: what it is called in messages, such as ``"mlflow"``.
        accepts: whether a URI is its own; it must not touch anything to know.
        load: loads the model; raises ModelError, RegistryError or
            MissingLibraryError.
        example: a URI that it accepts, for messages.
    """

    name: str
    accepts: Callable[[str, Site], bool]
    load: Callable[[str, Site], Model]
    example: str = ""


@dataclass(frozen=True)
class DataLoader:
    """One way to get data; as ``ModelLoader``. ``open`` raises DataError."""

    name: str
    accepts: Callable[[str, Site], bool]
    open: Callable[[str, Site], DataSource]
    example: str = ""
