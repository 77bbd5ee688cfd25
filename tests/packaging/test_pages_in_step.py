"""Files that a page shows are the files that exist, and its examples work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

import pytest_mlops

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
DEMO_FILES = Path(pytest_mlops.__file__).parent / "workflow" / "demo_files"


@pytest.mark.parametrize(
    "name",
    ["gates/classifier_model.toml", "gates/test_misses.py", "pyproject.toml"],
)
def test_the_first_page_shows_the_demos_files(name: str) -> None:
    language = "python" if name.endswith(".py") else "toml"
    block = f"```{language}\n{(DEMO_FILES / name).read_text()}```\n"
    assert block in (ROOT / "docs/start.md").read_text()


def test_the_readme_shows_what_the_demo_says(demo: Any) -> None:
    [sample] = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    said = iter(re.sub(r"\(sha256:\w+\)", "(sha256:…)", line) for line in demo.said)
    for line in sample.splitlines():
        # Each is looked for below the one before it; "…" stands for what is left out.
        assert line in ("…", "") or line in said, f"the demo does not say: {line}"


class TestExtending:
    """The examples of docs/extending.md, as a reader would use them."""

    @pytest.fixture
    def files(self) -> Dict[str, str]:
        """The page's files by name: each block begins with a comment that names it."""
        page = (ROOT / "docs/extending.md").read_text()
        blocks = re.findall(r"```(?:toml|python)\n# (\S+)\n(.*?)```", page, re.S)
        return dict(blocks)

    @pytest.fixture
    def repository(self, tmp_path: Path, files: Dict[str, str]) -> Path:
        folder = tmp_path / "repository"
        (folder / "gates").mkdir(parents=True)
        (folder / "gates/scored.toml").write_text(files["gates/scored.toml"])
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "scored.csv").write_text(
            "amount,label,predicted\n10,0,0\n20,1,0\n200,1,1\n300,0,1\n400,1,1\n"
        )
        return folder

    @pytest.fixture
    def packages(self, tmp_path: Path, files: Dict[str, str]) -> Path:
        """A folder of installed packages with the page's own in it.

        This is what pip leaves behind: the module, and its metadata beside it.
        """
        folder = tmp_path / "packages"
        project = tomllib.loads(files["pyproject.toml"])["project"]
        name, version = project["name"], project["version"]
        metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        entries: List[str] = []
        for group, members in project["entry-points"].items():
            entries += [f"[{group}]", *(f"{k} = {v}" for k, v in members.items())]
        (metadata / "entry_points.txt").write_text("\n".join(entries))
        (folder / "acme_metrics.py").write_text(files["acme_metrics.py"])
        return folder

    def run(self, folder: Path, path: Path, *command: str) -> str:
        result = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert result.returncode == 0, result.stdout
        return result.stdout

    def judge(self, folder: Path, path: Path, *options: str) -> Any:
        pytest_command = [sys.executable, "-m", "pytest", "-m", "gates"]
        self.run(folder, path, *pytest_command, "--verdict=v.json", *options)
        [check] = json.loads((folder / "v.json").read_text())["checks"]
        return check

    def test_a_gate_may_name_the_packages_metric(
        self, repository: Path, packages: Path, scripts: Path
    ) -> None:
        check = self.judge(repository, packages)
        assert (check["metric"], check["outcome"]) == ("acme_cost", "pass")
        assert check["value"] == (5 * 1 + 1) / 5
        self.run(
            repository, packages, str(scripts / "pytest-mlops"), "verify", "v.json"
        )

    def test_the_command_line_knows_it_too(
        self, repository: Path, packages: Path, scripts: Path
    ) -> None:
        shown = self.run(
            repository, packages, str(scripts / "pytest-mlops"), "show", "metrics"
        )
        assert "acme_cost" in shown

    def test_without_the_package_the_gate_is_unknown(self, repository: Path) -> None:
        command = [sys.executable, "-m", "pytest", "-m", "gates"]
        result = subprocess.run(command, cwd=repository, stderr=subprocess.PIPE)
        assert result.returncode == pytest.ExitCode.USAGE_ERROR
        assert b"'acme_cost' is not a known metric" in result.stderr

    def test_a_conftest_may_load_models(
        self, repository: Path, packages: Path, files: Dict[str, str]
    ) -> None:
        (repository / "conftest.py").write_text(files["conftest.py"])
        gates = repository / "gates/scored.toml"
        gates.write_text(re.sub("prediction .*\n", "", gates.read_text()))
        check = self.judge(repository, packages, "--model-uri", "threshold:amount>100")
        assert check["value"] == (5 * 1 + 1) / 5
