"""Data in files: formats, compression, folders, and what is wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlops.core.sources import DataSource, Site
from pytest_mlops.errors import DataError
from pytest_mlops.integrations import csv_files, json_files

Open = Callable[[str, Site], DataSource]

COLUMNS = {
    "age": [31, None, 45],
    "region": ["north", "south", None],
    "score": [0.25, 0.5, None],
    "label": [True, False, True],
}


def labels(source: DataSource, name: str) -> List[Optional[object]]:
    found: List[Optional[object]] = []
    for batch in source.batches():
        encoded = batch.labels(name)
        found += [None if c < 0 else encoded.categories[c] for c in encoded.codes]
    return found


def numbers(source: DataSource, name: str) -> List[float]:
    return [float(v) for batch in source.batches() for v in batch.numbers(name)]


def write(path: Path, columns: Dict[str, Any] = COLUMNS) -> None:
    table = pa.table(columns)
    plain = [s for s in path.suffixes if s not in {".gz", ".bz2", ".zst", ".lz4"}][-1]
    sink = pa.BufferOutputStream()
    if plain == ".csv":
        pa.csv.write_csv(table, sink)
    elif plain == ".parquet":
        pa.parquet.write_table(table, sink)
    elif plain in {".feather", ".arrow"}:
        pa.feather.write_feather(table, sink)
    else:
        sink.write("\n".join(json.dumps(row) for row in table.to_pylist()).encode())
    with pa.output_stream(str(path), compression="detect") as file:
        file.write(sink.getvalue())


@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".zst", ".lz4"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "arrow", "jsonl"])
def test_every_format_is_read(
    site: Site, open_data: Open, kind: str, packed: str
) -> None:
    write(site.root / f"data.{kind}{packed}")
    source = open_data(f"data.{kind}{packed}", site)
    assert source.columns() == ("age", "region", "score", "label")
    assert labels(source, "age") == [31, None, 45]
    assert labels(source, "region") == ["north", "south", None]
    np.testing.assert_array_equal(numbers(source, "score"), [0.25, 0.5, np.nan])
    assert labels(source, "label") == [1, 0, 1]


@pytest.mark.parametrize("name", ["data.ndjson", "data.json", "DATA.CSV", "v1.2.csv"])
def test_other_names_of_the_formats(site: Site, open_data: Open, name: str) -> None:
    write(site.root / "data.jsonl")
    write(site.root / "data.csv")
    kind = "csv" if name.lower().endswith("csv") else "jsonl"
    (site.root / f"data.{kind}").rename(site.root / name)
    assert numbers(open_data(name, site), "score")[:2] == [0.25, 0.5]


@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
def test_feather_of_version_1(site: Site, open_data: Open) -> None:
    frame = pd.DataFrame({"age": [1, 2], "region": ["a", None]})
    path = site.root / "old.feather"
    pa.feather.write_feather(frame, str(path), version=1)
    source = open_data("old.feather", site)
    assert source.columns() == ("age", "region")
    assert labels(source, "region") == ["a", None]


def test_places(site: Site, open_data: Open, tmp_path: Path) -> None:
    write(tmp_path / "a file.csv")
    for uri in ("a file.csv", str(tmp_path / "a file.csv")):
        assert open_data(uri, site).uri == uri
    uri = (tmp_path / "a file.csv").as_uri()
    assert labels(open_data(uri, Site(Path("/"))), "label") == [1, 0, 1]


def test_files_elsewhere_have_their_whole_path_in_messages(
    open_data: Open, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    path = tmp_path / "x.csv"
    path.touch()
    with pytest.raises(DataError) as caught:
        open_data("../x.csv", Site(tmp_path / "here")).columns()
    assert str(caught.value).endswith("x.csv: is empty")
    with pytest.raises(DataError) as caught:
        open_data(str(path), Site(tmp_path / "here")).columns()
    assert str(caught.value) == f"{path}: is empty"


def test_batches_are_bounded_and_numbered(
    site: Site, open_data: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 150_000
    for kind in ("parquet", "feather"):
        write(site.root / f"big.{kind}", {"x": np.arange(rows)})
        batches = list(open_data(f"big.{kind}", site).batches())
        assert max(batch.rows for batch in batches) <= 1 << 16
        assert [batch.first_row for batch in batches] == [
            1 + int(batch.numbers("x")[0]) for batch in batches
        ]
        assert sum(batch.rows for batch in batches) == rows


def test_an_index_without_a_name_is_no_column(site: Site, open_data: Open) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]}).query("x > 1")
    frame.to_parquet(site.root / "data.parquet")
    source = open_data("data.parquet", site)
    assert source.columns() == ("x",)
    assert [batch.names for batch in source.batches()] == [("x",)]


# --- CSV ---------------------------------------------------------------------------


@pytest.fixture()
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "BLOCK", 64)
    monkeypatch.setattr(json_files, "BLOCK", 64)


def csv(site: Site, text: str) -> str:
    (site.root / "data.csv").write_bytes(text.encode())
    return "data.csv"


def test_csv_reads_as_pandas_does(site: Site, open_data: Open) -> None:
    text = (
        'id,day,flag,name,big\n1,2026-01-01,True,"a,\nb",\n\n'
        "2,2026-01-02,False,,1e3\n3,,True,NA,nan\n"
    )
    (batch,) = open_data(csv(site, text), site).batches()
    expected = pd.read_csv(site.root / "data.csv")
    pd.testing.assert_frame_equal(batch.frame(batch.names), expected)


def test_csv_with_a_byte_order_mark_and_crlf(site: Site, open_data: Open) -> None:
    source = open_data(csv(site, "\ufeffa,b\r\n1,x\r\n2,y\r\n"), site)
    assert source.columns() == ("a", "b")
    assert labels(source, "b") == ["x", "y"]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "cells, expected",
    [
        (["1"] * 50 + ["1.5"], [1] * 50 + [1.5]),
        (["1"] * 50 + ["1.5"] * 50 + ["abc", "1"], [1] * 50 + [1.5] * 50 + ["abc", 1]),
        (["1"] * 50 + ["x\"y, 'z'", "2"], [1] * 50 + ["x\"y, 'z'", 2]),
        (["True"] * 50 + ["maybe", "False"], [1] * 50 + ["maybe", 0]),
        (["NA"] * 50 + ["7", "7.5"], [None] * 50 + [7, 7.5]),
        (["NA"] * 50 + ["north"], [None] * 50 + ["north"]),
        (["NA"] * 50 + ["2026-01-01"], [None] * 50 + ["2026-01-01"]),
        (["a"] * 50 + ["1"], ["a"] * 50 + ["1"]),
        (["1"] * 50 + ["99999999999999999999"], [1] * 50 + [10**20]),
    ],
)
def test_csv_columns_may_widen(
    site: Site, open_data: Open, cells: List[str], expected: List[object]
) -> None:
    quoted = ['"{}"'.format(cell.replace('"', '""')) for cell in cells]
    rows = [f"{i},{cell}" for i, cell in enumerate(quoted, 1)]
    source = open_data(csv(site, "\n".join(["id,x", *rows, ""])), site)
    assert numbers(source, "id") == [float(i) for i in range(1, len(cells) + 1)]
    assert labels(source, "x") == expected


@pytest.mark.usefixtures("small_blocks")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "1", "2.5", "x", "true"]),
            st.sampled_from(["", "7", "0.5", "two\nlines", "a,b"]),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_csv_loses_no_row_whatever_widens(
    site: Site, open_data: Open, rows: List[Any]
) -> None:
    lines = [f'{i},"{a}","{b}"' for i, (a, b) in enumerate(rows, 1)]
    source = open_data(csv(site, "\n".join(["id,a,b", *lines, ""])), site)
    assert numbers(source, "id") == [float(i) for i in range(1, len(rows) + 1)]
    texts = {"two\nlines", "a,b", "x"}
    for place, name in enumerate("ab"):
        for row, label in zip(rows, labels(source, name)):
            if row[place] == "":
                assert label is None
            elif row[place] in texts:
                assert label == row[place]


@pytest.mark.usefixtures("small_blocks")
def test_csv_says_which_text_is_no_number(site: Site, open_data: Open) -> None:
    source = open_data(csv(site, "x\n" + "1\n" * 100 + "oops\n" + "2\n" * 9), site)
    with pytest.raises(DataError) as caught:
        numbers(source, "x")
    assert str(caught.value) == (
        "data.csv: column 'x' must hold numbers, but row 101 holds 'oops'"
    )


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "a,b\r\n", "a,b\n\n\n"])
def test_csv_of_a_header_alone(site: Site, open_data: Open, text: str) -> None:
    source = open_data(csv(site, text), site)
    assert source.columns() == ("a", "b")
    assert sum(batch.rows for batch in source.batches()) == 0


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "data.csv: is empty"),
        ("\n\n", "data.csv: is empty"),
        ("a,b,a\n1,2,3\n", "data.csv: names more than one column 'a'"),
        (
            'a,b\n1,"x\ny"\n\n1,2,3\n',
            "data.csv: line 5 has 3 values, but the header has 2",
        ),
        ("a,b\n1,2\n1\n", "data.csv: line 3 has 1 values, but the header has 2"),
    ],
)
def test_csv_that_is_broken(
    site: Site, open_data: Open, text: str, message: str
) -> None:
    source = open_data(csv(site, text), site)
    with pytest.raises(DataError) as caught:
        list(source.batches())
    assert str(caught.value) == message


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("good", [1, 40])
def test_csv_that_is_not_utf_8(site: Site, open_data: Open, good: int) -> None:
    text = b"name\n" + b"abc\n" * good + "Jörg\n".encode("latin-1")
    (site.root / "data.csv").write_bytes(text)
    with pytest.raises(DataError, match="^data.csv: .*not encoded as UTF-8"):
        list(open_data("data.csv", site).batches())


@pytest.mark.usefixtures("small_blocks")
def test_csv_with_a_quote_that_nothing_closes(site: Site, open_data: Open) -> None:
    text = "a,b\n" + "1,2\n" * 40 + '1,"' + "x,y\n" * 40
    with pytest.raises(DataError, match="is there a quote that nothing closes"):
        list(open_data(csv(site, text), site).batches())


# --- JSON Lines --------------------------------------------------------------------


def jsonl(site: Site, *lines: str) -> str:
    (site.root / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return "data.jsonl"


@pytest.mark.usefixtures("small_blocks")
def test_json_types_may_differ_from_block_to_block(site: Site, open_data: Open) -> None:
    values: List[Any] = [1] * 20 + [1.5] * 20 + ["abc", 2] + [True] * 9 + ["7", None]
    lines = [json.dumps({"id": i, "x": v}) for i, v in enumerate(values, 1)]
    source = open_data(jsonl(site, *lines), site)
    assert numbers(source, "id") == [float(i) for i in range(1, len(values) + 1)]
    found = labels(source, "x")
    assert found[:51] == values[:51]
    assert found[-1] is None


@pytest.mark.usefixtures("small_blocks")
def test_json_keys_may_be_absent(site: Site, open_data: Open) -> None:
    lines = ['{"a": 1, "b": "x"}', *['{"a": 2}'] * 20, "", '{"b": "y", "c": 3}']
    source = open_data(jsonl(site, *lines), site)
    assert source.columns() == ("a", "b")
    assert labels(source, "a") == [1, *[2] * 20, None]
    assert labels(source, "b") == ["x", *[None] * 20, "y"]


def test_json_dates_stay_text(site: Site, open_data: Open) -> None:
    source = open_data(jsonl(site, '\ufeff{"day": "2026-01-01"}'), site)
    assert labels(source, "day") == ["2026-01-01"]


@pytest.mark.parametrize(
    "lines, message",
    [
        (['{"a": 1}', '{"a": }'], "data.jsonl: line 2 is not JSON: Expecting value"),
        (['{"a": 1}', "", "[1]"], "line 3 is not a JSON object; write one object a"),
        (['[{"a": 1}]'], "line 1 is not a JSON object; write one object a line"),
        (['{"a": 1}', '{"a": [1]}'], "column 'a' mixes lists or objects with other"),
        ([""], "data.jsonl: is empty"),
    ],
)
def test_json_that_is_broken(
    site: Site, open_data: Open, lines: List[str], message: str
) -> None:
    source = open_data(jsonl(site, *lines), site)
    with pytest.raises(DataError) as caught:
        list(source.batches())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("small_blocks")
def test_json_names_the_line_of_a_late_mistake(site: Site, open_data: Open) -> None:
    lines = ['{"a": 1}'] * 30 + ["{'a': 1}"]
    with pytest.raises(DataError, match="data.jsonl: line 31 is not JSON"):
        list(open_data(jsonl(site, *lines), site).batches())


# --- folders -----------------------------------------------------------------------


def test_a_folder_is_its_files_in_order(site: Site, open_data: Open) -> None:
    folder = site.root / "parts"
    folder.mkdir()
    write(folder / "b.csv", {"id": [3, 4], "x": [1.5, 2.5]})
    write(folder / "a.parquet", {"id": [1, 2], "x": [1, 2]})
    write(folder / "c.jsonl.gz", {"x": ["one"], "id": [5]})
    (folder / "_SUCCESS").touch()
    (folder / ".a.parquet.crc").touch()
    source = open_data("parts", site)
    assert source.columns() == ("id", "x")
    assert numbers(source, "id") == [1, 2, 3, 4, 5]
    assert labels(source, "x") == [1, 2, 1.5, 2.5, "one"]
    assert [batch.first_row for batch in source.batches()] == [1, 3, 5]


def test_csv_types_are_kept_from_file_to_file(site: Site, open_data: Open) -> None:
    folder = site.root / "parts"
    folder.mkdir()
    for name, cells in {"a": ["1", "2"], "b": ["x", "2"], "c": ["2", "1"]}.items():
        (folder / f"{name}.csv").write_text("\n".join(["x", *cells, ""]))
    assert labels(open_data("parts", site), "x") == [1, 2, "x", 2, 2, 1]


def test_a_folder_needs_the_same_columns(site: Site, open_data: Open) -> None:
    folder = site.root / "parts"
    folder.mkdir()
    write(folder / "a.csv", {"id": [1], "x": [2]})
    write(folder / "b.csv", {"id": [1], "y": [2]})
    with pytest.raises(DataError) as caught:
        open_data("parts", site).columns()
    assert str(caught.value) == (
        "parts/b.csv: the columns differ from those of parts/a.csv: it lacks 'x', "
        "has 'y'"
    )


@pytest.mark.parametrize(
    "names, message",
    [
        ([], "the folder parts holds no data files"),
        (["_SUCCESS"], "the folder parts holds no data files"),
        (["region=north/a.csv"], "parts/region=north is a folder within a folder"),
        (["a.csv", "notes.md"], "parts/notes.md: no data format has the suffix '.md'"),
    ],
)
def test_folders_that_cannot_be_read(
    site: Site, open_data: Open, names: List[str], message: str
) -> None:
    (site.root / "parts").mkdir()
    for name in names:
        path = site.root / "parts" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with pytest.raises(DataError) as caught:
        open_data("parts", site)
    assert str(caught.value).startswith(message)


# --- what cannot be read -----------------------------------------------------------


@pytest.mark.parametrize(
    "name, hint", [("data.parqet", "Did you mean '.parquet'?"), ("data", "Known: .csv")]
)
def test_an_unknown_suffix_lists_the_known_ones(
    site: Site, open_data: Open, name: str, hint: str
) -> None:
    (site.root / name).touch()
    with pytest.raises(DataError) as caught:
        open_data(name, site)
    assert hint in str(caught.value)
    assert ".jsonl" in str(caught.value) and ".gz" in str(caught.value)


def test_a_missing_file(site: Site, open_data: Open) -> None:
    with pytest.raises(DataError) as caught:
        open_data("nothing.csv", site)
    assert str(caught.value) == (
        f"data file nothing.csv does not exist (in {site.root})"
    )


@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "x.csv.gz", "x.jsonl.zst"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 100])
def test_garbage_is_one_line_that_names_the_file(
    site: Site, open_data: Open, name: str, content: bytes
) -> None:
    (site.root / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(open_data(name, site).batches())
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


def test_a_torn_file_fails_in_the_middle(site: Site, open_data: Open) -> None:
    path = site.root / "x.csv.gz"
    write(path, {"x": np.random.default_rng(0).normal(size=400_000)})
    path.write_bytes(path.read_bytes()[:-50_000])
    with pytest.raises(DataError, match="^x.csv.gz cannot be read: "):
        list(open_data("x.csv.gz", site).batches())


# --- fingerprints ------------------------------------------------------------------


def test_a_fingerprint_changes_with_the_files(site: Site, open_data: Open) -> None:
    path = site.root / "parts" / "a.csv"
    path.parent.mkdir()
    write(path)
    os.utime(path, ns=(0, 0))
    first = open_data("parts", site).fingerprint()
    assert first.startswith("sha256:")
    assert open_data("parts", site).fingerprint() == first
    os.utime(path, ns=(0, 1))
    # A checkout sets the time anew, and is the same data.
    assert open_data("parts", site).fingerprint() == first
    path.write_bytes(path.read_bytes().replace(b"31", b"32"))
    os.utime(path, ns=(0, 1))
    edited = open_data("parts", site).fingerprint()
    write(path.with_name("b.csv"))
    more = open_data("parts", site).fingerprint()
    assert len({first, edited, more}) == 3


def test_of_large_data_the_time_of_change_counts(
    site: Site, open_data: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_mlops.integrations.data_files.WHOLE", 10)
    path = site.root / "a.csv"
    write(path)
    os.utime(path, ns=(0, 0))
    first = open_data("a.csv", site).fingerprint()
    assert open_data("a.csv", site).fingerprint() == first
    os.utime(path, ns=(0, 1))
    touched = open_data("a.csv", site).fingerprint()
    path.write_bytes(path.read_bytes().replace(b"31", b"32"))
    os.utime(path, ns=(0, 1))
    assert len({first, touched, open_data("a.csv", site).fingerprint()}) == 3
