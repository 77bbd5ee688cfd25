"""Looking models up in MLflow's registry: what is found, and what is said if not."""

from __future__ import annotations

import gc
import http.server
import json
import logging
import os
import shutil
import socket
import sqlite3
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
import requests

from pytest_mlops.core.sources import Model, Site
from pytest_mlops.errors import ModelError, ModelNotFoundError, RegistryError
from pytest_mlops.integrations.quiet import environment, requests_within, within

Load = Callable[[str, Site], Model]


def refused(load_model: Load, uri: str, site: Site, kind: Any = RegistryError) -> str:
    with pytest.raises(kind) as caught:
        load_model(uri, site)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "uri, resolved",
    [
        ("models:/classifier/1", "models:/classifier/1"),
        ("models:/classifier@champion", "models:/classifier/1"),
        ("models:/classifier@weak", "models:/classifier/2"),
        ("models:/classifier/latest", "models:/classifier/2"),
        ("models:/regressor@champion", "models:/regressor/1"),
    ],
)
def test_a_registered_model_is_resolved(
    store_site: Site, load_model: Load, uri: str, resolved: str
) -> None:
    subject = load_model(uri, store_site).subject
    assert (subject.model_uri, subject.resolved_uri) == (uri, resolved)
    assert subject.model_digest is not None
    assert subject.model_digest.startswith("sha256:")


def test_a_stage_is_resolved(
    store: Any, stores: Any, store_site: Site, load_model: Load
) -> None:
    client = stores.client(store)
    with pytest.warns(FutureWarning):
        client.transition_model_version_stage("classifier", "1", "Production")
    found = load_model("models:/classifier/production", store_site).subject
    assert found.resolved_uri == "models:/classifier/1"
    said = refused(
        load_model, "models:/classifier/Staging", store_site, ModelNotFoundError
    )
    assert "the model 'classifier' has no version in a stage 'Staging'" in said


def test_one_model_has_one_digest_however_it_is_named(
    store: Any, stores: Any, store_site: Site, load_model: Load
) -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(store.features, store.data["label"])
    logged = stores.register(store, "named", model)
    uris = [
        f"models:/named/{logged.version}",
        f"models:/{logged.model_id}",
        f"runs:/{logged.run_id}/model",
        str(logged.folder),
        logged.folder.as_uri(),
    ]
    subjects = [load_model(uri, store_site).subject for uri in uris]
    assert len({subject.model_digest for subject in subjects}) == 1
    assert [subject.resolved_uri for subject in subjects] == [
        *uris[:3],
        logged.folder.as_uri(),
        logged.folder.as_uri(),
    ]
    # MLflow leaves this file behind where it fetches by a registered name.
    (logged.folder / "registered_model_meta").write_text("model_name: named\n")
    again = load_model(uris[3], store_site).subject.model_digest
    assert again == subjects[0].model_digest
    (logged.folder / "requirements.txt").write_text("scikit-learn==0.1\n")
    assert load_model(uris[3], store_site).subject.model_digest != again


def test_the_registry_may_be_mlflows_own(
    store: Any, load_model: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.tracking_uri)
    found = load_model("models:/regressor/1", Site(tmp_path)).subject
    assert found.resolved_uri == "models:/regressor/1"


@pytest.mark.parametrize(
    "uri, parts",
    [
        (
            "models:/classifer/1",
            ["no registered model 'classifer'", "Did you mean 'classifier'?"],
        ),
        ("models:/classifer@champion", ["no registered model 'classifer'"]),
        ("models:/classifer/latest", ["no registered model 'classifer'"]),
        (
            "models:/classifier@champio",
            [
                "'classifier' has no alias 'champio'",
                "Did you mean 'champion'?",
                "Its aliases: candidate, champion, weak",
            ],
        ),
        (
            "models:/classifier/77",
            ["'classifier' has no version 77", "Its newest versions: 2, 1"],
        ),
        ("models:/m-00000000000000000000000000000000", ["no logged model 'm-0000"]),
        ("runs:/0123456789abcdef0123456789abcdef/model", ["no run '0123456789ab"]),
    ],
)
def test_what_is_missing_is_said_with_what_there_is(
    store: Any, store_site: Site, load_model: Load, uri: str, parts: List[str]
) -> None:
    said = refused(load_model, uri, store_site, ModelNotFoundError)
    for part in [*parts, "mlflow.db"]:
        assert part in said


def test_an_alias_of_a_deleted_version(
    store: Any, stores: Any, store_site: Site, load_model: Load
) -> None:
    client = stores.client(store)
    client.create_registered_model("emptied")
    client.create_model_version("emptied", str(store.root))
    client.set_registered_model_alias("emptied", "champion", "1")
    client.delete_model_version("emptied", "1")
    uri = "models:/emptied@champion"
    said = refused(load_model, uri, store_site, ModelNotFoundError)
    assert "emptied" in said and "'champion'" in said
    said = refused(load_model, "models:/emptied/latest", store_site, ModelNotFoundError)
    assert "the model 'emptied' has no versions in " in said


@pytest.mark.parametrize(
    "uri", ["models:/m", "models:/m/1/2", "models:/", "runs:/abc", "models:/a@b@c"]
)
def test_a_uri_without_a_version_says_how_to_write_it(
    site: Site, load_model: Load, uri: str
) -> None:
    said = refused(load_model, uri, site)
    assert f"'{uri}' names no model and version; write models:/name/7" in said


def test_a_path_that_a_run_does_not_have(
    store: Any, stores: Any, store_site: Site, load_model: Load
) -> None:
    client = stores.client(store)
    run = client.search_model_versions("name = 'regressor'")[0].run_id
    said = refused(load_model, f"runs:/{run}/modell", store_site, ModelError)
    assert f"runs:/{run}/modell cannot be fetched: " in said


# --- stores that are not there -----------------------------------------------------


@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "mlruns", "file:///no/such"])
def test_a_look_up_creates_no_store(
    site: Site, load_model: Load, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.chdir(site.root)
    for there in (Site(site.root, tracking_uri=uri), site):
        said = refused(load_model, "models:/m/1", there)
        assert said.startswith("the model registry /")
        assert "does not exist" in said
    assert list(site.root.iterdir()) == []


def database(path: Path, *statements: str) -> Site:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
    return Site(path.parent, tracking_uri=f"sqlite:///{path.name}")


def test_another_database_is_left_alone(tmp_path: Path, load_model: Load) -> None:
    path = tmp_path / "other.db"
    other = database(path, "CREATE TABLE t (x)")
    before = path.read_bytes()
    said = refused(load_model, "models:/m/1", other)
    assert said.startswith(f"the model registry {path} is no database of MLflow's: ")
    assert path.read_bytes() == before
    path.write_bytes(b"garbage" * 1000)
    assert "is no database of MLflow's: file is not" in refused(
        load_model, "models:/m/1", other
    )


def test_a_database_of_another_alembic_user(tmp_path: Path, load_model: Load) -> None:
    other = database(
        tmp_path / "other.db", "CREATE TABLE alembic_version (version_num)"
    )
    said = refused(load_model, "models:/m/1", other)
    assert "is no database of MLflow's: it has no models" in said


def test_a_database_of_a_newer_mlflow(tmp_path: Path, load_model: Load) -> None:
    newer = database(
        tmp_path / "new.db",
        "CREATE TABLE alembic_version (version_num)",
        "INSERT INTO alembic_version VALUES ('ffffffffffff')",
        "CREATE TABLE registered_models (name)",
    )
    said = refused(load_model, "models:/m/1", newer)
    assert "new.db was written by a newer MLflow than the installed " in said


def test_a_name_with_blanks(store: Any, tmp_path: Path, load_model: Load) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "my store.db").write_bytes((store.root / "mlflow.db").read_bytes())
    there = Site(tmp_path, tracking_uri="sqlite:///a folder/my store.db")
    assert load_model("models:/regressor/1", there).subject.model_digest


# --- registries that do not answer -------------------------------------------------


@pytest.fixture()
def asked(monkeypatch: pytest.MonkeyPatch) -> List[Dict[str, Any]]:
    """With which bounds requests were made."""
    calls: List[Dict[str, Any]] = []
    send = requests.Session.request

    def spy(self: requests.Session, method: str, url: str, **options: Any) -> Any:
        retries = self.get_adapter(url).max_retries
        calls.append({"timeout": options["timeout"], "retries": retries.total})
        return send(self, method, url, **options)

    monkeypatch.setattr(requests.Session, "request", spy)
    return calls


@pytest.fixture()
def closed_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@pytest.fixture()
def silent_port() -> Iterator[int]:
    """It accepts, and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield int(server.getsockname()[1])


def test_a_registry_that_refuses(
    site: Site, load_model: Load, asked: List[Dict[str, Any]], closed_port: int
) -> None:
    address = f"127.0.0.1:{closed_port}"
    there = Site(site.root, f"http://user:hunter2@{address}?token=abc", 2)
    said = refused(load_model, "models:/m@champion", there)
    assert f"the model registry http://***@{address} cannot be reached: " in said
    assert "Connection refused" in said
    assert "hunter2" not in said and "abc" not in said
    assert asked == [{"timeout": 2, "retries": 0}]


def test_a_registry_that_never_answers(
    site: Site, load_model: Load, asked: List[Dict[str, Any]], silent_port: int
) -> None:
    address = f"http://127.0.0.1:{silent_port}"
    said = refused(load_model, "models:/m/1", Site(site.root, address, 1.5))
    assert f"the model registry {address} cannot be reached: no answer " in said
    assert asked == [{"timeout": 1, "retries": 0}]


def test_the_time_is_kept_whatever_the_user_set(
    site: Site,
    load_model: Load,
    asked: List[Dict[str, Any]],
    silent_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    there = Site(site.root, f"http://127.0.0.1:{silent_port}", 0.5)
    said = refused(load_model, "models:/m/1", there)
    assert "cannot be reached: no answer within 0.5 s" in said
    assert asked == [{"timeout": 60, "retries": 1}]


class _Answer(http.server.BaseHTTPRequestHandler):
    status = 200
    body = b"{}"
    bodies: Dict[str, bytes] = {}

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        name = self.path.partition("?")[0].rpartition("/")[2]
        body = self.bodies.get(name, self.body)
        self.send_response(200 if name in self.bodies else self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


@contextmanager
def answering(status: int, body: bytes, **bodies: bytes) -> Iterator[str]:
    """The address of a server that answers always the same, or the same to a path."""
    handler = type(
        "Answer", (_Answer,), {"status": status, "body": body, "bodies": bodies}
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "uri",
    [
        "models:/m@champion",
        "models:/m/1",
        "models:/m/latest",
        "models:/m-0123",
        "runs:/abc/model",
    ],
)
def test_a_registry_that_wants_to_know_who_asks(
    site: Site, load_model: Load, uri: str
) -> None:
    body = b'{"error_code": "PERMISSION_DENIED", "message": "who are you?"}'
    with answering(401, body) as address:
        said = refused(load_model, uri, Site(site.root, address, 3))
    assert said == (
        f"the model registry {address} refuses: PERMISSION_DENIED: who are you?"
    )


def test_a_run_of_a_server_that_knows_no_logged_models(
    store: Any,
    stores: Any,
    site: Site,
    load_model: Load,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(downloads))
    client = stores.client(store)
    files = client.get_model_version_download_uri("classifier", "1")
    shutil.copytree(files.partition("file://")[2], tmp_path / "model")
    info = {"run_id": "abc", "experiment_id": "0", "artifact_uri": str(tmp_path)}
    run = json.dumps({"run": {"info": info, "data": {}}}).encode()
    absent = b'{"error_code": "ENDPOINT_NOT_FOUND", "message": "no such thing"}'
    with answering(404, absent, get=run) as address:
        there = Site(site.root, address, 3)
        model = load_model("runs:/abc/model", there)
        said = refused(load_model, "runs:/abc/modell", there, ModelError)
    assert said.startswith("the files of the model runs:/abc/modell cannot be fetched")
    # What was fetched stays as long as the model does.
    assert model.subject.model_digest is not None
    assert len(list(downloads.glob("pytest-mlops-*/model/MLmodel"))) == 1
    del model
    gc.collect()
    assert list(downloads.glob("pytest-mlops-*")) == []


@pytest.mark.parametrize(
    "status, body, said",
    [
        (503, b"{}", "cannot be reached: it answers with status 503"),
        (200, b"<html>", "refuses: "),
    ],
)
def test_a_registry_that_answers_otherwise(
    site: Site, load_model: Load, status: int, body: bytes, said: str
) -> None:
    with answering(status, body) as address:
        there = Site(site.root, address, 3)
        assert said in refused(load_model, "models:/m@champion", there)


def test_bounds_of_requests_fit_the_time() -> None:
    found = requests_within(15)
    assert found["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"
    assert found["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "4"
    for seconds in (1, 2, 5, 8, 15, 60, 120):
        found = requests_within(seconds)
        retries = int(found["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
        pauses = sum(
            int(found["MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"]) * 2**n
            for n in range(1, retries)
        )
        timeout = int(found["MLFLOW_HTTP_REQUEST_TIMEOUT"])
        assert pauses + (retries + 1) * timeout <= seconds


def test_variables_are_set_for_a_while_and_never_over_the_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_A", "mine")
    monkeypatch.delenv("MLFLOW_B", raising=False)
    with environment({"MLFLOW_A": "1", "MLFLOW_B": "2"}):
        assert (os.environ["MLFLOW_A"], os.environ["MLFLOW_B"]) == ("mine", "2")
    assert os.environ["MLFLOW_A"] == "mine" and "MLFLOW_B" not in os.environ


def test_a_task_within_its_time_returns_or_raises() -> None:
    assert within(60, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_nothing_is_logged_and_logging_is_as_before(
    store_site: Site, load_model: Load, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.root.manager.disable)
    load_model("models:/classifier@champion", store_site)
    assert (list(root.handlers), root.level, logging.root.manager.disable) == before
    assert capfd.readouterr() == ("", "")
