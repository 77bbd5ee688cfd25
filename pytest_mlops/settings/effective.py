"""Every setting that holds in a folder, and who says so: ``show config``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import List, Mapping, Optional, Tuple

from pytest_mlops.settings.project import choose_environment, find_root, read_project
from pytest_mlops.settings.reader import shown_path
from pytest_mlops.settings.resolution import resolve_options, tracking_setting
from pytest_mlops.settings.values import Project, Setting


def effective_settings(
    typed: Mapping[str, Optional[str]], environ: Mapping[str, str], start: Path
) -> Tuple[Setting, ...]:
    """The options first, then what the project says.

    Args:
        typed: values of the command line by the option's name.
        environ: the environment variables.
        start: the folder where the command was typed.

    Raises:
        ConfigurationError: the project's configuration has mistakes.
    """
    root = find_root(start)
    options = resolve_options(typed, environ, cwd=start, root=root)
    project = read_project(root, options.config_file, environ=environ)
    source = shown_path(project.source, root) if project.source else "default"

    def origin(field: str) -> str:
        return "default" if getattr(project, field) == defaults[field] else source

    defaults = asdict(Project())
    tracking = tracking_setting(options, project, root)
    found: List[Setting] = [
        tracking if setting.name == tracking.name else setting
        for setting in options.settings
    ]
    timeout = f"{project.registry_timeout:g} s"
    cache = f"{project.evidence_cache_mb:g} MB"
    names = ", ".join(project.environments) or None
    default = choose_environment(project, None, ())
    return (
        *found,
        Setting("registry_timeout", timeout, origin("registry_timeout")),
        Setting("evidence_cache_mb", cache, origin("evidence_cache_mb")),
        Setting("environments", names, origin("environments")),
        Setting("default_environment", default, source),
    )
