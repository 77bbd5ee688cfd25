"""How xdist deals out the work: everything that judges one model, to one worker."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: The modes in which xdist deals items out one by one; in the others we do not meddle.
DEALING = ("load", "loadscope", "loadfile", "loadgroup", "worksteal")


class OneModelScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the gates together, so that the model is loaded and run once.

    All else is dealt out item by item, as ``--dist=load`` does.
    """

    def __init__(self, config: pytest.Config, log: Any, *, only_gates: bool) -> None:
        super().__init__(config, log)
        self._only_gates = only_gates

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        ours = self._only_gates or file.endswith(".toml") or file.startswith("gates/")
        return "pytest-mlops" if ours else nodeid
