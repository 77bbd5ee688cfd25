"""A gates file as pytest sees it: a file of items, one a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Mapping, Optional, Protocol, Sequence, Tuple

import pytest

from pytest_mlops.core.checks import Check, blocks
from pytest_mlops.core.redaction import redact
from pytest_mlops.errors import InstrumentError
from pytest_mlops.plugin.results import GateBlocked, Rules, recorder_of
from pytest_mlops.reporting.sentences import item_message
from pytest_mlops.settings.values import Gate

if TYPE_CHECKING:
    import os


class Judge(Protocol):
    """Who measures, once, and holds gate by gate against that."""

    @property
    def evidence_key(self) -> Optional[str]:
        """What it judged by; None where nothing was measured yet."""

    @property
    def timings(self) -> Mapping[str, float]:
        """Seconds by step, so far."""

    def measure(self) -> None:
        """Measure, unless that is done; raises InstrumentError."""

    def judge(self, gate: Gate, node_id: str) -> Tuple[Check, ...]:
        """Judge one gate; raises InstrumentError."""

    def broken(self, gate: Gate, node_id: str, error: InstrumentError) -> Check:
        """The check of a gate whose instrument broke."""


class GatesFileCollector(pytest.File):
    """``gates/<name>.toml``: collects one item a gate, and one a rule about drift.

    Attributes:
        suites: the gates by the mark of their suite, with who judges them.
    """

    suites: Mapping[str, Tuple[Judge, Sequence[Gate]]]
    rules: Rules

    def collect(self) -> Iterator[GateItem]:
        """The gates of each suite, in the order of the file."""
        for mark, (judge, gates) in self.suites.items():
            for gate in gates:
                item = GateItem.from_parent(self, name=gate.name)
                item.gate, item.judge, item.rules = gate, judge, self.rules
                item.add_marker(mark)
                yield item


class GateItem(pytest.Item):
    """One gate: passes unless the policy blocks."""

    gate: Gate
    judge: Judge
    rules: Rules

    def setup(self) -> None:
        """Measure, once for all gates."""
        try:
            self.judge.measure()
        except InstrumentError as error:
            self._tell([self._broken(error)], redact(str(error)))

    def runtest(self) -> None:
        """Hold the measured values against the rule."""
        try:
            checks = self.judge.judge(self.gate, self.nodeid)
        except InstrumentError as error:
            self._tell([self._broken(error)], redact(str(error)))
            return
        policy, _ = self.rules
        blocking = [check for check in checks if blocks(check, policy)]
        self._tell(checks, item_message(blocking))
        self.add_report_section("call", "pytest-mlops", item_message(checks))

    def reportinfo(self) -> Tuple[os.PathLike[str], int, str]:
        """Where it stands, for reports."""
        return self.path, 0, self.name  # a skip needs a line

    def _broken(self, error: InstrumentError) -> Check:
        return self.judge.broken(self.gate, self.nodeid, error)

    def _tell(self, checks: Sequence[Check], message: str) -> None:
        policy, _ = self.rules
        for check in checks:
            recorder_of(self).record(check)
        if any(blocks(check, policy) for check in checks):
            # The cause of a broken instrument may hold what must not be shown.
            raise GateBlocked(message, pytrace=False) from None
