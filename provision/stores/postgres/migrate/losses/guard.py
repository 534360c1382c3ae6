"""Stops what loses data and was not allowed, before it is sent; what a text does not show, before it is committed.

No loss is what was made in the same run, and anything in a database that was empty before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from provision.errors import RefusedError
from provision.model import Step
from provision.stores.postgres.migrate.losses import targets as loss_targets
from provision.stores.postgres.migrate.losses.loss import Loss, Takes, as_before
from provision.stores.postgres.migrate.losses.statement import StatementReading, read
from provision.stores.postgres.migrate.losses.targets import DatabaseContent
from provision.stores.postgres.migrate.transaction_ends import ends_transaction
from provision.stores.postgres.migrate.version_table import DEFAULTS
from provision.stores.postgres.server import Connection

Rows = Sequence[Sequence[Any]]
Ask = Callable[[str], Rows]

_OWN_FUNCTIONS = "select distinct proname::text from pg_proc where pronamespace = 'pg_catalog'::regnamespace"
# Tables, columns that are gone, and tables of which the transaction deleted rows.
_SEEN = """
select case c.relkind when 'S' then 's' else 't' end, c.oid::int8, 0, c.oid::regclass::text from pg_class c
where c.relkind in ('r', 'p', 'S')
union all select 'c', attrelid::int8, attnum::int4, '' from pg_attribute where attisdropped and attnum > 0
union all select 'r', relid::int8, 0, '' from pg_stat_xact_user_tables where n_tup_del > 0
"""
_KINDS = {"t": Takes.TABLE, "s": Takes.SEQUENCE}
_COLUMN = "select attname::text from pg_attribute where attrelid = %s and attnum = %s and not attisdropped"


class PostgresLossGuard:
    """The guard of one run of a lane. `refused` is what it raised: a revision may have caught it."""

    def __init__(self, own: Connection, table: Mapping[str, str], before: DatabaseContent) -> None:
        self._own, self._before = own, before
        self._version = table.get("version_table") or DEFAULTS["version_table"]
        self._functions: frozenset[str] | None = None
        self._step: Step | None = None
        self.end()

    def begin(self, step: Step, *, closed: bool) -> None:
        """Watch a step; `closed`: nobody allowed it to lose data.

        `idle`: no statement in a transaction can lose anything. Outside of one it may drop another database.
        """
        self.end()
        self._step = step if closed else None
        self.idle = not closed or not (self._before.relations or self._before.large_objects)

    def end(self) -> None:
        self._step = None
        self.idle = True
        self._opaque = False
        self._seen: Rows | None = None  # before what cannot be rolled back
        self.refused: RefusedError | None = None

    def check(self, text: str, ask: Ask, *, before: bool = False, elsewhere: bool = False) -> None:
        """Call with every text before it is sent. `ask` runs a query on the same connection.

        `before`: look at what is there now, for another connection will not see it later; `elsewhere`: it is not sent
        on the step's own connection. Raises RefusedError.
        """
        if losses := self.suspects(text, before=before, elsewhere=elsewhere):
            self.judge(losses, ask(loss_targets.question(losses)))

    def suspects(self, text: str, *, before: bool = False, elsewhere: bool = False) -> list[Loss]:
        """What a text would lose if it was there before the run. Raises RefusedError when that needs no question."""
        if self._step is None:
            return []
        reading = read(text)
        self._watch(reading, before=before, blind=elsewhere or bool(ends_transaction(text)))
        return [each for each in as_before(reading.effects) if not self._is_version_table(each)]

    def judge(self, losses: Sequence[Loss], targets: Rows) -> None:
        """`targets` is the answer to `loss_targets.question`. Raises RefusedError."""
        self._refuse(map(str, loss_targets.taken(losses, targets, self._before)))

    def before_commit(self, ask: Ask) -> None:
        """Call before what the step did is committed. Raises RefusedError: the transaction must be rolled back."""
        if self.refused is not None:
            raise self.refused
        if self._step is None or not self._opaque or not self._before.relations:
            return
        before = self._seen if self._seen is not None else self._own.execute(_SEEN).fetchall()
        self._opaque, self._seen = False, None
        self._refuse(self._lost_objects(before, ask(_SEEN)))

    def _watch(self, reading: StatementReading, *, before: bool, blind: bool) -> None:
        """`blind`: what the text does is committed before anybody can look at it."""
        if not (reading.opaque or self._foreign(reading.calls)):
            return
        if blind and self._before.relations:
            self._refuse(["it runs code that the text does not show, and commits it before that can be looked at"])
        self._opaque = True
        if before and self._seen is None:
            self._seen = self._own.execute(_SEEN).fetchall()

    def _foreign(self, calls: Iterable[str]) -> bool:
        """Whether a function is called that does not come with the server."""
        if calls and self._functions is None:
            self._functions = frozenset(row[0] for row in self._own.execute(_OWN_FUNCTIONS))
        return any(each not in (self._functions or ()) for each in calls)

    def _is_version_table(self, loss: Loss) -> bool:
        return loss.takes in (Takes.TABLE, Takes.ROWS) and loss.name[-1:] == (self._version,)

    def _lost_objects(self, before: Rows, after: Rows) -> Iterable[str]:
        """What was there before the run and before this step, and is not any more."""
        known = {(sort, oid, column): name for sort, oid, column, name in before}
        now = {(sort, oid, column) for sort, oid, column, _ in after}
        for (sort, oid, _column), name in known.items():
            if sort in _KINDS and oid in self._before.relations and (sort, oid, 0) not in now:
                yield str(Loss(_KINDS[sort], (name,))).replace('"', "")
        names = {oid: name for (sort, oid, _), name in known.items() if sort == "t"}
        for sort, oid, column in sorted(now - known.keys()):
            if sort == "c" and self._before.holds("r", oid, column):
                yield f"drops column {self._column(oid, column)} of {names.get(oid)} and its values"
            elif sort == "r" and oid in self._before.relations:
                yield f"deletes rows of {names.get(oid)}"

    def _column(self, oid: int, number: int) -> str:
        """As it is called outside the transaction that dropped it."""
        row = self._own.execute(_COLUMN, (oid, number)).fetchone()
        return str(row[0]) if row else f"number {number}"

    def _refuse(self, losses: Iterable[str]) -> None:
        said = ", ".join(dict.fromkeys(losses))
        if not said or self._step is None:
            return
        self.refused = RefusedError(
            "destructive",
            f"{self._step.revision.title} would lose data: {said}",
            where=self._step.revision.path,
            fix="if that is meant, run the same command again with --allow-destructive",
        )
        raise self.refused
