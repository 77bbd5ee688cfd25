"""Libraries at work: quiet, and within a time."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from contextlib import contextmanager
from typing import Callable, Dict, Iterator, List, Mapping, TypeVar

T = TypeVar("T")

_NO_BARS = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
#: They tell the authors of libraries about other libraries.
_UNWANTED = (DeprecationWarning, FutureWarning, ResourceWarning)
_LOGGERS = ("", "mlflow", "alembic", "urllib3")

#: Seconds between the second and the last attempt to reach a registry.
_PAUSE = 2


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables for those who have not set them themselves, for a while."""
    new = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


def requests_within(seconds: float) -> Dict[str, str]:
    """MLflow's settings for requests that take about *seconds* until it gives up.

    Its own would try a dead registry for minutes. Three attempts, the second at once
    and the third after a pause; one attempt where time is short.
    """
    retries = 2 if seconds >= 4 * _PAUSE else 0
    waiting = seconds - (_PAUSE if retries else 0)
    return {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(retries),
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, int(waiting / (retries + 1)))),
        # The n-th pause takes factor × 2ⁿ⁻¹ seconds, the first none.
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": str(_PAUSE // 2),
        "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    }


@contextmanager
def quiet(*, silent: bool = False) -> Iterator[None]:
    """No progress bars, notes on deprecations or remarks of MLflow's.

    Args:
        silent: nothing is logged at all, by nobody; for calls whose every failure is
            an exception. MLflow may configure logging anew in between; that is undone.
    """
    before = {name: _Logger(name) for name in _LOGGERS}
    disabled = logging.root.manager.disable
    with environment(_NO_BARS), warnings.catch_warnings():
        for category in _UNWANTED:
            warnings.simplefilter("ignore", category)
        if silent:
            logging.disable(logging.CRITICAL)
            warnings.simplefilter("ignore")
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        try:
            yield
        finally:
            logging.disable(disabled)
            for state in before.values():
                state.restore()


class _Logger:
    """How a logger was configured."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)
        self._level = self._logger.level
        self._handlers = list(self._logger.handlers)
        self._propagate = self._logger.propagate

    def restore(self) -> None:
        """Configure it as it was."""
        self._logger.handlers[:] = self._handlers
        self._logger.setLevel(self._level)
        self._logger.propagate = self._propagate


def within(seconds: float, task: Callable[[], T]) -> T:
    """What *task* returns or raises.

    It runs in a thread that is left alone when the time is up, because a connection
    to a database or a look-up of a name cannot be interrupted.

    Raises:
        TimeoutError: it took longer than *seconds*.
    """
    results: List[T] = []
    errors: List[BaseException] = []

    def run() -> None:
        try:
            results.append(task())
        except BaseException as error:  # it is raised where somebody waits for it
            errors.append(error)

    thread = threading.Thread(target=run, name="mlops-registry", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return results[0]
