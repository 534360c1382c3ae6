"""The names of what is ours in a database. All begin with `provision_`."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

OWN = "provision_"
LEDGER = "provision_ledger"
LEASES = "provision_leases"
BACKFILLS = "provision_backfills"


class Keys(NamedTuple):
    """Document keys of one project and store; two projects may share a database.

    Project and store are percent-encoded and joined by colons, so that no two pairs of names make one key.
    """

    project: str
    store: str

    def event(self, token: int, n: int) -> str:
        return f"{self._prefix}:{token:012d}:{n:08d}"

    def fence(self, token: int) -> str:
        return f"{self._prefix}:{token:012d}:fence"

    def lease(self, name: str) -> str:
        return f"{_part(self.project)}:{_part(name)}"

    def highest(self, name: str) -> str:
        return f"{self.lease(name)}:highest"

    def entry(self, run: str, n: int) -> str:
        return f"{self._prefix}:{_part(run)}:{n}"

    @property
    def _prefix(self) -> str:
        return f"{_part(self.project)}:{_part(self.store)}"


def _part(name: str) -> str:
    return quote(name, safe="")
