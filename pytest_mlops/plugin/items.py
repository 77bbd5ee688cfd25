"""A gates file as pytest sees it: a file of items, one a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NoReturn, Tuple

import pytest

from pytest_mlops.core.checks import blocks
from pytest_mlops.errors import InstrumentError
from pytest_mlops.plugin.activation import GATES
from pytest_mlops.plugin.results import recorder_of
from pytest_mlops.settings.values import Gate
from pytest_mlops.workflow.judging import ModelJudge

if TYPE_CHECKING:
    import os


class GatesFileCollector(pytest.File):
    """``gates/<name>.toml``: collects one item a gate."""

    judge: ModelJudge

    def collect(self) -> Iterator[GateItem]:
        """The gates, in the order of the file."""
        for gate in self.judge.assignment.gates_file.gates:
            item = GateItem.from_parent(self, name=gate.name)
            item.gate, item.judge = gate, self.judge
            item.add_marker(GATES)
            yield item


class GateItem(pytest.Item):
    """One gate: passes unless the policy blocks."""

    gate: Gate
    judge: ModelJudge

    def setup(self) -> None:
        """Measure, once for all gates."""
        try:
            self.judge.measure()
        except InstrumentError as error:
            self._broken(error)

    def runtest(self) -> None:
        """Hold the measured value against the rule."""
        try:
            check = self.judge.judge(self.gate, self.nodeid)
        except InstrumentError as error:
            self._broken(error)
        recorder_of(self).record(check)
        if blocks(check, self.judge.assignment.gates_file.policy):
            pytest.fail(check.message, pytrace=False)
        self.add_report_section("call", "pytest-mlops", check.message)

    def reportinfo(self) -> Tuple[os.PathLike[str], None, str]:
        """Where it stands, for reports."""
        return self.path, None, self.name

    def _broken(self, error: InstrumentError) -> NoReturn:
        check = self.judge.broken(self.gate, self.nodeid, error)
        recorder_of(self).record(check)
        pytest.fail(str(error), pytrace=False)
