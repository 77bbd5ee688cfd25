"""What the options say together: command line over environment over default."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Mapping, Optional

from pytest_mlops.settings.options import OPTIONS, Option
from pytest_mlops.settings.reader import shown_path
from pytest_mlops.settings.values import Options, Project, Setting


def resolve_options(
    typed: Mapping[str, Optional[str]],
    environ: Mapping[str, str],
    *,
    cwd: Path,
    root: Path,
) -> Options:
    """Resolve every option; an empty text counts as unset.

    Args:
        typed: values of the command line by the option's name.
        environ: the environment variables.
        cwd: where the command was typed. What is typed starts there, as everywhere
            on a command line, while paths in files start at *root*.
        root: pytest's rootdir.
    """
    settings = {option.name: _setting(option, typed, environ) for option in OPTIONS}
    values = {name: setting.value for name, setting in settings.items()}
    located: Dict[str, Optional[str]] = {
        name: _located(values[name], cwd, root)
        for name in ("model_uri", "baseline_uri", "data", "reference")
    }
    return Options(
        model_uri=located["model_uri"],
        baseline_uri=located["baseline_uri"],
        gates=values["gates"],
        environment=values["env"],
        data=located["data"],
        reference=located["reference"],
        verdict=_path(values["verdict"], cwd),
        config_file=_path(values["config"], cwd),
        tracking_uri=values["tracking_uri"],
        no_evidence_cache=_is_on(values["no_evidence_cache"]),
        settings=tuple(settings.values()),
    )


def tracking_setting(options: Options, project: Project, root: Path) -> Setting:
    """The model registry that holds, and who says so: an option, then the project."""
    setting = next(s for s in options.settings if s.name == "tracking_uri")
    if setting.value is not None or project.tracking_uri is None:
        return setting
    origin = shown_path(project.source, root) if project.source else setting.origin
    return Setting(setting.name, project.tracking_uri, origin)


def _setting(
    option: Option, typed: Mapping[str, Optional[str]], environ: Mapping[str, str]
) -> Setting:
    if typed.get(option.name):
        return Setting(option.name, typed[option.name], "command line")
    if environ.get(option.variable):
        return Setting(option.name, environ[option.variable], option.variable)
    return Setting(option.name, None, "default")


def _is_on(value: Optional[str]) -> bool:
    """Whether a flag is set; its variable may also say that it is not."""
    return value is not None and value.lower() not in ("0", "false", "no", "off")


def _path(value: Optional[str], cwd: Path) -> Optional[Path]:
    return None if value is None else cwd / value


def _located(uri: Optional[str], cwd: Path, root: Path) -> Optional[str]:
    # Only a file that exists is surely meant as one: URIs and module:function stay.
    if uri is None or cwd == root or not (cwd / uri).exists():
        return uri
    return str(cwd / uri)
