"""What a backfill asks of the store that it fills: the optional part `batches`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, runtime_checkable

from provision.errors import ProvisionError
from provision.model.backfills import Backfill, BackfillRun, Filled, Left, Pace, ServerSignal, Source

_NAME: Final = {"type": "string", "minLength": 1}
_NAMES: Final = {"type": "array", "minItems": 1, "items": {**_NAME, "description": "the name of a column"}}
FROM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "`{store: …, table: …, columns: […]}`: the rows of another store that it is made from",
    "additionalProperties": False,
    "required": ["store", "table", "columns"],
    "properties": {
        "store": {**_NAME, "description": "the name of the store that is read"},
        "table": {**_NAME, "description": "the name of a table, schema.table where it is needed"},
        "key": {
            "if": {"type": "array"},
            "then": _NAMES,
            "else": _NAME,
            "description": "a unique column, or a list of columns that are unique together; else the primary key",
        },
        "columns": {
            "if": {"type": "array"},
            "then": _NAMES,
            "else": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {**_NAME, "description": "an expression of the row"},
            },
            "description": "a list of columns, or `name: expression` for each",
        },
        "where": {**_NAME, "description": "a condition: which rows are read"},
    },
}
"""The key `from` of kinds that are filled from another store."""


class Runs(Protocol):
    """The log of backfill runs in one store, beside its ledger."""

    def create(self) -> None:
        """Make it if it is absent."""

    def read(self, backfill: str | None = None) -> Sequence[BackfillRun]:
        """The newest state of every run with its parts, newest run first; empty where nothing was ever run.

        Must write nothing.
        """

    def peek(self, run: str) -> BackfillRun:
        """One run without its parts: asked before every batch, so it must be cheap. Raises FailedError (run-gone)."""

    def write(self, run: BackfillRun) -> bool:
        """Keep state, owner, asked, error and total if what is kept has version `run.version - 1`, else False.

        A run that is not there yet has version 0. Must leave the parts as they are.
        """

    def skipped(self, run: str) -> Sequence[tuple[str, str]]:
        """Key and error of the first hundred rows that were passed over in a run."""

    def retry_skipped(self, run: str) -> None:
        """Forget which rows were passed over, so that they count as left."""

    def note(self, run: str, throttled_by: str) -> None:
        """Keep with the parts that are not done why no batch begins just now."""

    def cut(self, run: str, cursors: Sequence[object]) -> None:
        """Add parts that begin at these cursors to the run."""


class Work(Protocol):
    """One backfill on connections of its own; used by one thread at a time, several may be open at once."""

    @property
    def shared(self) -> bool:
        """True when several processes can work on one run, no part ever in two hands at once."""

    @property
    def once(self) -> bool:
        """True when rows that were filled must not be filled again, and cannot be told from others afterwards."""

    def refused(self) -> Sequence[ProvisionError]:
        """What is wrong with it, asked of the server: unknown names, a key that is not unique, rights."""

    def warnings(self) -> Sequence[str]:
        """What its author should know before it runs."""

    def total(self) -> int | None:
        """About how many rows want filling; None where nobody can tell."""

    def size(self) -> int | None:
        """About how many rows there are, filled or not, counted no further than SMALL; None where nobody can tell."""

    def width(self) -> int:
        """About how many bytes a row has, with what is stored out of line; 0 where nobody can tell."""

    def cursors(self, parts: int) -> Sequence[object]:
        """Where each of at most so many parts begins, as plain JSON; together they are all the rows."""

    def rest(self) -> Sequence[object]:
        """Cursors for what is left after all parts were done: rows that came or moved behind them."""

    def fill(self, run: str, pace: Pace, *, skip: bool = False) -> Filled | None:
        """Fill the next `pace.rows` rows of a part of the run that nobody works on; keep its cursor and counters.

        In the transaction of the batch where the store has one; else the batch does no harm when it is done again.
        None when every part is done, or in the hands of others. With `skip`, pass over one row that cannot be filled,
        and keep which. Raises BatchFailed, BatchInTheWay, UnreachableError, FailedError (schema-changed, disk-full, …).
        """

    def left(self, run: str) -> Left:
        """The rows that still want filling, those passed over in this run not counted; NAMED keys at most."""

    def verified(self) -> str:
        """Ask the backfill's own `verify`, where it has one: why the rows are not as they should be, else empty."""

    def look(self) -> ServerSignal:
        """What on the server asks for patience now. Called about twenty times a second: it must be cheap."""

    def close(self) -> None:
        """Give its connections back."""


class Batches(Protocol):
    """The part of a store that can be filled in batches.

    Its module has `KEYS`, the JSON Schemas of the keys that its backfills have besides the common ones, by name, and
    `REQUIRED`, the names of those that must be there; both can be read without a server.
    """

    @property
    def runs(self) -> Runs: ...

    def work(self, backfill: Backfill) -> Work: ...

    def now(self) -> datetime:
        """The server's clock. Raises UnreachableError."""

    def suggestion(self, backfill: Backfill) -> Sequence[tuple[str, str, str]] | None:
        """Column, type and constant of each thing a plain DEFAULT would do as well; None where it would not."""


@runtime_checkable
class Readable(Batches, Protocol):
    """`Batches` of a store whose rows another store can be filled from."""

    def source(self, origin: Backfill) -> Source:
        """The rows that the `from` of a backfill names, `origin` being `Backfill.origin`."""
