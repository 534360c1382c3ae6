"""What the core asks of a store. A store has a part or it has not: a missing one is None, never a stub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from provision.errors import ProvisionError
from provision.model import Contact, Event, EventKind, Heartbeat, LeaseRecord, Leftover, Owner, Revision, State, Step

if TYPE_CHECKING:
    from provision.model.plans import TableLock
    from provision.model.statements import Description, Fate, Mark, Running, Statement
    from provision.ports.backfill import Batches
    from provision.ports.validate import Checks, History


class Ledger(Protocol):
    """A store's own append-only log of what was done to it."""

    def read(self) -> Sequence[Event]:
        """Every event of the project in the order `(token, n)`; empty when there is no ledger. Must write nothing.

        Must read with `Event.of`, which raises RefusedError (newer-schema), and raise ConfigError (ledger-unreadable)
        for what is no event.
        """

    def create(self) -> None:
        """Make the ledger if it is absent, or what it lacks for this release. No command that only reads calls it."""

    def append(self, event: Event) -> None:
        """Add one event.

        Must raise LeaseLost where the store can tell that a newer token has written, or that the key is taken.
        """

    def raise_fence(self, token: int) -> None:
        """From now on refuse events of tokens lower than `token`, where the store can; a no-op elsewhere."""


class Leases(Protocol):
    """Named run locks with an expiry, kept in the home store; each method is atomic and goes by that store's clock."""

    def create(self) -> None:
        """Make what the leases need if it is absent."""

    def take(self, name: str, owner: Owner, seconds: float, floor: int) -> LeaseRecord:
        """Take the lease if it is free or expired, with a token above `floor` and above every earlier one of that name.

        The highest token is kept in a second place too: where it is there and the lease's own record is not, somebody
        deleted that, and UNKNOWN_HOLDER is given the lease for `seconds` with the last token, as its holder may live.

        Returns the holding that is in force afterwards: ours, or the other owner's, asked back or not.
        """

    def extend(self, name: str, owner: Owner, token: int, seconds: float) -> Heartbeat:
        """Push the expiry out if `owner` still holds the lease with `token` and nobody asked for it back."""

    def ask_back(self, name: str, owner: Owner, token: int, by: str) -> bool:
        """Mark the lease, so that its holder gives it up; False when `owner` does not hold it with `token`."""

    def release(self, name: str, owner: Owner, token: int) -> bool:
        """Give the lease back if `owner` still holds it with `token`, whose number is remembered."""

    def read(self, name: str) -> LeaseRecord | None:
        """The holding in force or expired, or None when nobody holds it. Must write nothing.

        Raises RefusedError (newer-schema), ConfigError (lock-unreadable): see `Owner.of`.
        """


class Journal(Protocol):
    """What a lane is handed for one run: it numbers events, guards every statement and tells the watcher."""

    token: int

    @property
    def alone(self) -> bool:
        """True when no other lane of the run has an engine that drives its own loop."""

    @property
    def until(self) -> float:
        """The monotonic time up to which `check` raises nothing unless the run is told to stop."""

    def event(self, step: Step, kind: EventKind, **fields: object) -> Event:
        """The next event of this lane, numbered; appending it is the caller's part."""

    def mark(self, step: Step, statement: int | None = None) -> Mark:
        """The label under which a statement of the step is sent."""

    def check(self) -> None:
        """Call before every statement. Raises Interrupted or LeaseLost when the statement must not be sent."""

    def check_lease(self) -> None:
        """Call before writing down what a statement did. Raises LeaseLost; a run that is to stop may still write."""

    def begin_at(self, step: Step) -> int | None:
        """The 1-based statement an earlier attempt goes on with, those before it being done; None for a first one."""

    def follow(self) -> Step | None:
        """The step after the one in hand, if it is a first attempt that need not wait and the run is not to stop.

        The next pull returns that step, whatever happens in between: its `begun` entry may be in the ledger.
        """

    def may_lose(self, step: Step) -> bool:
        """Whether the step was allowed to lose data, by the flag or by a person who saw what it loses."""

    def note(self, text: str, *, live: bool = False) -> None:
        """Tell the user something once, while the run goes on; `live` as in `Note`."""


class Lane(Protocol):
    """The part of a store whose engine drives its own loop and writes the events in the steps' own transactions."""

    def run(self, steps: Iterator[Step], journal: Journal) -> None:
        """Carry out each step as it is pulled. Pulling the next one means that the last one is committed.

        Must hold no transaction while it pulls, but that of the step which `Journal.follow` named.
        Raises StatementFailed.
        """

    def probe(self, step: Step, state: State) -> Fate:
        """Tell what became of the statement in flight when the open attempt of `step` ended. Must change nothing."""


class Statements(Protocol):
    """The part of a store without transactional DDL: one statement at a time, and it can tell what became of one."""

    def of(self, step: Step) -> Sequence[Statement]:
        """The statements of a step in order. Raises ConfigError for a text that cannot be read."""

    def advance(
        self,
        statement: Statement,
        mark: Mark,
        event: Event,
        upcoming: Statement | None,
        check_lease: Callable[[], None],
    ) -> None:
        """Send `statement` under `mark`, then append `event`: the boundary before `upcoming`, or the end of the step.

        In one transaction where the store can; else call `check_lease` in between, since a process may be frozen there
        for longer than its lease lasts, and append `event.later()`, which counts the time it took. Raises
        StatementFailed when the server refuses the statement.
        """

    def probe(self, statement: Statement, event: Event) -> Fate:
        """Tell whether `statement`, in flight since `event` (`started` or `at`), took effect. Must change nothing."""

    def record(self, event: Event, upcoming: Statement | None) -> None:
        """Append `event` alone: the start of a step, or a boundary whose earlier statement is known to be done.

        With `upcoming`, keep what a later probe of it needs to know of the present.
        """


@runtime_checkable
class Joined(Statements, Protocol):
    """`Statements` of a store where the end of a step and the start of the next one go in one request."""

    def send(self, statement: Statement, mark: Mark) -> None:
        """Send `statement` under `mark`, and write nothing down. Raises StatementFailed when the server refuses it."""

    def record_both(self, end: Event, start: Event, upcoming: Statement) -> None:
        """Append `end` as `record` does, and with it `start`, the boundary before `upcoming` of another step.

        A process that ends in the middle must leave nothing that `record` of the one and then the other could not.
        """


@runtime_checkable
class Guarded(Statements, Protocol):
    """`Statements` of a store that knows, when a statement is about to be sent, what it would lose."""

    def remember(self, token: int) -> None:
        """Note what is there before the first statement of the run `token`; a run may call more than once."""

    def loses(self, statement: Statement) -> str | None:
        """What it would lose, if sent now, of what was there when the run began. Must change nothing."""


class Peer(Protocol):
    """The part of a store where another tool's own table decides what is applied."""

    @property
    def table(self) -> str:
        """The name of that table, with its schema where one is configured."""

    @property
    def where(self) -> str:
        """That table with its database and its server, the same for all that would write to it."""

    def seen(self) -> str:
        """What that table looks like now, in words: absent, empty, so many rows. Must write nothing."""

    def applied(self) -> Mapping[str, bool]:
        """Id of every revision that the peer's table holds applied → False when its note says that the file was edited.

        Must write nothing.
        """

    def stamp(self, steps: Sequence[Step]) -> None:
        """Write the peer's table as if the steps had been run; creates the table if needed."""


class Marked(Protocol):
    """The part of a store whose statements can be found on the server and stopped."""

    def running(self) -> Sequence[Running]:
        """Every statement on the server that carries a mark of ours, and every idle session that does."""

    def cancel(self, running: Running) -> None:
        """Stop it, or end the session; returns at once. Raises RefusedError (still-running) where we may not."""


class Repeatables(Protocol):
    """The part of a store that has files which are applied again whenever they change."""

    def unmet(self) -> Mapping[str, str]:
        """Id of every repeatable whose needs the server does not meet → what is missing. Must write nothing."""


class Leftovers(Protocol):
    """The part of a store where a revision may keep what it replaced for a while."""

    def due(self) -> Sequence[Leftover]:
        """What was kept long enough and can go. Must write nothing, and ask nothing where no revision keeps a thing."""

    def remove(self, leftover: Leftover) -> None:
        """Remove it. Raises FailedError (server-lost)."""


class Store(Protocol):
    """A configured database. Exactly one of `lane` and `statements` is there; parts are read once the store is open."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def lane(self) -> Lane | None: ...
    @property
    def statements(self) -> Statements | None: ...
    @property
    def peer(self) -> Peer | None: ...
    @property
    def marked(self) -> Marked | None: ...
    @property
    def repeatables(self) -> Repeatables | None: ...
    @property
    def leftovers(self) -> Leftovers | None: ...
    @property
    def leases(self) -> Leases | None: ...
    @property
    def checks(self) -> Checks | None: ...
    @property
    def history(self) -> History | None: ...
    @property
    def batches(self) -> Batches | None: ...

    def revisions(self) -> Sequence[Revision]:
        """Every revision on disk in order; connects to nothing. Raises ConfigError, for all files that are wrong."""

    def open(self, url: str) -> Contact:
        """Connect. Raises UnreachableError, or ConfigError (wrong password, server too old, no such database).

        Must create nothing, and succeed for a database that `prepare` can make.
        """

    def prepare(self) -> None:
        """Make the database itself if it is absent and this kind of store may do that."""

    def close(self) -> None:
        """Drop every connection; a store that was never opened has none."""

    def describe(self, steps: Sequence[Step]) -> Sequence[Description]:
        """What each step will do, in the same order; connects to nothing."""

    def losses(self, step: Step) -> Sequence[str]:
        """Why the step can lose data, in plain words; empty when nothing in it says so. Connects to nothing."""


@runtime_checkable
class Foretelling(Protocol):
    """A `Store` that can tell what is there now, so that what a plan makes itself is no loss."""

    def losses_of(self, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
        """Id → why the step, taken in this order, would lose what the open database holds now. Must write nothing."""


@runtime_checkable
class Crowded(Protocol):
    """A `Store` that can tell who has held for long what steps are going to need."""

    def hindrances(self, steps: Sequence[Step]) -> Mapping[str, str]:
        """Key of each of them → who it is and what is held, in words. Must write nothing."""


@runtime_checkable
class Locking(Protocol):
    """A `Store` that can tell which tables its steps lock."""

    def locks(self, steps: Sequence[Step]) -> Mapping[str, Sequence[TableLock]]:
        """Id of each step of which it is known → what it locks of what is there now. Must write nothing."""


@runtime_checkable
class Trying(Protocol):
    """A `Store` whose files can fail in ways that reading their heads does not show."""

    def tried(self, steps: Sequence[Step], *, imports: bool = True) -> Sequence[ProvisionError]:
        """What would stop the steps whatever the server holds; connects to nothing, and changes nothing here."""
