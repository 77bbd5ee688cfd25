"""Look a model up in MLflow's registry: which version is meant, where its files are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Iterable, List, Tuple

import mlflow
from mlflow.exceptions import MlflowException

from pytest_mlops.core.redaction import redact
from pytest_mlops.core.sources import Site
from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import ModelNotFoundError, RegistryError
from pytest_mlops.integrations.failures import described, last_line
from pytest_mlops.integrations.mlflow_store import Store, find_store
from pytest_mlops.integrations.quiet import (
    environment,
    quiet,
    requests_within,
    within,
)

_FORMS = (
    "write models:/name/7, models:/name@alias, models:/name/latest, models:/m-<id> "
    "or runs:/<run>/model"
)
_ALIAS = re.compile(r"models:/([^/@]+)@([^/@]+)")
_VERSION = re.compile(r"models:/([^/@]+)/([^/@]+)")
_LOGGED = re.compile(r"models:/(m-[^/@]+)")
_RUN = re.compile(r"runs:/([^/]+)/(.+)")

#: Codes with which MLflow says that something is not there; which one it is for what
#: differs between its versions.
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"}
_REASONS = re.compile(
    r"\[Errno [^\]]*\] (?P<errno>[^'\")]+)|(?P<late>timed out)"
    r"|(?P<certificate>CERTIFICATE_VERIFY_FAILED)|too many (?P<code>\d+) error"
)


@dataclass(frozen=True)
class Located:
    """A model that was found.

    Attributes:
        resolved_uri: what the URI meant at the time.
        files: the URI of its files.
        tracking_uri: the store that knows how to fetch them.
    """

    resolved_uri: str
    files: str
    tracking_uri: str


def locate(uri: str, site: Site) -> Located:
    """Find out which model *uri* means.

    Takes no longer than ``site.registry_timeout`` and creates nothing.

    Raises:
        ModelNotFoundError: the registry answers that there is no such model, version,
            alias or run; with those that there are.
        RegistryError: it does not answer, or refuses to.
    """
    find = _search(uri)
    store = find_store(site)
    seconds = site.registry_timeout

    def ask() -> Located:
        return _asked(find, store)

    with quiet(silent=True), environment(requests_within(seconds)):
        try:
            return ask() if store.is_local else within(seconds, ask)
        except TimeoutError as error:
            raise _unreachable(store, str(error)) from error


_Search = Callable[[Any, Store], Tuple[str, str]]


def _search(uri: str) -> _Search:
    for pattern, search in (
        (_ALIAS, _by_alias),
        (_VERSION, _by_version),
        (_LOGGED, _by_id),
        (_RUN, _by_run),
    ):
        found = pattern.fullmatch(uri)
        if found is not None:
            first, *second = found.groups()
            return lambda client, store: search(client, store, first, *second)
    raise RegistryError(f"'{uri}' names no model and version; {_FORMS}")


def _asked(find: _Search, store: Store) -> Located:
    try:
        client = mlflow.MlflowClient(store.tracking, store.registry)
        resolved, files = find(client, store)
    except RegistryError:
        raise
    except Exception as error:
        # SQLAlchemy, requests and others raise their own through MLflow.
        raise _failed(store, error) from error
    return Located(resolved, files, store.tracking)


def _by_alias(client: Any, store: Store, name: str, alias: str) -> Tuple[str, str]:
    try:
        version = client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        aliases = _model(client, store, name).aliases
        if alias in aliases:  # MLflow 3.1 keeps the aliases of deleted versions
            raise ModelNotFoundError(
                f"the alias '{alias}' of the model '{name}' stands for version "
                f"{aliases[alias]}, which does not exist in {store}"
            ) from error
        raise ModelNotFoundError(
            f"the model '{name}' has no alias '{alias}' in {store}."
            f"{did_you_mean(alias, aliases)} {_listed('Its aliases', sorted(aliases))}"
        ) from error
    return _registered(client, store, name, str(version.version))


def _by_version(client: Any, store: Store, name: str, suffix: str) -> Tuple[str, str]:
    if suffix.isdigit():
        return _registered(client, store, name, suffix)
    stage = None if suffix.lower() == "latest" else suffix
    try:
        found = client.get_latest_versions(name, None if stage is None else [stage])
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        found = []
    if not found:
        _model(client, store, name)
        what = "versions" if stage is None else f"version in a stage '{stage}'"
        raise ModelNotFoundError(
            f"the model '{name}' has no {what} in {store}; {_FORMS}"
        )
    newest = max(int(version.version) for version in found)
    return _registered(client, store, name, str(newest))


def _registered(client: Any, store: Store, name: str, version: str) -> Tuple[str, str]:
    uri = f"models:/{name}/{version}"
    try:
        files = client.get_model_version_download_uri(name, version)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        _model(client, store, name)
        versions = client.search_model_versions(
            f"name = '{name}'", max_results=10, order_by=["version_number DESC"]
        )
        numbers = [str(found.version) for found in versions]
        raise ModelNotFoundError(
            f"the model '{name}' has no version {version} in {store}. "
            f"{_listed('Its newest versions', numbers)}"
        ) from error
    # Databricks hands out its files under the registered name only.
    return uri, uri if store.registry.startswith("databricks") else str(files)


def _by_id(client: Any, store: Store, model_id: str) -> Tuple[str, str]:
    try:
        model = client.get_logged_model(model_id)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        raise ModelNotFoundError(
            f"there is no logged model '{model_id}' in {store}; {_FORMS}"
        ) from error
    return f"models:/{model_id}", str(model.artifact_location)


def _by_run(client: Any, store: Store, run: str, path: str) -> Tuple[str, str]:
    try:
        experiment = client.get_run(run).info.experiment_id
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        raise ModelNotFoundError(f"there is no run '{run}' in {store}") from error
    uri = f"runs:/{run}/{path}"
    # Since MLflow 3 the models of a run lie elsewhere, and its own way to them does not
    # know of our store.
    name, _, below = path.partition("/")
    try:
        models = client.search_logged_models([experiment], f"name = '{name}'")
    except MlflowException as error:
        if error.error_code != "ENDPOINT_NOT_FOUND":
            raise
        return uri, uri  # a server of MLflow 2
    for model in models:
        if model.source_run_id == run:
            return uri, f"{model.artifact_location}/{below}".rstrip("/")
    return uri, uri


def _model(client: Any, store: Store, name: str) -> Any:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        known = [m.name for m in client.search_registered_models(max_results=100)]
        raise ModelNotFoundError(
            f"there is no registered model '{name}' in {store}."
            f"{did_you_mean(name, known)} {_listed('Its models', known)}"
        ) from error


def _listed(what: str, names: Iterable[str]) -> str:
    shown: List[str] = list(names)
    more = ", …" if len(shown) > 10 else ""
    return f"{what}: {', '.join(shown[:10]) or 'none'}{more}"


def _failed(store: Store, error: Exception) -> RegistryError:
    if "failed with" in str(error) and "exception" in str(error):
        return _unreachable(store, _reason(str(error)))
    said = last_line(error) if isinstance(error, MlflowException) else described(error)
    return RegistryError(f"the model registry {store} refuses: {said}")


def _reason(text: str) -> str:
    """The cause at the end of the chain that requests and urllib3 tell."""
    found = _REASONS.search(text)
    if found is None:
        return text.rpartition("failed with ")[2].splitlines()[0][:200]
    if found["code"]:
        return f"it answers with status {found['code']}"
    if found["certificate"]:
        return "its certificate cannot be verified"
    return "no answer in time" if found["late"] else found["errno"].strip()


def _unreachable(store: Store, reason: str) -> RegistryError:
    return RegistryError(
        f"the model registry {store} cannot be reached: {redact(reason)}; is the "
        "address right (tracking_uri, MLFLOW_TRACKING_URI), and does it run?"
    )
