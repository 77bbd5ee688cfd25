"""How xdist deals out the work: everything that judges one model, to one worker."""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, Iterable, Optional

import pytest
from xdist.scheduler import LoadScopeScheduling

#: By ``--dist``, what of a node id the items have in common that stay together; modes
#: that are not here deal out nothing, and we do not meddle.
SCOPES: Dict[str, Callable[[str], str]] = {
    "load": lambda nodeid: nodeid,
    "worksteal": lambda nodeid: nodeid,
    "loadfile": lambda nodeid: nodeid.split("::", 1)[0],
    "loadscope": lambda nodeid: nodeid.rsplit("::", 1)[0],
    "loadgroup": lambda nodeid: nodeid.rsplit("@", 1)[-1],
}


class OneModelScheduling(LoadScopeScheduling):
    """Keeps the gates together, so that the model is loaded and run once.

    All else is dealt out as ``--dist`` says.

    Args:
        selected: gives the node ids that belong together; asked once the workers
            have collected.
    """

    def __init__(
        self, config: pytest.Config, log: Any, selected: Callable[[], Iterable[str]]
    ) -> None:
        super().__init__(config, log)
        self._ask = selected
        self._ours: Optional[FrozenSet[str]] = None

    def _split_scope(self, nodeid: str) -> str:
        if self._ours is None:
            self._ours = frozenset(self._ask())
        if nodeid in self._ours:
            return "pytest-mlops"
        return SCOPES[self.config.option.dist](nodeid)

    def remove_node(self, node: Any) -> Optional[str]:
        """Do not try an item again that took its worker down."""
        for unit in self.assigned_work[node].values():
            for nodeid, completed in unit.items():
                if not completed:
                    unit[nodeid] = True
                    super().remove_node(node)  # deals out the others again
                    return str(nodeid)
        super().remove_node(node)
        return None
