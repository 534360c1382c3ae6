"""Finds what ends a transaction in the text of a statement: a revision that sends it splits its own in two."""

from __future__ import annotations

import re

from provision.stores.postgres.migrate.sql_tokens import statements

_WORDS = ("COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE")
_LIKELY = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"


def ends_transaction(text: str) -> str:
    """COMMIT or ROLLBACK where a statement of the text does that, else nothing."""
    upper = text.upper()  # a look for five words one by one takes a tenth of the expression's time
    if not any(word in upper for word in _WORDS) or _LIKELY.search(text) is None:
        return ""
    found = [_ending([token.word for token in statement[:4]]) for statement in statements(text)]
    return ROLLBACK if ROLLBACK in found else COMMIT if COMMIT in found else ""


def _ending(words: list[str]) -> str:
    if words[0] in ("ROLLBACK", "ABORT"):
        return "" if "TO" in words else ROLLBACK  # to a savepoint
    return COMMIT if words[0] in ("COMMIT", "END") or words[:2] == ["PREPARE", "TRANSACTION"] else ""
