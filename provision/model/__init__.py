"""The nouns of the project as frozen data; no behaviour beyond what follows from their own fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
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


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"


class Kind(StrEnum):
    """What a ledger entry says happened."""

    STARTED = "started"  # statement 1 begins
    AT = "at"  # statement i - 1 is done, statement i begins
    APPLIED = "applied"
    FAILED = "failed"
    REVERTED = "reverted"
    SKIPPED = "skipped"
    ADOPTED = "adopted"  # the peer's table says applied, the ledger did not
    RESOLVED = "resolved"  # a person settled it
    BASELINED = "baselined"


class StateName(StrEnum):
    PENDING = "pending"
    STARTED = "started"
    APPLIED = "applied"
    FAILED = "failed"
    REVERTED = "reverted"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Revision:
    """A unit of change of one store, as its file says.

    `checksum` is the SHA-256 of the text with line ends as LF. `parents` and `requires` are full ids.
    `irreversible` is the author's reason why there is no way down, else None. `labels` name a branch that is meant to
    be one. `strict`: an edited file is an error, not a warning. `repeatable`: applied again whenever the file changes,
    after every revision of its store, where the server has what it `needs`.
    """

    store: str
    number: str
    slug: str
    description: str
    path: str
    checksum: str
    parents: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    destructive: bool = False
    irreversible: str | None = None
    labels: tuple[str, ...] = ()
    strict: bool = True
    repeatable: bool = False
    needs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.store}/{self.number}"

    @property
    def title(self) -> str:
        """Id and slug, as people name it: `clickhouse/007_events_ttl`."""
        return f"{self.id}_{self.slug}" if self.slug else self.id


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a store's ledger; `(project, store, token, n)` is its key and `(token, n)` its order.

    `statement` is the 1-based number of the statement that begins (`started`, `at`) or failed. `detail` holds plain
    JSON values.
    """

    project: str
    revision: str
    kind: Kind
    checksum: str
    token: int
    n: int
    at: datetime
    actor: str
    duration_ms: int = 0
    statement: int | None = None
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def direction(self) -> Direction:
        return Direction(str(self.detail.get("direction", Direction.UP)))

    def later(self) -> Event:
        """The same event now, with the time since it was made added to its duration."""
        now = datetime.now(UTC)
        return replace(self, at=now, duration_ms=self.duration_ms + round((now - self.at).total_seconds() * 1000))

    def detail_json(self) -> str:
        return json.dumps(self.detail, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class State:
    """What the events of one revision add up to.

    `checksum` and `at` are of the event that made the state. While an attempt is open (started or failed half-way),
    `events` are its boundaries in order: the last one names the statement whose fate is open.
    """

    name: StateName
    checksum: str = ""
    at: datetime | None = None
    actor: str = ""
    duration_ms: int = 0
    direction: Direction = Direction.UP
    events: tuple[Event, ...] = ()
    error: str = ""
    repeatable: bool = False

    @property
    def open(self) -> bool:
        """True while an attempt was begun and has not provably ended."""
        return bool(self.events)


PENDING = State(StateName.PENDING)


@dataclass(frozen=True, slots=True)
class Step:
    """A revision and a direction."""

    revision: Revision
    direction: Direction = Direction.UP

    @property
    def id(self) -> str:
        return self.revision.id


@dataclass(frozen=True, slots=True)
class Held:
    """A step that waits for backfills."""

    step: Step
    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered steps, not yet run. `digest` names the state of every store that it was made from.

    `basis` is that state itself: store → id → state and checksum of the file.
    """

    steps: tuple[Step, ...]
    held: tuple[Held, ...] = ()
    digest: Mapping[str, str] = field(default_factory=dict)
    basis: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def lane(self, store: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.revision.store == store)


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing to send: SQL, or one operation of a document.

    `text` is as written (placeholders in place, so that no secret is recorded); `sent` is what goes to the server.
    `destructive` is the reason in plain words when it can lose data.
    """

    text: str
    summary: str
    sent: object = None
    destructive: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a step will do: its statements, or None with the reason why they cannot be shown."""

    step: Step
    statements: tuple[str, ...] | None
    reason: str = ""
    destructive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What is on a live server, as a document would make it: a message for its name, and its operations in order.

    `left_out` names what no document can make, a line each; `irreversible` is why there is no way down, else empty.
    """

    message: str
    operations: tuple[tuple[str, Mapping[str, object]], ...]
    left_out: tuple[str, ...] = ()
    irreversible: str = ""


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


class Outcome(StrEnum):
    """What a probe says of a statement that was in flight when its run ended."""

    DONE = "done"  # took effect as written
    NOT_DONE = "not done"  # safe to send (again)
    RUNNING = "running"  # the server still works on it
    DIFFERENT = "different"  # something exists that is not what was written
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Fate:
    """A probe's answer; `reason` is a sentence that names the object and what was seen."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """The label a statement carries on the server, so that it can be found again: `provision/project/token/revision/i`.

    The project keeps two projects that share a database from waiting for, or stopping, each other's statements.
    """

    project: str
    token: int
    revision: str
    statement: int | None = None

    def __str__(self) -> str:
        tail = "" if self.statement is None else f"/{self.statement}"
        return f"provision/{self.project}/{self.token}/{self.revision}{tail}"

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """The mark written in `text`, or None when it is not one of ours. A cut-off revision is no obstacle."""
        found = re.fullmatch(r"provision/([^/]+)/(\d+)/([^/]+/[^/]*)(?:/(\d+))?", text)
        return found and cls(found[1], int(found[2]), found[3], int(found[4]) if found[4] else None)


@dataclass(frozen=True, slots=True)
class Running:
    """A marked statement that a server still works on; `handle` is what cancels it."""

    mark: Mark
    seconds: float
    text: str
    handle: str


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


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that failed and why."""

    step: Step
    error: Exception
    statement: int | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """A step that is being carried out."""

    step: Step


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know, said once while a run goes on."""

    store: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was carried out, or, with the reason in `skipped`, passed over because the server lacks something."""

    step: Step
    duration_ms: int
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a revision replaced and kept for a while; `reason` says by what and until when, `due` is that time."""

    store: str
    name: str
    reason: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    done: tuple[Done, ...] = ()
    failures: tuple[Failure, ...] = ()
    remaining: tuple[Step, ...] = ()
    held: tuple[Held, ...] = ()
    recorded: tuple[Event, ...] = ()
    duration_ms: int = 0
    removed: tuple[Leftover, ...] = ()


Happening = Began | Done | Failure | Note
Watcher = Callable[[Happening], None]
