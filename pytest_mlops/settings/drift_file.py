"""Read ``[drift]``: rules about how far current data may lie from the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Mapping, Optional, Tuple

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.columns import over_columns
from pytest_mlops.core.metrics import Metric, Task
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.gates_keys import (
    DRIFT,
    MARGIN,
    METRIC,
    ON_INCONCLUSIVE,
    RULE_TEXT,
    Keys,
    Table,
)
from pytest_mlops.settings.kinds import TEXTS
from pytest_mlops.settings.one_gate import GateReader, GateReading
from pytest_mlops.settings.overrides import Resolution, read_base, read_environments
from pytest_mlops.settings.reader import Key, Problems, Section

COLUMNS: Key[Tuple[str, ...]] = Key(
    "columns", TEXTS, (), "the columns that are judged; by default every one"
)
DRIFT_KEYS: Keys = (METRIC, RULE_TEXT, COLUMNS, MARGIN, ON_INCONCLUSIVE)

#: The keys that a rule shares with a gate.
_SHARED = frozenset(key.name for key in DRIFT_KEYS if key is not COLUMNS)


class DriftReader(GateReader):
    """Reads the rules of one ``[drift]``.

    Args:
        metrics: those of drift.
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        super().__init__(None, None, metrics, _no_function)

    def read(self, name: str, table: Table, policy: Policy) -> GateReading:
        """Read the rule *name*; *policy* holds where it says nothing itself."""
        problems = Problems("")
        section = Section(table, DRIFT_KEYS, problems)
        shared = {key: value for key, value in table.items() if key in _SHARED}
        reading = super().read(name, shared, policy)
        if reading.gate is not None and reading.gate.rule.needs_baseline:
            section.problem("drift is measured from a reference, not from a baseline")
        messages = tuple(dict.fromkeys((*problems.messages, *reading.problems)))
        if reading.gate is None or messages:
            return GateReading(None, messages)
        selection = over_columns(section.get(COLUMNS))
        return replace(reading, gate=replace(reading.gate, selection=selection))


def read_drift(
    written: Table,
    environments: Table,
    gates: Mapping[Optional[str], Resolution],
    reader: DriftReader,
    problems: Problems,
) -> Dict[Optional[str], Resolution]:
    """Read ``[drift]`` and what environments make of it; mistakes go to *problems*.

    Args:
        written: the base.
        environments: every ``[environments.<name>]``.
        gates: what ``[gates]`` came to, by environment; None is the base.
        reader: of one rule.
        problems: where mistakes are noted.

    Returns:
        the rules by environment, as *gates*.
    """
    base = read_base(written, gates[None].policy, reader, problems, DRIFT)
    found: Dict[Optional[str], Resolution] = {None: base}
    found.update(read_environments(environments, base, reader, problems, DRIFT))
    taken = {name for resolution in gates.values() for name in resolution.names}
    for environment, resolution in found.items():
        where = f"environments.{environment}.drift" if environment else "drift"
        for name in taken.intersection(resolution.names):
            if environment is None or name not in base.names:
                message = "a gate of [gates] has this name: rename one of them"
                problems.add(f"{where}.{name}", message)
    return found


def _no_function(name: str, task: Task) -> Metric:
    raise ConfigurationError.one(
        f"'{name}': drift is not measured by a function of one's own", source="drift"
    )
