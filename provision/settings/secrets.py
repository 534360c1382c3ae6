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
        found = list(_guessed(url))
    if is_divided(url):
        found += _guessed(url)
    if "://" not in url:
        found += [each.strip("'") for each in re.findall(r"(?i)\bpassword\s*=\s*('[^']*'|[^\s']+)", url)]
    for written in filter(None, found):
        yield from (written, unquote(written), quote(unquote(written), safe=""))


def is_divided(url: str) -> bool:
    """Whether signs that divide a url stand in its password as they are: each reader takes another part for it.

    Where a host is named, nothing of ours needs a `#`, nor an `@` in a path; an `@` in an option can be written as %40.
    """
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if not scheme or not authority:
        return False
    login, at, _ = authority.rpartition("@")
    path, _, query = rest[len(authority) :].partition("?")
    return (
        "#" in rest
        or any(sign in login for sign in "@[]")
        or "@" in path
        or ("@" in query and not at and ":" in authority)
    )


def _guessed(url: str) -> Iterator[str]:
    """What may be the password, and its parts: up to any `@`, since nobody knows which one ends it."""
    guess = _GUESS.search(url)
    whole = guess["password"] if guess else ""
    yield whole
    yield from re.split(r"[:/?#@\]\[]", whole)
    yield from re.split(r"[/?#@\]\[]", whole)
