"""Lines of styled text that fit a width, in the signs that a terminal can show."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import List, NamedTuple, Tuple

from pytest_mlops.core.outcomes import Outcome
from pytest_mlops.core.redaction import redact

_ASCII = {"→": "->", "≥": ">=", "≤": "<=", "—": "-"}

#: The style of an outcome.
OUTCOME_STYLES = {
    Outcome.PASS: "good",
    Outcome.INCONCLUSIVE: "warn",
    Outcome.ERROR: "bad",
    Outcome.FAIL: "bad",
}


class Segment(NamedTuple):
    """Some text in one style.

    Attributes:
        text: without line breaks.
        style: ``"good"``, ``"bad"``, ``"warn"``, ``"plain"``, ``"dim"``, ``"bold"``.
    """

    text: str
    style: str = "plain"


#: One line of the terminal; its text is that of its segments, joined.
Line = Tuple[Segment, ...]


def text_of(line: Line) -> str:
    """A line without its styles."""
    return "".join(segment.text for segment in line)


@dataclass(frozen=True)
class Page:
    """How much room there is, and which signs it can show.

    Attributes:
        width: columns; a longer single word is not broken.
        unicode: whether signs beyond ASCII can be shown.
    """

    width: int
    unicode: bool = True

    def spell(self, text: str) -> str:
        """*text* without secrets, control characters and signs that do not show."""
        shown = "".join(c if c.isprintable() else " " for c in redact(text))
        if self.unicode:
            return shown
        for sign, plain in _ASCII.items():
            shown = shown.replace(sign, plain)
        return shown.encode("ascii", "backslashreplace").decode("ascii")

    def paragraph(
        self, text: str, *, lead: Segment = Segment(""), indent: str = ""
    ) -> List[Line]:
        """*text* behind a styled lead, wrapped; later lines are indented."""
        start = self.spell(lead.text)
        wrapped = textwrap.wrap(
            start + self.spell(text),
            max(self.width, 1),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        lines: List[Line] = [(Segment(line),) for line in wrapped]
        if lines and start and wrapped[0].startswith(start.rstrip()):
            rest = wrapped[0][len(start.rstrip()) :]
            lines[0] = (Segment(start.rstrip(), lead.style), Segment(rest))
        return lines
