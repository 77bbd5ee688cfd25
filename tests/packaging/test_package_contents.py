"""What gets installed, and that the tests run against it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import List

import pytest

import pytest_mlops

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PACKAGE = Path(pytest_mlops.__file__).parent
HEAVY = "alembic mlflow numpy pandas pyarrow scipy skops sklearn sqlalchemy"


@pytest.fixture
def installed() -> Distribution:
    return distribution("pytest-mlops")


def test_the_tests_import_what_is_installed(installed: Distribution) -> None:
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    editable = origin.get("dir_info", {}).get("editable", False)
    assert (ROOT in PACKAGE.parents and "site-packages" not in PACKAGE.parts) == (
        editable
    )


def test_one_version_everywhere(installed: Distribution) -> None:
    assert installed.version == pytest_mlops.__version__
    assert f"## {pytest_mlops.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_nothing_but_the_package_is_installed(installed: Distribution) -> None:
    assert installed.files is not None
    tops = {file.parts[0] for file in installed.files}
    foreign = {
        top
        for top in tops - {"pytest_mlops", ".."}
        if not top.startswith(("pytest_mlops-", "_pytest_mlops", "_editable"))
    }
    assert not foreign


def test_files_that_are_no_modules_are_installed() -> None:
    for name in ("py.typed", "workflow/demo_files/gates/classifier_model.toml"):
        assert (PACKAGE / name).is_file()


def test_the_gates_of_the_reference_model_are_the_demos() -> None:
    name = "gates/classifier_model.toml"
    demo = PACKAGE / "workflow" / "demo_files" / name
    assert demo.read_bytes() == (ROOT / name).read_bytes()


def test_the_unused_plugin_imports_no_heavy_library(tmp_path: Path) -> None:
    (tmp_path / "test_modules.py").write_text(
        "import sys\n"
        "def test_modules():\n"
        "    assert 'pytest_mlops.plugin' in sys.modules\n"
        f"    assert not set({HEAVY.split()}) & set(sys.modules)\n"
    )
    # Other plugins may import whatever they like.
    command = [sys.executable, "-m", "pytest", "-p", "pytest_mlops.plugin"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    result = subprocess.run(
        command, stdout=subprocess.PIPE, cwd=tmp_path, env=environment
    )
    assert result.returncode == 0, result.stdout.decode()


def requirements(without: str = "") -> List[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [extras[name] for name in extras if name != without]
    return sum(wanted, project["dependencies"])


class TestLock:
    """requirements.txt: one lock for every Python."""

    LOCK = (ROOT / "requirements.txt").read_text()

    def test_it_pins_every_requirement_of_the_metadata(self) -> None:
        pinned = set(re.findall(r"^([a-z0-9.-]+)==", self.LOCK, re.MULTILINE))
        # What the benchmarks compare with is taken as it comes.
        wanted = {
            re.split(r"[\s\[<>=!~;(]", line)[0].lower().replace("_", "-")
            for line in requirements(without="bench")
        }
        assert wanted - {"pytest-mlops"} <= pinned

    def test_it_names_no_host_and_no_path(self) -> None:
        assert "://" not in self.LOCK
        assert not re.search(r"^(-|/|\.)", self.LOCK, re.MULTILINE)

    def test_every_pin_has_hashes(self) -> None:
        pins = re.findall(r"^[a-z0-9.-]+(?:\[.*?\])?==.*", self.LOCK, re.MULTILINE)
        assert len(pins) > 50
        assert all(pin.endswith("\\") for pin in pins)

    def test_it_covers_the_oldest_python(self) -> None:
        assert "python_full_version < '3.10'" in self.LOCK
