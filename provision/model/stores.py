"""What a store is: how it is configured, what answered, who works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


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
    """Who holds a lease. `process` identifies the process on its machine beyond a reused pid."""

    actor: str
    pid: int
    process: str = ""
    command: str = ""
    commit: str = ""
    url: str = ""

    def __str__(self) -> str:
        extras = ", ".join(part for part in (f"pid {self.pid}", self.command, self.commit[:10], self.url) if part)
        return f"{self.actor} ({extras})"


@dataclass(frozen=True, slots=True)
class Holding:
    """A lease as its home store keeps it; `expires_in` in seconds by the home store's clock, negative once expired."""

    name: str
    owner: Owner
    token: int
    taken_at: datetime
    expires_in: float


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
