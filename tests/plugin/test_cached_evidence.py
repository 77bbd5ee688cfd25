"""What was measured once is not measured again, and never wrongly taken for known."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

MODEL = """\
from pathlib import Path
log = Path(__file__).with_name("runs.log")

class Model:
    {version}
    def predict(self, frame):
        with log.open("a") as file:
            file.write("run\\n")
        return frame["guess"]

model = Model()
"""

GATES = """\
model = "m"
task = "classification"

[data]
uri = "data.csv"
target = "label"
positive = 1

[gates]
recall = ">= 0.80"
"""

FOLDER = ".mlops/evidence"


class Modelled:
    """A repository with a model that writes down how often it is run."""

    def __init__(self, repository):
        self.repository = repository
        self.path = repository.path
        self.gates()
        self.model("1")
        head, *rows = repository.data().read_text().split()
        lines = [head.replace("predicted", "guess") + ",w", *(f"{x},2" for x in rows)]
        repository.write("data.csv", "\n".join(lines) + "\n")

    def gates(self, text=GATES):
        self.repository.gates(text)

    def model(self, version):
        stated = "" if version is None else f"__version__ = {version!r}"
        # Python takes a source of the same size and second for the compiled one.
        shutil.rmtree(self.path / "__pycache__", ignore_errors=True)
        self.repository.write("model_code.py", MODEL.format(version=stated))

    def judge(self, *arguments):
        """Run the gates: the text, the verdict, and how often the model was run."""
        log = self.path / "runs.log"
        log.write_text("")
        result, verdict = self.repository.judge(
            "--model-uri=model_code:model", *arguments
        )
        runs = len(log.read_text().splitlines())
        return " ".join(result.stdout.str().split()), verdict, runs

    def entries(self, kind="evidence"):
        return sorted(self.path.glob(f"{FOLDER}/{kind}-*.json"))


@pytest.fixture
def modelled(repository):
    return Modelled(repository)


def comparable(verdict):
    return {k: v for k, v in verdict.items() if k not in ("created", "timings")}


def test_the_same_model_on_the_same_data_is_not_run_twice(modelled, capsys):
    text, first, runs = modelled.judge()
    assert (runs, first["outcome"]) == (1, "pass")
    assert "from the cache" not in text
    assert "cache_s" not in first["timings"]
    text, second, runs = modelled.judge()
    assert runs == 0
    assert "positive 1 (evidence from the cache)" in text
    assert "cache_s" in second["timings"] and "predict_s" not in second["timings"]
    assert comparable(second) == comparable(first)
    assert second["remarks"] == []
    ignored = modelled.path.joinpath(FOLDER, ".gitignore").read_text()
    assert "*" in ignored.splitlines()


def test_cached_evidence_is_verified_and_explained(modelled, monkeypatch, capsys):
    from pytest_mlops.cli import main

    modelled.judge()
    modelled.judge()
    monkeypatch.chdir(modelled.path)
    assert main(["verify", "verdict.json"]) == 0
    assert main(["explain", "verdict.json"]) == 0
    assert "(evidence from the cache)" in " ".join(capsys.readouterr().out.split())


def test_a_gate_that_is_added_measures_what_is_missing(modelled):
    modelled.judge()
    modelled.gates(GATES + 'precision = ">= 0.80"\n')
    assert modelled.judge()[2] == 0
    own = 'size = { metric = "own:size", rule = ">= 1" }\n'
    modelled.repository.write("own.py", "def size(true, predicted): return len(true)\n")
    modelled.gates(GATES + own)
    expected = comparable(modelled.judge("--no-evidence-cache")[1])
    expected["evidence"][0]["data"]["candidates"] = 1
    for _ in range(2):  # the rows that it needs are not kept
        text, verdict, runs = modelled.judge()
        assert runs == 1
        assert "(evidence partly from the cache)" in text
        assert comparable(verdict) == expected
    modelled.gates(GATES)
    assert modelled.judge()[2] == 0


def change_data(modelled):
    path = modelled.path / "data.csv"
    path.write_text(path.read_text() + "1,1,2\n")


def change_positive(modelled):
    modelled.gates(GATES.replace("positive = 1", "positive = 0"))


def change_weight(modelled):
    modelled.gates(GATES.replace("positive = 1", 'positive = 1\nweight = "w"'))


def change_version(modelled):
    modelled.model("2")


@pytest.mark.parametrize(
    "change", [change_data, change_positive, change_weight, change_version]
)
def test_another_question_is_measured(modelled, change):
    modelled.judge()
    change(modelled)
    assert modelled.judge()[2] == 1
    assert modelled.judge()[2] == 0
    assert len(modelled.entries()) == 2


def test_a_checkout_of_the_same_data_is_the_same_data(modelled):
    modelled.judge()
    os.utime(modelled.path / "data.csv", (0, 0))
    assert modelled.judge()[2] == 0


def test_what_states_no_version_is_not_kept(modelled):
    modelled.model(None)
    modelled.judge()
    _, verdict, runs = modelled.judge()
    assert runs == 1
    assert not modelled.path.joinpath(".mlops").exists()
    assert "candidates" not in verdict["evidence"][0]["data"]
    modelled.model("1")
    rows = "{'label': [0, 1], 'guess': [0, 1]}"
    modelled.repository.write("rows.py", f"def load():\n    return {rows}\n")
    assert [modelled.judge("--data=rows:load")[2] for _ in range(2)] == [1, 1]
    assert not modelled.path.joinpath(".mlops").exists()


def test_a_function_that_states_one_is_not_called_again(modelled):
    modelled.repository.write(
        "rows.py",
        "def load():\n"
        "    open('called.log', 'a').write('called ')\n"
        "    return {'label': [0, 1], 'guess': [0, 1]}\n"
        "load.__version__ = '2026-11'\n",
    )
    assert [modelled.judge("--data=rows:load")[2] for _ in range(2)] == [1, 0]
    assert modelled.path.joinpath("called.log").read_text() == "called "


@pytest.mark.parametrize("how", ["option", "variable", "setting"])
def test_it_can_be_turned_off(modelled, monkeypatch, how):
    arguments = []
    if how == "option":
        arguments = ["--no-evidence-cache"]
    elif how == "variable":
        monkeypatch.setenv("MLOPS_NO_EVIDENCE_CACHE", "1")
    else:
        modelled.repository.write(
            "pyproject.toml", "[tool.pytest_mlops]\nevidence_cache_mb = 0\n"
        )
    assert [modelled.judge(*arguments)[2] for _ in range(2)] == [1, 1]
    assert not modelled.path.joinpath(".mlops").exists()


def test_evidence_that_is_kept_is_not_used_when_it_is_turned_off(modelled):
    modelled.judge()
    _, verdict, runs = modelled.judge("--no-evidence-cache")
    assert runs == 1
    assert "candidates" not in verdict["evidence"][0]["data"]


def test_ready_predictions_are_kept_and_count_no_candidate(judged):
    _, first = judged.judge()
    result, second = judged.judge()
    assert "(evidence from the cache)" in " ".join(result.stdout.str().split())
    assert comparable(second) == comparable(first)
    assert "candidates" not in second["evidence"][0]["data"]


# --- what can go wrong -------------------------------------------------------------


def cut(data):
    return data[:-7]


def flipped(data):
    return data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]


def head_only(data):
    return data[:40]


def of_another_format(data):
    return data.replace(b"pytest-mlops/cache/1", b"pytest-mlops/cache/0", 1)


def nothing(data):
    return b""


@pytest.mark.parametrize(
    "damage", [cut, flipped, head_only, of_another_format, nothing]
)
def test_a_damaged_entry_is_rebuilt(modelled, damage):
    _, first, _ = modelled.judge()
    [entry] = modelled.entries()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    text, verdict, runs = modelled.judge()
    assert runs == 1
    remark = "the kept evidence was damaged, so it was measured again"
    assert verdict["remarks"] == [remark]
    assert f"note {remark}" in text
    assert comparable({**verdict, "remarks": []}) == comparable(first)
    assert entry.read_bytes() == whole
    _, again, runs = modelled.judge()
    assert (runs, comparable(again)) == (0, comparable(first))


def test_a_damaged_count_starts_anew(modelled):
    modelled.judge()
    [entry] = modelled.entries("candidates")
    entry.write_bytes(b"?")
    _, verdict, runs = modelled.judge()
    assert verdict["remarks"] == ["the count of candidates was damaged and starts anew"]
    assert (runs, verdict["evidence"][0]["data"]["candidates"]) == (0, 1)


def test_a_folder_that_cannot_be_one_costs_the_cache_alone(modelled):
    modelled.repository.write(FOLDER, "a file")
    text, verdict, runs = modelled.judge()
    assert (runs, verdict["outcome"], verdict["exit_code"]) == (1, "pass", 0)
    told = "the evidence cannot be kept in .mlops/evidence: "
    [remark] = verdict["remarks"]
    assert remark.startswith(told)


MOUNTED = """\
mount -t tmpfs -o {options} tmpfs .mlops && echo mounted || exit
cat /dev/zero > .mlops/filler 2>/dev/null
"$@"
"""


@pytest.mark.parametrize(
    "options, reason",
    [("size=64k", "No space left on device"), ("ro", "Read-only file system")],
)
def test_a_full_or_read_only_disk_costs_the_cache_alone(modelled, options, reason):
    if shutil.which("unshare") is None:
        pytest.skip("there is no command 'unshare' to mount a small disk with")
    modelled.path.joinpath(".mlops").mkdir()
    private = ["unshare", "--mount"]
    if os.geteuid() != 0:
        private += ["--user", "--map-root-user"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    shell = [*private, "sh", "-c", MOUNTED.format(options=options), "sh"]
    pytest_ = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "gates"]
    wanted = ["--model-uri=model_code:model", "--verdict=verdict.json"]
    result = subprocess.run(
        [*shell, *pytest_, *wanted],
        cwd=modelled.path,
        env={**clean, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if not result.stdout.startswith("mounted\n"):
        pytest.skip(f"no disk can be mounted here: {result.stdout.strip()}")
    assert result.returncode == 0, result.stdout
    verdict = modelled.repository.verdict()
    assert verdict["outcome"] == "pass"
    told = f"the evidence cannot be kept in .mlops/evidence: {reason}"
    assert verdict["remarks"] == [told]


# --- several at a time -------------------------------------------------------------


def test_runs_in_parallel_share_it(modelled):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "gates"]
    command += ["--model-uri=model_code:model"]
    runs = [
        subprocess.Popen(
            [*command, f"--verdict={number}.json"],
            cwd=modelled.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for number in range(3)
    ]
    said = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    verdicts = [
        comparable(json.loads((modelled.path / f"{number}.json").read_text()))
        for number in range(3)
    ]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert verdicts[0]["remarks"] == []
    assert modelled.judge()[2] == 0
    assert not list(modelled.path.glob(f"{FOLDER}/*unfinished*"))


def test_a_worker_takes_what_is_kept(modelled):
    pytest.importorskip("xdist")
    _, alone, _ = modelled.judge()
    modelled.path.joinpath("runs.log").write_text("")
    result = modelled.repository.run_apart(
        "-m",
        "gates",
        "--model-uri=model_code:model",
        "--verdict=verdict.json",
        "-n2",
    )
    assert result.ret == 0
    assert modelled.path.joinpath("runs.log").read_text() == ""
    assert comparable(modelled.repository.verdict()) == comparable(alone)
    assert "from the cache" in " ".join(result.stdout.str().split())


# --- a test set that wears out, rows that belong together ----------------------------


def test_it_is_said_when_rows_have_judged_many_candidates(modelled):
    told = []
    for number in range(11):
        modelled.model(str(number))
        modelled.judge()
        _, verdict, runs = modelled.judge()  # the same one does not count twice
        assert runs == 0
        assert verdict["evidence"][0]["data"]["candidates"] == number + 1
        told.append(verdict["remarks"])
    assert told[:9] == [[]] * 9
    assert told[10] == [
        "these 40 labelled rows have judged 11 candidates: the more models are chosen "
        "by the same rows, the more the best of them owes to chance (Dwork et al. "
        "2015; Blum and Hardt 2015); choose a fresh set"
    ]


def test_rows_that_belong_together_are_noticed(modelled):
    lines = ["label,guess,customer_id"]
    lines += [f"{row % 2},{row % 2},{row // 3}" for row in range(120)]
    modelled.repository.write("data.csv", "\n".join(lines) + "\n")
    remark = (
        "column 'customer_id' repeats (40 values over 120 rows): if rows of the same "
        "customer_id are alike, they are not independent and the intervals are too "
        'narrow; then set group = "customer_id" in [data]'
    )
    for expected in (1, 0):  # and it is not forgotten
        text, verdict, runs = modelled.judge()
        assert (runs, verdict["remarks"]) == (expected, [remark])


# --- what is not needed is not loaded ------------------------------------------------

LOADED = """\
import sys

def pytest_unconfigure():
    heavy = {"mlflow", "sklearn", "pandas"} & set(sys.modules)
    print("loaded:", *sorted(heavy))
"""


def test_from_the_cache_a_model_in_a_folder_needs_no_mlflow(store, stores, repository):
    from sklearn.linear_model import LogisticRegression

    raw = LogisticRegression().fit(store.features, store.data["label"])
    logged = stores.register(store, "kept", raw)
    shutil.copytree(logged.folder, repository.path / "model")
    shutil.copy(store.root / "validation.csv", repository.path / "data.csv")
    repository.gates(GATES.replace("0.80", "0.1"))
    repository.write("conftest.py", LOADED)
    wanted = ("-m", "gates", "--model-uri=./model", "--verdict=verdict.json")
    said, verdicts = [], []
    for _ in range(2):
        result = repository.run_apart(*wanted)
        assert result.ret == 0
        said += [x for x in result.stdout.lines if x.startswith("loaded:")]
        verdicts.append(comparable(repository.verdict()))
    assert [line.strip() for line in said] == [
        "loaded: mlflow pandas sklearn",
        "loaded:",
    ]
    assert verdicts[0] == verdicts[1]
