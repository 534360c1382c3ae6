"""The names that are provision's own on a server, and how the vendor lets others be spelled."""

from __future__ import annotations

import re
from typing import NamedTuple

OWN = "Provision_"

NAME = r"^[A-Z][_0-9A-Za-z]{0,254}$"
PROPERTY = r"^[_a-z][_0-9A-Za-z]{0,230}$"
VECTOR = r"^[_A-Za-z][_0-9A-Za-z]{0,229}$"
TENANT = r"^[A-Za-z0-9_-]{1,64}$"


class Names(NamedTuple):
    """What provision keeps for one store of one project."""

    project: str
    store: str

    @property
    def ledger(self) -> str:
        """The collection of the ledger. The server takes names that differ in case alone for one name."""
        return f"{OWN}{_plain(self.project)}_{_plain(self.store)}_ledger"

    @property
    def backfills(self) -> str:
        """The collection of the log of backfill runs."""
        return f"{OWN}{_plain(self.project)}_{_plain(self.store)}_backfills"

    @property
    def owner(self) -> str:
        """Project and store, as a mark on somebody's collection names them."""
        return f"{self.project}/{self.store}"


def own(name: str) -> bool:
    """Whether a collection or alias of that name is provision's own."""
    return name.casefold().startswith(OWN.casefold())


def _plain(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "_", text.casefold())
