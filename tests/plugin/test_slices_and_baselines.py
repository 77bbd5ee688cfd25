"""Slices, conditions, groups and paired baselines, from the files to the verdict."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

ROWS = 2000
FILE = """\
model = "m"
task = "classification"
decide = "confident"

[data]
uri = "data.csv"
target = "label"
positive = 1
{data}

[gates]
{gates}
"""
READY = 'prediction = "predicted"'
MODELS = """
import numpy as np

def good(frame):
    return np.where(frame["noise"] < 0.9, frame["truth"], 1 - frame["truth"])

def slightly_better(frame):
    return np.where(frame["noise"] < 0.92, frame["truth"], 1 - frame["truth"])

def twin(frame):
    return good(frame)
"""


def columns():
    draw = np.random.default_rng(3)
    label = draw.integers(0, 2, ROWS)
    region = draw.choice(["north", "south", "east"], ROWS)
    age = draw.integers(15, 90, ROWS)
    # Seniors of the north are judged no better than by a coin.
    weak = (region == "north") & (age >= 65)
    wrong = draw.random(ROWS) < np.where(weak, 0.5, 0.08)
    return {
        "label": label,
        "predicted": np.where(wrong, 1 - label, label),
        "region": region,
        "age": age,
        "truth": label,
        "noise": draw.random(ROWS),
        "customer": np.arange(ROWS) // 10,
    }


def write(repository, gates, data=READY, table=None):
    table = columns() if table is None else table
    lines = [
        ",".join(table),
        *(",".join(map(str, row)) for row in zip(*table.values())),
    ]
    repository.write("data.csv", "\n".join(lines) + "\n")
    repository.gates(FILE.format(data=data, gates="\n".join(gates)))
    return table


def checks(verdict, name):
    return [check for check in verdict["checks"] if check["name"] == name]


def command(repository, scripts, *words):
    """Run ``pytest-mlops`` with these words."""
    return subprocess.run(
        [scripts / "pytest-mlops", *words],
        cwd=repository.path,
        capture_output=True,
        text=True,
    )


def assert_holds(repository, scripts):
    """The verdict can be recomputed from its evidence, every check of it."""
    done = command(repository, scripts, "verify", "verdict.json")
    total = len(repository.verdict()["checks"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{total} of {total} checks recomputed" in done.stdout


def test_a_weak_slice_blocks_by_name(repository, scripts):
    rule = "{ metric = 'accuracy', rule = '>= 0.70', by = ['region', 'age'], "
    table = write(repository, [f"by_age = {rule}bins = {{ age = [65] }} }}"])
    result, verdict = repository.judge()
    assert result.ret == 1
    found = checks(verdict, "by_age")
    assert len(found) == 6
    assert {check["node_id"] for check in found} == {"gates/m.toml::by_age"}
    for check in found:
        age = table["age"] >= 65
        inside = age if check["slice"]["age"] == ">= 65" else ~age
        inside &= table["region"] == check["slice"]["region"]
        hits = (table["label"] == table["predicted"])[inside]
        assert check["value"] == pytest.approx(hits.mean(), abs=1e-12)
        assert check["rows"] == inside.sum()
    (failed,) = [check for check in found if check["outcome"] == "fail"]
    assert failed["slice"] == {"region": "north", "age": ">= 65"}
    assert failed["p_adjusted"] <= 0.025
    assert failed["p_value"] < failed["p_adjusted"]
    result.stdout.fnmatch_lines(["FAIL *by_age*region = north, age >= 65*"])
    assert_holds(repository, scripts)


def test_a_condition_chooses_rows_in_a_gate_and_in_a_test(repository, scripts):
    gate = "seniors = { metric = 'recall', rule = '>= 0.5', where = 'age >= 65' }"
    table = write(repository, [gate])
    repository.write(
        "gates/test_seniors.py",
        "import pytest\n\n@pytest.mark.gates\ndef test_seniors(metric):\n"
        "    assert metric('recall', where='age>=65 and region != \"north\"') >= 0.7\n",
    )
    result, verdict = repository.judge()
    assert result.ret == 0
    gate, test = verdict["checks"]
    chosen = (table["label"] == 1) & (table["age"] >= 65)
    assert gate["value"] == pytest.approx(table["predicted"][chosen].mean(), abs=1e-12)
    assert json.loads(gate["selection"]) == {"where": "age >= 65"}
    chosen &= table["region"] != "north"
    assert test["value"] == pytest.approx(table["predicted"][chosen].mean(), abs=1e-12)
    assert_holds(repository, scripts)


def test_the_data_is_read_once_for_all_of_it(repository):
    write(
        repository,
        ["a = { metric = 'recall', rule = '>= 0.5', by = ['region'] }"],
        data="",
    )
    repository.write(
        "counting.py",
        "from pathlib import Path\n\ndef model(frame):\n"
        "    with Path('calls').open('a') as file:\n        file.write('x')\n"
        "    return frame['predicted']\n",
    )
    repository.write(
        "gates/test_more.py",
        "import pytest\n\n@pytest.mark.gates\ndef test_more(metric):\n"
        "    assert metric('precision', where='age > 30') >= 0.5\n",
    )
    result, _ = repository.judge("--model-uri=counting:model")
    assert result.ret == 0
    assert (repository.path / "calls").read_text() == "x"


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("by = ['regio']", "no column 'regio'"),
        ("by = ['regio']", "Did you mean 'region'?"),
        ("where = 'agee > 3'", "no column 'agee'"),
        ("by = ['noise', 'customer']", "*"),
    ],
)
def test_one_gate_that_cannot_be_cut_leaves_the_others_alone(repository, gate, words):
    gates = [f"bad = {{ metric = 'recall', rule = '>= 0.5', {gate} }}", "f1 = '>= 0.5'"]
    write(repository, gates)
    result, verdict = repository.judge()
    bad, good = checks(verdict, "bad"), checks(verdict, "f1")
    assert [check["outcome"] for check in good] == ["pass"]
    if words != "*":
        assert [check["outcome"] for check in bad] == ["error"]
        assert words in bad[0]["message"]
        assert result.ret == 12


def test_a_condition_that_no_row_keeps_decides_nothing(repository):
    write(
        repository, ["old = { metric = 'recall', rule = '>= 0', where = 'age > 99' }"]
    )
    result, verdict = repository.judge()
    (check,) = verdict["checks"]
    assert (check["outcome"], check["reason"]) == ("inconclusive", "no_rows")
    assert result.ret == 12


def test_a_better_challenger_is_seen_on_the_same_rows(repository, scripts):
    """Two points on 2000 rows: far inside either interval, beyond doubt in pairs."""
    write(
        repository, ["better = { metric = 'accuracy', rule = '>= baseline' }"], data=""
    )
    repository.write("models.py", MODELS)
    result, verdict = repository.judge(
        "--model-uri=models:slightly_better", "--baseline-uri=models:good"
    )
    (check,) = verdict["checks"]
    assert (check["outcome"], check["estimand"]) == ("pass", "difference")
    low, high = check["interval"]
    assert 0 < low < check["difference"] < high < 0.05
    assert check["difference"] == pytest.approx(
        check["value"] - check["baseline_value"]
    )
    assert result.ret == 0
    assert_holds(repository, scripts)


def test_a_slice_may_be_compared_with_the_baseline_too(repository, scripts):
    gate = "{ metric = 'f1', rule = '>= 0.95 * baseline', by = ['region'] }"
    write(repository, [f"not_worse = {gate}"], data="")
    repository.write("models.py", MODELS)
    result, verdict = repository.judge(
        "--model-uri=models:slightly_better", "--baseline-uri=models:good"
    )
    found = verdict["checks"]
    assert [check["slice"]["region"] for check in found] == ["east", "north", "south"]
    assert {check["outcome"] for check in found} == {"pass"}
    for check in found:
        ours = check["value"] - 0.95 * check["baseline_value"]
        assert check["difference"] == pytest.approx(ours)
    assert_holds(repository, scripts)


def test_a_model_is_not_compared_with_itself(repository):
    write(
        repository, ["better = { metric = 'accuracy', rule = '>= baseline' }"], data=""
    )
    repository.write("models.py", MODELS)
    result, verdict = repository.judge(
        "--model-uri=models:good", "--baseline-uri=models:good"
    )
    (check,) = verdict["checks"]
    assert (check["outcome"], check["reason"]) == ("inconclusive", "same_model")
    assert "the baseline is this very model" in check["message"]
    assert result.ret == 0


def test_rows_of_a_group_say_less(repository, scripts):
    gates = ["accuracy = '>= 0.5'"]
    table = columns()
    # All rows of a customer are right or wrong together.
    wrong = np.repeat(np.random.default_rng(1).random(ROWS // 10) < 0.1, 10)
    table["predicted"] = np.where(wrong, 1 - table["label"], table["label"])
    write(repository, gates, table=table)
    _, alone = repository.judge()
    write(repository, gates, data=f'{READY}\ngroup = "customer"', table=table)
    _, grouped = repository.judge()
    (before,), (after,) = alone["checks"], grouped["checks"]
    assert after["value"] == before["value"]
    assert after["method"].endswith("_clustered")
    widths = [check["interval"][1] - check["interval"][0] for check in (before, after)]
    assert widths[1] > 2.5 * widths[0]
    assert_holds(repository, scripts)


def test_missing_groups_are_named(repository):
    table = columns()
    table["customer"] = ["" if i == 7 else str(c) for i, c in enumerate(table["age"])]
    write(repository, ["f1 = '>= 0'"], data=f'{READY}\ngroup = "customer"', table=table)
    result, verdict = repository.judge()
    assert "the group 'customer' is missing in row 8" in verdict["checks"][0]["message"]
    assert result.ret == 12


def test_a_slice_that_is_left_out_of_the_verdict_is_found(repository, scripts):
    write(repository, ["a = { metric = 'accuracy', rule = '>= 0.1', by = ['region'] }"])
    _, verdict = repository.judge()
    del verdict["checks"][1]
    repository.write("verdict.json", json.dumps(verdict))
    done = command(repository, scripts, "verify", "verdict.json")
    assert done.returncode == 1
    assert "the slice was judged and is left out of the verdict" in done.stdout


def test_stored_slices_can_be_judged_by_other_rules(repository, scripts):
    write(repository, ["a = { metric = 'accuracy', rule = '>= 0.1', by = ['region'] }"])
    repository.judge()
    write(
        repository, ["a = { metric = 'accuracy', rule = '>= 0.99', by = ['region'] }"]
    )
    done = command(
        repository, scripts, "judge", "verdict.json", "--gates", "gates/m.toml"
    )
    assert done.returncode == 1
    assert done.stdout.count("FAIL") == 3


def test_figures_of_a_slice_are_recomputed_beside_one_without_a_value(
    repository, scripts
):
    table = columns()
    # A region without a positive row, first among the slices.
    table["region"][:3], table["label"][:3] = "a", 0
    gate = "a = { metric = 'recall', rule = '>= 0.99', by = ['region'] }"
    write(repository, [gate], table=table)
    result, verdict = repository.judge()
    assert result.ret == 1
    assert verdict["checks"][0]["reason"] == "undefined"
    for check in verdict["checks"][1:]:
        check.update(value=0.995, interval=[0.991, 0.999], outcome="pass")
    verdict.update(outcome="inconclusive", action="promote", exit_code=0)
    repository.write("verdict.json", json.dumps(verdict))
    done = command(repository, scripts, "verify", "verdict.json")
    assert done.returncode == 1
    assert "value is 0.995 in the verdict" in done.stdout


def test_a_text_is_not_taken_for_a_missing_value(repository, scripts):
    rows = [{"label": 1, "predicted": int(i < 50), "region": None} for i in range(100)]
    rows += [{"label": 1, "predicted": 1, "region": "None"}] * 100
    lines = "\n".join(map(json.dumps, rows))
    repository.write("data.jsonl", lines + "\n")
    gate = "a = { metric = 'accuracy', rule = '>= 0.1', by = ['region'] }"
    file = FILE.format(data=READY, gates=gate).replace("data.csv", "data.jsonl")
    repository.gates(file)
    _, verdict = repository.judge()
    values = {check["slice"]["region"]: check["value"] for check in verdict["checks"]}
    assert values == {"None": 1.0, None: 0.5}
    assert_holds(repository, scripts)


def test_a_gate_that_was_not_measured_is_not_promoted_by_judging_again(
    repository, scripts
):
    write(repository, ["accuracy = '>= 0.1'"])
    repository.judge()
    gate = "a = { metric = 'recall', rule = '>= 0.999', by = ['region'] }"
    write(repository, ["accuracy = '>= 0.1'", gate])
    done = command(
        repository, scripts, "judge", "verdict.json", "--gates", "gates/m.toml"
    )
    assert done.returncode == 12
    assert "the verdict keeps no table to compute it from" in done.stdout


def test_a_gate_that_is_skipped_is_a_check_all_the_same(repository):
    write(repository, ["accuracy = '>= 0.1'", "f1 = '>= 0.1'"])
    repository.write(
        "conftest.py",
        "import pytest\n\ndef pytest_collection_modifyitems(items):\n"
        "    items[0].add_marker(pytest.mark.skip(reason='not today'))\n",
    )
    result, verdict = repository.judge()
    assert verdict["checks"][0]["reason"] == "skipped"
    assert verdict["action"] == "hold"
