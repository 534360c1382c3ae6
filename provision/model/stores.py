"""What a store is: how it is configured, what answered, who works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from provision.errors import ConfigError
from provision.model import schema


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How one store is configured, but for where its server is.

    `path` is its migration folder and `root` the folder of provision.toml, both absolute; `extra` holds the keys of
    its kind.
    """

    name: str
    kind: str
    project: str
    path: Path
    root: Path
    extra: Mapping[str, object] = field(default_factory=dict)

    def shown(self, path: Path) -> str:
        """The path as people read it: relative to the project."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


@dataclass(frozen=True, slots=True)
class Contact:
    """A server that answered: its version and how to name it to people."""

    version: str
    engine: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lease. `process` identifies the process on its machine beyond a reused pid.

    `run` tells apart what one process does at the same time: two threads must not take each other's lock for their own.
    """

    actor: str
    pid: int
    process: str = ""
    command: str = ""
    commit: str = ""
    url: str = ""
    run: str = ""

    def __str__(self) -> str:
        pid = f"pid {self.pid}" if self.pid else ""
        extras = ", ".join(part for part in (pid, self.command, self.commit[:10], self.url) if part)
        return f"{self.actor} ({extras})" if extras else self.actor

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Owner:
        """The owner as a home store keeps it, without what only its lease or a newer provision knows.

        Raises RefusedError (newer-schema), ConfigError (lock-unreadable).
        """
        try:
            told = schema.unnumbered(kept, "the run lock")
            return cls(**{"actor": told["actor"], "pid": told["pid"], **_named(cls, told)})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise lock_unreadable(error) from None

    def kept(self) -> dict[str, Any]:
        """The owner as a home store is to keep it, with the schema number of the lock."""
        return schema.numbered(asdict(self))

    def told(self) -> dict[str, Any]:
        """What of the owner is not empty: the record of this very owner has that, whatever else is in it."""
        return {name: value for name, value in asdict(self).items() if value != ""}


def _named(cls: type[Owner], told: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: told[each.name] for each in fields(cls) if each.name in told}


def lock_unreadable(error: Exception) -> ConfigError:
    """The error for the record of a lock that lacks what it must have."""
    fix = "see that no run is at work, then delete the record of the lock"
    what = schema.not_ours("the record of the run lock", error)
    return ConfigError("lock-unreadable", what, where="home store", fix=fix)


# Takes the place of a holder whose record of the lock was deleted by hand: nothing says who that was, or that it ended.
RUN_LOCK = "run"  # its name among the locks of a home store
UNKNOWN_HOLDER = Owner("an unknown run (the record of its lock was deleted)", 0)


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """A lease as its home store keeps it; `expires_in` in seconds by the home store's clock, negative once expired.

    `asked_back_by`: who asked its holder to give it up; empty when nobody did.
    """

    name: str
    owner: Owner
    token: int
    taken_at: datetime
    expires_in: float
    asked_back_by: str = ""


class Heartbeat(StrEnum):
    """What a holder learns when it asks for more time."""

    KEPT = "kept"
    ASKED_BACK = "asked back"  # still held, and not for longer: the holder is to give it up
    LOST = "lost"


class Severity(StrEnum):
    FINE = "fine"  # looked at and in order
    WARNING = "warning"  # works, and may not for long
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What looking at something showed; `rule` names what was looked at, `place` the store or file."""

    rule: str
    severity: Severity
    place: str
    message: str
    fix: str = ""
