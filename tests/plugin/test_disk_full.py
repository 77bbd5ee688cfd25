"""A verdict that the disk has no room for: one line, exit code 12, nothing half."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

FAILED, HELD = 1, 12

# The file system is seen by this shell and its children alone, and goes with them. It
# is full before pytest starts; what is in it afterwards is the last line.
FULL = """\
mount -t tmpfs -o size=64k tmpfs out && echo mounted || exit
cat /dev/zero > out/filler 2>/dev/null
"$@"
code=$?
ls -A out
exit $code
"""

LIMITED = """\
import resource, sys, pytest
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
sys.exit(pytest.main(sys.argv[1:]))
"""

# Neither bytecode nor pytest's memory are to be what does not fit.
PYTEST = ["-m", "pytest", "-p", "no:cacheprovider"]
GATES = ["-m", "gates", "--verdict=out/verdict.json"]


def ran(repository, command):
    repository.write("out/verdict.json", '{"schema": "pytest-mlops/verdict/1"}')
    # Nor is what a measurement of coverage writes in a child process.
    clean = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    return subprocess.run(
        command,
        cwd=repository.path,
        env={**clean, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


@pytest.fixture
def on_a_full_disk(judged):
    """Runs the gates; gives the exit code, the lines, and what is on the disk then."""

    def run():
        if shutil.which("unshare") is None:
            pytest.skip("there is no command 'unshare' to mount a small disk with")
        private = ["unshare", "--mount"]
        if os.geteuid() != 0:
            private += ["--user", "--map-root-user"]
        shell = [*private, "sh", "-c", FULL, "sh"]
        result = ran(judged, [*shell, sys.executable, *PYTEST, *GATES])
        if not result.stdout.startswith("mounted\n"):
            pytest.skip(f"no disk can be mounted here: {result.stdout.strip()}")
        *lines, left = result.stdout.splitlines()
        return result.returncode, lines, [left]

    return run


@pytest.fixture
def with_too_small_files(judged):
    """The same where a file may not be larger than half a verdict."""
    pytest.importorskip("resource")

    def run():
        options = PYTEST[2:] + GATES
        result = ran(judged, [sys.executable, "-c", LIMITED, *options])
        left = [path.name for path in (judged.path / "out").iterdir()]
        return result.returncode, result.stdout.splitlines(), left

    return run


@pytest.fixture(params=["on_a_full_disk", "with_too_small_files"])
def run(request):
    return request.getfixturevalue(request.param)


def unwritten(lines):
    """The one line that says so; anything worse is not said."""
    assert not any("Traceback" in line or "INTERNALERROR" in line for line in lines)
    [told] = [line for line in lines if "could not be written" in line]
    return told


def test_a_verdict_that_does_not_fit_holds(run, judged):
    code, lines, left = run()
    assert code == HELD, lines
    place = judged.path / "out/verdict.json"
    reasons = ("No space left on device", "File too large")
    assert unwritten(lines) in [
        f"the verdict could not be written to {place}: {reason}" for reason in reasons
    ]
    assert lines[-1] == "pytest-mlops: PASS, hold (exit 12)"
    # Neither a part of the new verdict nor the old one, which is not of this run.
    assert left in ([], ["filler"])


def test_a_failed_run_stays_failed(run, judged):
    judged.data(predicted=[0] * 40)
    code, lines, left = run()
    assert code == FAILED, lines
    assert unwritten(lines)
    assert left in ([], ["filler"])
