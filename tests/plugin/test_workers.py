"""Under xdist: the same verdict, one load of the model, one that decides."""

from __future__ import annotations

import pytest

pytest.importorskip("xdist")

MODEL = """\
from pathlib import Path
here = Path(__file__).parent
with (here / "loads.log").open("a") as log:
    log.write("load\\n")

class Model:
    def predict(self, frame):
        with (here / "runs.log").open("a") as log:
            log.write("run\\n")
        return frame["guess"]

model = Model()
"""

PYTHON = """\
import pytest

@pytest.mark.gates
@pytest.mark.parametrize("floor", [0.5, 0.6, 0.7])
def test_recall(metric, floor):
    assert metric("recall") >= floor
"""


@pytest.fixture
def modelled(judged):
    text = judged.path.joinpath("gates/m.toml").read_text()
    judged.gates(text.replace('prediction = "predicted"\n', ""))
    data = judged.path.joinpath("data.csv").read_text()
    judged.write("data.csv", data.replace("predicted", "guess"))
    judged.write("model_code.py", MODEL)
    judged.write("gates/test_m.py", PYTHON)

    def judge(*arguments):
        for log in judged.path.glob("*.log"):
            log.unlink()
        result = judged.run_apart(
            "-m",
            "gates",
            "--model-uri=model_code:model",
            "--verdict=verdict.json",
            *arguments,
        )
        return result, judged.verdict()

    return judged, judge


def comparable(verdict):
    left = {k: v for k, v in verdict.items() if k not in ("created", "timings")}
    left["checks"] = sorted(left["checks"], key=lambda c: (c["node_id"], c["rule"]))
    return left


def count(repository, log):
    return len(repository.path.joinpath(log).read_text().splitlines())


@pytest.mark.parametrize("dist", ["load", "worksteal", "loadfile"])
def test_two_workers_come_to_the_same_verdict_with_one_run_of_the_model(modelled, dist):
    repository, judge = modelled
    alone, expected = judge()
    assert count(repository, "runs.log") == 1
    together, verdict = judge("-n", "2", f"--dist={dist}")
    assert (alone.ret, together.ret) == (0, 0)
    assert comparable(verdict) == comparable(expected)
    assert len(verdict["checks"]) == 6
    assert verdict["evidence"]
    assert count(repository, "loads.log") == 1
    assert count(repository, "runs.log") == 1


def test_a_failure_fails_and_stopping_at_the_first_is_partial(modelled):
    repository, judge = modelled
    text = repository.path.joinpath("gates/m.toml").read_text()
    repository.gates(text.replace('accuracy = ">= 0.80"', 'accuracy = ">= 0.99"'))
    result, verdict = judge("-n", "2")
    assert (result.ret, verdict["action"]) == (1, "block")
    result, verdict = judge("-n", "2", "-x")
    assert (result.ret, verdict["action"]) == (1, "hold")
    assert verdict["partial"]


def test_a_selection_is_partial_under_workers_too(modelled):
    _, judge = modelled
    result, verdict = judge("-n", "2", "-k", "accuracy")
    assert result.ret == 0
    assert verdict["partial"]
    result.stdout.fnmatch_lines(["*partial: 1 of 6 gates ran*"])


def test_a_worker_that_dies_is_a_broken_instrument(modelled):
    repository, judge = modelled
    repository.write(
        "gates/test_m.py",
        "import os, pytest\n@pytest.mark.gates\ndef test_it(): os._exit(9)\n",
    )
    result, verdict = judge("-n", "2")
    assert result.ret == 12
    result.assert_outcomes(passed=3, failed=1)
    crashed = [c for c in verdict["checks"] if c["name"].endswith("::test_it")]
    assert [check["reason"] for check in crashed] == ["crashed"]


def test_configuration_mistakes_are_told_once_by_the_controller(modelled):
    _, judge = modelled
    result, verdict = judge("-n", "2", "--env", "nowhere")
    assert result.ret == 4
    assert verdict is None
    assert len([li for li in result.errlines if "not a known environment" in li]) == 1


def test_a_test_of_others_that_takes_its_worker_down_stays_a_failure(modelled):
    repository, judge = modelled
    repository.write("tests/test_unit.py", "import os\ndef test_it(): os._exit(9)\n")
    result = repository.run_apart(
        "--model-uri=model_code:model", "--verdict=verdict.json", "-n", "2"
    )
    assert result.ret == 1
    assert repository.verdict()["outcome"] == "pass"


def test_marked_tests_elsewhere_run_beside_the_gates(modelled):
    repository, judge = modelled
    repository.write("tests/test_elsewhere.py", PYTHON)
    result, verdict = judge("-n", "2", "gates", "tests")
    assert result.ret == 0
    assert len(verdict["checks"]) == 9
    assert count(repository, "runs.log") == 1
