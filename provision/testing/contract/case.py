"""What the contract suite must know of a store: a class for each says it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from provision.model import StoreOptions
from provision.ports import Store

NUMBERS = ("001", "002", "003")


class Case(ABC):
    """One store on one server. Its three tiny revisions are numbered as NUMBERS; the second has several statements."""

    name = ""  # of the store in the project
    kind = ""
    server = ""  # the fixture that yields the server's url
    refuses_late = True  # an event of a token below the fence
    refuses_duplicates = True  # an event with a key that is taken
    leases = True  # can be the home store
    peer = False  # another tool's table decides what is applied
    statements = True  # one at a time; False: it has a lane
    in_flight: tuple[str, ...] = ()  # of a lane that leaves attempts open: a statement whose effect `up` left, another
    keeps_connection = False  # a run opens no other one after `cut`
    transactional = False  # a revision that failed has left nothing
    extra: Mapping[str, object] = {}
    crash_stride = 1  # of the points, how many to go on by where not all are asked for: a slow server's share
    crash_points: tuple[tuple[type, str], ...] = ()  # methods before and after which the process may end

    def __init__(self, server_url: str) -> None:
        self.server_url = server_url
        self.url = server_url

    @abstractmethod
    def build(self, options: StoreOptions) -> Store:
        """The store, not yet open."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write the three revisions, or write them again as they should be."""

    @abstractmethod
    def spoil(self, folder: Path) -> None:
        """Write the second revision so that the server refuses its second statement."""

    @abstractmethod
    def seen(self) -> list[str]:
        """What the revisions made, sorted; nothing of what is ours or the peer's."""

    @abstractmethod
    def everything(self) -> list[str]:
        """Every object on the server that the url can see, ours too."""

    @abstractmethod
    def wipe(self) -> None:
        """Make the database empty, ledger and leases included."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the case holds."""

    def delete_lease(self, project: str, name: str) -> None:
        """Delete the record of a lease by hand, as a person would who wants the lock gone."""
        raise NotImplementedError(f"{self.kind} keeps no leases")

    def cut(self) -> None:
        """End every connection to the database but the case's own; the server stays."""
        raise NotImplementedError(f"{self.kind} keeps no connection")

    def apply_outside(self, folder: Path, number: str) -> None:
        """Bring the database up to a revision with the peer alone."""
        raise NotImplementedError(f"{self.kind} has no peer")

    def revert_outside(self, folder: Path, number: str) -> None:
        """Bring the database back down to a revision with the peer alone."""
        raise NotImplementedError(f"{self.kind} has no peer")

    def forget_outside(self) -> None:
        """Take every row out of the peer's table, and touch nothing else."""
        raise NotImplementedError(f"{self.kind} has no peer")

    def pass_time(self, seconds: float) -> None:
        """Let the server's clock go on."""
        time.sleep(seconds)
