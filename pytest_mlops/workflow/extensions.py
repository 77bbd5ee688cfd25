"""Everything that hooks contribute, built-ins included, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, List, Mapping, Type, TypeVar

import pluggy

from pytest_mlops import hookspecs
from pytest_mlops.core.metrics import Metric
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.registry import Registry
from pytest_mlops.core.sources import (
    DataLoader,
    DataSource,
    Model,
    ModelLoader,
    Site,
)
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.workflow import builtins

#: Packages name a module of hooks under this entry point group.
ENTRY_POINTS = "pytest_mlops"
#: Whose name the built-ins stand under.
OWNER = "pytest-mlops"

L = TypeVar("L", ModelLoader, DataLoader)


@dataclass(frozen=True)
class Extensions:
    """What can be measured, and from where models and data come."""

    metrics: Registry[Metric]
    model_loaders: Registry[ModelLoader]
    data_loaders: Registry[DataLoader]

    def open_data(self, uri: str, site: Site) -> DataSource:
        """Open a data set.

        Raises:
            ConfigurationError: nobody knows such a URI.
            DataError: it cannot be read.
        """
        return self.data_loader(uri, site).open(uri, site)

    def data_loader(self, uri: str, site: Site) -> DataLoader:
        """Who opens such a URI; raises ConfigurationError where nobody does."""
        return _accepting(self.data_loaders, uri, site, "[data] uri")

    def load_model(self, uri: str, site: Site) -> Model:
        """Load a model.

        Raises:
            ConfigurationError: nobody knows such a URI.
            ModelError, RegistryError: it cannot be had.
        """
        return self.model_loader(uri, site).load(uri, site)

    def model_loader(self, uri: str, site: Site, where: str = "model") -> ModelLoader:
        """Who loads such a URI; raises ConfigurationError where nobody does."""
        return _accepting(self.model_loaders, uri, site, where)


def plugin_manager() -> pluggy.PluginManager:
    """A manager of hooks outside of a pytest run, for the command line."""
    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    load(manager)
    return manager


def load(manager: pluggy.PluginManager) -> None:
    """Add the built-ins and what installed packages offer to known hooks.

    Raises:
        ConfigurationError: a package's module of hooks cannot be imported.
    """
    manager.register(builtins, OWNER)
    try:
        manager.load_setuptools_entrypoints(ENTRY_POINTS)
    except Exception as error:
        # Whatever importing somebody's module raises.
        raise ConfigurationError.one(
            f"a plugin (entry point group '{ENTRY_POINTS}') cannot be loaded: "
            f"{type(error).__name__}: {error}",
            source="plugins",
        ) from error


def collect_extensions(hook: Any) -> Extensions:
    """Ask every plugin for what it has.

    Raises:
        ConfigurationError: two plugins use the same name (the message names both), or
            a plugin's hook raises or returns nothing that can be registered.
    """
    return Extensions(
        metrics=_collect("metric", Metric, hook.pytest_mlops_metrics),
        model_loaders=_collect(
            "model loader", ModelLoader, hook.pytest_mlops_model_loaders
        ),
        data_loaders=_collect(
            "data loader", DataLoader, hook.pytest_mlops_data_loaders
        ),
    )


def _collect(kind: str, wanted: Type[Any], caller: Any) -> Registry[Any]:
    registry: Registry[Any] = Registry(kind)
    # The last that was registered comes first, so plugins go before the built-ins.
    for implementation in reversed(caller.get_hookimpls()):
        owner = implementation.plugin_name
        for thing in _asked(implementation.function, f"{owner}: {caller.name}"):
            if not isinstance(thing, wanted):
                raise _faulty(f"{owner}: {caller.name}", f"gives {thing!r}", kind)
            registry.add(thing.name, thing, owner=owner)
    return registry


def _asked(function: Callable[[], Iterable[Any]], name: str) -> List[Any]:
    try:
        return list(function())
    except Exception as error:
        # Hooks come from plugins, and may do anything.
        raise _faulty(name, f"raised {type(error).__name__}: {error}") from error


def _faulty(name: str, what: str, kind: str = "") -> ConfigurationError:
    wish = f", which is no {kind}" if kind else ""
    return ConfigurationError.one(f"{name} {what}{wish}", source="plugins")


def _accepting(loaders: Mapping[str, L], uri: str, site: Site, where: str) -> L:
    for loader in loaders.values():
        if loader.accepts(uri, site):
            return loader
    examples = ", ".join(loader.example for loader in loaders.values())
    raise ConfigurationError.one(
        f"nothing knows how to read '{redact(uri)}'; it can be: {examples}",
        source=where,
    )
