"""Evidence: its key, its merging, and its way into a verdict and back."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from pytest_mlops.core.metrics import TableKind, Task
from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.errors import VerdictError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.names import BASELINE
from pytest_mlops.evidence.record import Evidence
from pytest_mlops.evidence.tables import KINDS, LABEL_ROWS, LABELS, LOSSES, SCORES

DATA = {"uri": "data.csv", "fingerprint": "abc", "rows": 4}
QUESTION = {"task": "classification", "target": "label", "positive": 1}


def judged(true):
    return ClassificationRows(
        encode(true),
        encode([1] * len(true)),
        positive=1,
        probabilities=np.linspace(0.1, 0.9, len(true))[:, np.newaxis],
        classes=(1,),
    )


def evidence(true=(0, 1, 1, 0), **others):
    rows = judged(true)
    tables = {kind.name: kind.build(rows) for kind in (LABELS, LOSSES, SCORES)}
    tables[BASELINE + "labels"] = LABELS.build(rows)
    arguments = {
        "data": {**DATA, "rows": len(true)},
        "models": ["sha256:1", None],
        "question": QUESTION,
        "tables": tables,
        **others,
    }
    return Evidence.of(**arguments)


class Folder(dict):
    """Side files by name."""

    def put(self, content):
        name = f"side-{len(self)}.json.gz"
        self[name] = content
        return name


def stored(record):
    folder = Folder()
    return json.loads(json.dumps(record.to_json(folder.put), allow_nan=False)), folder


def test_a_record_goes_to_json_and_back():
    record = evidence()
    data, folder = stored(record)

    again = Evidence.from_json(data, {}, folder.__getitem__)

    assert stored(again) == (data, folder)
    assert list(data) == ["key", "data", "question", "tables", "recomputable"]
    assert data["key"].startswith("sha256:")
    assert data["data"] == DATA
    assert data["question"] == QUESTION
    assert data["recomputable"] is True
    assert data["tables"]["labels"] == data["tables"]["baseline/labels"]


def test_scores_go_into_a_file_of_their_own():
    data, folder = stored(evidence())

    assert list(folder) == ["side-0.json.gz"]
    assert set(data["tables"]["scores"]) == {"file", "digest"}
    assert data["tables"]["scores"]["file"] == "side-0.json.gz"
    # The same on every Python and machine: no time, no name, no system in the header.
    assert folder["side-0.json.gz"][:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def test_the_same_inputs_have_the_same_key():
    first = evidence()

    assert first.key == evidence([1, 1]).key
    for other in (
        {"models": ["sha256:2", None]},
        {"models": ["sha256:1", "sha256:1"]},
        {"data": {**DATA, "fingerprint": "other"}},
        {"data": {**DATA, "uri": "other"}},
        {"question": {**QUESTION, "positive": 0}},
        {"question": {**QUESTION, "target": "other"}},
    ):
        assert evidence(**other).key != first.key


def test_parts_of_the_same_data_add_up():
    merged = evidence([0, 1]).merge(evidence([1, 1, 0]))

    assert merged.key == evidence().key
    assert merged.data["rows"] == 5
    for name in ("labels", "baseline/labels"):
        assert merged.tables[name].total_rows == 5
    assert merged.tables["losses"].rows == 5


@pytest.mark.parametrize("other", [{"models": ["sha256:2", None]}, {"tables": {}}])
def test_other_evidence_does_not_add_up(other):
    with pytest.raises(ValueError, match="only parts of the same data"):
        evidence().merge(evidence(**other))


def test_kept_rows_cannot_be_computed_again():
    kept = {"label_rows": LABEL_ROWS.build(judged([0, 1]))}
    data, folder = stored(evidence(tables=kept))

    again = Evidence.from_json(data, {}, folder.__getitem__)

    assert data["recomputable"] is False
    assert again.tables["label_rows"].rows == 2


@dataclass(frozen=True)
class Count:
    """A table that a plugin brings."""

    rows: int

    @classmethod
    def of(cls, rows):
        return cls(len(rows.true))

    def merge(self, other):
        return Count(self.rows + other.rows)

    def to_json(self):
        return {"rows": self.rows}


PLUGIN = TableKind(
    name="acme",
    task=Task.CLASSIFICATION,
    build=Count.of,
    from_json=lambda data: Count(int(data["rows"])),
    inline=False,
)


def test_tables_of_a_plugin_are_stored_as_their_kind_says():
    tables = {"acme": PLUGIN.build(judged([0, 1])), BASELINE + "acme": Count(7)}
    data, folder = stored(evidence(tables=tables, kinds=(PLUGIN,)))

    again = Evidence.from_json(data, {"acme": PLUGIN}, folder.__getitem__)

    assert len(folder) == 2
    assert again.tables == {"acme": Count(2), "baseline/acme": Count(7)}


def test_a_table_too_large_for_the_verdict_goes_beside_it():
    codes = np.arange(40_000) // 3 % 4
    rows = ClassificationRows(
        Labels(codes % 2, (0, 1)),
        Labels(codes // 2, (0, 1)),
        groups=np.arange(40_000) % 4096,
    )
    table = LABELS.build(rows)
    data, folder = stored(evidence(tables={"labels": table}))

    assert set(data["tables"]["labels"]) == {"file", "digest"}
    again = Evidence.from_json(data, {}, folder.__getitem__)
    assert again.tables["labels"].to_json() == table.to_json()


def test_tables_of_an_unknown_kind_are_left_out():
    data, folder = stored(evidence(tables={"acme": Count(2)}, kinds=(PLUGIN,)))

    assert Evidence.from_json(data, {}, folder.__getitem__).tables == {}


def test_a_table_without_a_known_kind_cannot_be_recorded():
    with pytest.raises(ValueError, match="'acme' is of no known kind"):
        Evidence.of(data=DATA, models=[], question=QUESTION, tables={"acme": Count(1)})


def flip(content):
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


def test_a_changed_side_file_is_refused():
    data, folder = stored(evidence())
    folder["side-0.json.gz"] = flip(folder["side-0.json.gz"])

    with pytest.raises(VerdictError, match="'scores'.*not the file that was written"):
        Evidence.from_json(data, {}, folder.__getitem__)


def test_a_missing_side_file_is_refused():
    data, _ = stored(evidence())

    def missing(name):
        raise FileNotFoundError(name)

    with pytest.raises(VerdictError, match="'scores'.*FileNotFoundError: side-0"):
        Evidence.from_json(data, {}, missing)


@pytest.mark.parametrize(
    ("table", "broken"),
    [
        ("labels", {}),
        ("labels", {"labels": [0, 1], "rows": [[1, 2, 3]]}),
        ("labels", None),
        ("losses", {"names": ["x"], "rows": "many"}),
        ("scores", {"file": "side-0.json.gz"}),
        ("baseline/labels", []),
    ],
)
def test_a_damaged_table_is_named(table, broken):
    data, folder = stored(evidence())
    data["tables"][table] = broken

    with pytest.raises(VerdictError, match=f"the table '{table}' .* cannot be read"):
        Evidence.from_json(data, {}, folder.__getitem__)


@pytest.mark.parametrize("name", ["key", "data", "question", "tables"])
def test_a_record_without_its_parts_is_refused(name):
    data, folder = stored(evidence())
    del data[name]

    with pytest.raises(VerdictError, match=f"evidence .* cannot be read .*'{name}'"):
        Evidence.from_json(data, {}, folder.__getitem__)


def test_built_in_kinds_go_by_their_names():
    assert set(KINDS) == {
        "labels",
        "scores",
        "losses",
        "calibration",
        "errors",
        "label_rows",
        "number_rows",
        "profile",
    }
    for name, kind in KINDS.items():
        assert kind.name == name
