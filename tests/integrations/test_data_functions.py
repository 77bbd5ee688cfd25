"""Data that a function of the project returns."""

from __future__ import annotations

import sys
from typing import Callable

import pytest

from pytest_mlops.core.sources import DataSource, Site
from pytest_mlops.errors import DataError

Open = Callable[[str, Site], DataSource]

MODULE = """
import pandas as pd
import pyarrow as pa

calls = []
number = 7

def frame():
    calls.append("frame")
    return pd.DataFrame({"x": [1, 2, 3], "s": ["a", None, "b"]})

def table():
    return pa.table({"x": [1, 2, 3], "s": ["a", None, "b"]})

def batch():
    return pa.record_batch({"x": [1, 2, 3], "s": ["a", None, "b"]})

def columns():
    return {"x": [1, 2, 3], "s": ["a", None, "b"]}

def parts():
    yield {"x": [1], "s": ["a"]}
    yield pd.DataFrame({"s": [None, "b"], "x": [2, 3]})

def as_list():
    return [frame()]

class Holder:
    load = staticmethod(frame)

def late():
    import helper_of_data
    return helper_of_data.load()

def large():
    return {"x": range(100_000)}

def nothing():
    return []

def none():
    return None

def numbers():
    yield 5

def raises():
    raise KeyError("gone")

def raises_later():
    yield {"x": [1]}
    raise ValueError("first\\nthe end")

def differs():
    yield {"x": [1]}
    yield {"y": [1]}

def mixed():
    return pd.DataFrame({"x": [1, "a", b"b"]})

def uneven():
    return {"x": [1], "y": [1, 2]}

def twice():
    return pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])

def versioned():
    return frame()

versioned.__version__ = "3"
"""


@pytest.fixture()
def module(site: Site, request: pytest.FixtureRequest) -> str:
    """The module's name: one for each test, for modules are remembered."""
    name = f"data_of_{abs(hash(request.node.nodeid))}"
    (site.root / f"{name}.py").write_text(MODULE)
    (site.root / "helper_of_data.py").write_text("def load(): return {'x': [1]}\n")
    return name


@pytest.mark.parametrize(
    "name", ["frame", "table", "batch", "columns", "parts", "as_list", "Holder.load"]
)
def test_what_a_function_may_give(
    site: Site, open_data: Open, module: str, name: str
) -> None:
    source = open_data(f"{module}:{name}", site)
    assert source.uri == f"{module}:{name}"
    for _ in range(2):
        assert source.columns() == ("x", "s")
        batches = list(source.batches())
        assert [v for b in batches for v in b.numbers("x")] == [1, 2, 3]
        texts = [(c, b) for b in batches for c in b.labels("s").codes]
        assert [c < 0 for c, _ in texts] == [False, True, False]
        assert [b.first_row for b in batches] == ([1, 2] if name == "parts" else [1])
    assert str(site.root) not in sys.path


def test_columns_and_rows_come_from_one_call(
    site: Site, open_data: Open, module: str
) -> None:
    source = open_data(f"{module}:frame", site)
    source.columns()
    list(source.batches())
    assert sys.modules[module].calls == ["frame"]


def test_the_project_can_be_imported_while_it_runs(
    site: Site, open_data: Open, module: str
) -> None:
    assert open_data(f"{module}:late", site).columns() == ("x",)


def test_a_root_that_is_on_the_path_stays_there(
    site: Site, open_data: Open, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(site.root))
    assert open_data(f"{module}:late", site).columns() == ("x",)
    assert sys.path.count(str(site.root)) == 1


def test_batches_are_bounded(site: Site, open_data: Open, module: str) -> None:
    batches = list(open_data(f"{module}:large", site).batches())
    assert [batch.rows for batch in batches] == [65_536, 34_464]


@pytest.mark.parametrize(
    "name, message",
    [
        ("nothing", "gave no data"),
        ("none", "gave NoneType None; return or yield pandas.DataFrame"),
        ("numbers", "gave int 5; return or yield pandas.DataFrame"),
        ("raises", "raised KeyError: 'gone' ("),
        ("raises_later", "raised ValueError: the end ("),
        ("differs", "the part from row 2 has the columns y, the first had x"),
        ("mixed", "gave a table with columns of mixed types or lengths: "),
        ("uneven", "gave a table with columns of mixed types or lengths: "),
        ("twice", "names more than one column 'x'"),
        ("number", "is no function but int 7"),
        ("fram", "has no 'fram'. Did you mean 'frame'?"),
    ],
)
def test_mistakes_are_one_line_that_names_the_function(
    site: Site, open_data: Open, module: str, name: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        list(open_data(f"{module}:{name}", site).batches())
    text = str(caught.value)
    assert f"'{module}:{name}'" in text and message in text
    assert "\n" not in text
    if "raised" in text:
        assert f"{module}.py:" in text


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "there is no module 'broken_data' in "),
        (
            "import not_installed",
            "ModuleNotFoundError: No module named 'not_installed'",
        ),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero ("),
        ("def f(:", "cannot be imported: SyntaxError: "),
    ],
)
def test_a_module_that_cannot_be_imported(
    site: Site,
    open_data: Open,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    message: str,
) -> None:
    if content is not None:
        (site.root / "broken_data.py").write_text(content)
    monkeypatch.delitem(sys.modules, "broken_data", raising=False)
    with pytest.raises(DataError) as caught:
        open_data("broken_data:load", site)
    assert "'broken_data:load' cannot be imported: " in str(caught.value)
    assert message in str(caught.value)


def test_fingerprints(site: Site, open_data: Open, module: str) -> None:
    plain = open_data(f"{module}:frame", site)
    assert plain.fingerprint() == f"unversioned:{module}:frame"
    versioned = open_data(f"{module}:versioned", site)
    first = versioned.fingerprint()
    assert first.startswith("sha256:")
    sys.modules[module].versioned.__version__ = "4"
    assert versioned.fingerprint() != first
