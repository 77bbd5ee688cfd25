"""Before a run: read all that was typed and written, and refuse what cannot work."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import FrozenSet, Iterator, List, Mapping, Optional, Tuple

from pytest_mlops.core.metrics import Metric
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.sources import Site
from pytest_mlops.errors import ConfigurationError, DataError, Problem
from pytest_mlops.evidence.drift.metrics import drift_metrics
from pytest_mlops.evidence.metrics import custom_metric
from pytest_mlops.reporting.verdict_file import check_writable, remove_stale
from pytest_mlops.settings.gates_file import read_gates_file
from pytest_mlops.settings.options import space_separated
from pytest_mlops.settings.project import choose_environment, read_project
from pytest_mlops.settings.reader import shown_path
from pytest_mlops.settings.resolution import resolve_options, tracking_setting
from pytest_mlops.settings.selection import (
    choose_gates_file,
    find_gates_files,
    peek_gates_file,
)
from pytest_mlops.settings.values import GatesFile, Options, Project
from pytest_mlops.workflow.drift_misfits import drift_misfits, reference_words
from pytest_mlops.workflow.extensions import Extensions
from pytest_mlops.workflow.judging import Assignment


@dataclass(frozen=True)
class Request:
    """What was typed, and where.

    Attributes:
        typed: the options of the command line by name.
        environ: the environment variables.
        root: pytest's rootdir.
        directory: where the command was typed.
        arguments: the words of the command.
        paths: gates files and folders among them.
        asked: whether ``-m gates`` or ``-m drift`` was typed.
        suites: which of a file's suites are judged: ``"gates"``, ``"drift"``.
        anywhere: whether any path was typed, gates or not.
        writes: whether this process writes the verdict, if one is asked for.
    """

    typed: Mapping[str, Optional[str]]
    environ: Mapping[str, str]
    root: Path
    directory: Path
    arguments: Tuple[str, ...] = ()
    paths: Tuple[Path, ...] = ()
    asked: bool = False
    suites: FrozenSet[str] = frozenset({"gates"})
    anywhere: bool = False
    writes: bool = True


@dataclass(frozen=True)
class Prepared:
    """A run that can begin.

    Attributes:
        assignment: what is judged; None where only plain tests are.
        environment: what it is judged for.
        verdict_path: where the verdict goes.
        header: what a person should know before it starts, a line each.
    """

    assignment: Optional[Assignment]
    environment: Optional[str]
    verdict_path: Optional[Path]
    header: List[str]


def prepare(request: Request, extensions: Extensions) -> Prepared:
    """Read the configuration.

    Raises:
        ConfigurationError: with everything that is wrong, before a model is loaded.
    """
    _refuse_moved_root(request)
    options = resolve_options(
        request.typed, request.environ, cwd=request.directory, root=request.root
    )
    if options.verdict is not None and request.writes:
        remove_stale(options.verdict)  # first: it must not outlive a mistake
    project = read_project(request.root, options.config_file, environ=request.environ)
    path = _gates_path(request, options)
    problems: List[Problem] = []
    with _gathering(problems):
        if options.verdict is not None and request.writes:
            check_writable(options.verdict)
    environment: Optional[str] = None
    assignment: Optional[Assignment] = None
    with _gathering(problems):
        sections = peek_gates_file(path, request.root).environments if path else ()
        environment = choose_environment(project, options.environment, sections)
    with _gathering(problems):
        if path is not None:
            file = _read(path, request.root, project, environment, extensions.metrics)
            site = _site(request, options, project)
            assignment = _assign(file, options, project, site)
            assignment = replace(assignment, suites=request.suites)
            problems += _misfits(assignment, options, extensions)
    if problems:
        raise ConfigurationError(problems)
    header = _header(assignment, environment, request.root)
    return Prepared(assignment, environment, options.verdict, header)


@contextmanager
def _gathering(problems: List[Problem]) -> Iterator[None]:
    """Go on after a mistake, so that all of them are told at once."""
    try:
        yield
    except ConfigurationError as error:
        problems += error.problems


def _refuse_moved_root(request: Request) -> None:
    """pytest takes the word after ``--data`` for a test path, and may move its root."""
    corrected = space_separated(request.arguments)
    start = request.directory
    moved = request.root != start and request.root not in start.parents
    joined = set(corrected) - set(request.arguments)
    taken = [word.partition("=")[2] for word in joined]
    if moved and any((start / value).exists() for value in taken):
        raise ConfigurationError.one(
            f"pytest took the value of an option for a test path and moved its rootdir "
            f"to {request.root}; write: pytest {redact(shlex.join(corrected))}",
            source="command line",
        )


def _gates_path(request: Request, options: Options) -> Optional[Path]:
    folder = request.root / "gates"
    files = [path for path in request.paths if path.suffix == ".toml"]
    folders = [path for path in request.paths if path.suffix != ".toml"]
    for place in folders or ([] if files else [folder]):
        files += find_gates_files(place if place.is_dir() else place.parent)
    model_uri = options.model_uri
    chosen = choose_gates_file(
        tuple(dict.fromkeys(files)), options.gates, model_uri, request.root
    )
    nothing = request.asked and not request.anywhere and not folder.is_dir()
    if chosen is None and (model_uri or nothing):
        raise ConfigurationError.one(
            "there is no gates file to judge by: write gates/<model>.toml in "
            f"{request.root} ('pytest-mlops demo' makes one to start from)",
            source="gates",
        )
    return chosen


def read_rules(
    path: Path, root: Path, environment: Optional[str], metrics: Mapping[str, Metric]
) -> GatesFile:
    """A gates file by itself, for evidence that is there already.

    Raises:
        ConfigurationError: with everything that is wrong with it.
    """
    project = read_project(root)
    sections = peek_gates_file(path, root).environments
    chosen = choose_environment(project, environment, sections)
    return _read(path, root, project, chosen, metrics)


def _read(
    path: Path,
    root: Path,
    project: Project,
    environment: Optional[str],
    metrics: Mapping[str, Metric],
) -> GatesFile:
    return read_gates_file(
        path,
        root=root,
        environment=environment,
        metrics=metrics,
        custom_metric=custom_metric,
        today=datetime.now(timezone.utc).date(),
        declared_environments=tuple(project.environments),
        drift_metrics={metric.name: metric for metric in drift_metrics()},
    )


def _site(request: Request, options: Options, project: Project) -> Site:
    return Site(
        root=request.root,
        tracking_uri=tracking_setting(options, project, request.root).value,
        registry_timeout=project.registry_timeout,
    )


def _assign(
    file: GatesFile, options: Options, project: Project, site: Site
) -> Assignment:
    if options.data is not None:
        file = replace(file, data=replace(file.data, uri=options.data))
    return Assignment(
        gates_file=file,
        model_uri=options.model_uri,
        baseline_uri=options.baseline_uri or file.baseline,
        site=site,
        reference=options.reference or file.data.reference,
        evidence_cache_mb=(
            0.0 if options.no_evidence_cache else project.evidence_cache_mb
        ),
    )


def _misfits(
    assignment: Assignment, options: Options, extensions: Extensions
) -> List[Problem]:
    """What is right by itself and wrong together."""
    file, site = assignment.gates_file, assignment.site
    source = shown_path(file.path, site.root)
    problems: List[Problem] = []
    if "gates" in assignment.suites:
        problems += _gates_misfits(assignment, source)
    if "drift" in assignment.suites:
        problems += drift_misfits(assignment, options, extensions, source)
    for where, uri in (
        ("--model-uri", assignment.model_uri),
        ("--baseline-uri" if options.baseline_uri else source, assignment.baseline_uri),
    ):
        with _gathering(problems):
            if uri is not None:
                extensions.model_loader(uri, site, where)
    with _gathering(problems):
        try:
            extensions.open_data(file.data.uri, site)
        except DataError as error:
            where = "--data" if options.data else f"{source} [data] uri"
            problems.append(Problem(where, "", redact(str(error))))
    return problems


def _gates_misfits(assignment: Assignment, source: str) -> List[Problem]:
    file = assignment.gates_file
    problems: List[Problem] = []
    if assignment.model_uri is None and file.data.prediction is None:
        message = (
            f"say which model is judged: --model-uri=models:/{file.model}@candidate, "
            "or name a column of ready predictions ([data] prediction)"
        )
        problems.append(Problem("command line", "", message))
    if assignment.model_uri is not None and file.data.prediction is not None:
        message = (
            f"the ready predictions in '{file.data.prediction}' are judged, so there "
            "is nothing to run --model-uri on: leave one of the two out"
        )
        problems.append(Problem(source, "data", message))
    for gate in file.gates:
        if gate.rule.needs_baseline and assignment.baseline_uri is None:
            message = (
                f"'{gate.rule}' compares with a baseline and none is named: add "
                f'--baseline-uri=URI or baseline = "models:/{file.model}@champion"'
            )
            problems.append(Problem(source, f"gates.{gate.name}", message))
    return problems


def _header(
    assignment: Optional[Assignment], environment: Optional[str], root: Path
) -> List[str]:
    if assignment is None:
        return ["mlops: no gates file, marked tests only"]
    file = assignment.gates_file
    rules = shown_path(file.path, root)
    place = f"environment {environment}" if environment else "no environment"
    if environment and not file.section:
        place += f" ({rules} has no section for it: its base rules apply)"
    judged = redact(assignment.model_uri or f"ready predictions in {file.data.uri}")
    if assignment.suites == {"drift"}:
        judged = redact(f"drift of {file.data.uri} from {reference_words(assignment)}")
    return [f"mlops: {judged} by {rules}, {place}"]
