"""The demo: what it writes, what it shows, and what it never overwrites."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any, List, Optional

import pytest

from pytest_mlops.errors import ConfigurationError, MissingLibraryError
from pytest_mlops.workflow import demo as demo_module
from pytest_mlops.workflow.demo import run_demo

WRITTEN = (
    "train.py",
    "pyproject.toml",
    "gates/classifier_model.toml",
    "gates/test_misses.py",
)


class TestWhole:
    """The demo as a person runs it, once, with the real libraries."""

    def test_it_succeeds(self, demo: Any) -> None:
        assert demo.code == 0, "\n".join(demo.said)

    def test_it_leaves_its_files_to_be_read_and_changed(self, demo: Any) -> None:
        for name in (*WRITTEN, "mlflow.db", "data/validation.parquet"):
            assert (demo.folder / name).is_file()

    def test_it_shows_the_commands_that_it_runs(self, demo: Any) -> None:
        uri = "models:/classifier_model@"
        commands = [line for line in demo.said if line.startswith("$ ")]
        assert commands == [
            "$ python train.py",
            f"$ pytest -m gates --model-uri {uri}candidate --verdict good.json",
            f"$ pytest -m gates --model-uri {uri}weak --verdict weak.json",
        ]

    def test_the_good_model_passes_every_gate(self, demo: Any) -> None:
        verdict = json.loads((demo.folder / "good.json").read_text())
        assert (verdict["outcome"], verdict["exit_code"]) == ("pass", 0)
        assert {check["outcome"] for check in verdict["checks"]} == {"pass"}
        assert len(verdict["checks"]) == 7

    def test_the_weak_model_fails_several_gates(self, demo: Any) -> None:
        verdict = json.loads((demo.folder / "weak.json").read_text())
        failed = [c["name"] for c in verdict["checks"] if c["outcome"] == "fail"]
        assert (verdict["outcome"], verdict["exit_code"]) == ("fail", 1)
        assert {"accuracy", "recall"} <= set(failed)

    def test_the_libraries_do_not_chatter(self, demo: Any) -> None:
        assert not [line for line in demo.said if "INFO" in line or "alembic" in line]

    def test_it_ends_with_what_was_seen_and_what_to_do_next(self, demo: Any) -> None:
        end = "\n".join(demo.said).rpartition("passed every gate")[2]
        assert "was refused" in end
        assert "pytest-mlops explain weak.json" in end


class TestFiles:
    """Refusals come before anything is written or run."""

    @pytest.fixture(autouse=True)
    def _nothing_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(demo_module.subprocess, "Popen", self.started)

    @staticmethod
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    def test_a_file_of_somebody_elses_is_named_and_kept(self, tmp_path: Path) -> None:
        for name in ("train.py", "pyproject.toml"):
            (tmp_path / name).write_text("mine")
        with pytest.raises(ConfigurationError) as caught:
            run_demo(tmp_path, print)
        messages = [problem.message for problem in caught.value.problems]
        assert [message.split("'")[1] for message in messages] == [
            "train.py",
            "pyproject.toml",
        ]
        assert all("pytest-mlops demo OTHER_FOLDER" in text for text in messages)
        assert (tmp_path / "train.py").read_text() == "mine"
        assert not (tmp_path / "gates").exists()

    def test_somebody_elses_data_are_not_written_over(self, tmp_path: Path) -> None:
        (tmp_path / "mlflow.db").write_text("mine")
        with pytest.raises(ConfigurationError, match="mlflow.db"):
            run_demo(tmp_path, print)

    def test_a_file_in_the_folders_place(self, tmp_path: Path) -> None:
        (tmp_path / "here").write_text("")
        with pytest.raises(ConfigurationError, match="is a file, not a folder"):
            run_demo(tmp_path / "here", print)

    @pytest.mark.parametrize(
        ("module", "library"), [("mlflow", "mlflow"), ("sklearn", "scikit-learn")]
    )
    def test_a_missing_library_is_named_with_the_command(
        self,
        module: str,
        library: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def find_spec(name: str) -> Optional[object]:
            return None if name == module else importlib.util.find_spec(name)

        monkeypatch.setattr(demo_module, "find_spec", find_spec)
        with pytest.raises(MissingLibraryError) as caught:
            run_demo(tmp_path / "new", print)
        assert str(caught.value) == (
            f"the demo needs {library}, which is not installed: "
            "pip install 'pytest-mlops[mlflow]'"
        )
        assert not (tmp_path / "new").exists()


class TestEndings:
    """What follows from how the commands end, with commands that end at once."""

    @pytest.fixture
    def said(self) -> List[str]:
        return []

    @pytest.fixture(autouse=True)
    def _stand_ins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`python X` prints and exits as the files in the folder tell it."""
        script = tmp_path / "stand_in.py"
        script.write_text(
            "import os, pathlib, sys\n"
            "words = ' '.join(sys.argv[1:])\n"
            "print('ran', words, sorted(k for k in os.environ if 'MLOPS' in k))\n"
            "for line in pathlib.Path('ends').read_text().splitlines():\n"
            "    word, code = line.split()\n"
            "    if word in words:\n"
            "        sys.exit(int(code))\n"
        )
        original = demo_module.subprocess.Popen

        def popen(command: List[str], **options: Any) -> Any:
            return original([sys.executable, str(script), *command[1:]], **options)

        monkeypatch.setattr(demo_module.subprocess, "Popen", popen)

    def run(self, folder: Path, ends: str, said: List[str]) -> int:
        folder.mkdir()
        (folder / "ends").write_text(ends)
        return run_demo(folder, said.append)

    def test_as_hoped(self, tmp_path: Path, said: List[str]) -> None:
        assert self.run(tmp_path / "d", "@candidate 0\n@weak 1", said) == 0
        assert any(line.startswith("The good model passed") for line in said)

    def test_again_in_the_same_folder(self, tmp_path: Path, said: List[str]) -> None:
        self.run(tmp_path / "d", "@candidate 0\n@weak 1", said)
        (tmp_path / "d" / "mlflow.db").write_text("from the first time")
        assert run_demo(tmp_path / "d", said.append) == 0

    def test_the_training_broke(self, tmp_path: Path, said: List[str]) -> None:
        assert self.run(tmp_path / "d", "train.py 1", said) == 1
        assert said[-1].startswith("train.py did not finish")

    def test_the_good_model_is_refused(self, tmp_path: Path, said: List[str]) -> None:
        assert self.run(tmp_path / "d", "@candidate 1\n@weak 1", said) == 1
        assert said[-1] == (
            "The demo went differently: the good model: pytest ended with 1 where 0 "
            "was expected."
        )

    def test_neither_is_judged(self, tmp_path: Path, said: List[str]) -> None:
        assert self.run(tmp_path / "d", "pytest 12", said) == 1
        assert "the good model: pytest ended with 12 where 0 was expected" in said[-1]
        assert "the weak model: pytest ended with 12 where 1 was expected" in said[-1]

    def test_settings_of_elsewhere_stay_outside(
        self, tmp_path: Path, said: List[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLOPS_ENV", "production")
        self.run(tmp_path / "d", "@candidate 0\n@weak 1", said)
        ran = [line for line in said if line.startswith("ran ")]
        assert len(ran) == 3
        assert all(line.endswith("[]") for line in ran)

    def test_a_person_at_a_terminal_gets_colour(
        self, tmp_path: Path, said: List[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "stand_in.py").write_text(
            "import os\nprint('colour', os.environ.get('PY_COLORS'))\n"
        )
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        run_demo(tmp_path / "d", said.append)
        assert "colour 1" in said
