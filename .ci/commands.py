"""Print the commands of a Markdown page that are marked to be run in one place.

usage: commands.py PAGE PLACE

A mark is a comment on the line before a block of commands: <!-- run in PLACE -->.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"(?:<!-- (?P<mark>.*?) -->\n)?```bash\n(?P<commands>.*?)```", re.S)


def blocks(page):
    """Every block of commands: its mark, or "", and its commands, one a line."""
    for block in BLOCK.finditer(Path(page).read_text(encoding="utf-8")):
        yield block["mark"] or "", block["commands"].splitlines()


if __name__ == "__main__":
    page, place = sys.argv[1:]
    for mark, commands in blocks(page):
        if mark == f"run in {place}":
            print("\n".join(commands))
