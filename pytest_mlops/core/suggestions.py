"""'Did you mean': the nearest known name to one that is not known."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with its leading blank, or nothing.

    Args:
        word: what was written.
        known: what could have been meant.
    """
    lowered = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean '{lowered[found[0]]}'?" if found else ""


def unknown(kind: str, word: str, known: Iterable[str]) -> str:
    """One sentence for a name that is not known, with what is."""
    names = sorted(known)
    listed = f" Known {kind}s: {', '.join(names)}" if names else ""
    return f"'{word}' is not a known {kind}.{did_you_mean(word, names)}{listed}"
