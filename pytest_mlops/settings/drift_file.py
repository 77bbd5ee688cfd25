"""Read ``[drift]``: rules about how far current data may lie from the reference."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Dict, Mapping, Optional, Tuple

from pytest_mlops.core.checks import Policy
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
from pytest_mlops.settings.kinds import Kind
from pytest_mlops.settings.one_gate import GateReader, GateReading
from pytest_mlops.settings.overrides import Resolution, read_base, read_environments
from pytest_mlops.settings.reader import Key, Problems, Section
from pytest_mlops.settings.values import DriftGate, Gate


def _names(value: object) -> Optional[Tuple[str, ...]]:
    texts = isinstance(value, list) and all(isinstance(v, str) and v for v in value)
    return tuple(dict.fromkeys(value)) if texts and isinstance(value, list) else None


COLUMNS: Key[Tuple[str, ...]] = Key(
    "columns",
    Kind("an array of column names", lambda value: _names(value) or None),
    (),
    "the columns that are judged; by default every one of the reference",
)
DRIFT_KEYS: Keys = (METRIC, RULE_TEXT, COLUMNS, MARGIN, ON_INCONCLUSIVE)


class DriftReader(GateReader):
    """Reads rules of ``[drift]`` as gates over columns.

    Args:
        metrics: those of drift.
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        super().__init__(None, None, metrics, _no_function)

    def read(self, name: str, table: Table, policy: Policy) -> GateReading:
        """Read the rule *name*; *policy* holds where it says nothing itself."""
        problems = Problems("")
        section = Section(table, DRIFT_KEYS, problems)
        columns = section.get(COLUMNS)
        shared = {key.name for key in DRIFT_KEYS} - {COLUMNS.name}
        reading = super().read(
            name, {key: table[key] for key in table if key in shared}, policy
        )
        if reading.gate is not None and reading.gate.rule.needs_baseline:
            section.problem("a rule of drift has a reference, and no 'baseline'")
        messages = tuple(dict.fromkeys((*problems.messages, *reading.problems)))
        if reading.gate is None or messages:
            return GateReading(None, messages)
        return replace(reading, gate=_over_columns(reading.gate, columns))


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
        for name in resolution.names:
            if name in taken and (environment is None or name not in base.names):
                message = "a gate of [gates] has this name: rename one of them"
                problems.add(f"{where}.{name}", message)
    return found


def _no_function(name: str, task: Task) -> Metric:
    raise ConfigurationError.one(
        f"'{name}': drift is not measured by a function of one's own", source="drift"
    )


def _over_columns(gate: Gate, columns: Tuple[str, ...]) -> DriftGate:
    shared = {field.name: getattr(gate, field.name) for field in fields(Gate)}
    return DriftGate(**shared, columns=columns)
