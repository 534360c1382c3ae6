"""Revisions, what ledgers say of them, and plans."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from provision.model import schema


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"


class EventKind(StrEnum):
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
    after every revision of its store, where the server has what it `needs`. `limits` are pairs of name and value that
    its header gives for its own run, as in provision.toml. `draft` says what of its file nobody has filled in yet; what
    would run it is refused. `runs` gives a digest of what its file runs when it goes up, where that is what an edit is
    told by, and not its letters; it is computed when it is called. `optional`: of an option that the
    environment did not choose, and so passed by unless it is applied.
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
    limits: tuple[tuple[str, str], ...] = ()
    draft: str = ""
    runs: Callable[[], str] | None = field(default=None, compare=False, repr=False)
    optional: bool = False
    id: str = field(init=False, repr=False, compare=False)
    """Store and number: the name of the revision in every other place."""

    def __post_init__(self) -> None:
        # Kept, because a run asks every revision for it more than ten times.
        object.__setattr__(self, "id", f"{self.store}/{self.number}")

    @property
    def title(self) -> str:
        """Id and slug, as people name it: `clickhouse/007_events_ttl`."""
        return f"{self.id}_{self.slug}" if self.slug not in ("", self.number) else self.id

    @property
    def file(self) -> str:
        """The name of its file; empty where none is known."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a store's ledger; `(project, store, token, n)` is its key and `(token, n)` its order.

    `statement` is the 1-based number of the statement that begins (`started`, `at`) or failed. `detail` holds plain
    JSON values.
    """

    project: str
    revision: str
    kind: EventKind
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
        return json.dumps(self.kept_detail(), sort_keys=True, ensure_ascii=False)

    def kept_detail(self) -> dict[str, Any]:
        """The detail as a ledger keeps it, with the schema number of its entry."""
        return schema.numbered(self.detail)

    def record(self) -> dict[str, Any]:
        """Every field by its name, as a ledger may keep it: `at` in ISO 8601 with microseconds, `detail` as JSON."""
        return {
            "project": self.project,
            "token": self.token,
            "n": self.n,
            "revision": self.revision,
            "kind": self.kind.value,
            "checksum": self.checksum,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": self.actor,
            "duration_ms": self.duration_ms,
            "statement": self.statement,
            "detail": self.detail_json(),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Event:
        """The event of a record, whose values a server may have its own types for.

        Numbers may be text, `at` a datetime (of UTC unless it says otherwise), `detail` a mapping, and a statement that
        there is not 0 or left out; what else a record holds is passed by. Raises RefusedError (newer-schema), and
        KeyError, TypeError or ValueError for a record of something else.
        """
        told = _given(record, "detail")
        place = f"ledger entry {record['token']}/{record['n']} of {record.get('revision')}"
        # The number first: what else a newer entry says may be none of ours.
        detail = schema.unnumbered(json.loads(told) if isinstance(told, str) else told, place)
        at = _given(record, "at")
        at = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        return cls(
            project=_given(record, "project"),
            revision=_given(record, "revision"),
            kind=_kind(_given(record, "kind")),
            checksum=_given(record, "checksum"),
            token=int(record["token"]),
            n=int(record["n"]),
            at=at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC),
            actor=_given(record, "actor"),
            duration_ms=int(_given(record, "duration_ms")),
            statement=int(record.get("statement") or 0) or None,
            detail=detail,
        )


def _given(record: Mapping[str, Any], name: str) -> Any:
    """A field that every entry has: some servers say NULL for one that is not there. Raises KeyError."""
    value = record[name]
    if value is None:
        raise KeyError(name)
    return value


def _kind(word: str) -> EventKind:
    try:
        return EventKind(word)
    except ValueError:
        raise schema.UnknownForm(f"{word!r} is no kind of entry that this release knows") from None


@dataclass(frozen=True, slots=True)
class State:
    """What the events of one revision add up to.

    `checksum`, `at` and `token` are of the event that made the state. While an attempt is open (started or failed
    half-way), `events` are its boundaries in order: the last one names the statement whose fate is open.
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
    file: str = ""  # its name then; earlier releases wrote none down
    runs: str = ""  # the digest of what it ran, where its store compares that; earlier releases wrote none down
    token: int = 0

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

    def read_ahead(self) -> None:
        """Read what its file runs, where its entry says that in the end: the server may be at work meanwhile."""
        if self.direction is Direction.UP and self.revision.runs is not None:
            self.revision.runs()


@dataclass(frozen=True, slots=True)
class Blocked:
    """A step that waits for backfills."""

    step: Step
    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered steps, not yet run. `digest` names the state of every store that it was made from.

    `basis` is that state itself: store → id → state and checksum of the file.
    """

    steps: tuple[Step, ...]
    held: tuple[Blocked, ...] = ()
    digest: Mapping[str, str] = field(default_factory=dict)
    basis: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def lane(self, store: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.revision.store == store)
