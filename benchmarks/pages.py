"""Put measured tables into the documentation."""

from __future__ import annotations

import sys
from pathlib import Path


def between_marks(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks ``<!-- name: begin -->`` and ``end``."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, begun, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        sys.exit(f"{page} lacks the marks {begin} and {end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
