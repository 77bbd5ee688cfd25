"""What the installed but unused plugin costs a pytest run.

usage: python benchmarks/startup.py [ROUNDS]

Processor time of pytest on one empty test, with the plugin and without it
(`-p no:mlops`), in pairs; other plugins are switched off. The noise floor is the same
difference between two runs without it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import List

from children import (
    PYTEST,
    Cost,
    expect,
    interleaved,
    other_plugins_off,
    rounds_from,
    run,
    spread,
    table,
)

BUDGET_MS = 10.0
WITHOUT = ["-p", "no:mlops"]
LIST_MODULES = (
    "import json, sys, pytest; pytest.main({}); print(json.dumps([*sys.modules]))"
)


def modules(options: List[str], folder: Path) -> List[str]:
    """Every module that a run with *options* has imported at its end."""
    code = LIST_MODULES.format(["-q", *options])
    cost = expect(run([sys.executable, "-c", code], folder), 0)
    names: List[str] = json.loads(cost.output.splitlines()[-1])
    return names


def main() -> None:
    """Measure and print."""
    rounds = rounds_from(sys.argv, 40)
    quiet = ["-q", "-p", "no:cacheprovider", *other_plugins_off()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_empty.py").write_text("def test_nothing():\n    pass\n")
        (folder / "pytest.ini").write_text("[pytest]\n")

        def pytest(options: List[str]) -> Cost:
            return expect(run([*PYTEST, *quiet, *options], folder), 0)

        for options in ([], WITHOUT):
            pytest(options)  # compiles what is not compiled yet
        costs = interleaved(
            {
                "with": lambda: pytest([]),
                "without": lambda: pytest(WITHOUT),
                "again": lambda: pytest(WITHOUT),
            },
            rounds,
        )
        bare = set(modules([*quiet, *WITHOUT], folder))
        added = [name for name in modules(quiet, folder) if name not in bare]

    ms = {name: [cost.cpu * 1e3 for cost in found] for name, found in costs.items()}
    cost = [a - b for a, b in zip(ms["with"], ms["without"])]
    noise = [a - b for a, b in zip(ms["again"], ms["without"])]
    print(f"CPU time in ms, {rounds} rounds, Python {sys.version.split()[0]}\n")
    rows = [
        ["pytest without the plugin", *spread(ms["without"])],
        ["pytest with the plugin", *spread(ms["with"])],
        ["difference: the plugin", *spread(cost)],
        ["difference: nothing (noise)", *spread(noise)],
    ]
    print(table(["", "median", "from", "to (95 %)"], rows))
    kept = float(spread(cost)[0]) <= BUDGET_MS
    print(f"\nbudget {BUDGET_MS:.0f} ms: {'kept' if kept else 'EXCEEDED'}")
    print(f"\n{len(added)} modules that the plugin adds:")
    print("\n".join(f"  {name}" for name in sorted(added)))


if __name__ == "__main__":
    main()
