"""Why a server does not answer, in the same words for every kind of store; and which one it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from provision.errors import ProvisionError

_CAUSES = (
    ("connection refused", "nothing listens there"),
    ("no such file or directory", "nothing listens there"),
    ("name or service not known", "the host name is not known"),
    ("temporary failure in name resolution", "the host name is not known"),
    ("nodename nor servname", "the host name is not known"),
    ("no address associated", "the host name is not known"),
    ("timeout", "the time ran out"),
    ("timed out", "the time ran out"),
    ("badstatusline", "what listens there speaks another protocol"),
    ("invalid response to ssl negotiation", "what listens there speaks another protocol"),
    ("unexpected message", "what listens there speaks another protocol"),
    ("network is unreachable", "there is no way to that network"),
)


def cause(text: str) -> str:
    """The cause that a driver's message comes down to; its own first line where it is none of the usual."""
    lowered = text.lower()
    for sign, words in _CAUSES:
        if sign in lowered:
            return words
    first = text.strip().split("\n", 1)[0]
    return re.sub(r"^.*?(?:FATAL|ERROR):\s*|^.* failed: ", "", first).rstrip(".")[:300]


@contextmanager
def placed(shown: str) -> Iterator[None]:
    """Says of what is refused in the block which server it was."""
    try:
        yield
    except ProvisionError as refused:
        refused.where = refused.where or shown
        raise
