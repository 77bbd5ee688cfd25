"""``pytest -m drift``: what is collected, judged, written, and what follows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_mlops.cli import main

GATES = """\
model = "m"
task = "classification"

[data]
uri = "current.csv"
target = "label"
positive = 1
prediction = "predicted"

[gates]
accuracy = ">= 0.10"

[drift]
psi = "<= 0.2"
missing_change = "<= 0.05"
ages = { metric = "kolmogorov_smirnov", rule = "<= 0.15", columns = ["age"] }

[environments.production]
decide = "confident"
drift.psi = "<= 0.1"
"""

COLUMNS = ("age", "income", "region", "label", "predicted")


def rows(seed, shift=0.0, names=COLUMNS, size=1500):
    draw = np.random.default_rng(seed)
    columns = {
        "age": draw.normal(40 + shift, 10, size).round(1),
        "income": draw.lognormal(10, 1, size).round(2),
        "region": draw.choice(["north", "south"], size),
        "label": draw.integers(0, 2, size),
        "predicted": draw.integers(0, 2, size),
        "extra": np.arange(size),
    }
    lines = [",".join(str(columns[n][i]) for n in names) for i in range(size)]
    return "\n".join([",".join(names), *lines]) + "\n"


@pytest.fixture
def drifting(repository, monkeypatch):
    """A repository with rules about drift, a reference, and current data like it."""
    monkeypatch.delenv("MLOPS_REFERENCE", raising=False)
    repository.gates(GATES)
    repository.write("reference.csv", rows(1))
    repository.write("current.csv", rows(2))
    return repository


def judge(repository, *arguments):
    result = repository.run(
        "-m", "drift", "--verdict=verdict.json", "--data=current.csv", *arguments
    )
    return result, repository.verdict()


def columns(verdict, name):
    return {
        check["slice"]["column"]: check
        for check in verdict["checks"]
        if check["name"] == name
    }


class TestNoDrift:
    def test_every_column_is_a_check_and_the_model_is_kept(self, drifting):
        result, verdict = judge(drifting, "--reference=reference.csv")
        result.assert_outcomes(passed=3)
        assert result.ret == 0
        assert (verdict["outcome"], verdict["action"]) == ("pass", "keep")
        assert not verdict["partial"]
        found = columns(verdict, "psi")
        assert list(found) == ["age", "income", "region", "prediction"]
        assert {check["kind"] for check in verdict["checks"]} == {"drift"}
        assert {check["on_fail"] for check in verdict["checks"]} == {"retrain"}
        assert list(columns(verdict, "ages")) == ["age"]

    def test_labels_are_not_needed(self, drifting):
        names = [name for name in COLUMNS if name != "label"]
        drifting.write("current.csv", rows(2, names=names))
        result, verdict = judge(drifting, "--reference=reference.csv")
        assert (result.ret, verdict["action"]) == (0, "keep")

    def test_new_columns_are_only_remarked(self, drifting):
        drifting.write("current.csv", rows(2, names=[*COLUMNS, "extra"]))
        result, verdict = judge(drifting, "--reference=reference.csv")
        assert result.ret == 0
        assert "drift: not in the reference, so not judged: extra" in (
            verdict["remarks"]
        )

    def test_the_reference_may_stand_in_the_gates_file(self, drifting):
        text = GATES.replace("uri =", 'reference = "reference.csv"\nuri =')
        drifting.gates(text)
        result, verdict = judge(drifting)
        assert result.ret == 0
        assert verdict["evidence"][0]["question"]["reference"]["uri"] == "reference.csv"

    def test_the_environment_names_the_reference_too(self, drifting, monkeypatch):
        monkeypatch.setenv("MLOPS_REFERENCE", "reference.csv")
        result, _ = judge(drifting)
        assert result.ret == 0

    def test_the_workers_of_xdist_give_the_same_verdict(self, drifting):
        _, alone = judge(drifting, "--reference=reference.csv")
        result = drifting.run_apart(
            *("-m", "drift", "--verdict=verdict.json", "--data=current.csv"),
            *("--reference=reference.csv", "-n", "2"),
        )
        assert result.ret == 0
        assert drifting.verdict()["checks"] == alone["checks"]


class TestDrift:
    def test_it_asks_for_a_new_model(self, drifting):
        drifting.write("current.csv", rows(2, shift=9))
        result, verdict = judge(drifting, "--reference=reference.csv")
        result.assert_outcomes(passed=1, failed=2)
        assert result.ret == 1
        assert (verdict["outcome"], verdict["action"]) == ("fail", "retrain")
        found = columns(verdict, "psi")
        assert found["age"]["outcome"] == "fail" and found["age"]["value"] > 0.5
        assert found["income"]["outcome"] == "pass"

    def test_a_missing_column_fails_by_name_and_the_others_are_judged(self, drifting):
        names = [name for name in COLUMNS if name != "income"]
        drifting.write("current.csv", rows(2, names=names))
        result, verdict = judge(drifting, "--reference=reference.csv")
        assert result.ret == 1
        found = columns(verdict, "psi")
        assert found["income"]["reason"] == "column_missing"
        assert found["income"]["outcome"] == "fail"
        assert found["age"]["outcome"] == "pass"
        result.stdout.fnmatch_lines(["*the current data do not have this column*"])

    def test_a_column_that_became_text_fails_by_name(self, drifting):
        text = rows(2).replace("\n", "\nold-", 1)
        drifting.write("current.csv", text.replace("\nold-", "\nx", 1))
        _, verdict = judge(drifting, "--reference=reference.csv")
        check = columns(verdict, "psi")["age"]
        assert (check["outcome"], check["reason"]) == ("fail", "type_changed")

    def test_an_environment_is_stricter_and_decides_by_intervals(self, drifting):
        drifting.write("current.csv", rows(2, shift=9))
        _, verdict = judge(drifting, "--reference=reference.csv", "--env=production")
        check = columns(verdict, "psi")["age"]
        assert (check["rule"], check["outcome"]) == ("<= 0.1", "fail")
        assert 0 <= check["p_value"] <= check["p_adjusted"] < 0.025

    def test_a_waived_column_lets_the_others_decide(self, drifting):
        waiver = """
[[waivers]]
check = "{}"
slice = {{ column = "age" }}
reason = "a new market"
owner = "risk"
expires = 2099-01-01
"""
        drifting.gates(GATES + waiver.format("psi") + waiver.format("ages"))
        drifting.write("current.csv", rows(2, shift=9))
        result, verdict = judge(drifting, "--reference=reference.csv")
        assert result.ret == 0
        assert columns(verdict, "psi")["age"]["waived"]["owner"] == "risk"


class TestProfiles:
    @pytest.fixture
    def profiled(self, drifting, monkeypatch):
        monkeypatch.chdir(drifting.path)
        code = main(["profile", "--data=reference.csv", "--output=profile.json"])
        assert code == 0
        return drifting

    def test_a_profile_stands_in_for_its_data(self, profiled, capsys):
        _, by_data = judge(profiled, "--reference=reference.csv")
        (profiled.path / "reference.csv").unlink()
        _, by_profile = judge(profiled, "--reference=profile.json")
        strip = ("value", "interval", "outcome", "slice", "rows")
        assert [[c[key] for key in strip] for c in by_profile["checks"]] == [
            [c[key] for key in strip] for c in by_data["checks"]
        ]

    def test_it_is_small_and_says_what_it_is_of(self, profiled):
        text = (profiled.path / "profile.json").read_text()
        assert len(text) < 15_000
        content = json.loads(text)
        assert content["schema"] == "pytest-mlops/profile/1"
        assert content["rows"] == content["data"]["rows"] == 1500
        assert list(content["columns"]) == ["age", "income", "region", "prediction"]

    def test_predictions_that_nobody_gives_now_are_remarked(self, profiled):
        profiled.gates(GATES.replace('prediction = "predicted"\n', ""))
        names = [name for name in COLUMNS if name != "predicted"]
        profiled.write("current.csv", rows(2, names=names))
        result, verdict = judge(profiled, "--reference=profile.json")
        assert result.ret == 0
        assert "drift: no model was run, so not judged: prediction" in (
            verdict["remarks"]
        )

    def test_without_a_gates_file_every_column_is_profiled(
        self, repository, monkeypatch, capsys
    ):
        repository.write("rows.csv", rows(1))
        monkeypatch.chdir(repository.path)
        assert main(["profile", "--data=rows.csv"]) == 0
        assert "1500 rows, 5 columns" in capsys.readouterr().out
        assert (repository.path / "pytest_mlops_profile.json").exists()

    def test_it_must_be_told_of_what(self, repository, monkeypatch, capsys):
        monkeypatch.chdir(repository.path)
        assert main(["profile"]) == 4
        assert "--data=URI" in capsys.readouterr().err

    def test_it_may_not_be_writable(self, profiled, capsys):
        output = f"--output={profiled.path}"
        assert main(["profile", "--data=reference.csv", output]) == 12
        assert "cannot be written" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (None, "cannot be read: No such file"),
            ("{", "is no profile"),
            ("[]", "is no profile"),
            ('{"schema": "x"}', "is no profile"),
        ],
    )
    def test_what_is_no_profile_is_refused_before_anything_runs(
        self, drifting, text, message
    ):
        if text is not None:
            drifting.write("p.json", text)
        result, verdict = judge(drifting, "--reference=p.json")
        assert (result.ret, verdict) == (4, None)
        result.stderr.fnmatch_lines([f"*{message}*"])

    def test_a_profile_of_the_future_is_refused(self, profiled):
        path = profiled.path / "profile.json"
        path.write_text(path.read_text().replace("profile/1", "profile/9"))
        result, _ = judge(profiled, "--reference=profile.json")
        assert result.ret == 4
        result.stderr.fnmatch_lines(["*of another schema*"])


class TestWhatIsCollected:
    def test_gates_do_not_run_drift_and_the_reverse(self, drifting):
        gates = drifting.run("-m", "gates", "-v", "--data=current.csv")
        gates.assert_outcomes(passed=1)
        assert "::psi" not in gates.stdout.str()
        drift = drifting.run("-m", "drift", "--reference=reference.csv", "-v")
        drift.assert_outcomes(passed=3)
        assert "::accuracy" not in drift.stdout.str()

    def test_both_can_be_asked_for(self, drifting):
        result = drifting.run(
            *("-m", "gates or drift", "--reference=reference.csv"),
            "--verdict=verdict.json",
        )
        result.assert_outcomes(passed=4)
        verdict = drifting.verdict()
        assert (verdict["action"], len(verdict["evidence"])) == ("promote", 2)
        assert main(["verify", str(drifting.path / "verdict.json")]) == 0

    def test_a_bare_run_runs_neither(self, drifting):
        drifting.write("test_unit.py", "def test_unit(): pass\n")
        drifting.write(
            "gates/test_more.py",
            "import pytest\n@pytest.mark.drift\ndef test_drift(): assert False\n",
        )
        result = drifting.run()
        result.assert_outcomes(passed=1, deselected=1)

    def test_a_marked_test_belongs_to_the_suite(self, drifting):
        drifting.write(
            "gates/test_more.py",
            "import pytest\n@pytest.mark.drift\ndef test_fresh(): pass\n",
        )
        result, verdict = judge(drifting, "--reference=reference.csv")
        result.assert_outcomes(passed=4)
        assert not verdict["partial"]
        gates = drifting.run("-m", "gates", "--data=current.csv")
        gates.assert_outcomes(passed=1, deselected=1)

    def test_one_rule_alone_is_a_part_of_the_suite(self, drifting):
        result, verdict = judge(
            drifting, "--reference=reference.csv", "gates/m.toml::psi"
        )
        result.assert_outcomes(passed=1)
        assert (verdict["partial"], verdict["action"]) == (True, "hold")


class TestMistakes:
    def test_no_reference(self, drifting):
        result, _ = judge(drifting)
        assert result.ret == 4
        result.stderr.fnmatch_lines(["*say what drift is measured from*"])

    def test_no_rules(self, drifting):
        drifting.gates(GATES.partition("[drift]")[0])
        result, _ = judge(drifting, "--reference=reference.csv")
        assert result.ret == 4
        result.stderr.fnmatch_lines(["*there is no rule about drift*"])

    @pytest.mark.parametrize(
        ("reference", "message"),
        [
            ("gone.csv", "*gone.csv*"),
            ("s3://bucket/x.csv", "*nothing knows how to read*"),
        ],
    )
    def test_a_reference_that_cannot_be_read(self, drifting, reference, message):
        result, _ = judge(drifting, f"--reference={reference}")
        assert result.ret == 4
        result.stderr.fnmatch_lines([message])

    def test_data_without_rows_hold(self, drifting):
        drifting.write("current.csv", ",".join(COLUMNS) + "\n")
        result, verdict = judge(drifting, "--reference=reference.csv")
        assert (result.ret, verdict["action"]) == (12, "hold")
        assert {check["kind"] for check in verdict["checks"]} == {"drift"}

    def test_a_column_named_like_an_answer_keeps_its_name(self, drifting):
        for name, seed in (("reference.csv", 1), ("current.csv", 2)):
            drifting.write(name, rows(seed).replace("income", "prediction", 1))
        result, verdict = judge(drifting, "--reference=reference.csv")
        assert result.ret == 0
        named = ["age", "prediction", "region", "model.prediction"]
        assert list(columns(verdict, "psi")) == named


class TestVerdicts:
    @pytest.fixture
    def written(self, drifting):
        names = [name for name in COLUMNS if name != "income"]
        drifting.write("current.csv", rows(2, shift=9, names=names))
        judge(drifting, "--reference=reference.csv")
        return drifting

    def test_they_hold(self, written, capsys):
        assert main(["verify", str(written.path / "verdict.json")]) == 0
        assert "9 of 9 checks recomputed" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "change",
        [
            lambda verdict: verdict["checks"][0].update(value=0.01, outcome="pass"),
            lambda verdict: verdict["checks"][1].update(outcome="pass", reason=None),
            lambda verdict: verdict["checks"].pop(1),
            lambda verdict: verdict.update(action="keep", exit_code=0),
        ],
    )
    def test_a_changed_one_does_not(self, written, change, capsys):
        path = written.path / "verdict.json"
        verdict = json.loads(path.read_text())
        change(verdict)
        path.write_text(json.dumps(verdict))
        assert main(["verify", str(path)]) == 1

    def test_they_can_be_judged_by_other_rules(self, written, monkeypatch, capsys):
        monkeypatch.chdir(written.path)
        loose = GATES.replace('psi = "<= 0.2"', 'psi = "<= 5"')
        written.gates(loose.replace("<= 0.15", "<= 1"))
        code = main(
            ["judge", "verdict.json", "--gates=gates/m.toml", "--output=new.json"]
        )
        assert code == 1  # income is still not there
        verdict = json.loads((written.path / "new.json").read_text())
        found = columns(verdict, "psi")
        assert found["age"]["outcome"] == "pass"
        assert found["income"]["outcome"] == "fail"
        assert {check["kind"] for check in verdict["checks"]} == {"drift"}

    def test_they_are_explained(self, written, capsys):
        assert main(["explain", str(written.path / "verdict.json")]) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert "drift from reference.csv" in told
        assert "a new model must be trained" in told

    def test_a_sound_one_says_to_keep_the_model(self, drifting, capsys):
        judge(drifting, "--reference=reference.csv")
        main(["explain", str(drifting.path / "verdict.json")])
        assert "Nothing has drifted: keep the model." in capsys.readouterr().out
