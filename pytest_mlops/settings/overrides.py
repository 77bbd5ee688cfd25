"""The gates of a file: the base, and what an environment makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.suggestions import unknown
from pytest_mlops.settings.gates_keys import (
    ENVIRONMENT_KEYS,
    GATES,
    Table,
    read_policy,
)
from pytest_mlops.settings.kinds import TABLE, shown
from pytest_mlops.settings.looseness import looser_gate, looser_policy
from pytest_mlops.settings.one_gate import GateReader, GateReading
from pytest_mlops.settings.reader import Key, Problems, Section
from pytest_mlops.settings.values import Gate


@dataclass(frozen=True)
class Resolution:
    """Policy and gates that hold, for the base or for one environment.

    Attributes:
        tables: the gates as they are written, those that could be read.
        names: every gate, the unreadable ones included.
        readings: what became of ``tables``.
        removed: gates of the base that are taken away.
        loosened: what is looser than in the base, a line each.
    """

    policy: Policy
    tables: Mapping[str, Table]
    names: Tuple[str, ...]
    readings: Mapping[str, GateReading]
    removed: Tuple[str, ...] = ()
    loosened: Tuple[str, ...] = ()

    @property
    def gates(self) -> Tuple[Gate, ...]:
        """Those without problems, in the order of the file."""
        found = (reading.gate for reading in self.readings.values())
        return tuple(gate for gate in found if gate is not None)

    @property
    def warnings(self) -> Tuple[str, ...]:
        """All that is odd but allowed."""
        every = self.readings.values()
        odd = tuple(line for reading in every for line in reading.warnings)
        return odd + self.loosened


def read_base(
    written: Table,
    policy: Policy,
    reader: GateReader,
    problems: Problems,
    key: Key[Table] = GATES,
) -> Resolution:
    """Read ``[gates]``, or another table of them; its mistakes go to *problems*."""
    tables: Dict[str, Table] = {}
    readings = {}
    for name, value in written.items():
        where = f"{key.name}.{name}"
        table = _as_table(value)
        if table is None:
            problems.add(where, _NO_GATE.format(shown(value)))
            continue
        if not _possible_name(name):
            problems.add(where, _BAD_NAME)
        tables[name] = table
        readings[name] = reader.read(name, table, policy)
        for message in readings[name].problems:
            problems.add(where, message)
    return Resolution(policy, tables, tuple(written), readings)


def read_environments(
    written: Table,
    base: Resolution,
    reader: GateReader,
    problems: Problems,
    key: Key[Table] = GATES,
) -> Dict[str, Resolution]:
    """Read every ``[environments.<name>]`` on top of the base.

    Mistakes that the base has already are not told again.
    """
    changing = _Reading(base, reader, problems, key)
    found = {}
    for name, value in written.items():
        table = TABLE.read(value)
        if table is None:
            problems.add("environments", TABLE.complaint(name, value))
        else:
            found[name] = _read_environment(name, table, changing)
    return found


@dataclass(frozen=True)
class _Reading:
    """What every environment is read with, and the key of its table."""

    base: Resolution
    reader: GateReader
    problems: Problems
    key: Key[Table]


def _read_environment(name: str, written: Table, reading: _Reading) -> Resolution:
    base, reader, key = reading.base, reading.reader, reading.key
    where = f"environments.{name}"
    section = Section(written, ENVIRONMENT_KEYS, reading.problems, where)
    policy = read_policy(section, base.policy)
    changes = _Changes(f"{where}.{key.name}", base, reader, reading.problems)
    for gate, value in section.get(key).items():
        changes.apply(gate, value)
    readings = {
        gate: reader.read(gate, table, policy) for gate, table in changes.tables.items()
    }
    changes.complain(readings)
    return Resolution(
        policy,
        changes.tables,
        (*base.names, *(gate for gate in changes.tables if gate not in base.names)),
        readings,
        tuple(changes.removed),
        tuple(
            f"environment '{name}' is looser than the base: {what}"
            for what in _loosened(base, policy, readings, changes.changed)
        ),
    )


@dataclass
class _Changes:
    """What an environment does to the gates of the base."""

    section: str
    base: Resolution
    reader: GateReader
    problems: Problems
    tables: Dict[str, Table] = field(init=False)
    changed: Dict[str, Set[str]] = field(default_factory=dict)
    removed: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tables = dict(self.base.tables)

    def apply(self, name: str, value: object) -> None:
        """Take one entry of the environment's gates."""
        table = _as_table(value)
        new = name not in self.base.names
        if value is False and not new:
            self.tables.pop(name, None)
            self.removed.append(name)
        elif value is False or (new and table is not None and self._typo(name, table)):
            self._problem(name, unknown("gate", name, self.base.names))
        elif table is None:
            self._problem(name, _NO_CHANGE.format(shown(value)))
        elif new and not _possible_name(name):
            self._problem(name, _BAD_NAME)
        else:
            self.tables[name] = {**self.tables.get(name, {}), **table}
            self.changed[name] = set(table)

    def complain(self, readings: Mapping[str, GateReading]) -> None:
        """Note the mistakes of changed gates, save those of the base."""
        for name in self.changed:
            known = self.base.readings.get(name)
            for message in readings[name].problems:
                if known is None or message not in known.problems:
                    self._problem(name, message)

    def _typo(self, name: str, table: Table) -> bool:
        return "metric" not in table and not self.reader.names_metric(name)

    def _problem(self, name: str, message: str) -> None:
        self.problems.add(f"{self.section}.{name}", message)


def _loosened(
    base: Resolution,
    policy: Policy,
    readings: Mapping[str, GateReading],
    changed: Mapping[str, Set[str]],
) -> List[str]:
    found = list(looser_policy(base.policy, policy))
    for name, keys in changed.items():
        before = base.readings[name].gate if name in base.readings else None
        after = readings[name].gate
        if before and after:
            found += looser_gate(before, after, keys)
    return found


def _as_table(value: Any) -> Optional[Table]:
    if isinstance(value, str):
        return {"rule": value}
    return value if isinstance(value, dict) else None


def _possible_name(name: str) -> bool:
    return bool(name.strip()) and name.isprintable() and "::" not in name


_BAD_NAME = "a gate's name is a pytest item's: printable, not empty, without '::'"
_NO_GATE = "must be a rule such as '>= 0.85', or a table with 'rule', got {}"
_NO_CHANGE = (
    "must be a rule such as '>= 0.85', a table, or false to remove the gate, got {}"
)
