"""Take a profile of a data set, outside of a pytest run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Mapping, Optional, Tuple

from pytest_mlops.core.metrics import Task
from pytest_mlops.core.sources import Model, Site, Subject
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.gates.profiling import Profile, profile
from pytest_mlops.integrations.objects import project_path
from pytest_mlops.settings.project import find_root, read_project
from pytest_mlops.settings.resolution import resolve_options, tracking_setting
from pytest_mlops.settings.selection import (
    choose_gates_file,
    find_gates_files,
    peek_gates_file,
    registered_name,
)
from pytest_mlops.settings.values import DataSettings, Options
from pytest_mlops.workflow.extensions import Extensions
from pytest_mlops.workflow.preparing import read_rules


def take_profile(
    typed: Mapping[str, Optional[str]],
    environ: Mapping[str, str],
    start: Path,
    extensions: Extensions,
) -> Tuple[Profile, Optional[Subject]]:
    """Profile the data that was named; with a model, its answers too.

    A gates file says which columns are labels, weights or ready predictions, and which
    label is the positive one; without one, every column is profiled.

    Args:
        typed: the options of the command line by name.
        environ: the environment variables.
        start: the folder where the command was typed.
        extensions: who opens data and loads models.

    Returns:
        the profile, and the model that answered.

    Raises:
        ConfigurationError: no data are named, or a gates file has mistakes.
        InstrumentError: the data or the model does not work.
    """
    root = find_root(start)
    options = resolve_options(typed, environ, cwd=start, root=root)
    project = read_project(root, options.config_file, environ=environ)
    site = Site(
        root=root,
        tracking_uri=tracking_setting(options, project, root).value,
        registry_timeout=project.registry_timeout,
    )
    settings, task = _meaning(options, root, extensions)
    if not settings.uri:
        raise ConfigurationError.one(
            "say which data are profiled: --data=URI", source="command line"
        )
    source = extensions.open_data(settings.uri, site)
    with project_path(root):
        model: Optional[Model] = None
        if options.model_uri is not None:
            model = extensions.load_model(options.model_uri, site)
        found = profile(source, settings, task, model)
    return found, None if model is None else model.subject


def _meaning(
    options: Options, root: Path, extensions: Extensions
) -> Tuple[DataSettings, Task]:
    """What the columns mean, and what the model does."""
    paths = find_gates_files(root / "gates")
    model = registered_name(options.model_uri)
    if options.gates is None and model is not None:
        # A model that no file judges is profiled without one.
        paths = tuple(p for p in paths if peek_gates_file(p, root).model == model)
    path = choose_gates_file(paths, options.gates, options.model_uri, root)
    if path is None:
        return DataSettings(uri=options.data or "", target=""), Task.CLASSIFICATION
    file = read_rules(path, root, options.environment, extensions.metrics)
    return replace(file.data, uri=options.data or file.data.uri), file.task
