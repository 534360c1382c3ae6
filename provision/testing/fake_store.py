"""FakeStore: a double of a store, in memory. A FakeServer outlives the runs, as a database does.

A migration file `NNN_slug.fake` has the sections `requires:`, `up:` and `down:`, with one statement a line:
`+name` makes a thing (refused when it is there), `-name` drops one (refused when it is not), `~name` makes one in a way
that no probe can look up, `!reason` is always refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from provision.errors import ConfigError, LeaseLost, StatementFailed, UnreachableError
from provision.model import (
    UNKNOWN_HOLDER,
    Contact,
    Direction,
    Event,
    EventKind,
    Heartbeat,
    LeaseRecord,
    Owner,
    Revision,
    Step,
    StoreOptions,
    schema,
)
from provision.model.statements import Description, Fate, Mark, Outcome, Running, Statement
from provision.ports import Leftovers
from provision.text.files import checksum, described, inside, listed, number_and_slug, read_text

_EPOCH = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone: nothing catches this, and nothing more is sent."""


class FakeServer:
    """What a database keeps, and the faults that a test asks of it.

    `sent` lists every statement in the order in which it arrived. `clock` is in seconds.
    """

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], list[Event]] = {}
        self.fences: dict[tuple[str, str], int] = {}
        self.things: set[str] = set()
        self.peer: dict[str, str] = {}
        self.holdings: dict[tuple[str, str], LeaseRecord | None] = {}
        self.tokens: dict[tuple[str, str], int] = {}
        self.running: list[Running] = []
        self.sent: list[str] = []
        self.made: list[str] = []
        self.schemas: dict[tuple[str, str], int] = {}
        self.clock = 0.0
        self.lost = False
        self._faults: dict[tuple[str, int], BaseException] = {}
        self._passed: dict[str, int] = {}

    def fault(self, point: str, error: BaseException, nth: int = 1) -> None:
        """Raise `error` at the nth passage of a point: before-send, after-send, before-append, after-append."""
        self._faults[point, self._passed.get(point, 0) + nth] = error

    def lose(self) -> None:
        """From now on the server does not answer."""
        self.lost = True

    def passes(self, point: str) -> None:
        if self.lost:
            raise UnreachableError("unreachable", "fake does not answer", where="fake://server", fix="start it")
        self._passed[point] = self._passed.get(point, 0) + 1
        error = self._faults.pop((point, self._passed[point]), None)
        if error is not None:
            raise error

    def send(self, text: str) -> None:
        """Carry out a statement. Raises ValueError with the reason when it is refused."""
        self.passes("before-send")
        sign, name = text[0], text[1:]
        if sign == "!":
            raise ValueError(name)
        if sign == "+" and name in self.things:
            raise ValueError(f"{name} exists")
        if sign == "-" and name not in self.things:
            raise ValueError(f"{name} does not exist")
        self.sent.append(text)
        (self.things.discard if sign == "-" else self.things.add)(name)
        self.passes("after-send")


class FakeLedger:
    """`provision.ports.Ledger`; refuses duplicate keys and late tokens, as PostgreSQL and Redis do."""

    def __init__(self, server: FakeServer, project: str, store: str) -> None:
        self._server, self._key, self.store = server, (project, store), store

    def read(self) -> Sequence[Event]:
        self._server.passes("read")
        schema.refuse_newer(self._server.schemas.get(self._key, schema.UNNUMBERED), "fake://server")
        found = sorted(self._server.events.get(self._key, ()), key=lambda event: (event.token, event.n))
        return [self._known(event) for event in found]

    def _known(self, event: Event) -> Event:
        try:
            return Event.of(event.record())
        except (KeyError, TypeError, ValueError) as error:
            what, fix = f"event {event.token}/{event.n}", "remove it"
            told = schema.not_ours(what, error)
            raise ConfigError("ledger-unreadable", told, where="fake://server", fix=fix) from None

    def create(self) -> None:
        self._server.made.append(f"ledger {'/'.join(self._key)}")
        self._server.events.setdefault(self._key, [])

    def append(self, event: Event) -> None:
        self._server.passes("before-append")
        written = self._server.events[self._key]
        if event.token < self._server.fences.get(self._key, 0):
            raise LeaseLost(f"a run with a token above {event.token}")
        if any((each.token, each.n) == (event.token, event.n) for each in written):
            raise LeaseLost(f"a run with the same token {event.token}")
        written.append(event)
        self._server.schemas[self._key] = max(schema.SCHEMA, self._server.schemas.get(self._key, 0))
        self._server.passes("after-append")

    def raise_fence(self, token: int) -> None:
        self._server.fences[self._key] = max(token, self._server.fences.get(self._key, 0))


class FakeLeases:
    """`provision.ports.Leases` by the server's own clock."""

    def __init__(self, server: FakeServer, project: str) -> None:
        self._server, self._project = server, project

    def create(self) -> None:
        """Nothing to make."""

    def take(self, name: str, owner: Owner, seconds: float, floor: int) -> LeaseRecord:
        self._server.passes("lease")
        key = self._project, name
        held = self.read(name)
        if held is not None and held.expires_in > 0:
            return held
        if key in self._server.tokens and key not in self._server.holdings:
            owner = UNKNOWN_HOLDER  # its row was deleted, and its token is remembered
        else:
            self._server.tokens[key] = max(self._server.tokens.get(key, 0), floor) + 1
        made = LeaseRecord(name, owner, self._server.tokens[key], _EPOCH, self._server.clock + seconds)
        self._server.holdings[key] = made
        self._server.schemas[self._project, f"lock/{name}"] = schema.SCHEMA
        return self._shown(made)

    def extend(self, name: str, owner: Owner, token: int, seconds: float) -> Heartbeat:
        self._server.passes("lease")
        held = self._held(name, owner, token)
        if held is None:
            return Heartbeat.LOST
        if held.asked_back_by:
            return Heartbeat.ASKED_BACK
        self._server.holdings[self._project, name] = replace(held, expires_in=self._server.clock + seconds)
        return Heartbeat.KEPT

    def ask_back(self, name: str, owner: Owner, token: int, by: str) -> bool:
        held = self._held(name, owner, token)
        if held is not None:
            self._server.holdings[self._project, name] = replace(held, asked_back_by=by)
        return held is not None

    def release(self, name: str, owner: Owner, token: int) -> bool:
        held = self._held(name, owner, token)
        if held is not None:
            self._server.holdings[self._project, name] = None
        return held is not None

    def _held(self, name: str, owner: Owner, token: int) -> LeaseRecord | None:
        held = self._server.holdings.get((self._project, name))
        return held if held is not None and (held.owner, held.token) == (owner, token) else None

    def read(self, name: str) -> LeaseRecord | None:
        held = self._server.holdings.get((self._project, name))
        if held is not None:
            schema.refuse_newer(self._server.schemas[self._project, f"lock/{name}"], "fake://server")
        return self._shown(held) if held is not None else None

    def _shown(self, held: LeaseRecord) -> LeaseRecord:
        return replace(held, expires_in=held.expires_in - self._server.clock)


class FakePeer:
    """`provision.ports.Peer`: another tool's table, id → checksum."""

    table = where = "versions"

    def __init__(self, server: FakeServer, revisions: Mapping[str, Revision]) -> None:
        self._server, self._revisions = server, revisions

    def applied(self) -> Mapping[str, bool]:
        return {
            name: name not in self._revisions or self._revisions[name].checksum == noted
            for name, noted in self._server.peer.items()
        }

    def seen(self) -> str:
        return f"table versions has {len(self._server.peer)} rows"

    def stamp(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.note(step.id, step.direction)

    def note(self, name: str, direction: Direction) -> None:
        if direction is Direction.UP:
            self._server.peer[name] = self._revisions[name].checksum
        else:
            self._server.peer.pop(name, None)


class FakeMarked:
    """`provision.ports.Marked` over the statements that the test says are running."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def running(self) -> Sequence[Running]:
        return list(self._server.running)

    def cancel(self, running: Running) -> None:
        self._server.running.remove(running)


class FakeStatements:
    """`provision.ports.Statements`: statement and boundary are two steps, so that a run can end between them."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    def of(self, step: Step) -> Sequence[Statement]:
        return self._store.statements_of(step)

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None],
    ) -> None:
        try:
            self._store.server.send(statement.text)
        except ValueError as refused:
            raise StatementFailed(str(refused), number=mark.statement or 1, statement=statement.text) from None
        check_lease()
        self.record(event.later(), upcoming)

    def probe(self, statement: Statement, event: Event) -> Fate:
        del event
        sign, name = statement.text[0], statement.text[1:]
        if sign in "~!":
            return Fate(Outcome.CANNOT_TELL, f"{statement.text} leaves no trace")
        there = name in self._store.server.things
        done = there if sign == "+" else not there
        return Fate(Outcome.DONE if done else Outcome.NOT_DONE, f"{name} is {'there' if there else 'not there'}")

    def record(self, event: Event, upcoming: Statement | None) -> None:
        del upcoming
        if event.kind in (EventKind.APPLIED, EventKind.REVERTED) and self._store.peer is not None:
            self._store.peer.note(event.revision, event.direction)
        self._store.ledger.append(event)


class FakeStore:
    """`provision.ports.Store`. Connects to `server`; its parts are there once it is open."""

    lane = repeatables = checks = history = batches = None
    leftovers: Leftovers | None = None

    def __init__(
        self, options: StoreOptions, server: FakeServer, *, peer: bool = False, leases: bool = True, marked: bool = True
    ) -> None:
        self.name, self.kind, self.server = options.name, options.kind, server
        self.opened = False
        self._options = options
        self.ledger = FakeLedger(server, options.project, options.name)
        self.leases = FakeLeases(server, options.project) if leases else None
        self.marked = FakeMarked(server) if marked else None
        self.peer = FakePeer(server, {each.id: each for each in self.revisions()}) if peer else None
        self.statements = FakeStatements(self)

    def revisions(self) -> Sequence[Revision]:
        made: list[Revision] = []
        for path in inside(self._options.path, "*.fake", self._options.root):
            shown = self._options.shown(path)
            number, slug = number_and_slug(path, shown)
            text = read_text(path, shown)
            sections = _sections(text)
            made.append(
                Revision(
                    store=self.name,
                    number=number,
                    slug=slug,
                    description=described(slug),
                    path=shown,
                    checksum=checksum(text),
                    parents=(made[-1].id,) if made else (),
                    requires=tuple(each for line in sections["requires"] for each in listed(line)),
                    irreversible=None if sections["down"] else "its author wrote no way down",
                )
            )
        return made

    def open(self, url: str) -> Contact:
        if self.server.lost:
            raise UnreachableError("unreachable", f"{self.name} does not answer", where=url, fix="start it")
        self.opened = True
        return Contact("1.0", "fake")

    def prepare(self) -> None:
        self.server.made.append("database")

    def close(self) -> None:
        self.opened = False

    def describe(self, steps: Sequence[Step]) -> Sequence[Description]:
        return [
            Description(step, tuple(each.text for each in self.statements_of(step)), "", tuple(self.losses(step)))
            for step in steps
        ]

    def losses(self, step: Step) -> Sequence[str]:
        return [each.destructive for each in self.statements_of(step) if each.destructive]

    def statements_of(self, step: Step) -> Sequence[Statement]:
        path = self._options.root / step.revision.path
        lines = _sections(read_text(path, step.revision.path))[str(step.direction)]
        return [
            Statement(line, line, destructive=f"drops {line[1:]}" if line.startswith("-") else None) for line in lines
        ]


def _sections(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"requires": [], "up": [], "down": []}
    current = "up"
    for line in (line.strip() for line in text.split("\n")):
        if line.endswith(":"):
            current = line[:-1]
        elif line:
            found[current].append(line)
    return found
