"""Redaction: secrets are taken out of text before anybody reads it.

What is known by its place: user and password in a URI, the value of a parameter such
as ``token=``, an ``Authorization`` header, the path of a webhook. What is known by
its looks: the keys and tokens of AWS, GitHub, GitLab, Slack and Databricks, and JSON
web tokens. Redacting twice changes nothing more.
"""

from __future__ import annotations

import re
from typing import Any, Mapping, Pattern, Tuple

MASK = "***"

_SECRET_NAMES = (
    r"[\w.-]*(?:token|password|passwd|pwd|passphrase|secret|signature|credentials?)"
    r"|(?:[\w.-]*[_.-])?key|[\w.-]*(?:api|access|account|private)key|sig"
)

# In this order: a match may hold what a later pattern would have found.
_PATTERNS: Tuple[Tuple[Pattern[str], str], ...] = (
    # user:password@ (an @ in a password is legal for some parsers)
    (re.compile(r'://[^\s"/?#@:\[]*:[^\s"/?#]*@'), f"://{MASK}@"),
    # … with a slash in the password, which database drivers accept; not a port
    (
        re.compile(r'://[^\s"/@:\[]*:(?!\d{1,5}(?:[/?#\s]|$))[^\s"]+@'),
        f"://{MASK}@",
    ),
    # https://token@host; elsewhere a name alone is no secret (abfss://container@…)
    (re.compile(r'(?i)(https?://)[^\s"/?#]+@'), rf"\g<1>{MASK}@"),
    (
        re.compile(
            r"(?i)(hooks\.slack\.com/\w+/|webhook\.office\.com/\w+/"
            r"|discord(?:app)?\.com/api/webhooks/)[^\s\"'<>)]+"
        ),
        rf"\g<1>{MASK}",
    ),
    (
        re.compile(
            r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?)(?:[a-z]+ +)?[^\s\"',}]+"
        ),
        rf"\g<1>{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+"), rf"\g<1> {MASK}"),
    (
        re.compile(rf"(?i)(?<![\w.-])({_SECRET_NAMES})=(?!=)[^\s&;,\"'#)\]}}]+"),
        rf"\g<1>={MASK}",
    ),
    (
        re.compile(rf"(?i)([\"'])({_SECRET_NAMES})\1(\s*[:=]\s*)([\"'])[^\"']+\4"),
        rf"\g<1>\g<2>\g<1>\g<3>\g<4>{MASK}\g<4>",
    ),
    (
        re.compile(
            r"\b(?:A(?:KIA|SIA)[0-9A-Z]{16}(?!\w)|gh[pousr]_\w{20,}|github_pat_\w{20,}"
            r"|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}|dapi[0-9a-f]{32}(?!\w)"
            r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+)"
        ),
        MASK,
    ),
)


def redact(text: str) -> str:
    """*text* with every secret that can be recognised replaced by ``***``."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_json(value: Any) -> Any:
    """A copy of plain JSON with every string redacted; keys and numbers stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: redact_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_json(item) for item in value]
    return value
