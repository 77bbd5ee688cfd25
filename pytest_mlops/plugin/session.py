"""One run that judges a model: collects, listens, and at the end decides once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Generator, List, Optional, Set

import pytest

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.errors import MlopsError
from pytest_mlops.plugin import printing
from pytest_mlops.plugin.activation import (
    GATES,
    gates_paths,
    narrowed,
    selects_gates,
)
from pytest_mlops.plugin.ending import Ending, end
from pytest_mlops.plugin.items import GatesFileCollector
from pytest_mlops.plugin.measuring import metric_function
from pytest_mlops.plugin.results import RECORDER, Recorder, ResultBook, settle
from pytest_mlops.settings.options import OPTIONS
from pytest_mlops.workflow import extensions
from pytest_mlops.workflow.finishing import RunFacts
from pytest_mlops.workflow.judging import ModelJudge
from pytest_mlops.workflow.preparing import Prepared, Request, prepare
from pytest_mlops.workflow.spool import Spool

NAME = "mlops-run"
_WORKER_KEY = "mlops_spool"


def start(config: pytest.Config) -> None:
    """Read the configuration and register the run.

    Raises:
        pytest.UsageError: something that was typed or written is wrong; all of it.
    """
    try:
        run = MlopsRun(config)
    except MlopsError as error:
        raise pytest.UsageError(f"pytest-mlops: {error}") from None
    config.pluginmanager.register(run, NAME)


class MlopsRun:
    """The state of one run. Every process has one; only the controller decides."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = hasattr(config, "workerinput")
        if not config.pluginmanager.has_plugin(extensions.OWNER):
            extensions.load(config.pluginmanager)
        self.extensions = extensions.collect_extensions(config.hook)
        self.prepared: Prepared = prepare(_request(config), self.extensions)
        self.spool = Spool(_spool_folder(config))
        self.judge: Optional[ModelJudge] = None
        if self.prepared.assignment is not None:
            assignment = self.prepared.assignment
            self.judge = ModelJudge(assignment, self.extensions, self.spool)
        self.book = ResultBook()
        self.python_tests: Set[str] = set()
        self.selected: List[str] = []
        self.broken: List[str] = []
        self.timings: Dict[str, float] = {}
        self.reported_total: Optional[int] = None
        self.interrupted = False
        self.ending: Optional[Ending] = None
        self._aim(config)

    @property
    def policy(self) -> Policy:
        """The policy of the gates file, or the default for plain tests."""
        assignment = self.prepared.assignment
        return assignment.gates_file.policy if assignment else Policy()

    def metric_of(self, item: pytest.Item) -> Callable[..., Any]:
        """The ``metric`` function of one test."""
        return metric_function(item, self.judge, self.extensions.metrics)

    # Collection

    def _aim(self, config: pytest.Config) -> None:
        folder = config.rootpath / GATES
        typed = config.args_source is pytest.Config.ArgsSource.ARGS
        if selects_gates(config) and not typed and folder.is_dir():
            config.args = [str(folder)]

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Optional[pytest.Collector]:
        """Collect the gates file that this run is about, and no other."""
        assignment = self.prepared.assignment
        if self.judge is None or assignment is None:
            return None
        if file_path.resolve() != assignment.gates_file.path.resolve():
            return None
        file = GatesFileCollector.from_parent(parent, path=file_path)
        file.judge = self.judge
        return file

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Count the marked Python tests; gates are counted in their file."""
        if _is_ours(item) and isinstance(item, pytest.Function):
            self.python_tests.add(item.nodeid)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is to run, and what it will want to know of the model."""
        ours = [item for item in session.items if _is_ours(item)]
        self.selected = [item.nodeid for item in ours]
        if self.judge is not None:
            python = any("metric" in getattr(item, "fixturenames", ()) for item in ours)
            wanted = {
                item.name for item in ours if not isinstance(item, pytest.Function)
            }
            self.prepared.expect(self.judge, wanted, all_metrics=python)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be collected."""
        if report.failed:
            self.broken.append(f"{report.nodeid or 'the suite'} cannot be collected")

    # Running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A new attempt starts with an empty slate."""
        item.stash[RECORDER] = Recorder()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what an item judged on its report."""
        report = yield
        if _is_ours(item):
            key = self.judge.evidence_key if self.judge else None
            settle(item, call, report, self.policy, key)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what an item judged, from wherever it ran."""
        if not self.is_worker:
            self.book.read(report)

    def pytest_keyboard_interrupt(
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> None:
        """Tell a person's Ctrl-C from pytest's own way to stop early."""
        # Both pytest and xdist stop early by a KeyboardInterrupt of their own.
        ended = issubclass(excinfo.type, pytest.exit.Exception)
        self.interrupted = ended or excinfo.type is KeyboardInterrupt

    # Workers

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where to leave its measurement."""
        node.workerinput[_WORKER_KEY] = str(self.spool.folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker knows of the suite; a crashed one has nothing to say."""
        told = (getattr(node, "workeroutput", None) or {}).get(NAME)
        if told is not None:
            self.selected = self.selected or told["selected"]
            self.reported_total = told["total"]
            for name, seconds in told["timings"].items():
                self.timings[name] = max(seconds, self.timings.get(name, 0.0))

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        """An item during which a worker died has no checks of its own."""
        self.book.crashed(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep what judges one model on one worker."""
        from pytest_mlops.plugin.scheduling import DEALING, OneModelScheduling

        if config.option.dist not in DEALING:
            return None
        return OneModelScheduling(config, log, only_gates=selects_gates(config))

    # The end

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, None, None]:
        """Decide, write and set the exit code; below pytest's own, the last line."""
        self._finish(session, int(exitstatus))
        result = yield
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self.is_worker:
            self._close(reporter)
        return result

    def _finish(self, session: pytest.Session, status: int) -> None:
        facts = self._facts(session)
        if self.is_worker:
            output: Dict[str, Any] = getattr(session.config, "workeroutput")
            output[NAME] = {
                "selected": list(facts.selected),
                "total": facts.total,
                "timings": dict(facts.timings),
            }
        elif not self._cut_short(facts, status):
            explained = self.book.failed_reports + len(facts.broken)
            self.ending = end(
                self.prepared,
                facts,
                self.spool,
                status=status,
                foreign_failures=session.testsfailed > explained,
            )
            session.exitstatus = self.ending.verdict.exit_code

    def _cut_short(self, facts: RunFacts, status: int) -> bool:
        """Whether there is nothing that a verdict could be about."""
        empty = not (facts.results or facts.selected or facts.broken)
        crashed = status in (ExitCode.INTERNAL_ERROR, ExitCode.USAGE)
        return self.interrupted or crashed or self.config.option.collectonly or empty

    def _facts(self, session: pytest.Session) -> RunFacts:
        file = self.prepared.assignment
        total = len(file.gates_file.gates) if file else 0
        timings = self.judge.timings if self.judge else {}
        return RunFacts(
            results=self.book.results,
            selected=self.selected,
            total=self.reported_total or total + len(self.python_tests),
            broken=self.broken,
            timings={**self.timings, **timings},
            stopped=bool(session.shouldfail or session.shouldstop) and not self.broken,
            narrowed=narrowed(self.config),
        )

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        if not self.is_worker:
            shutil.rmtree(self.spool.folder, ignore_errors=True)

    # The terminal

    def pytest_report_header(self) -> List[str]:
        """Say which model, which rules, for which environment."""
        return self.prepared.header

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the verdict."""
        if self.ending is not None:
            printing.summary(terminalreporter, self.ending.verdict)

    def _close(self, reporter: Any) -> None:
        if self.ending is not None:
            printing.plain_lines(reporter, self.ending.notes)
            printing.last_line(reporter, self.ending.line, self.ending.verdict)
        elif self.interrupted:
            text = "pytest-mlops: interrupted, so nothing is decided and no verdict is"
            printing.plain_lines(reporter, [f"{text} written"])


def _is_ours(item: pytest.Item) -> bool:
    return item.get_closest_marker(GATES) is not None


def _request(config: pytest.Config) -> Request:
    typed = {o.name: getattr(config.option, o.dest) for o in OPTIONS}
    return Request(
        typed=typed,
        environ=os.environ,
        root=config.rootpath,
        directory=config.invocation_params.dir,
        arguments=tuple(str(a) for a in config.invocation_params.args),
        paths=gates_paths(config),
        asked=selects_gates(config),
    )


def _spool_folder(config: pytest.Config) -> Path:
    given: Dict[str, Any] = getattr(config, "workerinput", {})
    if _WORKER_KEY in given:
        return Path(given[_WORKER_KEY])
    return Path(tempfile.mkdtemp(prefix="pytest-mlops-"))
