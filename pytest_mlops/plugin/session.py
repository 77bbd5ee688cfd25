"""One run that judges a model: collects, listens, and at the end decides once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Generator, List, Optional, Sequence, Tuple

import pytest

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.outcomes import ExitCode
from pytest_mlops.errors import ConfigurationError, MlopsError
from pytest_mlops.plugin import printing
from pytest_mlops.plugin.activation import (
    DRIFT,
    GATES,
    RUN,
    aim,
    asked_suites,
    gates_paths,
    is_narrowed,
    suite_of,
    suites,
)
from pytest_mlops.plugin.ending import Ending, end
from pytest_mlops.plugin.items import GateItem, GatesFileCollector, Judge
from pytest_mlops.plugin.measuring import metric_function, named_metrics
from pytest_mlops.plugin.results import CALLING, ResultBook, Rules, attach, begin
from pytest_mlops.settings.options import OPTIONS
from pytest_mlops.settings.values import Gate
from pytest_mlops.workflow import extensions
from pytest_mlops.workflow.drifting import DriftJudge
from pytest_mlops.workflow.finishing import RunFacts
from pytest_mlops.workflow.judging import ModelJudge
from pytest_mlops.workflow.preparing import Request, prepare
from pytest_mlops.workflow.spool import Spool, Suite

_WORKER_KEY = "mlops_spool"


def start(config: pytest.Config) -> None:
    """Read the configuration and register the run.

    Raises:
        pytest.UsageError: something that was typed or written is wrong; all of it.
    """
    if getattr(config.option, "dist", "no") == "each":
        raise pytest.UsageError(
            "pytest-mlops: a model is judged once: --dist=each is not for gates, use "
            "--dist=load"
        )
    try:
        run = MlopsRun(config)
    except MlopsError as error:
        raise pytest.UsageError(f"pytest-mlops: {error}") from None
    config.pluginmanager.register(run, RUN)


class MlopsRun:
    """The state of one run. Every process has one; only the controller decides."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = hasattr(config, "workerinput")
        extensions.load(config.pluginmanager)
        self.extensions = extensions.collect_extensions(config.hook)
        self.prepared = prepare(_request(config), self.extensions)
        self.spool = Spool(_spool_folder(config))
        assignment = self.prepared.assignment
        self.judge: Optional[ModelJudge] = None
        self.rules: Rules = (Policy(), ())
        self.suites: Dict[str, Tuple[Judge, Sequence[Gate]]] = {}
        if assignment is not None:
            file, judged = assignment.gates_file, assignment.suites
            self.rules = (file.policy, file.waivers)
            self.judge = ModelJudge(assignment, self.extensions, self.spool)
            if GATES in judged:
                self.suites[GATES] = (self.judge, file.gates)
            if DRIFT in judged:
                drift = DriftJudge(assignment, self.extensions, self.spool)
                self.suites[DRIFT] = (drift, file.drift)
        self.book = ResultBook()
        self.collected: List[pytest.Item] = []
        self.left_out = False
        self.broken: List[str] = []
        self.interrupted = False
        self.ending: Optional[Ending] = None
        config.args = aim(config)

    def metric_of(self, item: pytest.Item) -> Callable[..., Any]:
        """The ``metric`` function of one test."""
        return metric_function(item, self.judge, self.extensions.metrics)

    # Collection

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Optional[pytest.Collector]:
        """Collect the gates file that this run is about, and no other."""
        if self.judge is None:
            return None
        gates_file = self.judge.assignment.gates_file
        if file_path.resolve() != gates_file.path.resolve():
            return None
        file = GatesFileCollector.from_parent(parent, path=file_path)
        file.suites, file.rules = self.suites, self.rules
        return file

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember what there is, before any of it is deselected."""
        self.collected.append(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is to run, and what it will want to know of the model."""
        ours = [item for item in session.items if suite_of(item)]
        # Only now: marks may have been added meanwhile. Gates count in their file.
        asked = suites(self.config)
        others = (i for i in self.collected if not isinstance(i, GateItem))
        total = sum(suite_of(item) in asked for item in others)
        total += sum(len(gates) for _, gates in self.suites.values())
        if self.judge is not None:
            gates = {item.name for item in ours if isinstance(item, GateItem)}
            named, selections = named_metrics(ours, self.extensions.metrics)
            self.judge.expect(gates, named, selections)
        if not self._is_controller_of_workers():
            ids = tuple(item.nodeid for item in ours)
            self.spool.put_suite(Suite(ids, total))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be collected."""
        if report.failed:
            self.broken.append(f"{report.nodeid or 'the suite'} cannot be collected")
        self.left_out = self.left_out or report.skipped

    # Running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A new attempt starts with an empty slate."""
        begin(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Tell the reports of subtests from the item's own."""
        item.stash[CALLING] = True
        try:
            return (yield)
        finally:
            item.stash[CALLING] = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what an item judged on its report, when all others have had their say."""
        report = yield
        if suite_of(item):
            judge = item.judge if isinstance(item, GateItem) else self.judge
            measured = {
                "evidence": judge.evidence_key if judge else None,
                "timings": dict(judge.timings) if judge else {},
            }
            attach(item, call, report, self.rules, measured)
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

    def _is_controller_of_workers(self) -> bool:
        return self.config.pluginmanager.has_plugin("dsession")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where to leave its measurement."""
        node.workerinput[_WORKER_KEY] = str(self.spool.folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        """An item during which a worker died has no checks of its own."""
        self.book.crashed(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep what judges one model on one worker."""
        from pytest_mlops.plugin.scheduling import SCOPES, OneModelScheduling

        if config.option.dist not in SCOPES:
            return None
        return OneModelScheduling(config, log, lambda: self.spool.suite().selected)

    # The end

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, None, None]:
        """Decide, write and set the exit code; below pytest's own, the last line."""
        if not self.is_worker:
            self._decide(session, int(exitstatus))
        result = yield
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self.is_worker:
            self._close(reporter)
        return result

    def _decide(self, session: pytest.Session, status: int) -> None:
        suite = self.spool.suite()
        facts = RunFacts(
            results=self.book.results(suite.selected),
            selected=suite.selected,
            total=suite.total,
            broken=self.broken,
            timings=self.book.timings,
            stopped=bool(session.shouldfail or session.shouldstop) and not self.broken,
            narrowed=self.left_out
            or is_narrowed(self.config, self.prepared.assignment),
        )
        if self._cut_short(facts, status):
            return
        explained = self.book.failed_reports(suite.selected) + len(self.broken)
        foreign = session.testsfailed > explained
        self.ending = end(
            self.prepared, facts, self.spool, status=status, foreign_failures=foreign
        )
        session.exitstatus = self.ending.verdict.exit_code

    def _cut_short(self, facts: RunFacts, status: int) -> bool:
        """Whether there is nothing that a verdict could be about."""
        empty = not (facts.results or facts.selected or facts.broken)
        crashed = status in (ExitCode.INTERNAL_ERROR, ExitCode.USAGE)
        return self.interrupted or crashed or _only_looks(self.config) or empty

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


def _request(config: pytest.Config) -> Request:
    typed = {o.name: getattr(config.option, o.dest) for o in OPTIONS}
    return Request(
        typed=typed,
        environ=os.environ,
        root=config.rootpath,
        directory=config.invocation_params.dir,
        arguments=tuple(str(a) for a in config.invocation_params.args),
        paths=gates_paths(config),
        asked=bool(asked_suites(config)),
        suites=suites(config),
        anywhere=config.args_source is pytest.Config.ArgsSource.ARGS,
        writes=not (hasattr(config, "workerinput") or _only_looks(config)),
    )


def _only_looks(config: pytest.Config) -> bool:
    """Whether nothing will run: such a call must not touch an earlier verdict."""
    looks = ["collectonly", "markers", "help", "version", "cacheshow"]
    looks += ["showfixtures", "show_fixtures_per_test"]
    return any(getattr(config.option, name, False) for name in looks)


def _spool_folder(config: pytest.Config) -> Path:
    given: Dict[str, Any] = getattr(config, "workerinput", {})
    if _WORKER_KEY in given:
        return Path(given[_WORKER_KEY])
    try:
        return Path(tempfile.mkdtemp(prefix="pytest-mlops-"))
    except OSError as error:
        raise ConfigurationError.one(
            f"no temporary folder can be made: {error.strerror}; set TMPDIR to one",
            source="environment",
        ) from error
