"""The vendor's rules for names, so that an illegal one is found before anything is sent.

The traditional rules: a server must be started with `--database.extended-names` to take any other name.
"""

from __future__ import annotations

import re

from provision.stores.arango.names import OWN

_LETTER_FIRST = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DOCUMENT_KEY = re.compile(r"[A-Za-z0-9_\-:.@()+,=;$!*'%]{1,254}")
_LONGEST = {"database": 64, "analyzer": 254}
LONGEST = 256
KEY_RULE = "write 1 to 254 of the characters a-z A-Z 0-9 _ - : . @ ( ) + , = ; $ ! * ' %"


def illegal(kind: str, name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a `kind` (database, collection, index, …) and how to write it; None when legal."""
    most = _LONGEST.get(kind, LONGEST)
    if len(name.encode()) > most:
        return f"the name of the {kind} has {len(name.encode())} bytes", f"write at most {most}"
    if not _LETTER_FIRST.fullmatch(name):
        return f"no {kind} may be called {name}", "begin with a letter, then letters, digits, _ and - alone"
    if name.startswith(OWN):
        return f"no {kind} may be called {name}", f"names that begin with {OWN} are provision's own"
    if kind == "index" and name in ("primary", "edge"):
        return f"no index may be called {name}", "the server makes that one by itself: choose another name"
    return None


def illegal_key(key: str) -> bool:
    return not _DOCUMENT_KEY.fullmatch(key)
