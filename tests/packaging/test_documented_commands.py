"""Every command that a page shows is run: by .ci/run, or here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CLONE = "run in a fresh clone"
DEMO = re.compile(r"run in the demo's folder(?:; exit code (?P<code>\d+))?")


def marked_blocks(page: Path) -> Iterator[Tuple[str, List[str]]]:
    text = page.read_text(encoding="utf-8")
    block = re.compile(r"(?:<!-- (?P<mark>.*?) -->\n)?```bash\n(?P<body>.*?)```", re.S)
    for found in block.finditer(text):
        yield found["mark"] or "", found["body"].splitlines()


BLOCKS = [
    pytest.param(mark, commands, id=f"{page.name}-{number}")
    for page in PAGES
    for number, (mark, commands) in enumerate(marked_blocks(page), 1)
]


@pytest.fixture(scope="module")
def folder(demo: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's folder, for commands that write into it."""
    copy = tmp_path_factory.mktemp("documented") / "mlops-demo"
    shutil.copytree(demo.folder, copy)
    return copy


@pytest.mark.parametrize(("mark", "commands"), BLOCKS)
def test_the_commands_do_what_the_page_says(
    mark: str, commands: List[str], folder: Path, scripts: Path
) -> None:
    if mark == CLONE:
        check_that_ci_types(commands)
        return
    place = DEMO.fullmatch(mark)
    assert place, (
        f"mark the block of '{commands[0]}' with <!-- {CLONE} --> (.ci/run does that) "
        "or <!-- run in the demo's folder --> or <!-- run in the demo's folder; exit "
        "code 1 --> (this test does that), on the line before it"
    )
    path = os.pathsep.join([str(scripts), str(Path(sys.executable).parent)])
    for command in commands:
        result = subprocess.run(
            [shutil.which("bash") or "/bin/bash", "-c", command],
            cwd=folder,
            env={**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert result.returncode == int(place["code"] or 0), result.stdout


def check_that_ci_types(commands: List[str]) -> None:
    """The script of continuous integration takes the very same lines from README."""
    typed = subprocess.run(
        [sys.executable, ".ci/commands.py", "README.md", "a fresh clone"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    ).stdout.splitlines()
    assert set(commands) <= set(typed)
    assert "commands.py README.md 'a fresh clone'" in (ROOT / ".ci/run").read_text()


def test_the_readme_has_one_command_for_each_job() -> None:
    commands = [
        line
        for mark, lines in marked_blocks(ROOT / "README.md")
        if mark == CLONE
        for line in lines
    ]
    assert len(commands) == 2
    assert commands[0].endswith("pytest-mlops demo")
    assert commands[1].endswith("pytest")


def test_a_page_links_to_pages_that_exist() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
