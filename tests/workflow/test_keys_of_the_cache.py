"""What evidence is kept under, what is kept of it, and what is given back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import pytest

from pytest_mlops.core.metrics import Task
from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.core.selection import Selection
from pytest_mlops.core.sources import Subject
from pytest_mlops.evidence.record import Evidence
from pytest_mlops.evidence.tables import LABEL_ROWS, LABELS, SCORES
from pytest_mlops.gates.measure import Ask, Measurement
from pytest_mlops.settings.values import DataSettings
from pytest_mlops.workflow.cache.candidates import MANY, wear_remark
from pytest_mlops.workflow.cache.evidence import EvidenceCache, Kept, Question
from pytest_mlops.workflow.cache.measuring import measured_once, with_candidates

SETTINGS = DataSettings("data.csv", "label", 1)
QUESTION = Question("sha256:data", "sha256:key")


class FakeSource:
    uri = "data.csv"

    def __init__(self, fingerprint: str = "sha256:1") -> None:
        self._fingerprint = fingerprint

    def columns(self) -> Tuple[str, ...]:
        return ("label",)

    def fingerprint(self) -> str:
        return self._fingerprint

    def batches(self) -> Iterator[Any]:
        return iter(())


class FakeModel:
    inputs = None

    def __init__(self, subject: Subject, **versions: str) -> None:
        self.subject = subject
        self.versions = versions

    def predict(self, batch: Any, columns: Any, *, probabilities: bool) -> Any:
        raise NotImplementedError


def model(digest: Optional[str] = "sha256:m", **versions: str) -> FakeModel:
    return FakeModel(Subject("models:/m@a", "models:/m/1", digest), **versions)


def key(
    source: Any = FakeSource(),
    settings: DataSettings = SETTINGS,
    task: Task = Task.CLASSIFICATION,
    models: Any = None,
) -> Optional[str]:
    return Question.of(source, settings, task, models or (model(), None)).key


def test_everything_that_evidence_hangs_on_is_in_the_key() -> None:
    keys = [
        key(),
        key(FakeSource("sha256:2")),
        key(task=Task.REGRESSION),
        *(
            key(settings=replace(SETTINGS, **changed))
            for changed in (
                {"uri": "other.csv"},
                {"target": "other"},
                {"positive": 0},
                {"positive": "1"},
                {"weight": "w"},
                {"group": "g"},
                {"prediction": "p"},
                {"score": "s"},
            )
        ),
        key(models=(model("sha256:n"), None)),
        key(models=(model(sklearn="1.5"), None)),
        key(models=(model(sklearn="1.6"), None)),
        key(models=(model(), model("sha256:b"))),
        key(models=(model("sha256:b"), model())),
        key(models=(None, None)),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]


def test_an_alias_that_moved_to_the_same_model_is_the_same_key() -> None:
    moved = FakeModel(Subject("models:/m@b", "models:/m/2", "sha256:m"))
    assert key(models=(moved, None)) == key()


def test_what_cannot_be_told_has_no_key() -> None:
    assert key(FakeSource("unversioned:acme:load")) is None
    assert key(models=(model(None), None)) is None
    assert key(models=(model(), model(None))) is None
    stated = [FakeModel(Subject("acme:m", version=v)) for v in ("1", "2")]
    assert len({None, *(key(models=(m, None)) for m in stated)}) == 3


# --- evidence ----------------------------------------------------------------------


def rows() -> ClassificationRows:
    codes = np.array([0, 1, 1, 0, 1])
    return ClassificationRows(
        true=Labels(codes, (0, 1)),
        predicted=Labels(codes[::-1].copy(), (0, 1)),
        positive=1,
        probabilities=np.array([[0.1], [0.7], [1 / 3], [0.2], [0.9]]),
        classes=(1,),
    )


def evidence(*kinds: Any, fingerprint: str = QUESTION.fingerprint) -> Evidence:
    return Evidence.of(
        data={"uri": "data.csv", "fingerprint": fingerprint, "rows": 5},
        models=["sha256:m", None],
        question={"task": "classification", "target": "label", "positive": 1},
        tables={kind.name: kind.build(rows()) for kind in kinds},
        kinds=kinds,
    )


def as_json(found: Evidence) -> Tuple[Any, Dict[str, bytes]]:
    sides: Dict[str, bytes] = {}

    def side(content: bytes) -> str:
        name = f"side-{len(sides)}"
        sides[name] = content
        return name

    return found.to_json(side), sides


@pytest.fixture
def cache(tmp_path: Path) -> EvidenceCache:
    return EvidenceCache(tmp_path, 1)


def test_evidence_comes_back_as_it_was(cache: EvidenceCache) -> None:
    assert cache.load(QUESTION, {}) is None
    stored = evidence(LABELS, SCORES)
    cache.store(QUESTION, Kept(stored, ("a remark",)))
    kept = cache.load(QUESTION, {})
    assert kept is not None
    assert as_json(kept.evidence) == as_json(stored)
    assert kept.remarks == ("a remark",)
    assert cache.seconds > 0
    assert cache.load(replace(QUESTION, key="sha256:other"), {}) is None
    assert list(cache.remarks) == []


def test_tables_are_added_to_an_entry(cache: EvidenceCache) -> None:
    cache.store(QUESTION, Kept(evidence(SCORES)))
    cache.store(QUESTION, Kept(evidence(LABELS)))
    kept = cache.load(QUESTION, {})
    assert kept is not None
    assert set(kept.evidence.tables) == {"labels", "scores"}
    whole = as_json(evidence(SCORES, LABELS))
    assert as_json(kept.evidence) == whole


def test_rows_are_not_kept(cache: EvidenceCache, tmp_path: Path) -> None:
    cache.store(QUESTION, Kept(evidence(LABEL_ROWS)))
    assert not list(tmp_path.rglob("evidence-*.json"))


def test_tables_of_others_are_kept_if_they_state_a_version(
    cache: EvidenceCache,
) -> None:
    silent = replace(LABELS, name="acme")
    cache.store(QUESTION, Kept(evidence(LABELS, silent)))
    kept = cache.load(QUESTION, {"acme": silent})
    assert kept is not None and set(kept.evidence.tables) == {"labels"}
    stated = replace(silent, version="1")
    cache.store(QUESTION, Kept(evidence(stated)))
    kept = cache.load(QUESTION, {"acme": stated})
    assert kept is not None and set(kept.evidence.tables) == {"labels", "acme"}
    for others in ({}, {"acme": silent}, {"acme": replace(silent, version="2")}):
        kept = cache.load(QUESTION, others)
        assert kept is not None and set(kept.evidence.tables) == {"labels"}
    assert list(cache.remarks) == []


def test_an_entry_of_another_key_is_not_trusted(
    cache: EvidenceCache, tmp_path: Path
) -> None:
    cache.store(QUESTION, Kept(evidence(LABELS)))
    [entry] = tmp_path.rglob("evidence-*.json")
    entry.rename(entry.with_name("evidence-sha256-other.json"))
    assert cache.load(replace(QUESTION, key="sha256:other"), {}) is None
    assert list(cache.remarks) == [
        "the kept evidence was damaged, so it was measured again"
    ]


def test_what_cannot_be_read_is_said(cache: EvidenceCache, tmp_path: Path) -> None:
    cache.store(QUESTION, Kept(evidence(LABELS)))
    [entry] = tmp_path.rglob("evidence-*.json")
    entry.unlink()
    entry.mkdir()
    assert cache.load(QUESTION, {}) is None
    [remark] = cache.remarks
    assert remark.startswith("kept evidence cannot be read: ")


def test_nothing_secret_is_kept(cache: EvidenceCache, tmp_path: Path) -> None:
    settings = replace(SETTINGS, uri="https://user:geheim@host/data.csv")
    asked = Question.of(FakeSource(), settings, Task.CLASSIFICATION, [model(), None])
    cache.store(asked, Kept(evidence(LABELS, SCORES)))
    cache.count_candidate(FakeSource().fingerprint(), "models:/geheim")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 4
    assert not any(b"geheim" in path.read_bytes() for path in files)


# --- one pass for what is missing --------------------------------------------------


class Passes:
    """Measures, and remembers what it was asked for; there is no column for ODD."""

    def __init__(self, fingerprint: str = QUESTION.fingerprint) -> None:
        self.asked: List[List[str]] = []
        self.fingerprint = fingerprint

    def __call__(self, asks: Mapping[str, Ask]) -> Measurement:
        self.asked.append(list(asks))
        made = [ask.kind for ask in asks.values() if ask is not ODD]
        return Measurement(evidence(*made, fingerprint=self.fingerprint))


ODD = Ask(LABELS, Selection(where="odd > 1"), needed=False)
LABELS_ALONE = {"labels": Ask(LABELS)}
SCORES_ALONE = {"scores": Ask(SCORES)}
BOTH = {**LABELS_ALONE, **SCORES_ALONE}


def test_only_what_is_missing_is_measured(cache: EvidenceCache) -> None:
    run = Passes()
    measured_once(cache, QUESTION, SCORES_ALONE, {}, run)
    found = measured_once(cache, QUESTION, BOTH, {}, run)
    assert run.asked == [["scores"], ["labels"]]
    assert list(found.evidence.tables) == ["labels", "scores"]
    assert as_json(found.evidence) == as_json(evidence(LABELS, SCORES))
    found = measured_once(cache, QUESTION, LABELS_ALONE, {}, run)
    assert len(run.asked) == 2
    assert list(found.evidence.tables) == ["labels"]


def test_what_nobody_needs_and_is_not_there_is_not_looked_for_twice(
    cache: EvidenceCache,
) -> None:
    run = Passes()
    wanted = {**LABELS_ALONE, "odd": ODD}
    for _ in range(2):
        found = measured_once(cache, QUESTION, wanted, {}, run)
        assert list(found.evidence.tables) == ["labels"]
    measured_once(cache, QUESTION, BOTH, {}, run)
    measured_once(cache, QUESTION, {**BOTH, "odd": ODD}, {}, run)
    assert run.asked == [["labels", "odd"], ["scores"]]
    # Whoever needs it is told what is wrong with it.
    needed = {**LABELS_ALONE, "odd": replace(ODD, needed=True)}
    measured_once(cache, QUESTION, needed, {}, run)
    assert run.asked[2:] == [["odd"]]


def test_a_table_in_place_of_another_is_not_lost(cache: EvidenceCache) -> None:
    measured_once(cache, QUESTION, SCORES_ALONE, {}, Passes())
    instead = {**SCORES_ALONE, "paired/labels": Ask(LABELS)}
    found = measured_once(cache, QUESTION, instead, {}, Passes())
    assert set(found.evidence.tables) == {"labels", "scores"}


def test_data_that_changed_meanwhile_is_not_mixed(cache: EvidenceCache) -> None:
    changed = Passes("sha256:changed")
    found = measured_once(cache, QUESTION, BOTH, {}, changed)
    assert len(changed.asked) == 1 and set(found.evidence.tables) == set(BOTH)
    assert cache.load(QUESTION, {}) is None
    cache.store(QUESTION, Kept(evidence(LABELS)))
    found = measured_once(cache, QUESTION, BOTH, {}, changed)
    assert changed.asked[1:] == [["scores"], ["labels", "scores"]]
    assert found.evidence.data["fingerprint"] == "sha256:changed"


# --- candidates --------------------------------------------------------------------


def test_candidates_are_counted_once_each(cache: EvidenceCache) -> None:
    counts = [cache.count_candidate("sha256:d", c) for c in ("a", "b", "a", "c")]
    assert counts == [1, 2, 2, 3]
    assert cache.count_candidate("sha256:e", "a") == 1
    assert cache.count_candidate("unversioned:x", "a") is None
    assert cache.count_candidate("sha256:d", None) is None
    assert EvidenceCache(Path("/nowhere"), 0).count_candidate("sha256:d", "a") is None


def test_a_count_that_cannot_be_kept_is_none(tmp_path: Path) -> None:
    (tmp_path / ".mlops").write_text("a file")
    cache = EvidenceCache(tmp_path, 1)
    assert cache.count_candidate("sha256:d", "a") is None
    [remark] = cache.remarks
    assert remark.startswith("candidates cannot be counted: ")


def test_the_count_stands_beside_the_evidence(cache: EvidenceCache) -> None:
    found = evidence(LABELS)
    for number in range(1, MANY + 1):
        subject = Subject("models:/m@a", model_digest=f"sha256:{number}")
        told, remarks = with_candidates(cache, found, subject)
        assert told.data["candidates"] == number
        assert told.key == found.key
        assert len(remarks) == (number >= MANY)
    assert with_candidates(cache, found, None) == (found, ())


def test_few_candidates_are_no_remark() -> None:
    assert wear_remark(228, MANY - 1) is None
    told = wear_remark(12345, 14)
    assert told is not None
    assert told.startswith("these 12,345 labelled rows have judged 14 candidates: ")
