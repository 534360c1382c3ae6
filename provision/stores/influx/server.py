"""What a store asks of an InfluxDB server, whatever its version; and opening one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from provision.model.stats import TableStats
    from provision.stores.influx.migrate.model import Rollup, Tier

EXAMPLE = "http://user:password@host:8086"
OLDEST = {1: (1, 6), 2: (2, 1)}
# A server that takes connections and never answers is given up soon while nothing was changed yet.
GREETING_SECONDS = 5.0

Point = tuple[int, Mapping[str, Any]]
Rows = list[list[Any]]


class Rendering(Protocol):
    """How one version is told what to do, as people read it. Durations in seconds."""

    def create_database(self, name: str) -> str: ...
    def drop_database(self, name: str) -> str: ...
    def create_tier(self, tier: Tier) -> str: ...
    def alter_tier(
        self, database: str, name: str, duration: int | None, shard: int | None, *, default: bool
    ) -> str: ...
    def drop_tier(self, database: str, name: str) -> str: ...
    def create_rollup(self, rollup: Rollup) -> str: ...
    def drop_rollup(self, database: str, name: str) -> str: ...


class Server(Protocol):
    """An open server.

    What reads raises UnreachableError or ConfigError (wrong-password, not-allowed, server-refused); what writes raises
    documents.refused.Refused with the server's words, or FailedError (server-lost).
    """

    shown: str
    version: str
    language: str  # of what is sent as it is written: influxql or flux

    def databases(self) -> Sequence[str]:
        """Every database, but for the server's own."""

    def tiers(self, database: str) -> Mapping[str, Tier] | None:
        """The tiers of a database by their names; None when there is no such database."""

    def unfinished(self, tier: Tier) -> str:
        """What a tier that is there still lacks to be complete, as a sentence; empty when nothing."""

    def ensure_none(self, database: str, tier: str = "") -> None:
        """See that a tier that is not listed is not there; without its name, that no tier of the database is.

        Raises ConfigError (not-allowed) where this login would not be shown it.
        """

    def ensure_no_rollup(self) -> None:
        """See that a rollup that is not listed is not there. Raises as `ensure_none`."""

    def create_database(self, name: str) -> None: ...
    def drop_database(self, name: str) -> None: ...

    def create_tier(self, tier: Tier) -> None:
        """Make a tier, or what is left of making it."""

    def alter_tier(self, database: str, name: str, duration: int | None, shard: int | None, *, default: bool) -> None:
        """Change what is given; durations in seconds."""

    def drop_tier(self, database: str, name: str) -> None: ...

    def rollups(self, database: str) -> Sequence[str]:
        """The names of the rollups of a database."""

    def difference(self, rollup: Rollup) -> str | None:
        """How the rollup of that name is not this one, as a sentence; empty when it is; None when there is none.

        Raises documents.operation.Stopped when there are several.
        """

    def made(self, database: str) -> Mapping[str, Rollup | str]:
        """Name → the rollup it is, or, where no rollup makes it, the statement that does, in the order they run in."""

    def others(self) -> Sequence[str]:
        """What no file makes, a line for each kind of it: users and subscriptions, tasks of another making."""

    def strays(self) -> Mapping[str, str]:
        """Kind and name → definition of what stands beside tiers and rollups, and that no operation makes.

        Not what comes with the organisation, and not what `made` says.
        """

    def create_rollup(self, rollup: Rollup) -> None: ...
    def drop_rollup(self, database: str, name: str) -> None: ...

    def rows(self, text: str) -> Rows:
        """The answer to a query in the server's language: its rows without their times."""

    def records(self, text: str, seconds: float) -> Iterator[Mapping[str, Any]]:
        """The answer to a query in the server's language, each row with its tags and `time` in nanoseconds.

        Raises besides ConfigError (server-refused) for an answer that the server cut off.
        """

    def run(self, text: str) -> None:
        """Send one statement in the server's language."""

    def make_log(self, database: str) -> None:
        """Make a database with one infinite tier, `LOG_TIER`, if it is absent."""

    def points(self, database: str, tags: Mapping[str, str], since: int) -> Sequence[Point]:
        """The points of the log with these tags from a time on, in nanoseconds; none where there is no log."""

    def write(self, database: str, line: str) -> None:
        """Write a point, in line protocol, into the log."""

    def missing_rights(self) -> str:
        """What the login may not do and provision needs, as a sentence; empty when nothing is known."""

    def sizes(self) -> Mapping[str, TableStats] | None:
        """Bytes and writes of each tier, as `database.tier`; None when the server does not say."""

    def runs_rollups(self) -> bool | None:
        """Whether the server computes rollups; None when it does not say."""

    def close(self) -> None: ...


LOG_TIER = "ledger"
LOG_MEASUREMENT = "events"
