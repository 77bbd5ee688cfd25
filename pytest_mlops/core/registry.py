"""Named things that come in through hooks; a name belongs to one owner."""

from __future__ import annotations

from typing import Dict, Generic, Iterator, Mapping, Tuple, TypeVar

from pytest_mlops.core.suggestions import unknown
from pytest_mlops.errors import ConfigurationError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A mapping of names to things that refuses to overwrite.

    Args:
        kind: what the things are, in the singular, for messages: ``"metric"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: Dict[str, Tuple[str, T]] = {}

    def add(self, name: str, thing: T, *, owner: str) -> None:
        """Register *thing*.

        Raises:
            ConfigurationError: the name is taken; the message names both owners.
        """
        if name in self._things:
            raise ConfigurationError.one(
                f"the {self.kind} '{name}' is registered twice: by "
                f"{self._things[name][0]} and by {owner}; rename one of them",
                source="plugins",
            )
        self._things[name] = (owner, thing)

    def owner(self, name: str) -> str:
        """Who registered *name*."""
        return self._things[name][0]

    def __getitem__(self, name: str) -> T:
        return self._things[name][1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def unknown(self, name: str) -> str:
        """One sentence that says *name* is not registered, and what is."""
        return unknown(self.kind, name, self._things)
