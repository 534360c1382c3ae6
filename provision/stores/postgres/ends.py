"""Finds what ends a transaction in the text of a statement: a revision that sends it splits its own in two."""

from __future__ import annotations

import re

_LIKELY = re.compile(r"\b(?:commit|end|rollback|abort|prepare)\b", re.IGNORECASE)
# What is quoted or a comment: nothing in it is a statement of its own. Nested comments are rare, and say no more.
_QUOTED = re.compile(
    r"""--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|\be'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*\"""",
    re.IGNORECASE | re.DOTALL,
)
_COMMIT = re.compile(r"(?:^|;)\s*(?:commit|end|prepare\s+transaction)\b", re.IGNORECASE)
_ROLLBACK = re.compile(r"(?:^|;)\s*(?:rollback|abort)\b(?!\s+(?:(?:work|transaction)\s+)?to\b)", re.IGNORECASE)
_ATOMIC = re.compile(r"\bbegin\s+atomic\b", re.IGNORECASE)  # the body of a function, with an END of its own
COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"


def ends_transaction(text: str) -> str:
    """COMMIT or ROLLBACK where the text does that at its top level, else nothing."""
    if _LIKELY.search(text) is None:
        return ""
    bare = _QUOTED.sub(" ", text)
    if _ROLLBACK.search(bare):
        return ROLLBACK
    return COMMIT if _COMMIT.search(bare) and not _ATOMIC.search(bare) else ""
