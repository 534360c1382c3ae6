"""Values that must never be printed, and where else they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_GUESS = re.compile(r"://[^:@/?#]*:(?P<password>.*)@")
_SECRET_OPTION = re.compile(r"pass|secret|token", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must never be printed; `reveal` is the one way to read it."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__


def passwords(url: str) -> Iterator[str]:
    """Every part of a url that is or may be a password: as written, decoded, encoded. A broken url is guessed at."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what finds a broken one
        found = [parts.password or ""]
        options = (each.partition("=") for each in parts.query.split("&"))
        found += [value for name, _, value in options if _SECRET_OPTION.search(name)]
    except ValueError:
        guess = _GUESS.search(url)
        whole = guess["password"] if guess else ""
        found = [whole, *re.split(r"[/?#@\]\[]", whole)]
    for written in filter(None, found):
        yield from (written, unquote(written), quote(unquote(written), safe=""))
