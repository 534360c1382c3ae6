"""The number of the form in which provision keeps its ledgers, locks, runs of backfills and results of checks.

Every record says the number under which it was written, in a part of it that is JSON in every kind of store, so that a
reader learns it with the record itself and asks no server for more. A table of columns says it in its comment. What
says none is of the first releases: number 1.

1  as the first releases wrote: no number anywhere
2  every record says its number; entries that make a state say the name of their file

Within one number a record may gain fields: who does not know them passes them by and leaves them where they are. What
would mislead such a reader takes the next number. Records are read in the form of their own number and never rewritten;
tables are made, and would be altered, by `create`, which no reading command calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provision.errors import RefusedError

SCHEMA = 2
UNNUMBERED = 1
KEY = "schema"
# The end of a table's comment.
IN_COMMENT = f"; {KEY} {SCHEMA}"


def numbered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record with today's number."""
    return {**fields, KEY: SCHEMA}


def unnumbered(fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of a record without its number. Raises RefusedError (newer-schema), TypeError, ValueError."""
    if not isinstance(fields, Mapping):
        raise UnknownForm("it holds no names")
    refuse_newer(int(fields.get(KEY, UNNUMBERED)), where)
    return {name: value for name, value in fields.items() if name != KEY}


def refuse_newer(number: int, where: str) -> None:
    """Raises RefusedError (newer-schema) for a number above today's."""
    if number > SCHEMA:
        raise RefusedError(
            "newer-schema",
            f"written by a newer provision (schema {number}, this one knows {SCHEMA})",
            where=where,
            fix="install the release that wrote it, or a later one",
        )


def refuse_newer_comment(comment: str | None, where: str) -> None:
    """The same for the number in the comment of a table; a comment may be anyone's, or gone."""
    found = re.search(rf"; {KEY} (\d+)$", comment or "")
    refuse_newer(int(found[1]) if found else UNNUMBERED, where)


class UnknownForm(ValueError):
    """Raised with words for people when a record says what this release does not know."""


def not_ours(what: str, error: Exception) -> str:
    """The sentence for a record that could not be read as one of provision's; a KeyError is of what it lacks."""
    why = ""
    if isinstance(error, KeyError):
        why = f": it has no {error.args[0]}"
    elif isinstance(error, UnknownForm):
        why = f": {error}"
    return f"{what} was not written by provision{why}"
